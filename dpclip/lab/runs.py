"""A run with its data: its identity, its pictures, and `ensure`: load a run's record, or make it."""

import hashlib
import os
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from dpclip.data.batches import PROTOCOLS
from dpclip.data.files import ROOT, ensure_writable, sha256_file
from dpclip.data.manifest import Manifest
from dpclip.data.openmoji_list import NAME as EMBEDDED
from dpclip.data.sources import open_dataset
from dpclip.data.store import ImageStore
from dpclip.lab import plan, ranks, records
from dpclip.lab.config import TRIALS, RunConfig, preset, settings
from dpclip.lab.evaluate import category_level, fine_grained, open_bench
from dpclip.lab.fingerprint import code_here, short_code
from dpclip.lab.staleness import validity
from dpclip.lab.train import Training, image_size, train
from dpclip.method.backbone import MINI

RUNS, RETRAIN = ROOT / "build" / "runs", ROOT / "build" / "retrain"
FOLDER_VARIABLE = "DPCLIP_DATA"
NO_TRAIN_VARIABLE = "DPCLIP_NO_TRAIN"  # "1": a missing run is described and not made
RETRAIN_VARIABLE = "DPCLIP_RETRAIN"  # "1": results are of runs made here, one seed each, none from the repository
RENEWED = (*TRIALS, "mini")  # presets whose stale results are made again unasked; a run of `paper` takes days


@dataclass(frozen=True)
class Run:
    """One training with one seed. `name` is its identity: settings, data and backbone weights."""

    config: RunConfig
    seed: int
    data_hash: str
    weights_hash: str

    @property
    def name(self) -> str:
        identity = f"{self.config.key()} {self.data_hash} {self.weights_hash}"
        return f"{self.config.preset}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}-{self.seed}"


def weights_hash(config: RunConfig) -> str:
    """12 hexadecimal digits of the backbone's weights; "random" when they are drawn from the seed."""
    if config.backbone == "mini":
        return sha256_file((Path(config.weights) if config.weights else MINI) / "manifest.json")[:12]
    return sha256_file(Path(config.weights))[:12] if Path(config.weights).is_file() else config.weights or "random"


def make_run(config: RunConfig, seed: int, manifest: Manifest) -> Run:
    return Run(config, seed, manifest.hash, weights_hash(config))


def open_data(config: RunConfig, data: Path | None = None, alone: bool = True) -> Manifest:
    """The run's data set, in the folder `data` or else the one that the environment variable DPCLIP_DATA names: in a
    folder of its name there, or, where there is none and the data set is meant `alone`, that folder itself.
    """
    folder = data or os.environ.get(FOLDER_VARIABLE)
    root = None
    if folder and config.dataset != EMBEDDED:
        own = Path(folder) / config.dataset
        root = own if own.is_dir() or not alone else Path(folder)
    return open_dataset(config.dataset, root, config.unseen, config.val_categories)


def open_store(config: RunConfig, data: Path | None = None) -> ImageStore:
    """The run's pictures at its backbone's size."""
    return ImageStore(open_data(config, data), image_size(config), device=ranks.device())


def open_run(preset_name: str, seed: int = 0, data: Path | None = None, **changes: object) -> tuple[Run, ImageStore]:
    """A run of a preset with some settings changed, and the pictures it works on."""
    config = preset(preset_name).set(**changes)
    store = open_store(config, data)
    return make_run(config, seed, store.manifest), store


def retraining() -> bool:
    """Whether the environment variable DPCLIP_RETRAIN is 1."""
    return os.environ.get(RETRAIN_VARIABLE) == "1"


def run_folder(run: Run, runs: Path | None = None) -> Path:
    """Where the checkpoints of a run lie: one place for each version of the code, so that none goes on with another's
    weights.
    """
    return (runs or (RETRAIN / "runs" if retraining() else RUNS)) / f"{run.name}-{short_code(run.config.method)}"


def ensure_model(run: Run, store: ImageStore, runs: Path | None = None) -> Training:
    """The trained model of a run: from its checkpoint, continued if unfinished, or trained now.

    Raises MissingRun instead of training when the environment variable DPCLIP_NO_TRAIN is 1.
    """
    refuse_training([run], store, runs)
    return train(run.config, run.seed, store, run_folder(run, runs))


