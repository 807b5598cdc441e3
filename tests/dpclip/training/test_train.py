"""Training on a toy dataset with the tiny backbone: repeatable, resumable, and honest about what went wrong."""

import errno
import os
import signal
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from dpclip.config import DPCLIPConfig, preset
from dpclip.data.batches import test_sets, training_batches
from dpclip.data.store import ImageStore
from dpclip.errors import UserError
from dpclip.evaluation.evaluate import Bench, category_level, fine_grained, generic_context, open_bench
from dpclip.method.interface import Context
from dpclip.method.model import DPCLIP
from dpclip.method.rivals import PLAIN, RIVALS
from dpclip.runs.records import Run
from dpclip.runs.run import ensure
from dpclip.training import train as lab_train
from dpclip.training.checkpoint import read_checkpoint
from dpclip.training.processes import alone
from dpclip.training.train import train_run as train
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


class Told(DPCLIP):
    """DP-CLIP that remembers what its loss is told."""

    def __init__(self, *parts):
        super().__init__(*parts)
        self.told = []

    def loss(self, sketch, positive, negative, photo_ids, epoch):
        self.told.append((len(sketch), photo_ids.tolist(), epoch))
        return super().loss(sketch, positive, negative, photo_ids, epoch)


def test_a_method_of_ones_own_trains_by_its_own_loss(store, tmp_path):
    own = train(CONFIG.set(method="tests.dpclip.training.test_train:Told"), 0, store, tmp_path / "own")
    batches = [(batch, epoch) for epoch in range(3) for batch in own.batches(epoch)]
    assert own.model.told == [(4, batch.positive.tolist(), epoch) for batch, epoch in batches]
    assert own.losses == train(CONFIG, 0, store, tmp_path / "usual").losses


@pytest.mark.parametrize("kill_after", [1, 3, 5, 8])
def test_a_killed_run_started_again_ends_with_the_same_weights(store, tmp_path, kill_after):
    whole = train(CONFIG, 0, store, tmp_path / "whole")
    steps = iter(range(1, 100))
    train(CONFIG, 0, store, tmp_path / "cut", stop=lambda: next(steps) == kill_after)
    resumed = train(CONFIG, 0, store, tmp_path / "cut")
    assert resumed.losses == whole.losses and same(weights(resumed), weights(whole))


@pytest.mark.parametrize("after", [1, 3, 5])
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_saves_the_step_it_came_in(store, tmp_path, after, name):
    config = CONFIG.set(checkpoint="val")
    whole = train(config, 0, store, tmp_path / "whole")
    steps = iter(range(1, 100))

    def kill():
        if next(steps) == after:
            signal.raise_signal(getattr(signal, name))
        return False

    handler = signal.getsignal(signal.SIGTERM)
    with pytest.raises(UserError, match=f"stopped by {name} after step {after} of 9.*same command"):
        train(config, 0, store, tmp_path / "cut", stop=kill)
    assert signal.getsignal(signal.SIGTERM) is handler
    assert len(read_checkpoint(tmp_path / "cut" / "checkpoint.safetensors")["losses"]) == after
    resumed = train(config, 0, store, tmp_path / "cut")
    assert (resumed.losses, resumed.scores) == (whole.losses, whole.scores) and same(weights(resumed), weights(whole))


def test_of_two_processes_at_one_run_the_second_waits_and_finds_it_trained(store, tmp_path, capfd):
    (tmp_path / "run").mkdir()
    holding, freed = threading.Event(), []

    def hold() -> None:
        with alone(tmp_path / "run"):
            holding.set()
            time.sleep(1)
            freed.append(time.monotonic())

    other = threading.Thread(target=hold)
    other.start()
    holding.wait()
    with alone(tmp_path / "run"):
        assert freed and freed[0] <= time.monotonic()
    other.join()
    assert "run is being trained by another process: waiting for that one" in capfd.readouterr().err


def test_pictures_are_taken_at_the_size_of_the_model(store, tmp_path):
    other = ImageStore(store.manifest, 60, tmp_path / "cache")
    training = train(CONFIG.set(**PLAIN), 0, other, tmp_path / "run")
    assert training.store.size == 56 and (training.store.photos[0] == store.photos[0]).all()


