"""`dpclip train`, `evaluate` and `query`: what a person reads."""

import copy
import json

import pytest
from PIL import Image
from typer.testing import CliRunner

from dpclip import api, cli
from dpclip.files import ROOT
from dpclip.runs import run
from dpclip.runs.records import RECORDS

(SMOKE,) = (RECORDS / "smoke").glob("*.json")


@pytest.fixture
def record(monkeypatch):
    """The record that every run has, as a run leaves it the first time: in the order of its making."""
    found = json.loads(SMOKE.read_text())
    found["metrics"]["fine-grained"] = dict(sorted(found["metrics"]["fine-grained"].items(), reverse=True))
    monkeypatch.setattr(run, "ensure", lambda *_, **__: found)
    return found


def call(*words):
    result = CliRunner().invoke(cli.app, [*words])
    assert result.exit_code == 0, result.output
    return result.output


def test_a_run_shown_again_has_its_rows_in_the_same_order(record):
    first = call("train", "--preset", "smoke")
    again = copy.deepcopy(record)
    record["metrics"] = json.loads(json.dumps(again["metrics"], sort_keys=True))  # as the file has it
    assert call("train", "--preset", "smoke") == first
    assert first.index("transductive") < first.index("held-out")


@pytest.mark.parametrize("command, inner", [("train", ""), ("evaluate", "validation/")])
def test_the_record_is_named(record, command, inner, tmp_path):
    name = f"{inner}{SMOKE.name}"
    assert call(command, "--preset", "smoke").split()[-1] == f"{ROOT}/build/records/{name}"
    assert call(command, "--preset", "smoke", "--records", str(tmp_path)).split()[-1] == f"{tmp_path}/{name}"


def test_a_single_category_has_a_dash_and_the_reason(record):
    level = record["metrics"]["category-level"]
    assert "not defined" not in call("train", "--preset", "smoke")
    record["metrics"]["category-level"] = level | {name: {"ap": []} for name in ("blind", "generic", "oracle")}
    output = call("train", "--preset", "smoke")
    assert "category-level, blind: -\n" in output and "not defined here: of a single category" in output


def test_query_prints_the_names_of_files_as_they_are(tmp_path, monkeypatch):
    photo = tmp_path / "photos [old]" / "[/x] :cow: $a_{$.png"
    photo.parent.mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(photo)
    monkeypatch.setattr(api, "query", lambda *_, **__: [(photo, 0.25)] * 3)
    output = call("query", str(photo), "--category", "cow", "--top", "2", "--output", str(tmp_path / "out.png"))
    assert output.splitlines() == [f"  1  0.2500  {photo}", f"  2  0.2500  {photo}", str(tmp_path / "out.png")]
    assert (tmp_path / "out.png").is_file()
