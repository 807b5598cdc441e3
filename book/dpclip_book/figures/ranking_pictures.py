"""Pictures of rankings and matrices for the pages. Every function returns a matplotlib figure."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from dpclip.data.manifest import SPLITS
from dpclip.data.store import ImageStore
from dpclip.evaluation.evaluate import Ranking
from dpclip.figures.panels import BLUE, GREY, RED, grid, short, tile


def show_ranking(store: ImageStore, ranking: Ranking, top: int = 10, target: int | None = None) -> Figure:
    """The sketch, then its nearest photos, nearest first; the photo with row number `target` is framed."""
    rows = ranking.rows[:top]
    figure, axes = grid(len(rows) + 1)
    tile(axes[0], ranking.sketch, "sketch", frame=GREY)
    names = store.manifest.table["instance"]
    for place, (row, image) in enumerate(zip(rows, store[rows], strict=True), 1):
        tile(axes[place], image, f"{place}. {short(names[row])}", frame=RED if row == target else None)
    return figure


def as_images(pixels: list[np.ndarray]) -> Tensor:
    """Pictures in [0, 1] or uint8, each (S, S) grey, (S, S, 3) or (S, S, 4) with alpha -> (B, 3, S, S) on white."""
    pictures = []
    for array in pixels:
        array = array / np.float32(255) if array.dtype == np.uint8 else np.asarray(array, dtype=np.float32)
        array = array[..., None].repeat(3, 2) if array.ndim == 2 else array
        if array.shape[2] == 4:
            array = array[..., :3] * array[..., 3:] + 1 - array[..., 3:]
        pictures.append(torch.from_numpy(array).permute(2, 0, 1))
    return torch.stack(pictures)


def place_of(ranking: Ranking, photo: int) -> int:
    """The place, from 1, of the photo with row number `photo` in a ranking."""
    return int(np.flatnonzero(ranking.rows == photo)[0]) + 1


def show_rankings(store: ImageStore, rankings: dict[str, Ranking], target: int, top: int = 7) -> Figure:
    """One row a ranking: the sketch under its label, then the nearest photos. The true photo `target` is framed; when
    it is further down than `top`, it takes the last place of the row. Titles give a photo's place.
    """
    top = min(top, *(len(ranking.rows) for ranking in rankings.values()))
    size = (1.15 * (top + 1), 1.42 * len(rankings))
    figure, axes = plt.subplots(len(rankings), top + 1, figsize=size, squeeze=False, layout="constrained")
    for line, (label, ranking) in zip(axes, rankings.items(), strict=True):
        draw_ranking(line, store, label, ranking, target)
    return figure


def draw_ranking(line: np.ndarray, store: ImageStore, label: str, ranking: Ranking, target: int) -> None:
    """One row of such a figure, into its axes (1 + top,)."""
    tile(line[0], ranking.sketch, label, frame=GREY)
    names, shown = store.manifest.table["instance"], ranking.rows[: len(line) - 1]
    if target not in shown:
        shown = [*shown[:-1], target]
    for axis, row in zip(line[1:], shown, strict=True):
        title = f"{place_of(ranking, row)}. {short(names[row], 12)}"
        tile(axis, store[[row]][0], title, frame=RED if row == target else None)


SPLIT_COLOURS = dict(zip(SPLITS, (BLUE, GREY, RED), strict=True))


def show_matrix(values: np.ndarray, rows: list[str], columns: list[str], label: str, size: float = 7.0) -> Figure:
    """A matrix (R, C) around zero as colours, blue below and red above, with the names of its rows and columns."""
    figure, axes = plt.subplots(figsize=(size, size * len(rows) / len(columns)), layout="constrained")
    bound = np.abs(values).max()
    shown = axes.imshow(values, cmap="RdBu_r", aspect="auto", vmin=-bound, vmax=bound)
    axes.set_xticks(range(len(columns)), columns, rotation=90, fontsize=7)
    axes.set_yticks(range(len(rows)), rows, fontsize=7)
    figure.colorbar(shown, ax=axes, label=label, shrink=0.6)
    return figure
