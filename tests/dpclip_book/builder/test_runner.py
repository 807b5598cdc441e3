"""Running chapters: unchanged ones are skipped, failures lose nothing, what happens is told, nothing is left behind."""

import os
import time
from pathlib import Path

import nbformat
import psutil
import pytest

from dpclip.errors import UserError
from dpclip_book.book_commands import prepare
from dpclip_book.builder import runner
from dpclip_book.builder.runner import _time_left, chapter_key, run_chapters
from dpclip_book.builder.site import store_outputs
from dpclip_book.chapters import Chapter
from tests.dpclip_book.conftest import chapter_notebook

pytestmark = pytest.mark.programs


@pytest.fixture
def executions(monkeypatch):
    """Count the executions while letting them happen."""
    made = []

    class Counted(runner.Execution):
        def __init__(self, *arguments) -> None:
            made.append(self)
            super().__init__(*arguments)

    monkeypatch.setattr(runner, "Execution", Counted)
    return made


def write(project, name, *sources):
    nbformat.write(chapter_notebook(*sources), project / "notebooks" / f"{name}.ipynb")


def test_unknown_preset_is_an_error_before_anything_runs(project, executions):
    with pytest.raises(UserError, match="unknown preset 'tiny'. Choose one of smoke, dry, mini"):
        run_chapters("tiny", root=project)
    assert executions == []


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
    for name in ("DPCLIP_DATA", "DPCLIP_NO_TRAIN", "DPCLIP_RECORDS"):
        monkeypatch.setenv(name, "")  # so that they are put back
    monkeypatch.chdir(tmp_path)
    prepare(Path("sketchy"), None, no_train=True)
    assert (os.environ["DPCLIP_DATA"], os.environ["DPCLIP_NO_TRAIN"]) == (str(tmp_path / "sketchy"), "1")
    with pytest.raises(UserError, match="nowhere.pt: no such weights file"):
        prepare(None, Path("nowhere.pt"), no_train=False)
    prepare(None, None, records=Path("again"))
    assert os.environ["DPCLIP_RECORDS"] == str(tmp_path / "again")


def test_key_follows_what_a_chapter_can_read_but_not_its_outputs(project, monkeypatch):
    path = project / "notebooks" / "00_first.ipynb"
    key = chapter_key(path, {"preset": "smoke"}, project)

    notebook = nbformat.read(path, as_version=4)
    notebook.cells[2].outputs = [nbformat.v4.new_output("stream", text="old")]
    nbformat.write(notebook, path)
    assert chapter_key(path, {"preset": "smoke"}, project) == key
    assert chapter_key(path, {"preset": "mini"}, project) != key
    with monkeypatch.context() as changed:
        changed.setenv("DPCLIP_RECORDS", "again")
        assert chapter_key(path, {"preset": "smoke"}, project) != key

    inside = ("dpclip/method", "book/dpclip_book/figures", "data/dpclip_prepare/draw", "data/published")
    for name in (*(f"{folder}/x.py" for folder in inside), "data/mini-clip/x.json", "data/icon-sbir/x.csv"):
        before = chapter_key(path, {}, project)
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("1")
        assert chapter_key(path, {}, project) != before, name


def test_time_left_uses_last_runs_then_the_mean(tmp_path):
    chapters = [Chapter(tmp_path / f"0{n}_x.ipynb", tmp_path) for n in range(3)]
    (tmp_path / "00_x.json").write_text('{"seconds": 70}')
    assert _time_left(chapters, [], 1) == "time left not known yet"
    assert _time_left(chapters, [20.0, 40.0], 1) == "about 2 min 10 s left"
    assert _time_left(chapters, [20.0, 40.0], 2) == "about 1 min 05 s left"


def test_two_chapters_run_side_by_side_each_on_one_thread(project, monkeypatch):
    """Each waits for the other's file, so neither ends unless both are there at once."""
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    met = """import os, pathlib, time
pathlib.Path("{}").touch()
for _ in range(600):
    if pathlib.Path("{}").exists():
        break
    time.sleep(0.1)
else:
    raise TimeoutError("alone")
print(os.environ["OMP_NUM_THREADS"])"""
    write(project, "00_first", met.format("a", "b"))
    write(project, "01_second", met.format("b", "a"))
    chapters = run_chapters("smoke", root=project, processes=2)
    assert [chapter.name for chapter in chapters] == ["00_first", "01_second"]
    assert [chapter.shown().cells[2].outputs[0].text for chapter in chapters] == ["1\n", "1\n"]


def test_the_chapter_beside_a_failing_one_is_kept_and_no_other_begins(project, executions):
    write(project, "00_first", "raise ValueError('no photo')")
    write(project, "01_second", "import time; time.sleep(4)")
    write(project, "02_third", "print('late')")
    with pytest.raises(UserError, match="chapter 00_first, cell 3"):
        run_chapters("smoke", root=project, processes=2)
    assert len(executions) == 2 and (project / "_build" / "smoke" / "chapters" / "01_second.json").is_file()


def test_progress_and_memory_of_a_chapter_are_told(project, capsys, monkeypatch):
    monkeypatch.setattr(runner, "HEARTBEAT", 3)
    training = """import os, pathlib, time
held = bytearray(150_000_000)
for epoch in (1, 2):
    pathlib.Path(os.environ["DPCLIP_PROGRESS"]).write_text(f"training, seed 0: epoch {epoch} of 2 [/x]\\n")
    time.sleep(1.5)
time.sleep(4)"""
    write(project, "00_first", training)
    (chapter,) = run_chapters("smoke", root=project)
    told = capsys.readouterr().out
    assert told.count("[1/1] 00_first: training, seed 0: epoch 1 of 2 [/x]\n") == 1
    assert told.count("epoch 2 of 2") == 1 and "[1/1] 00_first: still running after" in told
    assert 150 < chapter.record["peak_mb"] < 800


def alive(process: psutil.Process) -> bool:
    """Not one that ended and that nobody has asked for its status: orphans stay so where no init asks."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_ctrl_c_ends_the_kernel_and_says_nothing(project, executions, monkeypatch, capfd):
    write(project, "00_first", "open('started', 'w').close()\nimport time; time.sleep(600)")
    below = []

    def sleep(seconds, sleep=time.sleep):
        sleep(seconds)
        if (project / "notebooks" / "started").exists():
            below.extend(executions[0].process.children(recursive=True))
            raise KeyboardInterrupt

    monkeypatch.setattr(runner.time, "sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        run_chapters("smoke", root=project)
    psutil.wait_procs(below, timeout=10)  # a busy machine takes a moment to end what was killed
    assert below and not any(alive(process) for process in [executions[0].process, *below])
    seen = capfd.readouterr()
    assert "Traceback" not in seen.out + seen.err and not (project / "_build/smoke/chapters/00_first.json").exists()


def test_a_kernel_that_dies_is_named_with_its_log(project):
    write(project, "00_first", "import os; os._exit(9)")
    with pytest.raises(UserError, match=r"chapter 00_first stopped: .*died.*\n.*running/00_first.log"):
        run_chapters("smoke", root=project)
