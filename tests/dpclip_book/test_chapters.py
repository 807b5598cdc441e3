"""Wrong requests are refused at once: chapters, parameters and options are checked before anything slow is imported."""

import subprocess
import sys

import nbformat
import pytest

from dpclip.errors import UserError
from dpclip.files import ROOT
from dpclip_book.chapters import check_edition, find_chapters, read_parameters


def test_only_accepts_beginnings_and_names_the_choices(project):
    assert [chapter.name for chapter in find_chapters("smoke", project, only=["00"])] == ["00_first"]
    with pytest.raises(UserError, match="no chapter begins with '07'; the chapters are: 00_first"):
        find_chapters("smoke", project, only=["07"])


def test_a_chapter_without_parameters_cell_is_named(project):
    path = project / "notebooks" / "00_first.ipynb"
    notebook = nbformat.read(path, as_version=4)
    del notebook.cells[1]
    nbformat.write(notebook, path)
    with pytest.raises(UserError, match='00_first.ipynb has no cell tagged "parameters"'):
        read_parameters(["seed=1"], find_chapters("smoke", project))


@pytest.fixture
def typed(project):
    """A chapter with a parameter of each type."""
    path = project / "notebooks" / "00_first.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].source += '\nseed: int = 0  # a seed\nrate: float = 0.1\nflip: bool = False\nstyle: str = "drawn"'
    nbformat.write(notebook, path)
    return find_chapters("smoke", project)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("seed=1", 1),
        ("seed=010", 10),
        ("seed=-1", -1),
        ("rate=1e3", 1000.0),
        ("flip=true", True),
        ("style=1e3", "1e3"),
        ("style=[1", "[1"),
        ("style=a=b", "a=b"),
    ],
)
def test_a_value_has_the_type_of_the_default(typed, text, value):
    ((_, read),) = read_parameters([text], typed).items()
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed", "write NAME=VALUE"),
        ("seed=[1", r"'\[1' is not of type int"),
        ("seed=1e3", "'1e3' is not of type int"),
        ("rate=fast", "'fast' is not of type float"),
        ("flip=no", "'no' is not of type bool"),
        ("colour=1", "00_first has no parameter colour; it has: seed, rate, flip, style"),
        ("preset=mini", "00_first has no parameter preset"),
    ],
)
def test_what_does_not_fit_is_one_line(typed, text, message):
    with pytest.raises(UserError, match=message) as error:
        read_parameters([text], typed)
    assert "\n" not in str(error.value)


def test_an_unknown_edition_is_named():
    with pytest.raises(UserError, match="unknown edition 'pupil'. Choose one of teacher, student"):
        check_edition("pupil")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("make --preset tiny", "unknown preset 'tiny'"),
        ("make --only 99", "no chapter begins with '99'"),
        ("make --only 00 --parameter seed=[1", "'[1' is not of type int"),
        ("make --edition pupil", "unknown edition 'pupil'"),
        ("run --data notebooks", "--data notebooks: the preset mini brings its own"),
        ("run --weights README.md --preset dry", "--weights README.md: the preset dry brings its own"),
        ("make --data nowhere", "--data nowhere: there is no such file or folder"),
        ("run --weights nowhere.pt", "--weights nowhere.pt: there is no such file or folder"),
        ("make --records nowhere", "--records nowhere: there is no such file or folder"),
        ("site --preset tiny", "unknown preset 'tiny'"),
        ("pdf --preset tiny", "unknown preset 'tiny'"),
        ("store --only 99", "no chapter begins with '99'"),
        ("rankings --preset tiny", "unknown preset 'tiny'"),
    ],
)
def test_a_wrong_option_is_answered_before_slow_imports(words, message):
    inside = (
        "import sys\nfrom dpclip.errors import UserError\nfrom dpclip_book.book_commands import app\n"
        "try:\n    app(sys.argv[1:], standalone_mode=False)\nexcept UserError as error:\n    print(error)\n"
        "print(sorted({'torch', 'papermill', 'sphinx', 'nbformat', 'pandas', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", inside, *words.split()], cwd=ROOT, capture_output=True, text=True)
    *said, slow = done.stdout.splitlines()
    assert (len(said), slow) == (1, "[]") and message in said[0], done.stdout + done.stderr
