"""How far a training is, for a person: a bar at a terminal, a line an epoch elsewhere."""

import os
import time
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn, TimeRemainingColumn

from dpclip.files import show_time

VARIABLE = "DPCLIP_PROGRESS"  # names a file that gets the newest line instead: a page shows none of them


class TrainingProgress:
    """Of a training of `epochs` epochs of `steps` steps, `done` of which were made before: `bar` is open meanwhile.
    `shown` is false for all but one of several processes.
    """

    def __init__(self, title: str, epochs: int, steps: int, done: int, shown: bool) -> None:
        self.title, self.epochs, self.steps, self.shown = title, epochs, steps, shown
        self.console, self.begun, self.made, self.done = Console(stderr=True), time.perf_counter(), 0, done
        columns = (*Progress.get_default_columns()[:-1], TimeElapsedColumn(), TimeRemainingColumn())
        self.bar = Progress(*columns, console=self.console, disable=not (shown and self.console.is_terminal))
        self.task = self.bar.add_task(title, total=epochs * steps, completed=done)

    def step(self) -> None:
        """One more step is made."""
        self.made += 1
        self.bar.advance(self.task)

    def epoch(self, number: int, loss: float) -> None:
        """Epoch `number`, from 0, is over."""
        if not self.shown:
            return
        elapsed = time.perf_counter() - self.begun
        left = elapsed / max(self.made, 1) * (self.epochs * self.steps - self.done - self.made)
        line = f"{self.title}: epoch {number + 1} of {self.epochs}, loss {loss:.3f}, {show_time(elapsed)}"
        line += f", about {show_time(left)} left" if number + 1 < self.epochs else ""
        if named := os.environ.get(VARIABLE):
            Path(named).write_text(line + "\n", encoding="utf-8")
        elif not self.console.is_terminal:
            self.console.print(line, markup=False, highlight=False, soft_wrap=True)
