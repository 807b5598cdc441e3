"""All chapters have one skeleton; works are cited and lead to their papers."""

import re
from pathlib import Path

import nbformat
import pytest
from pybtex.database import parse_file

from dpclip.files import ROOT

CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MODULE = ("What and why", "The module", "A look inside", "Summary", "Exercises")
RESULTS = ("What and why", "Our mini runs", "?", "Our paper runs", "Summary", "Exercises")
# Costs do not come from training, so their two parts are named by size.
COSTS = ("What and why", "At the size of the paper", "At the size of the mini runs", "?", "Summary", "Exercises")


def headings(path: Path) -> list[str]:
    """The headings of second level, in order."""
    cells = nbformat.read(path, as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return re.findall(r"^## (.+)$", text, flags=re.MULTILINE)


def skeleton(path: Path) -> tuple[str, ...]:
    if "table5" in path.name:
        return COSTS
    return RESULTS if re.search("table|category_level", path.name) else MODULE


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_has_the_parts_in_order(path):
    """A part may have a name after a colon, and other parts between; "?" is a heading that asks."""
    left = iter(headings(path))
    for part in skeleton(path):
        fits = (lambda heading: heading.endswith("?")) if part == "?" else (lambda h, p=part: h.partition(":")[0] == p)
        assert any(map(fits, left)), f"{path.name}: no part {part!r}, or it is out of order"


def test_works_are_cited_and_lead_somewhere():
    texts = [path.read_text(encoding="utf-8") for path in [*CHAPTERS, *(ROOT / "book").glob("*.md")]]
    groups = [keys for text in texts for keys in re.findall(r"\{cite(?::t)?\}`([^`]+)`", text)]
    cited = {key for keys in groups for key in re.findall(r"\w+", keys)}
    works = parse_file(str(ROOT / "book" / "references.bib")).entries
    for key, work in works.items():
        assert key in cited, f"{key} is cited nowhere"
        assert {"eprint", "doi", "url"} & set(work.fields), f"{key} has no link"


def test_every_term_that_is_used_is_in_the_glossary():
    glossary = (ROOT / "book" / "how_to_read.md").read_text(encoding="utf-8").partition(":::{glossary}")[2]
    known = {line.lower() for line in glossary.splitlines() if line and not line.startswith((" ", ":"))}
    for path in CHAPTERS:
        used = re.findall(r"\{term\}`(?:[^`<]*<)?([^`>]+)>?`", path.read_text(encoding="utf-8"))
        assert used, f"{path.name} explains no word"
        assert {word.lower() for word in used} <= known
