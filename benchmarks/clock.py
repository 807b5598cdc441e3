"""Time and memory of a piece of work, as its own: repeated after a warm-up, and alone in a fresh process."""

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import psutil
import torch

FEWEST, MOST, ENOUGH = 3, 50, 2.0  # repeats, repeats, seconds


def least_ms(work: Callable[[], object], device: str = "cpu") -> float:
    """Milliseconds of a call, after one to warm up: the least of FEWEST to MOST repeats, of ENOUGH seconds in all. What
    else the machine does can only add to a call's time, never take from it.
    """
    seconds: list[float] = []
    work()
    synchronise(device)
    while len(seconds) < FEWEST or (len(seconds) < MOST and sum(seconds) < ENOUGH):
        begun = time.perf_counter()
        work()
        synchronise(device)
        seconds.append(time.perf_counter() - begun)
    return 1000 * min(seconds)


def synchronise(device: str) -> None:
    """Wait for an accelerator, which answers before it is done."""
    if device != "cpu":
        torch.cuda.synchronize(device)


def memory_mb(device: str = "cpu") -> float:
    """In use now: by tensors on the accelerator, or by this process."""
    used = torch.cuda.memory_allocated(device) if device != "cpu" else psutil.Process().memory_info().rss
    return used / 2**20


def in_fresh_process(work: Callable, *arguments: object) -> object:
    """The result of `work(*arguments)` in a process of its own. `work` is a function of a module."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()
