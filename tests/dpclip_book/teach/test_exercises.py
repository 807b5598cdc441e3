"""Every chapter has exercises of every kind, and each fault of form is found."""

import nbformat
import pytest

from dpclip.files import ROOT
from dpclip_book.teach.exercises import KINDS, count_kinds, find_problems

from .chapter import make_chapter

PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_chapter_keeps_the_form(path):
    notebook = nbformat.read(path, as_version=4)
    assert find_problems(notebook) == []
    assert set(count_kinds(notebook)) == set(KINDS)


def test_a_label_stands_once_in_the_book():
    cells = [cell.source for path in PATHS for cell in nbformat.read(path, as_version=4).cells]
    labels = [line for source in cells if "{exercise}" in source for line in source.splitlines() if ":label:" in line]
    assert len(labels) == len(set(labels)) >= 3 * len(PATHS)


def untag(chapter, number):
    chapter.cells[number].metadata.tags.clear()


FAULTS = {
    "its title is 'Hard'": lambda c: c.cells[5].update(source=c.cells[5].source.replace("Recall", "Hard")),
    "no exercise of the kind Project": lambda c: c.cells.pop(),
    "its answer is missing": lambda c: c.cells.pop(6),
    "not tagged solution": lambda c: untag(c, 6),
    "with # BEGIN SOLUTION inside a function": lambda c: untag(c, 8),
    "one tagged check must follow": lambda c: c.cells.pop(9),
    "each {exercise} needs a cell of its own": lambda c: c.cells[10].update(source=2 * f"{c.cells[10].source}\n"),
}


@pytest.mark.parametrize("problem", FAULTS)
def test_each_fault_is_found(problem):
    chapter = make_chapter()
    assert find_problems(chapter) == []
    FAULTS[problem](chapter)
    assert any(problem in found for found in find_problems(chapter)), find_problems(chapter)
