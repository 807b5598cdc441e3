"""Run a command on a GPU of its own: python own_gpu.py COMMAND ...

The first free one is taken of this machine's GPUs, or, where CUDA_VISIBLE_DEVICES names several, of those; when none is
free the command waits. A lock file holds the GPU until the command ends, however it ends. Where CUDA_VISIBLE_DEVICES
names one, as in a job of SLURM, the choice has been made. What was started without this program, or by another person,
is not known to it.
"""

import fcntl
import os
import sys
import tempfile
import time
from pathlib import Path

LOCKS = Path(tempfile.gettempdir()) / f"dpclip-gpus-{os.getuid()}"  # of this machine: no network file system


def choices() -> list[str]:
    """Names of the GPUs among which to choose; empty where there is no choice to make."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is None:
        import torch

        return [str(number) for number in range(torch.cuda.device_count())]
    names = [name.strip() for name in named.split(",")]
    return names if len(names) > 1 else []


def take(names: list[str]) -> str:
    """One that no other process has taken. It is this process's, and that of the command which replaces it."""
    LOCKS.mkdir(mode=0o700, exist_ok=True)
    while True:
        for name in names:
            lock = os.open(LOCKS / name.replace("/", "-"), os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
            else:
                os.set_inheritable(lock, True)
                return name
        time.sleep(0.5)


if __name__ == "__main__":
    if names := choices():
        os.environ["CUDA_VISIBLE_DEVICES"] = take(names)
    os.execvp(sys.argv[1], sys.argv[1:])
