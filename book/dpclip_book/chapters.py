"""The chapters: which there are, which parameters each takes, and what is known of its last run.

The command line asks here before anything slow is imported, so that a wrong option is answered at once.
"""

import ast
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dpclip.errors import UserError
from dpclip.files import ROOT

EDITIONS = ("teacher", "student")
TAG = "parameters"  # of the cell with a chapter's parameters


@dataclass(frozen=True)
class Chapter:
    """One notebook, and the place of its executed copy under one preset.

    The copy and its record lie in `_build/<preset>/chapters/`: `NN_name.ipynb` and `NN_name.json`.
    """

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

    def shown(self):
        """What a page shows: the notebook as it was last run, else as it is stored."""
        import nbformat

        return nbformat.read(self.executed if self.ran else self.source, as_version=4)

    @property
    def parameters(self) -> dict[str, object]:
        """Name -> default of what its parameters cell defines, each as `name: type = value`. Raises UserError when no
        cell has the tag.
        """
        cells = json.loads(self.source.read_text(encoding="utf-8"))["cells"]
        cell = next((cell for cell in cells if TAG in cell["metadata"].get("tags", [])), None)
        if cell is None:
            raise UserError(f'{self.source.name} has no cell tagged "{TAG}"; tag its first code cell so.')
        lines = ast.parse("".join(cell["source"])).body
        return {line.target.id: ast.literal_eval(line.value) for line in lines if isinstance(line, ast.AnnAssign)}


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


def read_parameters(texts: Sequence[str], chapters: Sequence[Chapter]) -> dict[str, object]:
    """["seed=1"] -> {"seed": 1}: each value has the type of the chapters' own default.

    Raises UserError for what is not NAME=VALUE, a name that one of the chapters does not know, and a value of another
    type. The preset is not set here.
    """
    found: dict[str, object] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise UserError(f"--parameter {text!r}: write NAME=VALUE, for example --parameter seed=1.")
        for chapter in chapters:
            known = {name: default for name, default in chapter.parameters.items() if name != "preset"}
            if name not in known:
                names = ", ".join(known) or "none but the preset"
                raise UserError(f"--parameter {text!r}: {chapter.name} has no parameter {name}; it has: {names}.")
            found[name] = _typed(value, type(known[name]), text)
    return found


def _typed(value: str, kind: type, text: str) -> object:
    try:
        return {"true": True, "false": False}[value.lower()] if kind is bool else kind(value)
    except (KeyError, ValueError) as error:
        raise UserError(f"--parameter {text!r}: {value!r} is not of type {kind.__name__}.") from error


def check_edition(edition: str) -> None:
    """Raise UserError for an unknown one."""
    if edition not in EDITIONS:
        raise UserError(f"unknown edition {edition!r}. Choose one of {', '.join(EDITIONS)}.")