def test_a_disk_too_small_is_told_before_training(store, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=2**20))
    with pytest.raises(UserError, match="has 1 MB free, but [0-9]+ MB are needed"):
        train(CONFIG, 0, store, tmp_path / "run")


@pytest.mark.parametrize(("precision", "rounded"), [("fp32", False), ("tf32", True)])
def test_fp32_is_exact_in_matrix_products_and_convolutions(store, tmp_path, monkeypatch, precision, rounded):
    before = torch.get_float32_matmul_precision()
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", not rounded)
    train(CONFIG.set(epochs=1, steps_per_epoch=1, precision=precision), 0, store, tmp_path / "run")
    assert torch.backends.cudnn.allow_tf32 is torch.backends.cuda.matmul.allow_tf32 is rounded
    torch.set_float32_matmul_precision(before)


def test_a_disk_that_fills_up_keeps_the_last_checkpoint_and_the_run_goes_on_from_there(store, tmp_path, monkeypatch):
    whole = train(CONFIG, 0, store, tmp_path / "whole")
    write, writes = lab_train.write_checkpoint, iter(range(1, 100))

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    def filling(*words):
        with monkeypatch.context() as patch:
            if next(writes) == 2:
                patch.setattr(os, "fsync", full)
            write(*words)

    monkeypatch.setattr(lab_train, "write_checkpoint", filling)
    with pytest.raises(UserError, match="cannot write .*checkpoint.safetensors: No space left on device. Free some"):
        train(CONFIG, 0, store, tmp_path / "cut")
    assert len(read_checkpoint(tmp_path / "cut" / "checkpoint.safetensors")["losses"]) == 3  # of the first epoch
    assert sorted(path.name for path in (tmp_path / "cut").iterdir()) == ["checkpoint.safetensors", "lock"]
    assert train(CONFIG, 0, store, tmp_path / "cut").losses == whole.losses


def test_training_lowers_the_loss(store, tmp_path):
    training = train(CONFIG.set(epochs=8, new_rate=3e-3, hard_every=0), 0, store, tmp_path / "run")
    assert sum(training.losses[-6:]) < sum(training.losses[:6])


def test_a_model_with_nothing_to_train_is_returned_as_it_is(store, tmp_path):
    training = train(CONFIG.set(**PLAIN), 0, store, tmp_path / "run")
    assert training.losses == [] and not (tmp_path / "run").exists()


def test_a_checkpoint_of_another_model_or_a_damaged_one_is_refused(store, tmp_path):
    train(CONFIG, 0, store, tmp_path / "run")
    with pytest.raises(UserError, match="does not fit the model"):
        train(CONFIG.set(rank=3), 0, store, tmp_path / "run")
    path = tmp_path / "run" / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match="checkpoint.safetensors is damaged"):
        train(CONFIG, 0, store, tmp_path / "run")


def test_a_loss_that_is_not_a_number_names_its_files_and_keeps_the_last_checkpoint(store, tmp_path):
    train(CONFIG.set(epochs=1), 0, store, tmp_path / "run")
    good = (tmp_path / "run" / "checkpoint.safetensors").read_bytes()
    where = r"at epoch 1, batch 1, category (cat|dog|cup).* sketch/.*positive: photo/.*negative: photo/"
    broken = CONFIG.set(new_rate=1e30, clip_rate=1e30)
    with pytest.raises(UserError, match=f"the loss is nan {where}"):
        train(broken, 0, store, tmp_path / "run")
    assert (tmp_path / "run" / "checkpoint.safetensors").read_bytes() == good


