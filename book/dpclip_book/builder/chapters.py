"""Run the chapters: papermill executes notebooks/NN_name.ipynb in order, and an unchanged chapter is not run again.

An executed chapter and its record lie in `_build/<preset>/chapters/`: `NN_name.ipynb` and `NN_name.json`. The pair is
replaced only after every cell has run, so a failing chapter never takes a good page away. A chapter that may not train
(`--no-train`) and lacks a run gets a page that says so.
"""

import hashlib
import json
import os
import platform
import threading
import time
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError
from rich.console import Console

from dpclip.config import preset as find_preset
from dpclip.data.benchmark import NAME as EMBEDDED
from dpclip.errors import MissingRun, UserError
from dpclip.files import ROOT, atomic_write_text
from dpclip.runs import machine
from dpclip.runs.identity import records_named
from dpclip.runs.run import open_data
from dpclip_book.builder.kernel_memory import watch_memory
from dpclip_book.builder.notebooks import clean, without_outputs

HEARTBEAT = 30  # seconds between two "still running" lines
# What a chapter's numbers can depend on besides itself. Images are left out: the files beside them are their identity.
INPUTS = (
    "dpclip/**/*.py",
    "data/*.*",
    "data/published/**/*",
    "data/sketchy/*",
    "data/mini-clip/**/*",
    "data/openmoji-sbir/*",
    "constraints.txt",
)
# Apart, because a chapter may add to them while it runs.
RECORDS = ("data/records/**/*.json",)
console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Chapter:
    """One notebook, and the place of its executed copy under one preset."""

    source: Path
    build: Path  # _build/<preset>/chapters

    @property
    def name(self) -> str:
        return self.source.stem

    @property
    def executed(self) -> Path:
        return self.build / self.source.name

    @property
    def record(self) -> dict:
        """Known of the last complete run: key, parameters, seconds, memory, commit, machine; empty without one."""
        try:
            return json.loads((self.build / f"{self.name}.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return {}

    @property
    def ran(self) -> bool:
        return self.executed.is_file() and bool(self.record)

    def shown(self) -> nbformat.NotebookNode:
        """What a page shows: the notebook as it was last run, else as it is stored."""
        return nbformat.read(self.executed if self.ran else self.source, as_version=4)


def find_chapters(preset: str, root: Path = ROOT, only: Sequence[str] | None = None) -> list[Chapter]:
    """The notebooks in reading order, or those whose names begin with an entry of `only` ("03", "03_visual_prompting").

    Raises UserError for an entry that fits no chapter.
    """
    build = root / "_build" / preset / "chapters"
    chapters = [Chapter(path, build) for path in sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))]
    if not only:
        return chapters
    for entry in only:
        if not any(chapter.name.startswith(entry) for chapter in chapters):
            known = ", ".join(chapter.name for chapter in chapters) or "none"
            raise UserError(f"no chapter begins with {entry!r}; the chapters are: {known}.")
    return [chapter for chapter in chapters if chapter.name.startswith(tuple(only))]


