"""Run records: one JSON file a finished run, written once, never by an unfinished one."""

import json
import os
import platform
import re
import resource
import subprocess
from pathlib import Path

import torch

from dpclip.errors import UserError
from dpclip.files import DATA, ROOT, atomic_write_text

RECORDS = DATA / "records"
NEEDED = (
    "run",
    "split",
    "config",
    "seed",
    "data_hash",
    "weights_hash",
    "metrics",
    "probe",
    "commit",
    "hardware",
    "torch",
    "seconds",
    "peak_memory_mb",
)


def commit() -> str:
    """The commit of the code, with "+" when tracked code differs from it; "unknown" outside a git checkout."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "--short=12", "HEAD") + (
            "+" if git("status", "--porcelain", "-uno", "--", "dpclip") else ""
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def hardware(device: str = "cpu") -> str:
    """The processor or accelerator that did the work, in words."""
    if device != "cpu":
        return torch.cuda.get_device_name(device)
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        name = next(
            (line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")),
            name,
        )
    return f"{name}, {os.cpu_count()} cores, {torch.get_num_threads()} threads"


def arithmetic(device: str = "cpu") -> str:
    """What the last digits depend on besides `hardware` and torch: the processor's model and vector instructions."""
    if device != "cpu":
        return ""
    info = Path("/proc/cpuinfo")
    lines = dict(re.findall(r"^([\w ]+?)\s*: (.+)$", info.read_text(), re.M)) if info.exists() else {}
    model = "-".join(lines.get(name, "?") for name in ("cpu family", "model", "stepping"))
    return f"{model} {torch.backends.cpu.get_cpu_capability()}"


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


def write_record(record: dict, folder: Path = RECORDS) -> Path:
    """Write a finished run's record as `folder/<run>.json`, atomically.

    Raises UserError when it is incomplete or cannot be written.
    """
    missing = [name for name in NEEDED if name not in record]
    if missing:
        raise UserError(f"the record of run {record.get('run', '?')} lacks {', '.join(missing)}: it was not written.")
    path = Path(folder) / f"{record['run']}.json"
    atomic_write_text(path, json.dumps(record, indent=1, sort_keys=True) + "\n")
    return path


def read_record(run: str, folder: Path = RECORDS) -> dict | None:
    """The record of a run, or None when there is none. Raises UserError naming a damaged file."""
    path = Path(folder) / f"{run}.json"
    if not path.exists():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        missing = [name for name in NEEDED if name not in record]
    except (ValueError, TypeError) as error:
        raise UserError(f"{path} is damaged ({error}). Delete it and repeat the run.") from error
    if missing:
        raise UserError(f"{path} lacks {', '.join(missing)}. Delete it and repeat the run.")
    return record
