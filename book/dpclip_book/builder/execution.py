"""One chapter at work: papermill runs it in a process of its own, with a kernel below that; here it is watched.

A run inside the chapter tells its progress in the file that the environment variable DPCLIP_PROGRESS names, a line at a
time. An executed chapter is taken over only after every cell has run, so a failing one never takes a good page away.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil

from dpclip.errors import MissingRun, UserError
from dpclip.files import ROOT
from dpclip.training.progress import VARIABLE as PROGRESS
from dpclip_book.builder.notebooks import clean
from dpclip_book.chapters import Chapter

PATIENCE = 10  # seconds that a stopped papermill has to end its kernel


class Execution:
    """A chapter in progress. `peak_mb` is the most memory that its kernel was seen to hold; `seconds` end with it."""

    def __init__(self, chapter: Chapter, parameters: dict, one_thread: bool, root: Path = ROOT) -> None:
        self.chapter, self.root = chapter, root
        self.begun, self.seconds, self.peak_mb = time.monotonic(), 0.0, 0.0
        self.notebook = chapter.build / "running" / chapter.source.name
        self.log, self._progress = (self.notebook.with_suffix(end) for end in (".log", ".progress"))
        self.notebook.parent.mkdir(parents=True, exist_ok=True)
        self._progress.unlink(missing_ok=True)
        words = ["--parameters_yaml", json.dumps(parameters), "--kernel", "python3"]
        words += ["--cwd", str(chapter.source.parent), "--no-progress-bar", "--no-log-output"]
        # open_clip imports notebook progress bars, which complain where there are no widgets
        own = {PROGRESS: str(self._progress), "PYTHONWARNINGS": "ignore:IProgress not found"}
        own |= {"OMP_NUM_THREADS": "1"} if one_thread else {}
        with open(self.log, "wb") as log:
            self.process = psutil.Popen(
                [sys.executable, "-m", "papermill", str(chapter.source), str(self.notebook), *words],
                env={**os.environ, **own},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches it through `stop` alone
            )

    def look(self) -> bool:
        """Whether it has ended. Its memory is noted."""
        ended = self.process.poll() is not None
        self.seconds = time.monotonic() - self.begun
        if not ended:
            self.peak_mb = max(self.peak_mb, held_mb(self.process))
        return ended

    @property
    def progress(self) -> str:
        """The last line that a run in it has told; "" before the first."""
        try:
            return self._progress.read_text(encoding="utf-8").strip().rpartition("\n")[2]
        except FileNotFoundError:
            return ""

    def stop(self) -> None:
        """End papermill and its kernel."""
        below = [self.process, *self.process.children(recursive=True)] if self.process.poll() is None else []
        if below:
            self.process.send_signal(signal.SIGINT)
        for process in psutil.wait_procs(below, PATIENCE)[1]:
            process.kill()

    def result(self) -> tuple[nbformat.NotebookNode, str]:
        """The executed notebook without machine noise, and "". Where a run is missing: a page that says so, and the
        words. Raises UserError naming chapter and cell when one failed; the stopped notebook is kept under `failed/`.
        """
        ran = nbformat.read(self.notebook, as_version=4) if self.notebook.is_file() else None
        if self.process.returncode == 0:
            self.notebook.unlink()
            return clean(ran, self.root), ""
        outputs = [(cell, output) for cell in (ran.cells if ran else []) for output in cell.get("outputs", [])]
        found = next(((cell, output) for cell, output in outputs if output.output_type == "error"), None)
        if found is None:
            last = self.log.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]
            raise UserError(f"chapter {self.chapter.name} stopped: {last}\nThe log is {self._shown(self.log)}.")
        cell, error = found
        if error.ename == MissingRun.__name__:
            self.notebook.unlink()
            return stopped_page(self.chapter.source, error.evalue), error.evalue
        failed = self.chapter.build / "failed" / self.chapter.source.name
        failed.parent.mkdir(exist_ok=True)
        os.replace(self.notebook, failed)
        cells = nbformat.read(self.chapter.source, as_version=4).cells
        number = next(n for n, own in enumerate(cells, start=1) if own.source == cell.source)
        line = next((line for line in cell.source.splitlines() if line.strip()), "").strip()
        kept = "The page built before is kept. " if self.chapter.executed.is_file() else ""
        raise UserError(
            f"chapter {self.chapter.name}, cell {number} (`{line[:80]}`) failed: {error.ename}: {error.evalue}\n"
            f"{kept}The stopped notebook is {self._shown(failed)}."
        )

    def _shown(self, path: Path) -> Path:
        return path.relative_to(self.root)


def held_mb(process: psutil.Process) -> float:
    """Memory of all processes below one, in MB."""
    used = 0
    try:
        for below in process.children(recursive=True):
            used += below.memory_info().rss
    except psutil.Error:  # one has ended meanwhile
        pass
    return used / 2**20


def stopped_page(source: Path, missing: str) -> nbformat.NotebookNode:
    """In the place of a chapter that lacks a run: its title and what is missing, first line of `missing` first."""
    title = nbformat.read(source, as_version=4).cells[0].source.splitlines()[0]
    first, *runs = missing.splitlines()
    words = [
        f"{title}\n",
        "```{admonition} This page is not here",
        ":class: warning",
        "The chapter stopped, since it may not train (`--no-train`), and nothing of it is shown.",
        f"\n{first}\n",
        *(f"- `{run.replace(': ', '`: ', 1)}" for run in runs),
        "```",
    ]
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("\n".join(words))])
