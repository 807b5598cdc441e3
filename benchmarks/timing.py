"""Two ways to do one piece of work, timed in one process."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Comparison:
    """Times of one piece of work in seconds. `demand`: how many times faster ours must be; None: for information."""

    what: str
    rival: str
    ours: float
    theirs: float
    demand: float | None = None

    @property
    def ratio(self) -> float:
        return self.theirs / self.ours

    @property
    def missed(self) -> bool:
        return self.demand is not None and self.ratio < self.demand


def interleaved(sides: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median seconds of each side. In every repeat each side runs once, so that a busy moment hits all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(repeats):
        for name, work in sides.items():
            start = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - start)
    return {name: median(times) for name, times in seconds.items()}
