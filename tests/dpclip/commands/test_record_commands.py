"""`dpclip records ...`: what a person reads, and the exit status."""

import copy
import json

import pytest
from typer.testing import CliRunner

from dpclip.commands.record_commands import app
from dpclip.runs import staleness, verify
from dpclip.runs.records import RECORDS
from dpclip.runs.staleness import Validity

(SMOKE,) = (RECORDS / "smoke").glob("*.json")


def run(*words):
    return CliRunner().invoke(app, [*words])


@pytest.fixture
def again(monkeypatch):
    """The record that making the smoke run again gives."""
    record = copy.deepcopy(json.loads(SMOKE.read_text()))
    monkeypatch.setattr(verify, "remake", lambda *_: record)
    return record


def test_check_counts_stale_results_and_only_lists_stale_searches(monkeypatch, tmp_path):
    record = json.loads(SMOKE.read_text())
    for name, split in (("mini-aaa-0", "unseen"), ("mini-bbb-0", "val")):
        (tmp_path / f"{name}.json").write_text(json.dumps(record | {"run": name, "split": split}))
    monkeypatch.setattr(verify, "committed", lambda: sorted(tmp_path.glob("*.json")))
    monkeypatch.setattr(staleness, "validity", lambda record: Validity("stale", ("lab.train",)))
    result = run("check")
    assert result.exit_code == 1 and "stale, result mini-aaa-0: 1 modules changed since" in result.output
    assert "stale, search mini-bbb-0" in result.output and "2 stale; 1 results to repeat" in result.output
    (tmp_path / "mini-aaa-0.json").unlink()
    assert run("check").exit_code == 0
    monkeypatch.setattr(staleness, "validity", lambda record: Validity("current"))
    assert run("check").output == "1 current; 0 results to repeat\n"


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


def test_confirm_writes_nothing_when_numbers_differ(again, monkeypatch):
    monkeypatch.setattr(verify, "add_confirmation", lambda *_: pytest.fail("written"))
    again["losses"][0] += 0.01
    assert run("confirm", SMOKE.stem, "--why", "a lock").exit_code == 1
