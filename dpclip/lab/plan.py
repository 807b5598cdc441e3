"""What a run that is missing would take: steps, images, and time as far as finished runs have measured it."""

import json
from dataclasses import asdict
from pathlib import Path

from dpclip.data.manifest import Manifest
from dpclip.errors import UserError
from dpclip.lab.checkpoint import count_steps
from dpclip.lab.config import RunConfig
from dpclip.lab.train import CHECKPOINT, epoch_batches
from dpclip.method.face import find_method

ALIKE = ("method", "backbone", "precision", "compile")  # settings that runs must share for one to tell the other's time


class MissingRun(UserError):
    """A run is not there and may not be trained."""


def count_all_steps(config: RunConfig, seed: int, manifest: Manifest) -> int:
    """Steps of the whole training."""
    if not find_method(config.method).trains(config.model):
        return 0
    return config.epochs * len(epoch_batches(config, manifest, seed, 0)) // config.joint


def count_images(config: RunConfig) -> int:
    """Images of one step: sketches, positives, negatives and support of its batches."""
    return config.joint * (3 * config.batch + sum(config.model.support_counts))


def steps_left(config: RunConfig, seed: int, manifest: Manifest, folder: Path) -> int:
    """Steps that the run whose checkpoints lie in `folder` still has to make."""
    return max(count_all_steps(config, seed, manifest) - count_steps(folder / CHECKPOINT), 0)


def describe(config: RunConfig, steps: int, records: Path, hardware: str) -> str:
    """What `steps` of training take, judged by the records in a folder; no time where none of them is comparable."""
    images = count_images(config)
    batches = f"{config.joint} batches" if config.joint > 1 else "1 batch"
    size = f"{steps:,} steps of {images:,} images ({batches} of {config.batch} sketches)"
    found = comparable(config, records, hardware)
    if not found:
        return f"{size}; no finished run of {config.backbone} on {hardware} tells how long that takes"
    rate = sum(seen for seen, _, _ in found) / sum(seconds for _, seconds, _ in found)
    memory = max(memory for _, _, memory in found)
    return (
        f"{size}; about {show_time(steps * images / rate)} of training on {hardware}, at the {rate:,.0f} images "
        f"a second of {len(found)} finished runs, which used up to {memory:,} MB"
    )


def comparable(config: RunConfig, records: Path, hardware: str) -> list[tuple[int, float, int]]:
    """(images, seconds, MB) of the trainings in a folder with the same backbone and arithmetic on the same hardware."""
    found = []
    for path in sorted(records.rglob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        if record.get("hardware") != hardware or not record.get("losses"):
            continue
        own = asdict(RunConfig()) | record["config"]
        if all(own[name] == getattr(config, name) for name in ALIKE):
            model = asdict(config.model) | own.pop("model")
            ran = RunConfig(**own).set(**model)
            found.append((len(record["losses"]) * count_images(ran), record["seconds"], record["peak_memory_mb"]))
    return found


def show_time(seconds: float) -> str:
    """3725 -> "1 h 02 min"; 125 -> "2 min 05 s"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, left = divmod(minutes, 60)
    return f"{hours} h {left:02d} min" if hours else f"{minutes} min {rest:02d} s"
