"""Scenes: two photos of two categories in one picture, so that it is known which patch shows what. `ours`

Each photo covers a square of whole patches, half the grid wide; between and around them lies one plain colour.
"""

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from dpclip.data.batches import TestSet
from dpclip.data.store import ImageStore
from dpclip.errors import UserError

NEIGHBOURS = 1  # on each side of a category, in a circle of all: those that it shares scenes with


def placements(grid: int) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Where the two photos go, as the patch (row, column) of their upper left corners: side by side and on the
    diagonal, each in both orders. A photo is `grid // 2` patches wide.
    """
    far, middle = grid - grid // 2, (grid - grid // 2) // 2
    pairs = [((middle, 0), (middle, far)), ((0, 0), (far, far))]
    return [order for first, second in pairs for order in ((first, second), (second, first))]


def draw_scenes(tests: list[TestSet], seed: int, grid: int) -> pd.DataFrame:
    """Scenes of the tests' categories, in a circle of random order: each with its NEIGHBOURS on both sides, of random
    photos of their galleries, in every placement. Up to three categories all meet.

    Columns: `first`, `second` and `third` (a category that the scene does not show) as places in `tests`; `photo_first`
    and `photo_second`, row numbers; `placement`. Raises UserError for fewer than three categories.
    """
    if len(tests) < 3:
        raise UserError(f"scenes need three categories, and there are {len(tests)}. Choose a longer list.")
    scenes, circle = [], np.random.default_rng(seed).permutation(len(tests))
    turned = [np.roll(circle, step) for step in range(1, NEIGHBOURS + 1)]
    met = {tuple(sorted(pair)) for others in turned for pair in zip(circle, others, strict=True)}
    for first, second in sorted(met):
        random = np.random.default_rng([seed, first, second])
        photos = {"photo_first": random.choice(tests[first].gallery)}
        photos["photo_second"] = random.choice(tests[second].gallery)
        third = random.choice([c for c in range(len(tests)) if c not in (first, second)])
        row = {"first": first, "second": second, "third": third} | photos
        scenes += [row | {"placement": number} for number in range(len(placements(grid)))]
    return pd.DataFrame(scenes)


def compose(store: ImageStore, scenes: pd.DataFrame, grid: int) -> tuple[Tensor, Tensor]:
    """The pictures of scenes (B, 3, S, S) in [0, 1], and which patches show each object: (B, 2, g, g) of bool.

    The plain colour is the mean of the two photos' edges.
    """
    patch = store.size // grid
    rows, place = np.unique(scenes[["photo_first", "photo_second"]].to_numpy(), return_inverse=True)
    photos, place = store[rows], torch.from_numpy(place.reshape(-1, 2))  # (P, 3, S, S), (B, 2)
    edges = torch.cat([photos[:, :, [0, -1]].flatten(2), photos[:, :, :, [0, -1]].flatten(2)], dim=2).mean(2)  # (P, 3)
    size = (grid // 2 * patch,) * 2
    small = F.interpolate(photos, size, mode="bilinear", antialias=True)  # (P, 3, s, s)

    images = edges[place].mean(1)[:, :, None, None].repeat(1, 1, store.size, store.size)  # (B, 3, S, S)
    patches = torch.zeros(len(scenes), 2, grid, grid, dtype=torch.bool, device=images.device)
    placement = torch.tensor(scenes["placement"].tolist())
    for number, corners in enumerate(placements(grid)):
        here = torch.nonzero(placement == number)[:, 0]
        for which, (top, left) in enumerate(corners):
            patches[here, which, top : top + grid // 2, left : left + grid // 2] = True
            down, across = (slice(corner * patch, corner * patch + size[0]) for corner in (top, left))
            images[here, :, down, across] = small[place[here, which]]
    return images, patches
