"""Rankings: the true photo stands where its rank says, a run is ranked once, the committed file fits its records."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from dpclip.data import benchmark
from dpclip.data.store import ImageStore
from dpclip.errors import UserError
from dpclip.evaluation.evaluate import fine_grained, open_bench
from dpclip.method.model import DPCLIP, DPCLIPConfig
from dpclip.runs.experiments import table_seeds
from dpclip.runs.records import RECORDS, read_record
from dpclip_book.studies import rankings
from tests.toy import make_toy

COMMITTED = RECORDS / "rankings" / "mini.json"


@pytest.fixture
def runs(tmp_path, tiny_backbone, monkeypatch):
    """Two runs, of which one is here; `runs.record` is its record, `runs.asked` the models that were loaded."""
    torch.manual_seed(0)
    store = ImageStore(make_toy(tmp_path / "toy"), 56, tmp_path / "cache")
    model = DPCLIP(tiny_backbone, DPCLIPConfig(templates=1, rank=2))
    bench = open_bench(model, store)
    found = {p: {"warped": fine_grained(bench, "unseen", "warped", p, 0)} for p in rankings.PROTOCOLS}
    settings = {"support": "both", "support_sketches": 1, "support_photos": 2}
    record = {
        "run": "toy", "seed": 0, "split": "unseen", "data_hash": store.manifest.hash,
        "config": {"test_categories": 0, "model": settings}, "metrics": {"fine-grained": found},
    }  # fmt: skip
    here, absent = SimpleNamespace(name="toy"), SimpleNamespace(name="absent")
    asked = []
    monkeypatch.setattr(rankings, "wanted_runs", lambda *_: {"here": (here, ["1", "3"]), "VPT": (absent, ["1"])})
    monkeypatch.setattr(rankings, "find_record", lambda run: record if run is here else None)
    monkeypatch.setattr(rankings, "is_trained", lambda run, _: run is here)
    monkeypatch.setattr(rankings, "ensure", lambda run, _: record)
    monkeypatch.setattr(
        rankings, "ensure_model", lambda run, _: asked.append(run.name) or SimpleNamespace(model=model, store=store)
    )
    return SimpleNamespace(record=record, asked=asked, store=store, path=tmp_path / "rankings" / "mini.json")


def test_what_is_here_is_ranked_once_and_the_rest_is_named(runs):
    assert rankings.record_rankings("mini", runs.store, path=runs.path) == ["VPT"]
    written = runs.path.read_bytes()
    content = rankings.read_rankings(runs.path)
    assert content["rows"] == {"here": {"run": "toy", "tables": ["1", "3"]}} and content["missing"] == ["VPT"]
    assert len(content["tests"]) == 4  # two categories, two protocols
    check_places(content, runs.store.manifest)
    assert rankings.record_rankings("mini", runs.store, path=runs.path) == ["VPT"]
    assert runs.asked == ["toy"] and runs.path.read_bytes() == written


def test_one_sketch_of_each_photo_is_shown_each_by_the_next_hand(runs):
    table = runs.store.manifest.table
    shown = table.loc[rankings.in_turn(runs.store.manifest)]
    photos = table[table["modality"] == "photo"]
    assert shown["instance"].tolist() == photos["instance"].tolist()
    hands = shown[shown["category"] == "pear"]["path"].map(lambda path: path[-5])
    assert hands.tolist() == ["1", "2", "1", "2", "1"]
    rankings.record_rankings("mini", runs.store, path=runs.path)
    for test in rankings.read_rankings(runs.path)["tests"]:
        wanted = set(shown.index[shown["category"] == test["category"]])
        assert set(test["queries"]) == wanted if test["protocol"] == "transductive" else set(test["queries"]) < wanted


def test_a_new_record_is_ranked_again(runs):
    rankings.record_rankings("mini", runs.store, path=runs.path)
    ranks = runs.record["metrics"]["fine-grained"]["held-out"]["warped"]["ranks"]
    ranks["pear"] = [9] * len(ranks["pear"])
    with pytest.raises(UserError, match="otherwise than its record says"):
        rankings.record_rankings("mini", runs.store, path=runs.path)
    assert runs.asked == ["toy", "toy"]


def test_with_train_all_are_made(runs):
    assert rankings.record_rankings("mini", runs.store, train=True, path=runs.path) == []
    assert runs.asked == ["toy", "absent"]


def test_without_any_run_the_cure_is_named(runs, monkeypatch):
    monkeypatch.setattr(rankings, "is_trained", lambda *_: False)
    with pytest.raises(UserError, match="--train makes them"):
        rankings.record_rankings("mini", runs.store, path=runs.path)
    assert not runs.path.exists()


def test_a_tie_puts_the_true_photo_last():
    distance = np.array([[0.2, 0.1, 0.2, 0.3], [0.2, 0.1, 0.2, 0.3]])
    assert rankings.ranked(distance, np.array([0, 2])).tolist() == [[1, 2, 0, 3], [1, 0, 2, 3]]


def test_letters_name_places_in_the_category():
    assert rankings.photo_letters(np.array([3, 7, 9]), np.array([[9, 3], [7, 9]])) == ["ca", "bc"]
    with pytest.raises(UserError, match="use the preset mini"):
        rankings.photo_letters(np.arange(63), np.zeros((1, 1), int))


@pytest.mark.parametrize("text", ["{", "{}", json.dumps({"tests": [{"queries": 1}]})])
def test_a_damaged_file_is_named(tmp_path, text):
    path = tmp_path / "mini.json"
    with pytest.raises(UserError, match="mini.json is missing"):
        rankings.read_rankings(path)
    path.write_text(text)
    with pytest.raises(UserError, match="mini.json is damaged"):
        rankings.read_rankings(path)


def check_places(content, manifest):
    """Each query's photo stands in its ranking where its rank says, and shows the drawn object."""
    for test in content["tests"]:
        instances = manifest.table["instance"]
        assert (instances[test["queries"]].to_numpy() == instances[test["photos"]].to_numpy()).all()
        photos = manifest.rows(modality="photo", category=test["category"]).tolist()
        letters = [rankings.LETTERS[photos.index(row)] for row in test["photos"]]
        for found in test["found"].values():
            for letter, rank, first in zip(letters, found["ranks"], found["first"], strict=True):
                assert len(set(first)) == len(first) <= content["top"]
                assert first.find(letter) + 1 == (rank if rank <= content["top"] else 0)


def test_the_committed_rankings_are_those_of_the_committed_records():
    content, manifest = rankings.read_rankings(COMMITTED), benchmark.recorded()
    cure = "repeat `dpclip book rankings`"
    assert content["data_hash"] == manifest.hash, cure
    check_places(content, manifest)
    for name, row in content["rows"].items():
        record = read_record(row["run"])
        assert record, f"{name}, {row['run']}: {cure}"
        tests = list(rankings.recorded_tests(manifest, record))
        for test, (_, kept, asked, ranks) in zip(content["tests"], tests, strict=True):
            same = ("protocol", "style", "category")
            assert [test[key] for key in same] == [asked[key] for key in same], f"{name}: {cure}"
            assert test["queries"] == [int(row) for row in asked["queries"].split()], f"{name}: {cure}"
            assert test["found"][row["run"]]["ranks"] == ranks[kept].tolist(), f"{name}: {cure}"
    known = {name for table in rankings.TABLES for name in table_seeds(table, "mini", manifest.name)}
    assert {*content["rows"], *content["missing"]} == known, f"tables 1 and 3 have other rows now: {cure}"
