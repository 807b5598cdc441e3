"""What stands before a run: refused early, told where it may not train, and no checkpoint of other code taken."""

import json

import pytest

from dpclip.config import preset
from dpclip.data.store import ImageStore
from dpclip.errors import MissingRun, UserError
from dpclip.method.rivals import PLAIN
from dpclip.runs import run as runs
from dpclip.runs.records import make_run
from dpclip.runs.run import NO_TRAIN_VARIABLE, PROBE, ensure, ensure_model, ensure_rows, run_folder, steps_left
from dpclip.training import train as training
from dpclip.training.checkpoint import trained_weights
from tests.toy import make_toy

CONFIG = preset("smoke").set(templates=1, rank=2)


@pytest.fixture
def store(tmp_path, make_tiny, monkeypatch):
    monkeypatch.setattr(training, "load_backbone", lambda *_: make_tiny())
    return ImageStore(make_toy(tmp_path / "toy"), 56, tmp_path / "cache")


def test_a_missing_run_is_named_with_the_command_that_makes_it(store, tmp_path, monkeypatch):
    monkeypatch.setenv(NO_TRAIN_VARIABLE, "1")
    monkeypatch.setattr(runs, "RUNS", tmp_path / "runs")
    wanted = {"a": [make_run(CONFIG, 0, store.manifest)], "b": [make_run(CONFIG.set(rank=4), 1, store.manifest)]}
    with pytest.raises(MissingRun, match="missing runs: 2. What makes them:") as error:
        ensure_rows(wanted, store)
    lines = str(error.value).splitlines()[1:]
    assert lines[0].startswith("dpclip train --preset smoke --seed 0 --set rank=2 --set templates=1: ")
    assert lines[1].endswith(": 4 steps")
    ensure_model(make_run(CONFIG.set(**PLAIN), 0, store.manifest), store, tmp_path / "runs")  # nothing trains


def test_steps_are_counted_and_no_batch_is_made(store, tmp_path, monkeypatch):
    every = training.epoch_batches(CONFIG.set(steps_per_epoch=0), store.manifest, 0, 0)
    monkeypatch.setattr(training, "training_batches", None)
    for settings, steps in (({}, 4), ({"joint": 2}, 4), ({"steps_per_epoch": 0, "epochs": 3}, 3 * len(every))):
        assert steps_left(make_run(CONFIG.set(**settings), 0, store.manifest), store.manifest, tmp_path) == steps


def test_a_checkpoint_of_code_that_did_something_else_is_set_aside(store, tmp_path, capsys):
    run = make_run(CONFIG, 0, store.manifest)
    first = ensure_model(run, store, tmp_path).losses
    folder = run_folder(run, tmp_path)
    again = ensure_model(run, store, tmp_path)
    assert again.losses == first and steps_left(run, store.manifest, tmp_path) == 0
    probe = json.loads((folder / PROBE).read_text())
    probe["last"]["loss"] *= 1.5
    (folder / PROBE).write_text(json.dumps(probe))
    capsys.readouterr()
    ensure_model(run, store, tmp_path)
    assert f"{folder.name}: other code trained it" in capsys.readouterr().err
    assert (tmp_path / f"{folder.name}-older" / training.CHECKPOINT).exists()
    assert json.loads((folder / PROBE).read_text())["last"]["loss"] != probe["last"]["loss"]


def test_a_model_that_comes_with_the_repository_is_used_and_no_record_is_of_it(store, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(runs, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(runs, "TRAINED", tmp_path / "trained")
    run = make_run(CONFIG, 0, store.manifest)
    first = ensure_model(run, store, tmp_path / "elsewhere")
    runs.ship(first, run)
    shipped = tmp_path / "trained" / run.model
    monkeypatch.setenv(NO_TRAIN_VARIABLE, "1")
    again = ensure_model(run, store)
    assert run_folder(run) == shipped and again.losses == first.losses and not (tmp_path / "runs").exists()
    for name, value in trained_weights(first.model).items():
        assert value.equal(trained_weights(again.model)[name])
    with pytest.raises(MissingRun):
        ensure(run, store, tmp_path / "records")
    monkeypatch.delenv(NO_TRAIN_VARIABLE)
    probe = json.loads((shipped / PROBE).read_text())
    probe["last"]["loss"] *= 1.5  # other code
    (shipped / PROBE).write_text(json.dumps(probe))
    assert ensure_model(run, store).losses == first.losses
    assert run_folder(run) == tmp_path / "runs" / run.model and (shipped / PROBE).exists()


def test_without_validation_categories_nothing_is_trained(store, tmp_path, monkeypatch):
    rows = store.manifest.table
    without = store.manifest.of("toy", store.manifest.root, rows[rows["split"] != "val"], store.manifest.text)
    monkeypatch.setattr(runs, "train_run", None)
    with pytest.raises(UserError, match="no val category. Hold some seen ones out: --set val_categories=N"):
        ensure(make_run(CONFIG, 0, without), ImageStore(without, 56, tmp_path / "c"), tmp_path, tmp_path, "val")
