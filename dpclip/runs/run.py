"""A run with its data: its identity, its pictures, and `ensure`: load a run's record, or make it."""

import json
import os
import shlex
import shutil
from dataclasses import asdict
from pathlib import Path

import torch
from rich.console import Console

from dpclip.config import RunConfig, preset, settings_words
from dpclip.data.batches import PROTOCOLS, check_trainable
from dpclip.data.benchmark import NAME as EMBEDDED
from dpclip.data.manifest import Manifest
from dpclip.data.sources import open_dataset
from dpclip.data.store import ImageStore
from dpclip.errors import MissingRun, UserError
from dpclip.evaluation.evaluate import UNTESTED, category_level, fine_grained
from dpclip.files import BUILD_FOLDER, DATA, atomic_write_text, ensure_writable
from dpclip.method.interface import find_method
from dpclip.runs import machine
from dpclip.runs.probe import differences, take_probe
from dpclip.runs.records import Run, find_record, make_run, records_folder, write_record
from dpclip.training import processes
from dpclip.training.checkpoint import count_steps, write_checkpoint
from dpclip.training.train import CHECKPOINT, Training, image_size, steps_an_epoch, train_run

RUNS = BUILD_FOLDER / "runs"
TRAINED = (
    DATA / "trained"
)  # what comes with the repository: the model of the preset mini, so that to ask it takes seconds
PROBE = "probe.json"  # beside a checkpoint: what the code did that made it
FOLDER_VARIABLE = "DPCLIP_DATA"
NO_TRAIN_VARIABLE = "DPCLIP_NO_TRAIN"  # "1": a missing run is described and not made


def open_data(config: RunConfig, data: Path | None = None, alone: bool = True) -> Manifest:
    """The run's data set, in the folder `data` or else the one that the environment variable DPCLIP_DATA names: in a
    folder of its name there, or, where there is none and the data set is meant `alone`, that folder itself.
    """
    if data and config.dataset == EMBEDDED:
        raise UserError(f"{data}: {EMBEDDED} is embedded and has no other folder. Leave --data out.")
    folder = data or os.environ.get(FOLDER_VARIABLE)
    root = None
    if folder and config.dataset != EMBEDDED:
        own = Path(folder) / config.dataset
        root = own if own.is_dir() or not alone else Path(folder)
    return open_dataset(config.dataset, root, config.unseen, config.val_categories)


def open_store(config: RunConfig, data: Path | None = None) -> ImageStore:
    """The run's pictures at its backbone's size."""
    return ImageStore(open_data(config, data), image_size(config), device=processes.device())


def open_run(preset_name: str, seed: int = 0, data: Path | None = None, **changes: object) -> tuple[Run, ImageStore]:
    """A run of a preset with some settings changed, and the pictures it works on."""
    config = preset(preset_name).set(**changes)
    store = open_store(config, data)
    return make_run(config, seed, store.manifest), store


def run_folder(run: Run, runs: Path | None = None) -> Path:
    """Where the checkpoints of a run lie: in `runs`; without it also in TRAINED, where it was not trained here."""
    own, shipped = (runs or RUNS) / run.model, TRAINED / run.model
    return shipped if runs is None and shipped.is_dir() and not own.is_dir() else own


def ensure_model(run: Run, store: ImageStore, runs: Path | None = None, split: str = "unseen") -> Training:
    """The trained model of a run: from its checkpoint, continued if unfinished, or trained now. A checkpoint of code
    that did something else is set aside, as its probe tells, which is taken anew and goes with the training. A model of
    TRAINED serves only without `runs`. Raises MissingRun instead of training when the environment variable
    DPCLIP_NO_TRAIN is 1.
    """
    refuse_training([run], store, runs, split)
    folder, probe = run_folder(run, runs), {}
    if processes.rank() == 0:
        probe = take_probe(run.config, run.seed, store, split)
        if _is_other(folder, probe) and folder.parent == TRAINED:
            folder = RUNS / run.model
        _set_aside(folder, probe)
    training = train_run(run.config, run.seed, store, folder)
    training.probe = probe
    return training


def _set_aside(folder: Path, probe: dict) -> None:
    """Rename the folder of a checkpoint whose probe is another one, and leave the probe for the next time."""
    if _is_other(folder, probe):
        older = folder.with_name(f"{folder.name}-older")
        shutil.rmtree(older, ignore_errors=True)
        folder.rename(older)
        Console(stderr=True).print(f"{folder.name}: other code trained it; that is now {older.name}", markup=False)
    if not (path := folder / PROBE).exists():
        atomic_write_text(path, json.dumps(_of_training(probe)) + "\n")


