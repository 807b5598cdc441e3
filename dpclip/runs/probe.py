"""What a configuration does before any training: the way to see whether a record is still true.

A probe is taken with the untrained model on the real pictures: the loss and the size of its gradients at the first step
of the first and of the last epoch (so that hard negatives are in it), and the places of the true photos of the first
tested category. Moving code changes none of it; changing what code does is seen. Seconds a run.
"""

import math
import tomllib

import torch

from dpclip.config import RunConfig
from dpclip.data.store import ImageStore
from dpclip.evaluation import metrics
from dpclip.evaluation.evaluate import Bench, open_bench
from dpclip.files import DATA
from dpclip.training.objective import Objective
from dpclip.training.speed import set_arithmetic
from dpclip.training.train import build_model, epoch_batches, make_work

TOLERANCE = DATA / "records" / "tolerance.toml"


def take_probe(config: RunConfig, seed: int, store: ImageStore, split: str) -> dict:
    """{"first": {"loss": ..., "clip": ..., "new": ...}, "last": {...}, "ranks": [...]}: loss and gradient norms of the
    two groups that train, nothing where nothing trains; places in the first category of `split`, held-out. Where
    sketches have no photo of their own, "precision": the average precision of each query among two categories' photos.
    """
    set_arithmetic(config, store.device)
    model = build_model(config, seed).to(store.device)
    bench = open_bench(model, store.at(model.image_size))
    found: dict = {}
    if model.trains(config.model):
        objective = Objective(model, bench.store, bench.words, config.set(compile=False), seed)
        for name, epoch in (("first", 0), ("last", config.epochs - 1)):
            found[name] = _step(objective, config, seed, bench, epoch)
    model.eval()
    return found | _ranks(bench, split, seed)


def _step(objective: Objective, config: RunConfig, seed: int, bench: Bench, epoch: int) -> dict[str, float]:
    groups = objective.model.set_trainable()
    objective.model.zero_grad(set_to_none=True)
    batches = epoch_batches(config, bench.store.manifest, seed, epoch)
    loss = objective(make_work(batches, 0, epoch, bench.store))
    loss.backward()
    sizes = {
        name: math.sqrt(sum(float(p.grad.double().square().sum()) for p in group if p.grad is not None))
        for name, group in groups.items()
        if group
    }
    return {"loss": loss.item()} | sizes


def _ranks(bench: Bench, split: str, seed: int) -> dict[str, list]:
    manifest = bench.store.manifest
    tests = bench.tests(split, manifest.styles[0], "held-out", seed)
    first = next(test for test in tests if len(test.queries))
    context = bench.context(first)
    with torch.inference_mode():
        if manifest.paired:
            distance = bench.distances(first.queries, first.gallery, context)
            return {"ranks": metrics.target_ranks(distance, first.target).tolist()}
        gallery = [row for test in tests[:2] for row in test.gallery]
        distance = bench.distances(first.queries, gallery, context)
    relevant = torch.arange(len(gallery)).numpy()[None] < len(first.gallery)
    hits = metrics.hit_ranks(distance, relevant.repeat(len(distance), 0))
    return {"precision": metrics.average_precision(hits).round(5).tolist()}


def differences(recorded: dict, now: dict) -> list[str]:
    """What differs by more than data/records/tolerance.toml allows, in words; empty where both say the same."""
    bounds = tomllib.loads(TOLERANCE.read_text(encoding="utf-8"))["probe"]
    found = []
    for epoch in ("first", "last"):
        old, new = recorded.get(epoch, {}), now.get(epoch, {})
        for name in sorted(old.keys() | new.keys()):
            a, b = old.get(name), new.get(name)
            if a is None or b is None or not math.isclose(a, b, rel_tol=bounds["relative"], abs_tol=bounds["absolute"]):
                what = "loss" if name == "loss" else f"gradient of {name}"
                found.append(f"{what} in the {epoch} epoch: {_number(a)} recorded, {_number(b)} now")
    for name in ("ranks", "precision"):
        old, new = recorded.get(name, []), now.get(name, [])
        moved = sum(a != b for a, b in zip(old, new, strict=False)) + abs(len(old) - len(new))
        if moved > bounds["moved"] * len(old):
            found.append(f"{name}: {moved} of {len(old)} queries differ")
    return found


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.6f}"
