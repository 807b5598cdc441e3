"""Running chapters: wrong requests are refused at once, unchanged chapters are skipped, failures lose nothing."""

import os
from pathlib import Path

import nbformat
import papermill
import pytest

from dpclip.errors import UserError
from dpclip_book.book_commands import parse_parameters, prepare
from dpclip_book.builder.chapters import Chapter, _time_left, chapter_key, find_chapters, run_chapters
from dpclip_book.builder.site import store_outputs

from .conftest import chapter_notebook


@pytest.fixture
def executions(monkeypatch):
    """Count papermill's executions while letting them happen."""
    calls, execute = [], papermill.execute_notebook
    monkeypatch.setattr(papermill, "execute_notebook", lambda *a, **k: calls.append(a[0]) or execute(*a, **k))
    return calls


def test_unknown_parameter_is_an_error_before_anything_runs(project, executions):
    with pytest.raises(UserError, match=r"00_first\.ipynb has no parameter colour; it has: preset"):
        run_chapters("smoke", parameters={"colour": 1}, root=project)
    assert executions == []


def test_unknown_preset_is_an_error_before_anything_runs(project, executions):
    with pytest.raises(UserError, match="unknown preset 'tiny'. Choose one of smoke, dry, mini"):
        run_chapters("tiny", root=project)
    assert executions == []


def test_parameters_of_the_command_line():
    assert parse_parameters(["seed=1", "style=warped", "flip=true"]) == {"seed": 1, "style": "warped", "flip": True}
    with pytest.raises(UserError, match="write NAME=VALUE"):
        parse_parameters(["seed"])


def test_chapter_without_parameters_cell_is_named(project):
    path = project / "notebooks" / "00_first.ipynb"
    notebook = nbformat.read(path, as_version=4)
    del notebook.cells[1]
    nbformat.write(notebook, path)
    with pytest.raises(UserError, match='00_first.ipynb has no cell tagged "parameters"'):
        run_chapters("smoke", root=project)


def test_only_accepts_beginnings_and_names_the_choices(project):
    assert [chapter.name for chapter in find_chapters("smoke", project, only=["00"])] == ["00_first"]
    with pytest.raises(UserError, match="no chapter begins with '07'; the chapters are: 00_first"):
        find_chapters("smoke", project, only=["07"])


def test_run_then_skip_then_keep_the_good_page_when_a_cell_fails(project, executions, capsys):
    (chapter,) = run_chapters("smoke", root=project)
    assert nbformat.read(chapter.executed, as_version=4).cells[2].outputs[0].text == "smoke\n"
    assert chapter.record["parameters"] == {"preset": "smoke"}

    run_chapters("smoke", root=project)
    assert len(executions) == 1 and "unchanged" in capsys.readouterr().out

    (project / "data" / "records").mkdir(parents=True)
    (project / "data" / "records" / "run.json").write_text("{}")
    run_chapters("smoke", root=project)
    assert len(executions) == 2, "a new record must run the chapter again"

    good, record = chapter.executed.read_bytes(), chapter.record
    nbformat.write(chapter_notebook("print('fine')", "# why\nraise ValueError('no photo')"), chapter.source)
    with pytest.raises(UserError) as failure:
        run_chapters("smoke", root=project)
    assert "chapter 00_first, cell 4 (`# why`) failed: ValueError: no photo" in str(failure.value)
    assert "The page built before is kept" in str(failure.value)
    assert chapter.executed.read_bytes() == good and chapter.record == record
    assert (chapter.build / "failed" / "00_first.ipynb").is_file()


MISSING = """class MissingRun(Exception):
    pass
raise MissingRun("missing runs: 1.\\ndpclip train --seed 7: 4 steps")"""


def test_a_chapter_that_may_not_train_says_what_is_missing_and_runs_again_next_time(project, executions, capsys):
    path = project / "notebooks" / "00_first.ipynb"
    nbformat.write(chapter_notebook("print('before')", MISSING, "print('after')"), path)
    (chapter,) = run_chapters("smoke", root=project)
    assert chapter.record["missing"] == "missing runs: 1.\ndpclip train --seed 7: 4 steps"
    (page,) = nbformat.read(chapter.executed, as_version=4).cells
    assert page.source.startswith("# A chapter\n") and "- `dpclip train --seed 7`: 4 steps" in page.source
    assert "missing runs: 1." in capsys.readouterr().out
    with pytest.raises(UserError, match="00_first lacks runs"):
        store_outputs("smoke", project)
    assert len(executions) == 2 and "after" in path.read_text()


def test_real_data_must_be_named_and_belong_to_the_key(project, tmp_path, monkeypatch):
    monkeypatch.delenv("DPCLIP_DATA", raising=False)
    with pytest.raises(UserError, match="sketchy needs the path of its folder"):
        run_chapters("dry", root=project)
    path = project / "notebooks" / "00_first.ipynb"
    assert chapter_key(path, {}, project, data="a") != chapter_key(path, {}, project, data="b")


def test_options_of_the_book_reach_the_chapters(tmp_path, monkeypatch):
    for name in ("DPCLIP_DATA", "DPCLIP_NO_TRAIN", "DPCLIP_RETRAIN"):
        monkeypatch.setenv(name, "")  # so that they are put back
    monkeypatch.chdir(tmp_path)
    prepare(Path("sketchy"), None, no_train=True)
    assert (os.environ["DPCLIP_DATA"], os.environ["DPCLIP_NO_TRAIN"]) == (str(tmp_path / "sketchy"), "1")
    with pytest.raises(UserError, match="nowhere.pt: no such weights file"):
        prepare(None, Path("nowhere.pt"), no_train=False)
    prepare(None, None, no_train=False, retrain=True)
    assert os.environ["DPCLIP_RETRAIN"] == "1"
    with pytest.raises(UserError, match="exclude each other"):
        prepare(None, None, no_train=True, retrain=True)


def test_key_follows_what_a_chapter_can_read_but_not_its_outputs(project, monkeypatch):
    path = project / "notebooks" / "00_first.ipynb"
    key = chapter_key(path, {"preset": "smoke"}, project)

    notebook = nbformat.read(path, as_version=4)
    notebook.cells[2].outputs = [nbformat.v4.new_output("stream", text="old")]
    nbformat.write(notebook, path)
    assert chapter_key(path, {"preset": "smoke"}, project) == key
    assert chapter_key(path, {"preset": "mini"}, project) != key
    with monkeypatch.context() as changed:
        changed.setenv("DPCLIP_RETRAIN", "1")
        assert chapter_key(path, {"preset": "smoke"}, project) != key

    for name in ("dpclip/method/x.py", "data/published/x.csv", "data/mini-clip/x.json", "data/openmoji-sbir/x.csv"):
        before = chapter_key(path, {}, project)
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("1")
        assert chapter_key(path, {}, project) != before, name


def test_time_left_uses_last_runs_then_the_mean(tmp_path):
    chapters = [Chapter(tmp_path / f"0{n}_x.ipynb", tmp_path) for n in range(3)]
    (tmp_path / "00_x.json").write_text('{"seconds": 70}')
    assert _time_left(chapters, ran=[]) == "time left not known yet"
    assert _time_left(chapters, ran=[20.0, 40.0]) == "about 2 min 10 s left"