def check_parameters(path: Path, parameters: dict) -> None:
    """Raise UserError for a parameter that the notebook's parameters cell does not define: papermill only warns."""
    notebook = nbformat.read(path, as_version=4)
    if not any("parameters" in cell.metadata.get("tags", []) for cell in notebook.cells):
        raise UserError(f'{path.name} has no cell tagged "parameters"; tag its first code cell so.')
    known = papermill.inspect_notebook(str(path))
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise UserError(f"{path.name} has no parameter {', '.join(unknown)}; it has: {', '.join(sorted(known))}.")


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
) -> list[Chapter]:
    """Execute the chapters that changed, in order, each with `{"preset": preset, **parameters}`.

    Returns all chapters asked for. Raises UserError naming chapter and cell when one fails; its last good page stays.
    A chapter that lacks a run it may not train (MissingRun) is no failure: its page says what is missing, and so does
    "missing" in its record.
    """
    config = find_preset(preset)
    data = "" if config.dataset == EMBEDDED else open_data(config).hash
    parameters = {"preset": preset, **(parameters or {})}
    chapters = find_chapters(preset, root, only)
    for chapter in chapters:
        check_parameters(chapter.source, parameters)
    ran: list[float] = []  # seconds of the chapters run in this call
    for number, chapter in enumerate(chapters, start=1):
        label = f"[{number}/{len(chapters)}] {chapter.name}"
        # Taken before the run: what is edited meanwhile is not in it.
        key = chapter_key(chapter.source, parameters, root, data)
        same = chapter.record.get("key") == [key, digest_files(RECORDS, root)] and "missing" not in chapter.record
        if same and not force and chapter.executed.is_file():
            console.print(f"{label}: unchanged, {chapter.record['seconds']:.0f} s saved")
            continue
        left = _time_left(chapters[number - 1 :], ran)
        console.print(f"{label}: running with preset {preset}, {left}")
        started = time.monotonic()
        with _heartbeat(label), watch_memory() as peak:
            notebook, missing = _execute(chapter, parameters, root)
        seconds = time.monotonic() - started
        ran.append(seconds)
        atomic_write_text(chapter.executed, nbformat.writes(notebook))
        key = [key, digest_files(RECORDS, root)]  # with the records this chapter left: the next run would load them
        record = {"key": key, "parameters": parameters, "seconds": round(seconds, 1), "peak_mb": round(peak.mb)}
        record |= {
            "commit": machine.commit(),
            "records": records_named() and records_named().name,
            **machine_facts(),
        } | ({"missing": missing} if missing else {})
        atomic_write_text(chapter.build / f"{chapter.name}.json", json.dumps(record, indent=1) + "\n")
        console.print(f"{label}: {missing}" if missing else f"{label}: done in {seconds:.0f} s")
    return chapters


def _execute(chapter: Chapter, parameters: dict, root: Path) -> tuple[nbformat.NotebookNode, str]:
    """The executed notebook without machine noise, and "". Where a run is missing: a page that says so, and the words.

    On a failing cell the stopped notebook is kept under `failed/`.
    """
    running = chapter.build / "running" / chapter.source.name
    running.parent.mkdir(parents=True, exist_ok=True)
    # The kernel inherits this: open_clip imports notebook progress bars, which complain where there are no widgets.
    os.environ.setdefault("PYTHONWARNINGS", "ignore:IProgress not found")
    try:
        papermill.execute_notebook(
            str(chapter.source),
            str(running),
            parameters,
            kernel_name="python3",
            progress_bar=False,
            extra_arguments=["--IPKernelApp.log_level=ERROR"],  # it warns of eavesdropping on the machine's own ports
            cwd=str(chapter.source.parent),
        )
    except PapermillExecutionError as error:
        if error.ename == MissingRun.__name__:
            running.unlink()
            return stopped_page(chapter.source, error.evalue), error.evalue
        failed = chapter.build / "failed" / chapter.source.name
        failed.parent.mkdir(exist_ok=True)
        os.replace(running, failed)
        cells = nbformat.read(chapter.source, as_version=4).cells
        number = next((n for n, cell in enumerate(cells, start=1) if cell.source == error.source), error.cell_index)
        line = next((line for line in error.source.splitlines() if line.strip()), "").strip()
        kept = "The page built before is kept. " if chapter.executed.is_file() else ""
        raise UserError(
            f"chapter {chapter.name}, cell {number} (`{line[:80]}`) failed: {error.ename}: {error.evalue}\n"
            f"{kept}The stopped notebook is {failed.relative_to(root)}."
        ) from error
    notebook = clean(nbformat.read(running, as_version=4), root)
    running.unlink()
    return notebook, ""


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


def _time_left(chapters: Sequence[Chapter], ran: Sequence[float]) -> str:
    """Words for the time `chapters` will take: their last run where there was one, else the mean of this call."""
    known = [chapter.record.get("seconds") for chapter in chapters]
    guess = sum(ran) / len(ran) if ran else None
    seconds = [guess if value is None else value for value in known]
    if any(value is None for value in seconds):
        return "time left not known yet"
    minutes, rest = divmod(round(sum(seconds)), 60)
    return f"about {minutes} min {rest:02d} s left"


@contextmanager
def _heartbeat(label: str):
    """Print a plain line every HEARTBEAT seconds, so that a long chapter is seen to be alive."""
    finished, started = threading.Event(), time.monotonic()

    def beat():
        while not finished.wait(HEARTBEAT):
            console.print(f"{label}: still running after {time.monotonic() - started:.0f} s")

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()


def machine_facts() -> dict:
    """What a reader needs to judge run times, and the versions that numbers depend on."""
    return {"hardware": machine.hardware(), "python": platform.python_version(), "torch": version("torch")}
