"""A student's notebook holds no solution, and its code fails kindly."""

import re

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from dpclip.errors import UserError
from dpclip.files import ROOT
from dpclip_book.teach.editions import student

from .chapter import make_chapter

PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_students_get_the_exercise_and_not_its_solution():
    chapter = make_chapter()
    left = student(chapter)
    text = nbformat.writes(left)
    assert "never shown" not in text and "twice" not in text.lower().replace("twice x", "")
    assert "BEGIN" not in text and "all checks passed" not in text and "hide-input" not in text
    assert '    """Twice x."""\n    raise NotImplementedError  # your code here' in left.cells[7].source
    assert left.cells[3].outputs and left.cells[0] == chapter.cells[0]  # the chapter itself is as it was
    assert "twice_the_number" in chapter.cells[8].source
    nbformat.validate(left)


def run(cells) -> str:
    """What a notebook shows when these cells run one after the other."""
    shell = InteractiveShell()
    with capture_output() as shown:
        for cell in cells:
            shell.run_cell(cell.source)
    return shown.stdout + shown.stderr


@pytest.mark.parametrize(
    "source, shown",
    [
        ("pass", "exercise-double is not finished: write your code in the cell above, run it, then this cell.\n"),
        ("def double(x):\n    return x", "exercise-double is not right yet: 2 gives 4\n"),
        ("def double(x):\n    return y", "exercise-double: your code stops with NameError: name 'y' is not defined\n"),
        ("def double(x):\n    return 2 * x", "exercise-double: all checks passed\n"),
    ],
)
def test_a_check_says_one_sentence(source, shown):
    _, code, check = student(make_chapter()).cells[6:9]
    extra = nbformat.v4.new_code_cell(source)
    assert run([code, extra, check]) == shown


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_unfinished_exercises_of_every_chapter_fail_kindly(path):
    cells = [cell for cell in student(nbformat.read(path, as_version=4)).cells if cell.cell_type == "code"]
    exercises = [cell for cell in cells if {"solution", "check"} & set(cell.metadata.get("tags", []))]
    code = [cell for cell in exercises if "solution" in cell.metadata.tags]
    assert code and all("raise NotImplementedError" in cell.source for cell in code)
    shown = run(exercises)  # alone: some checks miss a name of the chapter first, and say that
    label = re.search(r'check\("(\S+)"\)', exercises[-1].source)[1]
    assert shown.count("\n") == 1 and shown.startswith((f"{label} is not finished", f"{label}: your code stops with"))


def test_a_solution_without_tag_or_marks_is_refused():
    chapter = make_chapter()
    chapter.cells[8].metadata.tags.clear()
    with pytest.raises(UserError, match='00_a, cell 8 holds a solution; give it the tag "solution"'):
        student(chapter, "00_a")
    chapter = make_chapter()
    chapter.cells[8].source = "def double(x):\n    return x + x"
    with pytest.raises(UserError, match="00_a, cell 8 is a solution; put # BEGIN SOLUTION"):
        student(chapter, "00_a")
