"""The page Paper map: book/paper_map.toml, rendered."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from dpclip.errors import UserError
from dpclip.files import ROOT

SOURCE = ROOT / "book" / "paper_map.toml"
PRINTED = {"figure": 5, "table": 5, "equation": 6, "section": 19}  # how many the paper has `paper`
NOTES = {
    "figure": "All captions were at hand, and one drawing. Figures 1, 2, 3 and 5 are redrawn, none is copied.",
    "table": "None was at hand as printed, but two drafts of the appendix. Layouts and order are ours.",
    "equation": "None was at hand as printed. These are ours; which are printed, and how numbered, is not known.",
    "section": "Neither titles nor text were at hand. What they must be about follows from the rest.",
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


def map_page(parts: list[Part]) -> str:
    """The generated part of the page, as MyST Markdown: a heading a kind, an entry a part."""
    lines = []
    for kind, note in NOTES.items():
        own = [part for part in parts if part.kind == kind]
        lines.append(f"## {kind.capitalize()}s\n\nThe paper has {PRINTED[kind]}. {note}\n")
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
