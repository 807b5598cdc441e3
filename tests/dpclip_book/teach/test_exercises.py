"""Every chapter has exercises of every kind, and each fault of form is found."""

from dataclasses import dataclass

import nbformat
import pytest

from dpclip.files import ROOT
from dpclip_book.teach.exercises import (
    ANSWER,
    BEGIN,
    CHECK,
    DIRECTIVE,
    KINDS,
    MARKED,
    SOLUTION,
    count_kinds,
    is_solution,
)

from .chapter import make_chapter

PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@dataclass(frozen=True)
class Exercise:
    """One exercise and the cells that follow it, up to the next one."""

    label: str
    kind: str
    after: tuple[nbformat.NotebookNode, ...]


def read_exercises(notebook: nbformat.NotebookNode) -> list[Exercise]:
    """All exercises of a chapter, in order."""
    starts = [
        n for n, cell in enumerate(notebook.cells) if cell.cell_type == "markdown" and DIRECTIVE.search(cell.source)
    ]
    ends = [*starts[1:], len(notebook.cells)]
    found = []
    for start, end in zip(starts, ends, strict=True):
        match = DIRECTIVE.search(notebook.cells[start].source)
        found.append(Exercise(match["label"], match["kind"].strip(), tuple(notebook.cells[start + 1 : end])))
    return found


def find_problems(notebook: nbformat.NotebookNode) -> list[str]:
    """What is wrong with the exercises of a chapter; empty when each kind is there and every form is kept."""
    exercises, counts = read_exercises(notebook), count_kinds(notebook)
    wrong = [f"no exercise of the kind {kind}" for kind in KINDS if not counts[kind]]
    several = sum(cell.source.count("{exercise}") for cell in notebook.cells if cell.cell_type == "markdown")
    if several != len(exercises):
        wrong.append("each {exercise} needs a cell of its own, with its :label: in the next line")
    return wrong + [problem for exercise in exercises for problem in problems(exercise)]


def problems(exercise: Exercise) -> list[str]:
    """What is wrong with the cells that follow it."""
    wrong = [] if exercise.kind in KINDS else [f"its title is {exercise.kind!r}, not one of {', '.join(KINDS)}"]
    cells = [cell for cell in exercise.after if cell.cell_type == "code"]
    texts = [cell for cell in exercise.after if cell.cell_type == "markdown"]
    tags = [tag for cell in cells for tag in cell.metadata.get("tags", []) if tag in (SOLUTION, CHECK)]
    code = "".join(cell.source for cell in cells if is_solution(cell))
    if exercise.kind == "Code" and (tags != [SOLUTION, CHECK] or not MARKED.search(code)):
        wrong.append(f"a cell tagged {SOLUTION}, with {BEGIN} inside a function, and one tagged {CHECK} must follow")
    if exercise.kind == "Recall" and not any(ANSWER.search(cell.source) for cell in texts):
        wrong.append("its answer is missing: a {solution} directive")
    for cell in texts:
        named = ANSWER.findall(cell.source)
        if not is_solution(cell) or named != [exercise.label]:
            wrong.append(f"a text cell follows that is not tagged {SOLUTION} with one {{solution}} of this label")
    return [f"{exercise.label}: {problem}" for problem in wrong]


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