def test_an_unwritable_folder_is_told_before_training(store, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        train(CONFIG, 0, store, tmp_path / "file" / "run")


def test_each_query_is_ranked_once_and_chance_is_known(store, tmp_path):
    bench = open_bench(train(CONFIG, 0, store, tmp_path / "run").model, store)
    result = fine_grained(bench, "unseen", "warped", "held-out", 0)
    assert result["queries"] == 10 and result["chance@1"] == pytest.approx(1 / 3)
    assert result["acc@5"] == 1.0  # three photos to choose from
    assert {len(ranks) for ranks in result["ranks"].values()} == {5}


def test_category_level_without_prompts_is_one_number_for_all_settings(store, tmp_path):
    bench = open_bench(train(CONFIG.set(**PLAIN), 0, store, tmp_path / "run").model, store)
    result = category_level(bench, "unseen", "warped", "held-out", 0)
    assert result["oracle"] == result["blind"] == result["generic"] and not result["predicted"]
    assert len(result["blind"]["ap"]) == 10 and "p@10" not in result["blind"]  # six photos in all


def test_a_generalised_gallery_holds_the_seen_photos_too(store, tmp_path):
    """Against average precision written out: the share of relevant photos up to each of them."""
    config = CONFIG.set(**PLAIN, generalised=True)
    bench = open_bench(train(config, 0, store, tmp_path / "run").model, store)
    found = category_level(bench, "unseen", "warped", "held-out", 0)["blind"]["ap"]
    tests, context = bench.tests("unseen", "warped", "held-out", 0), Context([], [])
    seen = store.manifest.rows(split="seen", modality="photo")
    gallery = np.concatenate([*(test.gallery for test in tests), seen])
    label = np.repeat([0, 1, -1], [len(tests[0].gallery), len(tests[1].gallery), len(seen)])
    expected = []
    for number, test in enumerate(tests):
        for distance in bench.distances(test.queries, gallery, context):
            relevant = (label == number)[np.argsort(distance)]
            expected.append((np.cumsum(relevant) / np.arange(1, len(gallery) + 1))[relevant].mean())
    assert len(seen) and found == pytest.approx(expected, abs=1e-4)


def test_category_level_with_prompts_never_gives_the_label_away(store, tmp_path, monkeypatch):
    """Wrong predictions prompt for the wrong category; `generic` prompts for none; only `oracle` knows."""
    bench = open_bench(train(CONFIG, 0, store, tmp_path / "run").model, store)
    prompt = Bench.context

    def loud(self, test):
        """Prompts that differ more between these two categories than such a short training makes them."""
        context = prompt(self, test)
        return replace(context, prompts=[p * (9 if test.category == "saw" else -9) for p in context.prompts])

    monkeypatch.setattr(Bench, "context", loud)
    honest = category_level(bench, "unseen", "warped", "held-out", 0)
    assert set(honest["predicted"]) == {"text", "support"}

    def wrong(_, rows, tests):
        return 1 - np.repeat(np.arange(len(tests)), [len(test.queries) for test in tests])

    monkeypatch.setattr("dpclip.evaluation.evaluate.name_by_support", wrong)
    fooled = category_level(bench, "unseen", "warped", "held-out", 0)
    assert fooled["predicted"]["support"] == 0
    assert fooled["oracle"] == honest["oracle"] and fooled["generic"] == honest["generic"]
    assert fooled["blind"]["ap"] != fooled["oracle"]["ap"]


def test_the_generic_context_is_the_mean_of_the_seen_categories(store, tmp_path):
    bench = open_bench(train(CONFIG, 0, store, tmp_path / "run").model, store)
    contexts = [bench.context(t) for t in test_sets(store.manifest, "seen", "warped", "held-out", DPCLIPConfig(), 0)]
    mean = generic_context(bench, "held-out", 0)
    assert len(contexts) == len(store.manifest.categories("seen"))
    torch.testing.assert_close(mean.prompts[1], sum(c.prompts[1] for c in contexts) / len(contexts))
    torch.testing.assert_close(mean.scales[2], sum(c.scales[2] for c in contexts) / len(contexts))


@pytest.mark.parametrize("name", ["CLIP, norms tuned", "VPT", "LoRA", "CLIP-AT"])
def test_a_rival_trains_on_the_same_batches_and_is_resumed_alike(store, tmp_path, name):
    config = CONFIG.set(**RIVALS[name].changes, new_rate=1e-3)
    whole = train(config, 0, store, tmp_path / "whole")
    steps = iter(range(1, 100))
    train(config, 0, store, tmp_path / "cut", stop=lambda: next(steps) == 5)
    assert train(config, 0, store, tmp_path / "cut").losses == whole.losses
    assert [b.sketch.tolist() for b in whole.batches(1)] == [
        b.sketch.tolist() for b in train(CONFIG, 0, store, tmp_path / "ours").batches(1)
    ]


@pytest.mark.parametrize("part", ["shuffle_weight", "relative_weight", "text_weight"])
def test_each_part_of_clip_at_can_be_switched_off(store, tmp_path, part):
    config = CONFIG.set(**RIVALS["CLIP-AT"].changes)
    with_it, without = (
        train(c, 0, store, tmp_path / n).losses for n, c in (("a", config), ("b", config.set(**{part: 0.0})))
    )
    assert with_it[0] > without[0]  # same weights, same batch: every part is positive


@pytest.mark.parametrize(("kept", "split"), [("val", "val"), ("test", "unseen")])
def test_the_kept_epoch_is_the_best_on_the_named_categories_also_when_resumed(
    store, tmp_path, kept, split, monkeypatch
):
    scores = iter([0.2, 0.5, 0.5, 0.2, 0.5, 0.5])
    asked = []

    def score(bench, split, *_):
        asked.append(split)
        return {"acc@1": next(scores)}

    monkeypatch.setattr(lab_train, "fine_grained", score)
    config = CONFIG.set(checkpoint=kept)
    whole = train(config, 0, store, tmp_path / "whole")
    assert whole.scores == [0.2, 0.5, 0.5] and set(asked) == {split}
    steps = iter(range(1, 100))
    cut = train(config, 0, store, tmp_path / "cut", stop=lambda: next(steps) == 7)  # in the third epoch
    second_epoch = train(CONFIG.set(epochs=2), 0, store, tmp_path / "two")
    assert cut.scores == [0.2, 0.5]
    resumed = train(config, 0, store, tmp_path / "cut")
    assert resumed.losses == whole.losses and resumed.scores == whole.scores
    assert same(weights(resumed), weights(whole)) and same(weights(whole), weights(second_epoch))


def test_negatives_of_other_categories(store):
    table = store.manifest.table
    for batch in training_batches(store.manifest, 4, 0, 0, DPCLIPConfig(negatives="category")):
        negatives = table.iloc[batch.negative]
        assert (negatives["category"] != batch.category).all() and set(negatives["modality"]) == {"photo"}
        assert set(negatives["split"]) == {"seen"}


MADE = {"fine-grained": {}, "category-level": {}}  # in the place of metrics


def test_ensure_loads_a_finished_record_and_trains_only_what_is_missing(store, tmp_path, monkeypatch):
    monkeypatch.setattr("dpclip.runs.run.measure", lambda training, split, limit: MADE | {"made": split})
    run = Run(CONFIG, 0, "data", "weights")
    record = ensure(run, store, tmp_path / "records", tmp_path / "runs")
    assert record["metrics"]["made"] == "unseen" and len(record["losses"]) == 9
    monkeypatch.setattr("dpclip.runs.run.train_run", None)  # training again would fail
    assert ensure(run, store, tmp_path / "records", tmp_path / "runs") == record


def test_a_place_for_the_record_is_asked_for_before_training(store, tmp_path, monkeypatch):
    monkeypatch.setattr("dpclip.runs.run.train_run", None)  # training would fail
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write .*writable folder"):
        ensure(Run(CONFIG, 0, "data", "weights"), store, tmp_path / "file" / "records", tmp_path / "runs")


def test_no_record_for_an_unfinished_run(store, tmp_path, monkeypatch):
    def broken(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("dpclip.runs.run.measure", broken)
    with pytest.raises(KeyboardInterrupt):
        ensure(Run(CONFIG, 0, "data", "weights"), store, tmp_path / "records", tmp_path / "runs")
    assert not list((tmp_path / "records").glob("*.json"))
