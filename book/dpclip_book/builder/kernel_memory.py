"""The memory of a chapter: that of the kernel which runs it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

EVERY = 0.2  # seconds between two looks


class Peak:
    """The most memory of all processes that this one has started, in MB."""

    def __init__(self) -> None:
        self.mb = 0.0

    def look(self) -> None:
        used = 0
        for process in psutil.Process().children(recursive=True):
            try:
                used += process.memory_info().rss
            except psutil.Error:  # it has ended meanwhile
                continue
        self.mb = max(self.mb, used / 2**20)


@contextmanager
def watch_memory() -> Iterator[Peak]:
    """Look again and again while the block runs; the result's `mb` then holds the peak."""
    finished, peak = threading.Event(), Peak()

    def watch() -> None:
        while not finished.wait(EVERY):
            peak.look()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        finished.set()
        thread.join()
