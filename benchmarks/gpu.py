"""The check of a CUDA machine in one command, in less than five minutes: `python -m benchmarks.gpu FOLDER [--tiny]`.

Each check of gpu_checks.py is a process of its own with a limit. After each, FOLDER/gpu.json is written anew: what the
machine is, and of every check whether it ended well, its last words if not, its seconds and its figures, those of a
check that was stopped too. `--tiny` tries all of it on the processor. Status 1 when a check failed.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dpclip.files import ROOT, atomic_write_text

LIMITS = {"machine": 60, "agree": 75, "resume": 60, "step": 110, "pipeline": 45}  # seconds, in this order
WHOLE = 295  # of all; the first loads torch from a cold disk, and is quick elsewhere
LAST = 12  # lines


def command(check: str, figures: Path, until: float, tiny: bool) -> list[str]:
    words = [sys.executable, "-m", "benchmarks.gpu_checks", check, str(figures), "--until", str(until)]
    return words + ["--tiny"] * tiny


def run_check(check: str, folder: Path, limit: float, tiny: bool) -> dict:
    """What came of a check. Its processes are gone then."""
    figures, log, begun = folder / f"{check}.json", folder / f"{check}.log", time.time()
    environment = os.environ | {"TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"}
    environment |= {"CUDA_VISIBLE_DEVICES": ""} if tiny else {}
    with log.open("wb") as file:
        words, both = command(check, figures, begun + limit, tiny), {"stdout": file, "stderr": subprocess.STDOUT}
        process = subprocess.Popen(words, **both, cwd=ROOT, env=environment, process_group=0)
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            pass
        finally:
            stopped = process.poll() is None
            try:
                os.killpg(process.pid, signal.SIGKILL)  # workers may outlive it
            except ProcessLookupError:
                pass
            process.wait()
    found = {"ok": process.returncode == 0, "seconds": round(time.time() - begun, 1), "limit": round(limit)}
    if process.returncode:
        said = log.read_text(errors="replace").splitlines()[-LAST:]
        reason = f"stopped at its limit of {limit:.0f} s" if stopped else f"status {process.returncode}"
        found["error"] = "\n".join([reason, *said])
    return found | {"figures": json.loads(figures.read_text()) if figures.exists() else {}}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where gpu.json goes")
    parser.add_argument("--tiny", action="store_true", help="all of it on the processor, with tiny sizes")
    asked, begun = parser.parse_args(arguments), time.time()
    record: dict = {"tiny": asked.tiny, "began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "checks": {}}
    with tempfile.TemporaryDirectory(prefix="dpclip-gpu-") as folder:
        for check, limit in LIMITS.items():
            limit = max(1.0, min(limit, begun + WHOLE - time.time()))
            record["checks"][check] = found = run_check(check, Path(folder), limit, asked.tiny)
            print(check, json.dumps(found, indent=1), flush=True)
            if check == "machine":
                record["machine"] = found.pop("figures")
            record["seconds"] = round(time.time() - begun, 1)
            atomic_write_text(asked.folder / "gpu.json", json.dumps(record, indent=1) + "\n")
    return int(not all(found["ok"] for found in record["checks"].values()))


if __name__ == "__main__":
    sys.exit(main())
