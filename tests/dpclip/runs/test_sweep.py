"""A table's runs as commands, and as jobs of Snakemake."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from dpclip import cli
from dpclip.config import parse_settings, preset
from dpclip.errors import UserError
from dpclip.files import ROOT
from dpclip.runs import sweep
from dpclip.runs.experiments import RESULTS, TABLES, table_runs
from dpclip.runs.records import make_run
from dpclip.runs.run import FOLDER_VARIABLE, open_data
from dpclip.runs.sweep import jobs, make_records
from tests.stand_in import link_all, make_sketchy

EXT = preset("paper").set(dataset="sketchy-ext")


@pytest.mark.parametrize("table", TABLES)
def test_a_command_names_exactly_its_run(table):
    manifest = open_data(preset("smoke"))
    found, absent = jobs(table, "smoke")
    assert len({job.run.name for job in found}) == len(found) and not absent
    for job in found:
        command, *words = job.words
        assert command == ("train" if job.split == "unseen" else "evaluate") and job.record.stem == job.run.name
        options = list(zip(words[::2], words[1::2], strict=True))
        changes = parse_settings([value for name, value in options if name == "--set"])
        named = dict(option for option in options if option[0] != "--set")
        config = preset(named["--preset"]).set(**changes)
        assert make_run(config, int(named["--seed"]), manifest) == job.run


@pytest.fixture
def several(tmp_path):
    """A folder of data sets, of which Sketchy-Ext and Sketchy are there."""
    root = make_sketchy(tmp_path / "data" / "sketchy-ext", "basic", ["cow", "cup", "zebra"], 2)
    for category in ("cow", "cup", "zebra"):
        link_all(root / "photo" / category, ["ext_1.jpg"], Image.new("L", (4, 4)))
    (root.parent / "sketchy").symlink_to(root)
    return root.parent


def test_a_table_takes_the_data_sets_that_are_there_and_tells_why_it_leaves_others_out(several):
    found, absent = jobs("2", "paper", str(several), weights="openai.pt")
    assert {job.run.config.dataset for job in found} == {"sketchy-ext"}
    assert {job.row for job in found} == set(table_runs("2", "paper", open_data(EXT, several)))
    assert all("--data data --weights openai.pt" in " ".join(job.words).replace(str(several), "data") for job in found)
    assert [line.split(" ")[0] for line in absent] == ["tuberlin-ext", "quickdraw-ext"]
    assert all(f"left out: {several / line.split(' ')[0]} is no folder. " in line for line in absent)
    shown = CliRunner().invoke(
        cli.app, ["sweep", "--preset", "paper", "--table", "2", "--data", str(several), "--dry-run"]
    )
    assert shown.output.splitlines()[:2] == absent and len(shown.output.splitlines()) == 2 + len(found)


def test_one_data_set_is_not_taken_for_the_others(several):
    """TU-Berlin-Ext may lie in photo/ and sketch/, as Sketchy does."""
    with pytest.raises(UserError, match="no data set of this table is there:\nsketchy-ext is left out.*\ntuberlin-ext"):
        jobs("2", "paper", str(several / "sketchy"))


def test_a_data_set_lies_in_the_folder_or_in_one_of_its_name(several, monkeypatch):
    inner = open_data(EXT, several / "sketchy-ext")
    assert open_data(EXT, several).hash == inner.hash and open_data(EXT, several).root == several / "sketchy-ext"
    assert open_data(preset("paper"), several).root == several / "sketchy"
    assert not open_data(preset("paper"), several).table["path"].str.contains("ext_").any()
    monkeypatch.setenv(FOLDER_VARIABLE, str(several))
    assert open_data(EXT).hash == inner.hash


def test_an_unknown_table_is_refused():
    with pytest.raises(UserError, match="unknown table 'ninth'.*1, fine-grained.*or results"):
        jobs("ninth", "smoke")


def test_all_results_are_each_run_once():
    found, _ = jobs("results", "mini", seeds=1)
    every = [job.run.name for table in ("1", "2", "3", "4", "decisions") for job in jobs(table, "mini", seeds=1)[0]]
    assert [job.run.name for job in found] == list(dict.fromkeys(every)) and len(found) < len(every)
    assert {(job.split, job.run.seed) for job in found} == {("unseen", 0)}


def test_the_help_names_every_table():
    shown = CliRunner().invoke(cli.app, ["sweep", "--help"], env={"COLUMNS": "200"}).output
    words = re.search(r"Whose runs: (.*?)\[default", re.sub(r"[\s│]+", " ", shown))[1]
    assert set(re.findall(r"\w+", words)) >= {*TABLES, RESULTS}


def test_a_sweep_makes_what_is_missing_and_says_how_far_it_is(tmp_path, monkeypatch, capsys):
    found, _ = jobs("1", "smoke", records=str(tmp_path))
    opened, made = [], []
    monkeypatch.setattr(sweep, "open_store", lambda config, data: opened.append(data) or "store")

    def ensure(run, store, folder, split):
        made.append(run.name)
        (folder / f"{run.name}.json").write_text("")

    monkeypatch.setattr(sweep, "ensure", ensure)
    found[0].record.write_text("")
    make_records(found, Path("pictures"), tmp_path)
    lines = capsys.readouterr().out.splitlines()
    assert made == [job.run.name for job in found[1:]] and opened == [Path("pictures")]
    assert lines[0].startswith(f"1 of 3 runs done, 2 left. Next: {found[1].row}, {found[1].record.name}: train ")
    assert re.match(r"2 of 3 runs done, 1 left, about 0 s\. Next: ", lines[1]) and lines[2] == "3 of 3 runs done"
    make_records(found, Path("pictures"), tmp_path)
    assert len(made) == 2 and capsys.readouterr().out == "3 of 3 runs done\n"


@pytest.mark.programs
def test_snakemake_makes_the_records_and_only_the_missing_ones(tmp_path):
    pytest.importorskip("snakemake", reason="it cannot be installed with Python 3.14")
    every, _ = jobs("1", "smoke", records=str(tmp_path), seeds=2)
    found = {job.run.name: job for job in every if job.row == "CLIP, untrained"}
    first, second = [str(job.record) for job in found.values()][:2]
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--resources", "gpu=2", "--directory", str(tmp_path)]
    command += ["--snakefile", str(ROOT / "workflow" / "Snakefile")]
    given = ["--config", "preset=smoke", "table=1", "seeds=2", f"records={tmp_path}"]
    done = subprocess.run([*command, first, *given], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(open(first).read())["run"] in found
    again = subprocess.run([*command, first, second, *given, "--dry-run"], capture_output=True, text=True, cwd=ROOT)
    assert f"output: {second}" in again.stdout + again.stderr and f"output: {first}" not in again.stdout + again.stderr
