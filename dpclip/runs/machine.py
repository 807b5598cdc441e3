"""What a record says of the machine and the code that made it."""

import os
import platform
import re
import resource
import subprocess
from pathlib import Path

import torch

from dpclip.files import ROOT


def commit() -> str:
    """The commit of the code, with "+" when tracked code differs from it; "unknown" outside a git checkout."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "-uno", "--", "*.py")
        return git("rev-parse", "--short=12", "HEAD") + "+" * bool(changed)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _processor() -> dict[str, str]:
    """What Linux says of the last core, by name; empty elsewhere."""
    info = Path("/proc/cpuinfo")
    return dict(re.findall(r"^([\w ]+?)\s*: (.+)$", info.read_text(), re.M)) if info.exists() else {}


def hardware(device: str = "cpu") -> str:
    """The processor or accelerator that did the work, in words."""
    if device != "cpu":
        return torch.cuda.get_device_name(device)
    name = _processor().get("model name") or platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores, {torch.get_num_threads()} threads"


def arithmetic(device: str = "cpu") -> str:
    """What the last digits depend on besides `hardware` and torch: the processor's model, its vector instructions, and
    the library that multiplies.
    """
    if device != "cpu":
        return ""
    model = "-".join(_processor().get(name, "?") for name in ("cpu family", "model", "stepping"))
    return f"{model} {torch.backends.cpu.get_cpu_capability()}" + " MKL" * torch.backends.mkl.is_available()


def peak_memory_mb(device: str = "cpu") -> int:
    """Most memory used so far: of the accelerator, or of this process. Linux's `ru_maxrss` begins with the process that
    started this one; VmHWM does not.
    """
    if device != "cpu":
        return torch.cuda.max_memory_allocated(device) // 2**20
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) for line in status.open() if line.startswith("VmHWM:")) // 2**10
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used // (2**20 if platform.system() == "Darwin" else 2**10)
