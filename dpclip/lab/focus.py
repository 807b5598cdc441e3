"""Focus: does the prompt similarity of a category fall on the object of that category? Measured on scenes. `ours`

A map's *share* of an object is the part of its positive similarity that lies on the object's patches. Four controls say
what a share is worth: the object's part of the area; the same picture under the support of the other object's category
(`swapped`); under that of a category which is not in the picture (`unmatched`); and random prompts of the same norm.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from dpclip.data.batches import TestSet, test_sets
from dpclip.lab.evaluate import Bench, support_rule
from dpclip.lab.scenes import compose, draw_scenes
from dpclip.lab.similarity import CHUNK, similarity
from dpclip.lab.statistics import Comparison, compare
from dpclip.method.model import Context

CONTROLS = ("area", "swapped", "unmatched", "random")
RELEVANT = 0.01  # the smallest gain of share that counts as focus, fixed before anything was measured


def object_share(maps: Tensor, patches: Tensor) -> Tensor:
    """Maps (B, g, g), patches of two objects (B, 2, g, g) of bool -> the share of each (B, 2).

    A map without anything positive prefers no patch: its shares are those of the area.
    """
    positive = maps.clamp(min=0)[:, None]  # (B, 1, g, g)
    total = positive.sum((2, 3))
    share = (positive * patches).sum((2, 3)) / total.clamp(min=torch.finfo(maps.dtype).tiny)
    return torch.where(total > 0, share, patches.to(maps.dtype).mean((2, 3)))


def random_prompts(context: Context, count: int, generator: torch.Generator) -> Context:
    """The context with random directions as prompts, others for each of `count` pictures; norms and scales stay."""
    prompts = []
    for layer in context.prompts:  # (K, D)
        noise = F.normalize(torch.randn(count, *layer.shape, generator=generator), dim=-1).to(layer)
        prompts.append(noise * layer.norm(dim=-1, keepdim=True))  # (B, K, D)
    return replace(context, prompts=prompts)


def scene_shares(bench: Bench, tests: list[TestSet], scenes: pd.DataFrame, seed: int) -> pd.DataFrame:
    """One row for each object of each scene: its `category`, and its share under the support of that category
    (`matched`) and under each control. The scenes of a category are encoded together.
    """
    generator = torch.Generator().manual_seed(seed)
    found = {name: np.full((len(scenes), 2), np.nan) for name in ("matched", *CONTROLS)}
    shown, third = scenes[["first", "second"]].to_numpy(), scenes["third"].to_numpy()  # (B, 2), (B,)
    for number, test in enumerate(tests):
        context = bench.context(test)
        for rows in _chunks(np.flatnonzero((shown == number).any(1))):
            images, patches = compose(bench.store, scenes.iloc[rows], bench.model.backbone.grid)
            noise = random_prompts(context, len(rows), generator)
            share, other = (
                object_share(similarity(bench.model, images, c).mean(1), patches).numpy(force=True)
                for c in (context, noise)
            )  # (b, 2) each
            area = patches.float().mean((2, 3)).numpy(force=True)
            mine = shown[rows] == number  # (b, 2), one of two
            here = rows, mine.argmax(1)
            found["matched"][here], found["random"][here], found["area"][here] = share[mine], other[mine], area[mine]
            found["swapped"][rows, 1 - mine.argmax(1)] = share[~mine]
        for rows in _chunks(np.flatnonzero(third == number)):
            images, patches = compose(bench.store, scenes.iloc[rows], bench.model.backbone.grid)
            share = object_share(similarity(bench.model, images, context).mean(1), patches)
            found["unmatched"][rows] = share.numpy(force=True)
    columns = {name: values.ravel() for name, values in found.items()}
    return pd.DataFrame({"category": [tests[number].category for number in shown.ravel()]} | columns)


def _chunks(rows: np.ndarray) -> list[np.ndarray]:
    return [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]


def measure_focus(bench: Bench, split: str, seeds: list[int]) -> pd.DataFrame:
    """`scene_shares` of all categories of a split, held-out; a seed chooses support, photos and random prompts."""
    manifest, tables = bench.store.manifest, []
    for seed in seeds:
        tests = test_sets(manifest, split, manifest.styles[0], "held-out", support_rule(bench.model), seed)
        scenes = draw_scenes(tests, seed, bench.model.backbone.grid)
        tables.append(scene_shares(bench, tests, scenes, seed).assign(seed=seed))
    return pd.concat(tables, ignore_index=True)


def compare_focus(shares: pd.DataFrame) -> dict[str, Comparison]:
    """Control -> what the matched support gains over it. The bootstrap draws categories, not scenes: the scenes of a
    category have its support in common.
    """
    means = shares.groupby("category")[["matched", *CONTROLS]].mean()
    return {name: compare([means["matched"].to_numpy()], [means[name].to_numpy()]) for name in CONTROLS}


def focus_verdict(gains: dict[str, Comparison]) -> str:
    """focus: the gain over every control is surely more than RELEVANT; no focus: the gain over some control is surely
    less; else undecided. Surely: by the 95 % interval.
    """
    if all(gain.low > RELEVANT for gain in gains.values()):
        return "focus"
    return "no focus" if any(gain.high < RELEVANT for gain in gains.values()) else "undecided"
