"""What a long run is protected from: a second process on the same files, and a signal in the middle."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


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
    """Within the block SIGTERM and Ctrl-C only leave their name, which the yielded function tells ("" before).

    Outside the main thread, where Python gives no signals away, nothing changes.
    """
    caught: list[str] = []
    kinds = (signal.SIGTERM, signal.SIGINT) if threading.current_thread() is threading.main_thread() else ()
    before = {kind: signal.signal(kind, lambda number, _: caught.append(signal.Signals(number).name)) for kind in kinds}
    try:
        yield lambda: caught[0] if caught else ""
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
