"""A training step of the preset mini on the processor, with its products by oneDNN and freed memory kept.

Both hold for a whole process, so each side runs in one of its own, and they take turns. Random pictures, one thread.
"""

import time
from statistics import median

import torch

from benchmarks.clock import in_fresh_process
from benchmarks.timing import Comparison
from dpclip.config import preset
from dpclip.method.backbone import load_backbone
from dpclip.method.losses import triplet_loss
from dpclip.method.model import DPCLIP
from dpclip.training.speed import gains, keep_freed_memory, use_fast_products

STEPS, TURNS = 8, 3
DEMAND = 1.2


def seconds_a_step(fast_products: bool, kept_memory: bool) -> tuple[float, float]:
    """Median seconds of a step, and the loss of the last one."""
    if fast_products:
        use_fast_products()
    if kept_memory:
        keep_freed_memory()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = preset("mini")
    model = DPCLIP(load_backbone("mini"), config.model).train()
    optimizer = torch.optim.Adam([p for group in model.set_trainable().values() for p in group], lr=1e-4)
    images = torch.rand(3 * config.batch, 3, model.image_size, model.image_size)
    text, ids, seconds = torch.randn(model.backbone.output_dim), torch.arange(config.batch), []
    for _ in range(STEPS):
        begun = time.perf_counter()
        features = model.encode(images, model.context(images[: sum(config.model.support_counts)], text))
        loss, _ = triplet_loss(*(features[i * config.batch : (i + 1) * config.batch] for i in range(3)), ids, 2,
                               config.model)  # fmt: skip
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        seconds.append(time.perf_counter() - begun)
    return median(seconds), loss.item()


def compare() -> list[Comparison]:
    """Raises AssertionError when the sides do not do the same work."""
    sides = {"ours": (True, True), "memory given back": (True, False), "products by MKL": (False, True)}
    times: dict[str, list[float]] = {name: [] for name in sides}
    losses = {}
    for _ in range(TURNS):
        for name, side in sides.items():
            seconds, losses[name] = in_fresh_process(seconds_a_step, *side)
            times[name].append(seconds)
    assert max(losses.values()) - min(losses.values()) < 1e-3, losses
    ours, *rivals = times
    return [
        Comparison(
            "training step, mini, 1 thread", name, min(times[ours]), min(times[name]),
            DEMAND if name == "products by MKL" and gains() else None,
        )
        for name in rivals
    ]  # fmt: skip
