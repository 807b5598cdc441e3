"""Results made again: each once, one seed, in a folder of their own, and only what is missing."""

import json

import pytest

from dpclip.lab import retrain as module
from dpclip.lab import runs
from dpclip.lab.config import preset
from dpclip.lab.records import RECORDS, read_record
from dpclip.lab.retrain import expected_seconds, result_jobs, retrain, time_left
from dpclip.lab.runs import RETRAIN_VARIABLE, Run, ensure_rows, find_record, records_folder, run_folder
from dpclip.lab.staleness import Validity


@pytest.fixture
def retraining(monkeypatch, tmp_path):
    monkeypatch.setenv(RETRAIN_VARIABLE, "1")
    for place in (runs, module):
        monkeypatch.setattr(place, "RETRAIN", tmp_path)
    return tmp_path


def test_results_lie_apart_and_searches_stay(retraining):
    run = Run(preset("mini"), 0, "data", "weights")
    assert records_folder("mini") == retraining / "records" and run_folder(run).parent == retraining / "runs"
    assert records_folder("mini", "val") == RECORDS / "validation"


def test_every_result_once_with_one_seed(retraining):
    found = result_jobs("mini")
    assert len({job.run.name for job in found}) == len(found) and {job.run.seed for job in found} == {0}
    assert {job.record.parent for job in found} == {retraining / "records"}
    rows = [job.row for job in found]
    assert {"CLIP, untrained", "DP-CLIP", "+V +T", "direct scaling"} <= set(rows)
    assert any("negatives" in row for row in rows), "the recipe for category-level retrieval belongs to table 2"


def test_only_what_is_missing_is_made_and_the_way_is_told(retraining, monkeypatch):
    made, said = [], []
    first = result_jobs("mini")[1]
    first.record.parent.mkdir()
    first.record.write_text(json.dumps(next(read_record(p.stem) for p in sorted(RECORDS.glob("mini-*-0.json")))))
    monkeypatch.setattr(runs, "validity", lambda record: Validity("current"))
    monkeypatch.setattr(module, "open_store", lambda *_: "store")
    monkeypatch.setattr(module, "ensure", lambda run, store, folder: made.append((run.name, folder)))
    jobs = retrain("mini", say=said.append)
    assert made == [(job.run.name, retraining / "records") for job in jobs if job != first]
    assert f"{len(jobs)} runs" in said[0] and "1 are done" in said[0] and "min" in said[1]
    assert said[2].startswith(f"[1/{len(jobs) - 1}] {jobs[0].row}: ") and said[2].endswith(" left")

    made.clear()
    monkeypatch.setattr(runs, "validity", lambda record: Validity("stale", ("lab.train",)))
    retrain("mini", say=said.append)
    assert len(made) == len(jobs), "a stale record is made again"


def test_tables_show_the_one_seed_that_was_made(retraining, monkeypatch):
    rows = {"DP-CLIP": [Run(preset("mini"), seed, "data", "weights") for seed in range(3)]}
    monkeypatch.setattr(runs, "refuse_training", lambda *_, **__: None)
    monkeypatch.setattr(runs, "ensure", lambda run, *_, **__: run.seed)
    assert ensure_rows(rows, None) == {"DP-CLIP": [0]}
    assert ensure_rows(rows, None, "val") == {"DP-CLIP": [0, 1, 2]}


def test_time_by_committed_records_then_by_what_the_first_runs_took(retraining):
    jobs = result_jobs("mini")
    expected = dict(zip((job.row for job in jobs), expected_seconds(jobs), strict=True))
    assert expected["CLIP, untrained"] == 0 and expected["DP-CLIP"] > 60 and min(expected.values()) == 0
    assert time_left([100, 100, 50], []) == 250
    assert time_left([100, 100, 50], [120, 140]) == 80


def test_a_stale_result_is_made_again_where_that_is_cheap(monkeypatch, tmp_path):
    record = {"state": "stale"}
    monkeypatch.setattr(runs.records, "read_record", lambda *_: record)
    monkeypatch.setattr(runs, "validity", lambda record: Validity(record["state"]))
    mini, paper = Run(preset("mini"), 0, "d", "w"), Run(preset("paper").set(weights=""), 0, "d", "w")
    assert find_record(mini, tmp_path) is None
    assert find_record(mini, tmp_path, "val") == find_record(paper, tmp_path) == record
    for record["state"] in ("current", "confirmed", "unknown"):
        assert find_record(mini, tmp_path) == record


def test_checkpoints_of_other_code_lie_elsewhere(monkeypatch, tmp_path):
    run = Run(preset("mini"), 0, "data", "weights")
    here = run_folder(run, tmp_path)
    monkeypatch.setattr(runs, "short_code", lambda _: "0" * 8)
    assert run_folder(run, tmp_path) != here and here.parent == tmp_path and here.name.startswith(run.name)
