"""What a missing run would take: told, with its command, instead of trained."""

import pytest

from dpclip.data.store import ImageStore
from dpclip.lab import plan, runs
from dpclip.lab import train as lab_train
from dpclip.lab.config import parse_settings, preset
from dpclip.lab.records import NEEDED, hardware, write_record
from dpclip.lab.runs import NO_TRAIN_VARIABLE, ensure_model, ensure_rows, make_run, run_folder
from dpclip.method.rivals import PLAIN
from tests.toy import make_toy

CONFIG = preset("smoke").set(templates=1, rank=2)


@pytest.fixture
def store(tmp_path, make_tiny, monkeypatch):
    monkeypatch.setattr(lab_train, "load_backbone", lambda *_: make_tiny())
    monkeypatch.setattr(runs, "records_folder", lambda *_: tmp_path / "records")
    monkeypatch.setenv(NO_TRAIN_VARIABLE, "1")
    return ImageStore(make_toy(tmp_path / "toy"), 56, tmp_path / "cache")


def finished(tmp_path, config, seconds, machine):
    """The record of a run of 10 steps."""
    record = {name: 1 for name in NEEDED} | {"run": f"x-{seconds}", "hardware": machine, "seconds": seconds}
    record |= {"losses": [0.1] * 10, "config": {**vars(config), "model": vars(config.model)}, "peak_memory_mb": 1234}
    write_record(record, tmp_path)


def test_time_is_judged_by_runs_of_the_same_backbone_arithmetic_and_hardware(tmp_path):
    config = preset("paper").set(batch=4)  # 3 * 4 + 3 images a step
    finished(tmp_path, config, 30, "a GPU")  # 150 images: 5 a second
    finished(tmp_path, config.set(precision="bf16"), 1, "a GPU")
    finished(tmp_path, config.set(backbone="mini"), 2, "a GPU")
    words = plan.describe(config.set(batch=64), 1000, tmp_path, "a GPU")
    assert "1,000 steps of 195 images (1 batch of 64 sketches)" in words
    assert "about 10 h 50 min of training on a GPU, at the 5 images a second of 1 finished runs" in words
    assert "1,234 MB" in words
    assert "no finished run of ViT-B-32 on another tells" in plan.describe(config, 1000, tmp_path, "another")


def test_joint_batches_are_one_step():
    manifest = runs.open_data(preset("mini"))
    assert plan.count_all_steps(preset("mini"), 0, manifest) == 300
    assert plan.count_images(preset("mini").set(joint=2)) == 2 * plan.count_images(preset("mini"))


def test_a_missing_run_is_named_with_the_command_that_makes_it(store, tmp_path):
    run = make_run(CONFIG, 3, store.manifest)
    with pytest.raises(plan.MissingRun) as stopped:
        ensure_model(run, store, tmp_path / "runs")
    first, line = str(stopped.value).splitlines()
    command, what = line.split(": ", 1)
    assert command.startswith("dpclip train --preset smoke --seed 3 --set ")
    settings = command.split(" --set ")[1:]
    assert preset("smoke").set(**parse_settings(settings)) == CONFIG
    assert what.startswith("4 steps of 15 images") and f"no finished run of mini on {hardware()}" in what
    assert not (tmp_path / "runs").exists()


def test_all_missing_runs_of_a_table_are_told_at_once_but_not_what_needs_no_training(store):
    rows = {"plain": [make_run(CONFIG.set(**PLAIN), 0, store.manifest)]}
    rows["ours"] = [make_run(CONFIG, seed, store.manifest) for seed in (0, 1)]
    with pytest.raises(plan.MissingRun, match="missing runs: 2.*\n.*--seed 0.*\n.*--seed 1"):
        ensure_rows(rows, store)


def test_a_trained_run_is_loaded_and_an_unfinished_one_is_counted_from_where_it_stands(store, tmp_path, monkeypatch):
    run, runs = make_run(CONFIG, 0, store.manifest), tmp_path / "runs"
    monkeypatch.delenv(NO_TRAIN_VARIABLE)
    whole = ensure_model(run, store, runs)
    monkeypatch.setenv(NO_TRAIN_VARIABLE, "1")
    assert ensure_model(run, store, runs).losses == whole.losses
    assert plan.steps_left(CONFIG.set(epochs=5), 0, store.manifest, run_folder(run, runs)) == 6
