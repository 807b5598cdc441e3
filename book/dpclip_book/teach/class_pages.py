"""The computed parts of the pages for teachers: what a chapter takes and holds, and what a class needs to install."""

import importlib.metadata
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from dpclip.files import ROOT, atomic_write_text
from dpclip_book.builder.notebooks import title
from dpclip_book.chapters import Chapter
from dpclip_book.pages.markdown import numbered_table
from dpclip_book.teach.exercises import KINDS, count_kinds

MEASURED = "data/chapters"  # what the chapters took when their stored outputs were made: one file a preset
KEPT = ("seconds", "peak_mb", "hardware")
UNKNOWN = "not measured yet"


def write_measured(chapters: Iterable[Chapter], preset: str, root: Path = ROOT) -> None:
    """Keep seconds, memory and machine of the chapters' last runs in the repository, for the page Teaching. What is
    known of other chapters stays.
    """
    rows = {chapter.name: {key: chapter.record.get(key) for key in KEPT} for chapter in chapters}
    rows = dict(sorted((read_measured(preset, root) | rows).items()))
    atomic_write_text(root / MEASURED / f"{preset}.json", json.dumps(rows, indent=1) + "\n")


def read_measured(preset: str, root: Path = ROOT) -> dict[str, dict]:
    """Chapter -> what it took; empty before the first measurement."""
    path = root / MEASURED / f"{preset}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def chapters_table(chapters: Sequence[Chapter], root: Path = ROOT) -> str:
    """A numbered Markdown table, a row a chapter: exercises by kind, minutes and memory (preset mini)."""
    measured, rows = read_measured("mini", root), []
    for chapter in chapters:
        notebook, took = chapter.shown(), measured.get(chapter.name, {})
        kinds = count_kinds(notebook)
        seconds, memory = took.get("seconds"), took.get("peak_mb")
        rows.append(
            {
                "Chapter": f"[{title(notebook)}](../notebooks/{chapter.source.name})",
                **{kind: str(kinds[kind]) for kind in KINDS},
                "Minutes": UNKNOWN if seconds is None else f"{seconds / 60:.1f}",
                "Memory, MB": UNKNOWN if memory is None else str(memory),
            }
        )
    machines = " and ".join(sorted({took["hardware"] for took in measured.values() if took.get("hardware")}))
    caption = (
        "The chapters: exercises by kind, and what one run with the preset `mini` takes when the model that "
        "most pages share is trained; the first of them trains it ({doc}`/notebooks/07_table1_fine_grained` says how "
        "long that takes). "
        f"Minutes and memory of the chapter's kernel{f', measured on {machines}' if machines else ''}."
    )
    return numbered_table(pd.DataFrame(rows), caption, "table-class-chapters", classes="book-table").data


def sizes_table(root: Path = ROOT) -> str:
    """A numbered Markdown table: megabytes of what a class installs, computed on this copy."""
    outside = {".git", ".venv", "build", "_build"}
    pictures = root / "data" / "icon-sbir" / "images"
    code = sum(folder_size(path, [pictures]) for path in root.iterdir() if path.name not in outside)
    needed = max((took.get("peak_mb") or 0 for took in read_measured("mini", root).values()), default=0)
    rows = {
        "this repository, without its history": code,
        "pictures of the benchmark, drawn on each machine by `make data`": folder_size(pictures),
        f"Python packages, with torch {importlib.metadata.version('torch')}": environment_size(),
    }
    lines = [(what, f"{size / 1e6:,.0f}") for what, size in rows.items()]
    lines.append(("memory: the chapter that takes most", f"{needed:,}" if needed else UNKNOWN))
    table = pd.DataFrame(lines, columns=["What", "MB"])
    caption = "Disk and memory that one seat needs, computed on the machine that built these pages."
    return numbered_table(table, caption, "table-class-sizes").data


def folder_size(path: Path, without: Sequence[Path] = ()) -> int:
    """Bytes of a file, or of all files in a folder but those in `without`."""
    if path in without:
        return 0
    if path.is_dir():
        return sum(folder_size(inner, without) for inner in path.iterdir())
    return path.stat().st_size if path.is_file() else 0


def environment_size() -> int:
    """Bytes of all installed packages, by their own lists of files."""
    files = {file.locate() for one in importlib.metadata.distributions() for file in one.files or ()}
    return sum(path.stat().st_size for path in map(Path, files) if path.is_file())