def refuse_training(wanted: list[Run], store: ImageStore, runs: Path | None = None, split: str = "unseen") -> None:
    """Raise MissingRun when the environment variable DPCLIP_NO_TRAIN is 1 and one of the runs has steps to make: which
    ones, the commands that make them, and what they take.
    """
    if os.environ.get(NO_TRAIN_VARIABLE) != "1":
        return
    lines = []
    for run in wanted:
        steps = plan.steps_left(run.config, run.seed, store.manifest, run_folder(run, runs))
        if steps:
            words = ["train" if split == "unseen" else "evaluate", "--preset", run.config.preset]
            command = shlex.join(["dpclip", *words, "--seed", str(run.seed), *settings(run.config)])
            folder = records_folder(run.config.preset)
            lines.append(f"{command}: {plan.describe(run.config, steps, folder, records.hardware(store.device))}")
    if lines:
        raise plan.MissingRun("\n".join([f"missing runs: {len(lines)}. What makes them, and what it takes:", *lines]))


def measure(training: Training, split: str, limit: int) -> dict:
    """All metrics of a finished run on the categories of a split: fine-grained under both protocols with every style
    of sketch, where sketches have photos of their own; category-level held-out, with the style that trains.
    """
    bench, seed, manifest = open_bench(training.model, training.store), training.seed, training.store.manifest
    styles = manifest.styles if manifest.paired else []
    metrics = {
        protocol: {style: fine_grained(bench, split, style, protocol, seed, limit) for style in styles}
        for protocol in PROTOCOLS
    }
    level = category_level(bench, split, manifest.styles[0], "held-out", seed, limit)
    return {"fine-grained": metrics, "category-level": level}


def records_folder(preset_name: str, split: str = "unseen") -> Path:
    """Where the records of a preset's runs lie. Those of smoke and dry runs mean nothing and are not kept;
    validation has its own place. Results that are made again (DPCLIP_RETRAIN) lie apart from the committed ones.
    """
    folder = ROOT / "build" / "records" if preset_name in TRIALS else records.RECORDS
    if split != "unseen":
        return folder / "validation"
    return RETRAIN / "records" if retraining() and preset_name not in TRIALS else folder


def find_record(run: Run, folder: Path | None = None, split: str = "unseen") -> dict | None:
    """The record of a run in `folder` (by default its preset's), None where it has to be made: there is none, or it is
    a stale result of a preset that is cheap to repeat. Those of validation tell how settings were chosen, and stay.
    """
    record = records.read_record(run.name, folder or records_folder(run.config.preset, split))
    renewed = split == "unseen" and run.config.preset in RENEWED
    return None if record and renewed and validity(record).state == "stale" else record


def ensure(
    run: Run, store: ImageStore, folder: Path | None = None, runs: Path | None = None, split: str = "unseen"
) -> dict | None:
    """The record of a run: the one that `find_record` has, or a new one after training and testing.

    `split` names the tested categories: settings are chosen on "val", results are reported on "unseen". Of several
    processes at one run only the first tests it and has the record; the others get None.

    Raises UserError before any work when `folder` cannot be written.
    """
    folder = folder or records_folder(run.config.preset, split)
    record = find_record(run, folder, split)
    if record is not None:
        return record
    ensure_writable(folder)
    training = ensure_model(run, store, runs)
    if ranks.rank() > 0:
        return None
    record = {
        "run": run.name,
        "config": asdict(run.config),
        "seed": run.seed,
        "data_hash": run.data_hash,
        "weights_hash": run.weights_hash,
        "split": split,
        "metrics": measure(training, split, run.config.test_categories),
        "losses": [round(loss, 5) for loss in training.losses],
        "scores": [round(score, 5) for score in training.scores],
        "commit": records.commit(),
        "code": code_here(run.config.method),
        "hardware": records.hardware(store.device),
        "arithmetic": records.arithmetic(store.device),
        "torch": torch.__version__,
        "seconds": round(training.seconds, 1),
        "peak_memory_mb": records.peak_memory_mb(store.device),
    }
    records.write_record(record, folder)
    return record


def ensure_rows(rows: dict[str, list[Run]], store: ImageStore, split: str = "unseen") -> dict[str, list[dict]]:
    """Row name -> the records of its runs, of results made again (DPCLIP_RETRAIN) those of one seed. Raises MissingRun
    as `ensure_model` does, for all of them at once.
    """
    if retraining() and split == "unseen":
        rows = {row: runs[:1] for row, runs in rows.items()}
    wanted = [run for runs in rows.values() for run in runs if find_record(run, split=split) is None]
    refuse_training(wanted, store, split=split)
    return {row: [ensure(run, store, split=split) for run in row_runs] for row, row_runs in rows.items()}
