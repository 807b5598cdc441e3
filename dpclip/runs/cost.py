"""What each method costs: parameters, floating-point operations, time and memory. Section 9, table 5.

No data and no trained weights are needed: the images are noise, and ViT-B/32 has random weights. Parameters and
operations are exact and the same everywhere; time and memory belong to the machine that the record names.
"""

import json
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from dpclip.config import RunConfig, preset
from dpclip.data.manifest import Manifest
from dpclip.data.store import CACHE
from dpclip.errors import UserError
from dpclip.files import atomic_write_text
from dpclip.method.interface import Features
from dpclip.runs.clock import in_fresh_process, least_ms, memory_mb
from dpclip.runs.experiments import METHODS, module_settings
from dpclip.runs.machine import commit, hardware, peak_memory_mb
from dpclip.runs.records import RECORDS
from dpclip.training import processes
from dpclip.training.train import Training, build_model

COSTS = RECORDS / "cost"
BACKBONES = {"ViT-B-32": preset("paper").set(weights=""), "mini": preset("mini")}
BATCH, TRAINING_BATCH, GALLERY = 16, 8, 100
CATEGORY = "alarm clock"
RECORDED = ("backbone", "commit", "hardware", "torch", "costs", "skipped")
# Name -> settings. With no module there is what the rival "CLIP, norms tuned" is.
COSTED = METHODS | {name: changes for name, changes in module_settings().items() if name != "no module"}


@dataclass(frozen=True)
class Cost:
    """One method at one backbone. What a method does not do costs 0. FLOPs are those of matrix products, convolutions
    and attention, a multiply-add counted as two; masked attention counts in full, since it is computed in full.
    """

    parameters: int  # of all that encodes images: tower, prompts, low-rank paths, windows
    text_parameters: int  # of CLIP's text encoder, for methods whose context needs the category's words
    trained_clip: int  # CLIP's own that train
    trained_new: int  # the method's that train
    image_flops: int  # encode one image, its category's context given
    category_flops: int  # a context from support images and text feature; 0 when all categories share one
    text_flops: int  # the text feature of a category from its sentences, once for a data set
    query_flops: int  # encode a sketch and compare it with GALLERY encoded photos
    image_ms: float  # encode one image alone
    batch_ms: float  # encode a batch of BATCH, divided by BATCH
    category_ms: float  # like category_flops
    text_ms: float  # like text_flops
    inference_mb: float  # most memory while a batch of BATCH is encoded, above the process without a model
    training_mb: float | None  # the same over two training steps of TRAINING_BATCH triplets; None: nothing trains


def costed_config(name: str, backbone: str) -> RunConfig:
    """The run that a row stands for. Raises UserError for an unknown method or backbone."""
    for kind, value, known in (("method", name, COSTED), ("backbone", backbone, BACKBONES)):
        if value not in known:
            raise UserError(f"unknown {kind} {value!r}. Choose one of {'; '.join(known)}.")
    return BACKBONES[backbone].set(**COSTED[name]).set(batch=TRAINING_BATCH, joint=1)


def inputs(model: nn.Module, device: str) -> tuple[Tensor, Tensor, Tensor | None]:
    """Some images (BATCH, 3, S, S), support images (S', 3, S, S), a text feature (E,) if the model reads words: noise,
    the same every time.
    """
    random, size, count = torch.Generator().manual_seed(0), model.image_size, sum(model.config.support_counts)
    images = torch.randn(BATCH + count, 3, size, size, generator=random).to(device)
    words = torch.randn(model.backbone.output_dim, generator=random).to(device) if model.config.reads_words else None
    return images[:BATCH], images[BATCH:], words


def flops(work: Callable[[], object]) -> int:
    """Of one call, by torch's counter."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


def count_cost(name: str, backbone: str) -> dict[str, int]:
    """The exact fields of a Cost. On torch's device "meta", which computes shapes only, they take about a second."""
    with warnings.catch_warnings(), torch.device("meta"):
        warnings.filterwarnings("ignore", "for .* which is a no-op")  # weights are copied nowhere
        model = build_model(costed_config(name, backbone), 0).eval()
    images, support, words = inputs(model, "meta")
    image = images[:1]
    groups = model.set_trainable() if model.trains(model.config) else {"clip": [], "new": []}
    own = dict(model.named_parameters())
    text = [n for n in own if n.startswith("backbone.clip.") and not n.startswith("backbone.clip.visual.")]
    with torch.no_grad():
        context = model.context(support, words)
        sketch = model.encode(image, context)
        photos = Features.cat([sketch] * GALLERY)
    image_flops = flops(lambda: model.encode(image, context))
    return {
        "parameters": sum(p.numel() for n, p in own.items() if n not in text),
        "text_parameters": sum(own[n].numel() for n in text) if model.config.reads_words else 0,
        "trained_clip": sum(p.numel() for p in groups["clip"]),
        "trained_new": sum(p.numel() for p in groups["new"]),
        "image_flops": image_flops,
        "category_flops": flops(lambda: model.context(support, words)) if model.uses_category else 0,
        "text_flops": flops(lambda: model.text_feature(CATEGORY)) if model.config.reads_words else 0,
        "query_flops": image_flops + flops(lambda: model.distance(sketch, photos)),
    }


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
    """All methods at a backbone, on the accelerator or else the processor. One whose optional packages are missing is
    skipped, with the reason.
    """
    costs, skipped, device = {}, {}, processes.device()
    for name in track(COSTED, f"cost at {backbone}", console=Console(stderr=True)):
        try:
            costs[name] = asdict(measure_cost(name, backbone, device))
        except UserError as error:
            if "method" not in COSTED[name]:  # only a network of its own is optional
                raise
            skipped[name] = str(error)
    made_by = (backbone, commit(), hardware(device), torch.__version__)
    return dict(zip(RECORDED, (*made_by, costs, skipped), strict=True))


def write_costs(record: dict, folder: Path = COSTS) -> Path:
    """As `folder/<backbone>.json`, atomically. Raises UserError when it cannot be written."""
    path = folder / f"{record['backbone']}.json"
    atomic_write_text(path, json.dumps(record, indent=1) + "\n")
    return path


def read_costs(backbone: str, folder: Path = COSTS) -> dict:
    """The record of a backbone. Raises UserError when it is missing or damaged."""
    path = folder / f"{backbone}.json"
    if not path.is_file():
        raise UserError(f"{path} is missing. Measure it: dpclip tables 5 --measure")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        record = {name: record[name] for name in RECORDED}
        for cost in record["costs"].values():
            Cost(**cost)
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path} is damaged ({error}). Measure it again: dpclip tables 5 --measure") from error
    return record
