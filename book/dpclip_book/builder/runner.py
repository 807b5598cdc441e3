"""Run the chapters: in order, two side by side where there is a second core, and an unchanged one not again.

A chapter that may not train (`--no-train`) and lacks a run gets a page that says so.
"""

import hashlib
import json
import os
import platform
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import nbformat
import torch
from rich.console import Console

from dpclip.config import preset as find_preset
from dpclip.data.benchmark import NAME as EMBEDDED
from dpclip.errors import UserError
from dpclip.files import ROOT, atomic_write_text
from dpclip.runs import machine
from dpclip.runs.records import records_named
from dpclip.runs.run import open_data
from dpclip.training.speed import SMALL
from dpclip_book.builder.execution import Execution
from dpclip_book.builder.notebooks import without_outputs
from dpclip_book.chapters import Chapter, find_chapters

EVERY, HEARTBEAT = 0.2, 30  # seconds between two looks, and between two "still running" lines
# What a chapter's numbers can depend on besides itself. Images are left out: the files beside them are their identity.
INPUTS = (
    "dpclip/**/*.py",
    "data/*.*",
    "data/dpclip_prepare/**/*.py",
    "data/published/**/*",
    "data/sketchy/*",
    "data/mini-clip/**/*",
    "data/icon-sbir/*",
    *(f"book/dpclip_book/{folder}/**/*.py" for folder in ("figures", "pages", "studies", "teach")),
    "constraints.txt",
)
# Apart, because a chapter may add to them while it runs.
RECORDS = ("data/records/**/*.json",)
console = Console(highlight=False, markup=False, soft_wrap=True)


def digest_files(patterns: Sequence[str], root: Path = ROOT) -> str:
    """SHA-256 over names and bytes of all files that fit one of the patterns."""
    digest = hashlib.sha256()
    files = {path for pattern in patterns for path in root.glob(pattern) if path.is_file()}
    for path in sorted(files):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def chapter_key(source: Path, parameters: dict, root: Path = ROOT, data: str = "") -> str:
    """The identity of an execution, but for records: notebook without outputs, parameters, and all it can read; `data`
    is the hash of a data set outside the repository.
    """
    notebook = without_outputs(nbformat.read(source, as_version=4))
    content = json.dumps([notebook, parameters, digest_files(INPUTS, root), data, str(records_named())], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def run_chapters(
    preset: str,
    only: Sequence[str] | None = None,
    force: bool = False,
    parameters: dict | None = None,
    root: Path = ROOT,
    processes: int | None = None,
) -> list[Chapter]:
    """Execute the chapters that changed, in order, each with `{"preset": preset, **parameters}`; `processes` of them
    side by side, by default two of the small presets where there are two cores.

    Returns all chapters asked for. Raises UserError naming chapter and cell when one fails, after those beside it have
    ended; its last good page stays. A chapter that lacks a run it may not train (MissingRun) is no failure: its page
    says what is missing, and so does "missing" in its record. Ctrl-C ends the kernels.
    """
    config = find_preset(preset)
    data = "" if config.dataset == EMBEDDED else open_data(config).hash
    chapters = find_chapters(preset, root, only)
    parameters = {"preset": preset, **(parameters or {})}
    small = preset in SMALL
    if small:
        torch.set_num_threads(1)  # as the kernels have, for what is said of the machine and trained beside the pages
    processes = processes or (min(2, os.cpu_count() or 1) if small else 1)
    waiting, running, failure = list(enumerate(chapters, start=1)), [], None
    spent: list[float] = []  # seconds of the chapters run in this call
    try:
        while waiting or running:
            while waiting and len(running) < processes:
                number, chapter = waiting[0]
                label = f"[{number}/{len(chapters)}] {chapter.name}"
                # Taken before the run: what is edited meanwhile is not in it.
                key = chapter_key(chapter.source, parameters, root, data)
                same = chapter.record.get("key") == [key, digest_files(RECORDS, root)]
                if same and not force and "missing" not in chapter.record and chapter.executed.is_file():
                    console.print(f"{label}: unchanged, {chapter.record['seconds']:.0f} s saved")
                else:
                    left = _time_left([chapter for _, chapter in waiting], spent, processes)
                    console.print(f"{label}: running with preset {preset}, {left}")
                    running.append(Turn(label, key, parameters, Execution(chapter, parameters, small, root)))
                waiting.pop(0)
            time.sleep(EVERY)
            for turn in [turn for turn in running if turn.ended()]:
                running.remove(turn)
                spent.append(turn.execution.seconds)
                try:
                    turn.keep(root)
                except UserError as error:
                    failure = failure or error
                    waiting.clear()
    finally:
        for turn in running:
            turn.execution.stop()
    if failure:
        raise failure
    return chapters


class Turn:
    """A chapter's turn: it is run, what happens is told, and what came out is kept."""

    def __init__(self, label: str, key: str, parameters: dict, execution: Execution) -> None:
        self.label, self.key, self.parameters, self.execution = label, key, parameters, execution
        self.line, self.told = "", time.monotonic()

    def ended(self) -> bool:
        """Whether it has. Until then each new line of its progress is printed, or now and then that it is alive."""
        if self.execution.look():
            return True
        line, now = self.execution.progress, time.monotonic()
        if line != self.line or now - self.told > HEARTBEAT:
            alive = f"still running after {self.execution.seconds:.0f} s"
            console.print(f"{self.label}: {line if line != self.line else alive}")
            self.line, self.told = line, now
        return False

    def keep(self, root: Path) -> None:
        """Put page and record in the place of the older ones. Raises UserError as `Execution.result` does."""
        notebook, missing = self.execution.result()
        chapter, seconds = self.execution.chapter, self.execution.seconds
        atomic_write_text(chapter.executed, nbformat.writes(notebook))
        key = [self.key, digest_files(RECORDS, root)]  # with those that this chapter left
        record = {"key": key, "parameters": self.parameters, "seconds": round(seconds, 1)}
        record |= {"peak_mb": round(self.execution.peak_mb), "commit": machine.commit()}
        record |= {"records": records_named() and records_named().name, **machine_facts()}
        record |= {"missing": missing} if missing else {}
        atomic_write_text(chapter.build / f"{chapter.name}.json", json.dumps(record, indent=1) + "\n")
        console.print(f"{self.label}: {missing or f'done in {seconds:.0f} s'}")


def _time_left(chapters: Sequence[Chapter], ran: Sequence[float], processes: int) -> str:
    """Words for the time `chapters` will take: their last run where there was one, else the mean of this call."""
    known = [chapter.record.get("seconds") for chapter in chapters]
    guess = sum(ran) / len(ran) if ran else None
    seconds = [guess if value is None else value for value in known]
    if any(value is None for value in seconds):
        return "time left not known yet"
    minutes, rest = divmod(round(sum(seconds) / min(processes, len(seconds))), 60)
    return f"about {minutes} min {rest:02d} s left"


def machine_facts() -> dict:
    """What a reader needs to judge run times, and the versions that numbers depend on."""
    return {"hardware": machine.hardware(), "python": platform.python_version(), "torch": version("torch")}
