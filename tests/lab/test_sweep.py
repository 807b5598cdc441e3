"""A table's runs as commands, and as jobs of Snakemake."""

import json
import subprocess
import sys

import pytest

from dpclip.data.files import ROOT
from dpclip.errors import UserError
from dpclip.lab.config import parse_settings, preset
from dpclip.lab.experiments import TABLES
from dpclip.lab.runs import make_run, open_data
from dpclip.lab.sweep import jobs


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


def test_an_unknown_table_is_refused():
    with pytest.raises(UserError, match="unknown table 'ninth'.*1, fine-grained"):
        jobs("ninth", "smoke")


def test_snakemake_makes_the_records_and_only_the_missing_ones(tmp_path):
    every, _ = jobs("1", "smoke", records=str(tmp_path), seeds=2)
    found = {job.run.name: job for job in every if job.row == "CLIP, untrained"}
    wanted = [str(job.record) for job in found.values()][:2]
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--resources", "gpu=2", "--directory", str(tmp_path)]
    command += ["--snakefile", str(ROOT / "workflow" / "Snakefile"), *wanted]
    command += ["--config", "preset=smoke", "table=1", "seeds=2", f"records={tmp_path}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-3000:]
    for path in wanted:
        assert json.loads(open(path).read())["run"] in found
    again = subprocess.run([*command, "--dry-run"], capture_output=True, text=True, cwd=ROOT)
    assert "Nothing to be done" in again.stdout + again.stderr
