"""Time and memory of each method, for table 5: `python -m benchmarks.clock_costs` writes data/records/cost (half an
hour on two cores). No data and no trained weights are needed: the images are noise, and ViT-B/32 has random weights.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from torch import Tensor

from benchmarks.clock import in_fresh_process, least_ms, memory_mb
from dpclip.data.manifest import Manifest
from dpclip.data.store import CACHE
from dpclip.files import atomic_write_text
from dpclip.runs.count_cost import (
    BACKBONES,
    BATCH,
    CATEGORY,
    COSTED,
    COSTS,
    RECORDED,
    TRAINING_BATCH,
    Cost,
    costed_config,
    count_cost,
    inputs,
)
from dpclip.runs.machine import commit, hardware, peak_memory_mb
from dpclip.training import processes
from dpclip.training.train import Training, build_model


@torch.inference_mode()
def measure_inference(name: str, backbone: str, device: str) -> dict[str, float]:
    """Memory and time of encoding, for a fresh process. Memory comes first, so that nothing else adds to it."""
    torch.set_num_threads(1)  # on a processor no thread waits for another
    before = memory_mb(device)
    model = build_model(costed_config(name, backbone), 0).eval().to(device)
    images, support, words = inputs(model, device)
    context = model.context(support, words)
    model.encode(images, context)
    memory = peak_memory_mb(device) - before
    milliseconds = {
        "image_ms": least_ms(lambda: model.encode(images[:1], context), device),
        "batch_ms": least_ms(lambda: model.encode(images, context), device) / BATCH,
        "category_ms": least_ms(lambda: model.context(support, words), device) if model.uses_category else 0.0,
        "text_ms": least_ms(lambda: model.text_feature(CATEGORY), device) if model.config.reads_words else 0.0,
    }
    return {"inference_mb": round(memory, 1)} | {name: round(value, 3) for name, value in milliseconds.items()}


@dataclass(frozen=True)
class Noise:
    """In the place of an ImageStore: random pictures of two seen categories, `count` photos and sketches of each."""

    manifest: Manifest
    size: int
    device: str
    cache: Path = CACHE

    @classmethod
    def of(cls, size: int, device: str, count: int) -> "Noise":
        rows = [
            (modality, category, f"{category}-{number}", style, f"{modality}/{category}-{number}.png", "seen")
            for category in ("clock", "owl")
            for number in range(count)
            for modality, style in (("photo", "photo"), ("sketch", "warped"))
        ]
        return cls(Manifest.of("noise", Path(), rows, {"clock": "clock", "owl": "owl"}), size, device)

    def load(self, rows: np.ndarray) -> Tensor:
        return torch.randint(256, (len(rows), 3, self.size, self.size), dtype=torch.uint8)


def measure_training(name: str, backbone: str, device: str) -> float | None:
    """Memory of two training steps, for a fresh process: the second meets Adam's moments, which the first made."""
    before = memory_mb(device)
    config = costed_config(name, backbone)
    model = build_model(config, 0).to(device)
    training = Training(config, 0, model, Noise.of(model.image_size, device, TRAINING_BATCH), losses=[])
    if training.optimizer is None:
        return None
    for works in training.work(0, 0):
        training.step(works)
    return round(peak_memory_mb(device) - before, 1)


def measure_cost(name: str, backbone: str, device: str) -> Cost:
    """Count one method and measure it on a device."""
    clocked = in_fresh_process(measure_inference, name, backbone, device)
    memory = in_fresh_process(measure_training, name, backbone, device)
    return Cost(**count_cost(name, backbone), **clocked, training_mb=memory)


def cost_record(backbone: str) -> dict:
    """All methods at a backbone, on the accelerator or else the processor."""
    costs, device = {}, processes.device()
    for name in track(COSTED, f"cost at {backbone}", console=Console(stderr=True)):
        costs[name] = asdict(measure_cost(name, backbone, device))
    made_by = (backbone, commit(), hardware(device), torch.__version__)
    return dict(zip(RECORDED, (*made_by, costs), strict=True))


def write_costs(record: dict, folder: Path = COSTS) -> Path:
    """As `folder/<backbone>.json`, atomically. Raises UserError when it cannot be written."""
    path = folder / f"{record['backbone']}.json"
    atomic_write_text(path, json.dumps(record, indent=1) + "\n")
    return path


if __name__ == "__main__":
    for backbone in BACKBONES:
        print(write_costs(cost_record(backbone)))
