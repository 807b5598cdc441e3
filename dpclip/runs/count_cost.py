"""What each method costs: parameters and floating-point operations, counted here, exact and the same everywhere; time
and memory, which benchmarks/clock_costs.py measures, belong to the machine that the record names. Section 9, table 5.
"""

import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from dpclip.config import RunConfig, preset
from dpclip.errors import UserError
from dpclip.method.interface import Features
from dpclip.runs.experiments import METHODS, module_settings
from dpclip.runs.records import RECORDS
from dpclip.training.train import build_model

COSTS = RECORDS / "cost"
BACKBONES = {"ViT-B-32": preset("paper").set(weights=""), "mini": preset("mini")}
BATCH, TRAINING_BATCH, GALLERY = 16, 8, 100
CATEGORY = "alarm clock"
RECORDED = ("backbone", "commit", "hardware", "torch", "costs")
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


def read_costs(backbone: str, folder: Path = COSTS) -> dict:
    """The record of a backbone. Raises UserError when it is missing or damaged."""
    path = folder / f"{backbone}.json"
    if not path.is_file():
        raise UserError(f"{path} is missing. Measure it: python -m benchmarks.clock_costs")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        record = {name: record[name] for name in RECORDED}
        for cost in record["costs"].values():
            Cost(**cost)
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path} is damaged ({error}). Measure it again: python -m benchmarks.clock_costs") from error
    return record
