"""`dpclip records ...`: what a person reads, and the exit status."""

import copy
import json

import pytest
from typer.testing import CliRunner

from dpclip.commands.record_commands import app
from dpclip.runs import verify
from dpclip.runs.records import RECORDS

(SMOKE,) = (RECORDS / "smoke").glob("*.json")


def run(*words):
    return CliRunner().invoke(app, [*words])


@pytest.fixture
def again(monkeypatch):
    """The record that making the smoke run again gives."""
    record = copy.deepcopy(json.loads(SMOKE.read_text()))
    monkeypatch.setattr(verify, "remake", lambda *_: record)
    return record


def test_check_names_what_is_done_otherwise(monkeypatch):
    record = json.loads(SMOKE.read_text())
    monkeypatch.setattr(verify, "configurations", lambda: [record, record | {"run": "other-0"}])
    monkeypatch.setattr(
        verify, "probe_all", lambda chosen, _: zip(chosen, ([], ["loss in the last epoch"]), strict=True)
    )
    result = run("check")
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "other-0, unseen: loss in the last epoch",
        "1 configurations do what they did, 1 do not",
    ]
    monkeypatch.setattr(verify, "probe_all", lambda chosen, _: zip(chosen, ([], []), strict=True))
    assert run("check").exit_code == 0


def test_verify_shows_recorded_and_now(again):
    result = run("verify", SMOKE.stem)
    assert result.exit_code == 0 and "holds, to the last digit" in result.output and "allowed" in result.output
    again |= {"torch": "another"}
    again["losses"][0] += 0.00002
    assert "holds, within the tolerance" in run("verify", SMOKE.stem).output
    again["losses"][0] += 0.01
    result = run("verify", SMOKE.stem)
    assert result.exit_code == 1 and "differs: 1 of the numbers above" in result.output


def test_on_the_same_machine_a_single_rank_is_enough_to_differ(again):
    next(iter(again["metrics"]["fine-grained"]["held-out"]["warped"]["ranks"].values()))[0] += 1
    result = run("verify", SMOKE.stem)
    assert result.exit_code == 1 and "ranks or later digits" in result.output
