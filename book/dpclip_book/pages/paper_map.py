"""The page Paper map: book/paper_map.toml, rendered, and checked against pages, code and tests."""

import ast
import importlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

from dpclip.errors import UserError
from dpclip.files import ROOT

SOURCE = ROOT / "book" / "paper_map.toml"
PRINTED = {"figure": 5, "table": 5, "equation": 6, "section": 19}  # how many the paper has `paper`
HEADINGS = {
    "figure": (
        "Figures",
        "All captions were at hand, and the drawing of the second. Figures 1, 2, 3 and 5 are redrawn, none is copied.",
    ),
    "table": (
        "Tables",
        "None was at hand as printed, but for two drafts of the appendix. The layouts are ours, and so is the order.",
    ),
    "equation": (
        "Equations",
        "None was at hand as printed. These are ours; which of them are printed, and under which number, is not known.",
    ),
    "section": (
        "Sections",
        "Neither titles nor text were at hand. What they must be about follows from the rest.",
    ),
}


@dataclass(frozen=True)
class Part:
    """One part of the paper; what its fields mean is written at the head of the file."""

    kind: str
    title: str
    known: str
    pages: list[str]
    code: list[str]
    tests: list[str]
    status: str
    number: int = 0
    target: str = ""


def read_map(path: Path = SOURCE) -> list[Part]:
    """Raises UserError for an unknown field or kind."""
    try:
        parts = [Part(**entry) for entry in tomllib.loads(path.read_text(encoding="utf-8"))["part"]]
    except TypeError as error:
        raise UserError(f"{path.name}: {error}") from error
    odd = next((part for part in parts if part.kind not in PRINTED), None)
    if odd:
        raise UserError(f"{path.name}, {odd.title!r}: kind {odd.kind!r} is none of {', '.join(PRINTED)}.")
    return parts


def problems(parts: list[Part], root: Path = ROOT) -> list[str]:
    """What the map names and the project has not: pages, labels, code, tests."""
    found = []
    for part in parts:
        sources = {page: _page(page, root) for page in part.pages}
        found += [f"{part.title}: no page {page}" for page, file in sources.items() if file is None]
        texts = [file.read_text(encoding="utf-8") for file in sources.values() if file]
        if part.target and not any(part.target in text for text in texts):
            found.append(f"{part.title}: no label {part.target} on its pages")
        found += [f"{part.title}: no object dpclip.{name}" for name in part.code if not _exists(name)]
        found += [f"{part.title}: no test {node}" for node in part.tests if not _tested(node, root)]
    return found


def _page(page: str, root: Path) -> Path | None:
    return next((root / f"{page}{end}" for end in (".ipynb", ".md") if (root / f"{page}{end}").is_file()), None)


def _exists(name: str) -> bool:
    """Whether the longest importable beginning of dpclip.`name` has the rest as attributes."""
    words = name.split(".")
    for length in range(len(words), 0, -1):
        try:
            found = importlib.import_module(".".join(["dpclip", *words[:length]]))
        except ModuleNotFoundError:
            continue
        for word in words[length:]:
            if not hasattr(found, word):
                return False
            found = getattr(found, word)
        return True
    return False


def _tested(node: str, root: Path) -> bool:
    """Whether tests/`node` is a file of tests, or a function in one."""
    name, _, function = node.partition("::")
    file = root / "tests" / name
    if not file.is_file():
        return False
    functions = [item.name for item in ast.parse(file.read_text()).body if isinstance(item, ast.FunctionDef)]
    return function in functions if function else any(each.startswith("test_") for each in functions)


def map_page(parts: list[Part]) -> str:
    """The generated part of the page, as MyST Markdown: a heading a kind, an entry a part."""
    lines = []
    for kind, (heading, note) in HEADINGS.items():
        own = [part for part in parts if part.kind == kind]
        lines.append(f"## {heading}\n\nThe paper has {PRINTED[kind]}. {note}\n")
        for part in own:
            number = f"{kind.capitalize()} {part.number}: " if part.number else ""
            pages = ", ".join(f"{{doc}}`/{page}`" for page in part.pages)
            place = f"{_reference(part)} in {pages}" if part.target else pages
            code = ", ".join(f"`{name}`" for name in part.code)
            tests = ", ".join(f"`{node}`" for node in part.tests)
            lines.append(
                f"{number}{part.title}\n: Known: {part.known}. *Status: {part.status}.*\n"
                f": Here: {place}.\n: Code: {code}.\n: Tests: {tests}.\n"
            )
    return "\n".join(lines)


def _reference(part: Part) -> str:
    return f"{{eq}}`{part.target}`" if part.kind == "equation" else f"{{numref}}`{part.target}`"
