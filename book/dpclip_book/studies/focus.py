"""Focus: does the prompt similarity of a category fall on the object of that category? Measured on scenes. `ours`

A map's *share* of an object is the part of its positive similarity that lies on the object's patches. Four controls say
what a share is worth: the object's part of the area; the same picture under the support of the other object's category
(`swapped`); under that of a category which is not in the picture (`unmatched`); and random prompts of the same norm.
"""

from dataclasses import replace

import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from dpclip.data.batches import TestSet
from dpclip.evaluation.evaluate import Bench
from dpclip.evaluation.intervals import Comparison, compare_queries
from dpclip.evaluation.prompt_similarity import CHUNK, similarity
from dpclip.method.model import Context
from dpclip_book.studies.scenes import compose, draw_scenes

CONTROLS = ("area", "swapped", "unmatched", "random")
RELEVANT = 0.01  # the smallest gain of share that counts as focus, fixed before anything was measured


def object_share(maps: Tensor, patches: Tensor) -> Tensor:
    """Share of each object: maps and the object's patches (bool), both (..., g, g) -> (...).

    A map without anything positive prefers no patch: the share is then that of the area.
    """
    positive = maps.clamp(min=0)
    total = positive.sum((-2, -1))
    share = (positive * patches).sum((-2, -1)) / total.clamp(min=torch.finfo(maps.dtype).tiny)
    return torch.where(total > 0, share, patches.to(maps.dtype).mean((-2, -1)))


def random_prompts(context: Context, count: int, generator: torch.Generator) -> Context:
    """The context with random directions as prompts, others for each of `count` pictures; norms and scales stay."""
    prompts = []
    for layer in context.prompts:  # (K, D)
        noise = F.normalize(torch.randn(count, *layer.shape, generator=generator), dim=-1).to(layer)
        prompts.append(noise * layer.norm(dim=-1, keepdim=True))  # (B, K, D)
    return replace(context, prompts=prompts)


def scene_maps(bench: Bench, tests: list[TestSet], scenes: pd.DataFrame, seed: int) -> dict[str, Tensor]:
    """Maps, averaged over layers and prompts, and patches of B scenes. The scenes of a category are encoded together.

    own      (B, 2, g, g)  under the support of each object's category
    random   (B, 2, g, g)  the same with random prompts
    third    (B, g, g)     under the support of the category that is not there
    patches  (B, 2, g, g)  bool, where the objects are
    """
    grid, generator = bench.model.backbone.grid, torch.Generator().manual_seed(seed)
    shown, third = torch.tensor(scenes[["first", "second"]].to_numpy()), torch.tensor(scenes["third"].to_numpy())
    own, noise = torch.zeros(2, len(scenes), 2, grid, grid)
    absent = torch.zeros(len(scenes), grid, grid)

    def look(rows: Tensor, context: Context) -> Tensor:
        images, _ = compose(bench.store, scenes.iloc[rows.numpy()], grid)
        return similarity(bench.model, images, context).mean(1).cpu()  # (b, g, g)

    for number, test in enumerate(tests):
        context = bench.context(test)
        for place in (0, 1):
            for rows in torch.nonzero(shown[:, place] == number)[:, 0].split(CHUNK):
                own[rows, place] = look(rows, context)
                noise[rows, place] = look(rows, random_prompts(context, len(rows), generator))
        for rows in torch.nonzero(third == number)[:, 0].split(CHUNK):
            absent[rows] = look(rows, context)
    _, patches = compose(bench.store, scenes, grid)
    return {"own": own, "random": noise, "third": absent, "patches": patches.cpu()}


def scene_shares(maps: dict[str, Tensor]) -> dict[str, Tensor]:
    """From `scene_maps`, the share of each object of each scene, (B, 2) each: under the support of its category
    (`matched`), under each control, and in what the matched map has more than the swapped one (`contrast`).
    """
    own, patches = maps["own"], maps["patches"]
    return {
        "matched": object_share(own, patches),
        "area": patches.float().mean((2, 3)),
        "swapped": object_share(own.flip(1), patches),
        "unmatched": object_share(maps["third"][:, None], patches),
        "random": object_share(maps["random"], patches),
        "contrast": object_share(own - own.flip(1), patches),
    }


def measure_focus(bench: Bench, split: str, seeds: list[int]) -> pd.DataFrame:
    """`scene_shares` of all categories of a split, held-out: one row for each object of each scene, of its `category`.
    A seed chooses support, photos and random prompts.
    """
    manifest, tables = bench.store.manifest, []
    for seed in seeds:
        tests = bench.tests(split, manifest.styles[0], "held-out", seed)
        scenes = draw_scenes(tests, seed, bench.model.backbone.grid)
        shares = scene_shares(scene_maps(bench, tests, scenes, seed))
        category = [tests[number].category for number in scenes[["first", "second"]].to_numpy().ravel()]
        values = {name: share.flatten().numpy() for name, share in shares.items()}
        tables.append(pd.DataFrame({"seed": seed, "category": category} | values))
    return pd.concat(tables, ignore_index=True)


def gains(shares: pd.DataFrame, name: str = "matched") -> dict[str, Comparison]:
    """Control -> what the share under `name` gains over it. The bootstrap draws categories, not scenes: the scenes of a
    category have its support in common.
    """
    means = shares.groupby("category").mean(numeric_only=True)
    return {control: compare_queries(means[name], means[control]) for control in CONTROLS}


def focus_verdict(found: list[Comparison]) -> str:
    """From gains over controls. focus: every one is surely more than RELEVANT; no focus: some one is surely less; else
    undecided. Surely: by the 95 % interval.
    """
    if all(gain.low > RELEVANT for gain in found):
        return "focus"
    return "no focus" if any(gain.high < RELEVANT for gain in found) else "undecided"