def _is_other(folder: Path, probe: dict) -> bool:
    """Whether the checkpoint of a folder is of code that did something else."""
    path = folder / PROBE
    return path.exists() and bool(differences(json.loads(path.read_text(encoding="utf-8")), _of_training(probe)))


def _of_training(probe: dict) -> dict:
    return {name: value for name, value in probe.items() if name in ("first", "last")}


def ship(training: Training, run: Run) -> None:
    """Keep a finished training in TRAINED, without Adam's moments."""
    write_checkpoint(TRAINED / run.model / CHECKPOINT, training.model, None, vars(training))
    atomic_write_text(TRAINED / run.model / PROBE, json.dumps(_of_training(training.probe)) + "\n")


def steps_left(run: Run, manifest: Manifest, runs: Path | None = None) -> int:
    """Steps of training that the run still has to make."""
    if not find_method(run.config.method).trains(run.config.model):
        return 0
    every = run.config.epochs * steps_an_epoch(run.config, manifest)
    return max(every - count_steps(run_folder(run, runs) / CHECKPOINT), 0)


def refuse_training(wanted: list[Run], store: ImageStore, runs: Path | None = None, split: str = "unseen") -> None:
    """Raise MissingRun when the environment variable DPCLIP_NO_TRAIN is 1 and one of the runs has steps to make: which
    ones, and the commands that make them.
    """
    if os.environ.get(NO_TRAIN_VARIABLE) != "1":
        return
    lines = []
    for run in wanted:
        if steps := steps_left(run, store.manifest, runs):
            words = ["train" if split == "unseen" else "evaluate", "--preset", run.config.preset]
            command = shlex.join(["dpclip", *words, "--seed", str(run.seed), *settings_words(run.config)])
            lines.append(f"{command}: {steps:,} steps")
    if lines:
        raise MissingRun("\n".join([f"missing runs: {len(lines)}. What makes them:", *lines]))


def measure(training: Training, split: str, limit: int) -> dict:
    """All metrics of a finished run on the categories of a split: fine-grained under both protocols with every style
    whose sketches have photos of their own; where the run asks for it, category-level held-out, with the sketches that
    have none, if there are.
    """
    training.model.eval()
    bench, seed, manifest = training.bench, training.seed, training.store.manifest
    metrics = {
        protocol: {style: fine_grained(bench, split, style, protocol, seed, limit) for style in manifest.paired}
        for protocol in PROTOCOLS
    }
    level = UNTESTED
    if training.config.category_level:
        level = category_level(bench, split, (manifest.unpaired or manifest.styles)[0], "held-out", seed, limit)
    return {"fine-grained": metrics, "category-level": level}


def ensure(
    run: Run, store: ImageStore, folder: Path | None = None, runs: Path | None = None, split: str = "unseen"
) -> dict | None:
    """The record of a run: the one that `find_record` has, or a new one after training and testing. `split` names the
    tested categories: settings are chosen on "val", results are reported on "unseen". Of several processes at one run
    only the first tests it and has the record; the others get None. Raises UserError before any work when `folder`
    cannot be written, and when the run could not be tested.
    """
    record = find_record(run, split, folder)
    if record is not None:
        return record
    trains = find_method(run.config.method).trains(run.config.model)
    check_trainable(store.manifest, run.config, split, trains)
    target = records_folder(run.config, split, folder)
    ensure_writable(target)
    training = ensure_model(run, store, runs or RUNS, split)  # a record is of a training made here
    if processes.rank() > 0:
        return None
    record = {
        "run": run.name,
        "config": asdict(run.config),
        "seed": run.seed,
        "data_hash": run.data_hash,
        "weights_hash": run.weights_hash,
        "split": split,
        "probe": training.probe,
        "metrics": measure(training, split, run.config.test_categories),
        "losses": [round(loss, 5) for loss in training.losses],
        "scores": [round(score, 5) for score in training.scores],
        "commit": machine.commit(),
        "hardware": machine.hardware(store.device),
        "arithmetic": machine.arithmetic(store.device),
        "torch": torch.__version__,
        "seconds": round(training.seconds, 1),
        "peak_memory_mb": machine.peak_memory_mb(store.device),
    }
    write_record(record, target)
    return record


def ensure_rows(
    rows: dict[str, list[Run]], store: ImageStore, split: str = "unseen", folder: Path | None = None
) -> dict[str, list[dict]]:
    """Row name -> the records of its runs. Raises MissingRun as `ensure_model` does, for all of them at once."""
    wanted = [run for runs in rows.values() for run in runs if find_record(run, split, folder) is None]
    refuse_training(wanted, store, RUNS, split)
    return {row: [ensure(run, store, folder, split=split) for run in row_runs] for row, row_runs in rows.items()}
