"""Several processes at one run, as `torchrun` starts them: who am I, which device is mine, and what do we agree on; and
what a long run is protected from: a second process on the same files, and a signal in the middle.

A run does not depend on how many there are: `RunConfig.joint` batches make one step, dealt to the ranks.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
import torch.distributed as dist
from filelock import FileLock, Timeout

from dpclip.errors import UserError


def rank() -> int:
    return dist.get_rank() if dist.is_initialized() else 0


def world() -> int:
    return dist.get_world_size() if dist.is_initialized() else 1


def device() -> str:
    """The accelerator of this rank, or "cpu"."""
    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if torch.cuda.is_available() else "cpu"


def total(*values: float) -> list[float]:
    """Sums over the ranks."""
    if world() == 1:
        return list(values)
    joint = torch.tensor(values, dtype=torch.float64, device=device())
    dist.all_reduce(joint)
    return joint.tolist()


@contextmanager
def process_group() -> Iterator[None]:
    """Join the processes of `torchrun`, if it started us; alone, nothing happens."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    if device() != "cpu":
        torch.cuda.set_device(device())
    dist.init_process_group("nccl" if device() != "cpu" else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()


def share(joint: int) -> int:
    """How many of a step's `joint` batches are this rank's. Raises UserError when they cannot be dealt evenly."""
    if joint % world():
        raise UserError(
            f"{world()} processes cannot share joint={joint} batches a step: --set joint={world()} or a multiple."
        )
    return joint // world()


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the lock of a run's folder, after another process that holds it; the system frees it when a process dies."""
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"{folder.name} is being trained by another process: waiting for that one", file=sys.stderr, flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def signals() -> Iterator[Callable[[], str]]:
    """Within the block SIGTERM and Ctrl-C only leave their name, which the yielded function tells ("" before). Outside
    the main thread, where Python gives no signals away, nothing changes.
    """
    caught: list[str] = []
    kinds = (signal.SIGTERM, signal.SIGINT) if threading.current_thread() is threading.main_thread() else ()
    before = {kind: signal.signal(kind, lambda number, _: caught.append(signal.Signals(number).name)) for kind in kinds}
    try:
        yield lambda: caught[0] if caught else ""
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
