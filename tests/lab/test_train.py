"""Training on a toy dataset with the tiny backbone: repeatable, resumable, and honest about what went wrong."""

import pytest
import torch

from dpclip.data.images import ImageStore
from dpclip.errors import UserError
from dpclip.lab import train as lab_train
from dpclip.lab.config import preset
from dpclip.lab.evaluate import category_level, fine_grained, open_bench
from dpclip.lab.experiments import CLIP_ONLY, Run, ensure
from dpclip.lab.train import train
from tests.toy import make_toy

CONFIG = preset("smoke").set(epochs=3, steps_per_epoch=3, batch=4, templates=1, rank=2)


@pytest.fixture
def store(tmp_path, make_tiny, monkeypatch):
    monkeypatch.setattr(lab_train, "load_backbone", lambda *_: make_tiny())
    return ImageStore(make_toy(tmp_path / "toy"), 56, tmp_path / "cache")


def weights(training):
    return {name: p.detach().clone() for name, p in training.model.named_parameters()}


def same(a, b):
    return all(torch.equal(a[name], b[name]) for name in a)


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(store, tmp_path):
    first, again, other = (train(CONFIG, seed, store, tmp_path / name) for name, seed in (("a", 0), ("b", 0), ("c", 1)))
    assert len(first.losses) == 9
    assert first.losses == again.losses and same(weights(first), weights(again))
    assert first.losses != other.losses


@pytest.mark.parametrize("kill_after", [1, 3, 5, 8])
def test_a_killed_run_started_again_ends_with_the_same_weights(store, tmp_path, kill_after):
    whole = train(CONFIG, 0, store, tmp_path / "whole")
    steps = iter(range(1, 100))
    train(CONFIG, 0, store, tmp_path / "cut", stop=lambda: next(steps) == kill_after)
    resumed = train(CONFIG, 0, store, tmp_path / "cut")
    assert resumed.losses == whole.losses and same(weights(resumed), weights(whole))


def test_training_lowers_the_loss(store, tmp_path):
    training = train(CONFIG.set(epochs=8, new_rate=3e-3, hard_every=0), 0, store, tmp_path / "run")
    assert sum(training.losses[-6:]) < sum(training.losses[:6])


def test_a_model_with_nothing_to_train_is_returned_as_it_is(store, tmp_path):
    training = train(CONFIG.set(**CLIP_ONLY, trainable="none"), 0, store, tmp_path / "run")
    assert training.losses == [] and not (tmp_path / "run").exists()


def test_a_checkpoint_of_another_model_or_a_damaged_one_is_refused(store, tmp_path):
    train(CONFIG, 0, store, tmp_path / "run")
    with pytest.raises(UserError, match="does not fit the model"):
        train(CONFIG.set(rank=3), 0, store, tmp_path / "run")
    path = tmp_path / "run" / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match="checkpoint.safetensors is damaged"):
        train(CONFIG, 0, store, tmp_path / "run")


def test_a_loss_that_is_not_a_number_names_the_step(store, tmp_path):
    with pytest.raises(UserError, match=r"the loss is nan at epoch \d+, step \d+ \((cat|dog|cup): sketch/"):
        train(CONFIG.set(new_rate=1e30, clip_rate=1e30, epochs=6), 0, store, tmp_path / "run")


def test_an_unwritable_folder_is_told_before_training(store, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        train(CONFIG, 0, store, tmp_path / "file" / "run")


def test_each_query_is_ranked_once_and_chance_is_known(store, tmp_path):
    bench = open_bench(train(CONFIG, 0, store, tmp_path / "run").model, store)
    result = fine_grained(bench, "unseen", "warped", "held-out", 0)
    assert result["queries"] == 12 and result["chance@1"] == pytest.approx(1 / 3)
    assert result["acc@5"] == 1.0  # three photos to choose from
    assert {len(ranks) for ranks in result["ranks"].values()} == {6}


def test_category_level_without_prompts_does_not_depend_on_the_label(store, tmp_path):
    bench = open_bench(train(CONFIG.set(**CLIP_ONLY, trainable="none"), 0, store, tmp_path / "run").model, store)
    result = category_level(bench, "unseen", "warped", "held-out", 0)
    assert result["oracle"]["map@all"] == pytest.approx(result["blind"]["map@all"])
    assert 0 <= result["blind"]["predicted"] <= 1


def test_ensure_loads_a_finished_record_and_trains_only_what_is_missing(store, tmp_path, monkeypatch):
    monkeypatch.setattr("dpclip.lab.experiments.measure", lambda training, split, limit: {"made": split})
    run = Run(CONFIG, 0, "data", "weights")
    record = ensure(run, store, tmp_path / "records", tmp_path / "runs")
    assert record["metrics"] == {"made": "unseen"} and len(record["losses"]) == 9
    monkeypatch.setattr("dpclip.lab.experiments.train", None)  # training again would fail
    assert ensure(run, store, tmp_path / "records", tmp_path / "runs") == record


def test_no_record_for_an_unfinished_run(store, tmp_path, monkeypatch):
    def broken(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("dpclip.lab.experiments.measure", broken)
    with pytest.raises(KeyboardInterrupt):
        ensure(Run(CONFIG, 0, "data", "weights"), store, tmp_path / "records", tmp_path / "runs")
    assert not list((tmp_path / "records").glob("*.json"))
