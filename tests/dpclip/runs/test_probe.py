"""A probe sees what changes numbers, and nothing else. `dpclip records check` compares all committed configurations."""

import copy

import pytest
import torch

from dpclip.config import RunConfig
from dpclip.data import store as data_store
from dpclip.evaluation import metrics
from dpclip.method import model as dpclip_model
from dpclip.runs.probe import differences, take_probe
from dpclip.runs.run import open_store
from dpclip.runs.verify import configurations
from dpclip.training import objective


@pytest.fixture(scope="module")
def record():
    """Of the full model, whose last epoch has hard negatives."""
    wanted = RunConfig(preset="mini").model
    return next(
        r
        for r in configurations()
        if r["split"] == "unseen" and r["config"]["model"]["scaling"] == wanted.scaling and len(r["probe"]) == 3
        and r["config"]["preset"] == "mini" and r["config"]["model"]["hard_every"] == 3
    )  # fmt: skip


@pytest.fixture(scope="module")
def store(record):
    return open_store(RunConfig.read(record["config"]))


def found(record, store):
    return differences(record["probe"], take_probe(RunConfig.read(record["config"]), record["seed"], store, "unseen"))


def test_the_committed_probe_is_what_this_code_does(record, store):
    assert found(record, store) == []


def test_a_changed_hard_loss_is_seen_in_the_last_epoch(record, store, monkeypatch):
    plain = dpclip_model.triplet_loss

    def harder(*words):
        loss, parts = plain(*words)
        return loss + (7 - 0.5) * parts["hard_weight"] * loss, parts

    monkeypatch.setattr(dpclip_model, "triplet_loss", harder)
    lines = found(record, store)
    assert any("loss in the last epoch" in line for line in lines)
    assert not any("first epoch" in line for line in lines)


def test_a_changed_augmentation_is_seen(record, store, monkeypatch):
    plain = objective.augment

    def mirrored(sketch, *others):
        return plain(sketch.flip(-1), *others)

    monkeypatch.setattr(objective, "augment", mirrored)
    assert any("loss" in line for line in found(record, store))


def test_a_changed_picture_is_seen(record, store, monkeypatch):
    plain = data_store.ImageStore.load

    def bolder(self, rows):
        return (plain(self, rows).int() - 12).clamp(min=0).to(torch.uint8)

    monkeypatch.setattr(data_store.ImageStore, "load", bolder)
    assert any("loss" in line for line in found(record, store))


def test_a_changed_metric_is_seen(record, store, monkeypatch):
    plain = metrics.target_ranks
    monkeypatch.setattr(metrics, "target_ranks", lambda distance, target: plain(distance, target) - 1)
    (line,) = found(record, store)
    assert line.startswith("ranks: ")


def test_a_frozen_part_that_trains_is_seen(record, store, monkeypatch):
    plain = dpclip_model.DPCLIP.set_trainable

    def without_norms(self):
        groups = plain(self)
        kept = [p for p in groups["clip"] if p.ndim > 1]
        return groups | {"clip": kept}

    monkeypatch.setattr(dpclip_model.DPCLIP, "set_trainable", without_norms)
    assert any("gradient of clip" in line for line in found(record, store))


def test_words_for_each_difference():
    recorded = {"first": {"loss": 1.0, "new": 0.5}, "ranks": [1] * 100}
    now = copy.deepcopy(recorded)
    assert differences(recorded, now) == []
    now["first"]["loss"] = 1.0005
    now["ranks"][:2] = [2, 2]
    assert differences(recorded, now) == []
    now["first"] = {"loss": 1.1}
    now["ranks"][:5] = [2] * 5
    assert differences(recorded, now) == [
        "loss in the first epoch: 1.000000 recorded, 1.100000 now",
        "gradient of new in the first epoch: 0.500000 recorded, none now",
        "ranks: 5 of 100 queries differ",
    ]
