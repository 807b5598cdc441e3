"""Looks inside the model: what prompts, scales and windows do to real pictures. Functions return figures or arrays."""

import inspect
import textwrap
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from IPython.display import HTML, Markdown
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from dpclip.figures.panels import BLUE, GREY, RED, picture, tile
from dpclip.files import ROOT
from dpclip.method.losses import hard_weight

WINDOW_COLOURS = ("#2a6f97", "#c8553d", "#588157", "#9c6ade")  # repeated when there are more windows


def source(*objects: Callable) -> Markdown:
    """The code of functions or classes of the package, as it is, for the output of a cell."""
    sources = [textwrap.dedent(inspect.getsource(thing)).rstrip() for thing in objects]
    return Markdown("\n\n".join(f"```python\n{source}\n```" for source in sources))


def cosine_matrix(vectors: Tensor) -> np.ndarray:
    """Cosine of every vector with every other: (C, ...) -> (C, C)."""
    unit = F.normalize(vectors.flatten(1), dim=-1)
    return (unit @ unit.T).numpy(force=True)


def _font(figure: Figure, points: float) -> float:
    """The font size that looks like `points` once a figure wider than 7 inches is shrunk to a page, up to a limit."""
    return points * min(max(1.0, figure.get_figwidth() / 7), 2.4)


def _no_ticks(axes: plt.Axes) -> None:
    axes.set(xticks=[], yticks=[])
    for side in axes.spines.values():
        side.set_visible(False)


def show_similarity(images: Tensor, maps: Tensor, rows: list[str], columns: list[str], signed: bool = False) -> Figure:
    """Pictures (B, 3, S, S) and their maps (B, C, g, g): one row a picture, one column a map, all on one colour scale.

    Red is high, blue is low; the scale runs from the lowest to the highest value shown. `signed` maps are
    differences of cosines: white is zero.
    """
    count, size = maps.shape[1], images.shape[-1]
    figure, places = plt.subplots(
        len(images), 1 + count, figsize=(1.45 * (1 + count) + 0.9, 1.5 * len(images) + 0.3), squeeze=False,
        layout="constrained",
    )  # fmt: skip
    words, numbers = _font(figure, 8), _font(figure, 7)
    low, high = float(maps.min()), float(maps.max())
    if signed:
        low, high = -max(-low, high), max(-low, high)
    shown = None
    for row, image in enumerate(images):
        tile(places[row, 0], image)
        places[row, 0].set_ylabel(rows[row], fontsize=words)
        for column in range(count):
            place = places[row, column + 1]
            place.imshow(picture(image).mean(-1), cmap="gray", vmin=0, vmax=1)
            extent = (-0.5, size - 0.5, size - 0.5, -0.5)
            shown = place.imshow(
                maps[row, column].numpy(force=True), cmap="RdBu_r", vmin=low, vmax=high, alpha=0.65, extent=extent
            )
            _no_ticks(place)
            if row == 0:
                place.set_title(columns[column], fontsize=words)
    bar = figure.colorbar(shown, ax=places, shrink=0.8)
    bar.set_label("difference of cosines" if signed else "cosine", fontsize=words)
    bar.ax.tick_params(labelsize=numbers)
    return figure


def show_matrices(matrices: dict[str, np.ndarray], names: list[str]) -> Figure:
    """Square matrices (C, C) of cosines side by side, with the names at rows and columns.

    A matrix with negative cosines is coloured from -1 to 1, white is zero; another one from its lowest to its highest.
    """
    width = 2.3 + 3.3 * len(matrices)
    figure, places = plt.subplots(
        1, len(matrices), figsize=(width, 3.9), squeeze=False, sharey=True, layout="constrained"
    )
    small = _font(figure, 7) if len(names) <= 12 else 7
    for place, (title, matrix) in zip(places[0], matrices.items(), strict=True):
        low, high = (-1, 1) if matrix.min() < 0 else (None, None)
        shown = place.imshow(matrix, cmap="RdBu_r", vmin=low, vmax=high)
        place.set_title(title, fontsize=_font(figure, 8))
        place.set_xticks(range(len(names)), names, rotation=90, fontsize=small)
        place.set_yticks(range(len(names)), names, fontsize=small)
        bar = figure.colorbar(shown, ax=place, shrink=0.75)
        bar.ax.tick_params(labelsize=small)
        bar.ax.yaxis.get_offset_text().set_fontsize(small)
    return figure


def show_scales(scales: dict[str, Tensor], paths: tuple[str, ...] = ("s_attn", "s_mlp")) -> Figure:
    """Category -> scales (M, 2, r): one panel a path and category, layers from top to bottom, white is zero."""
    limit = max(float(s.abs().max()) for s in scales.values())
    figure, places = plt.subplots(
        len(paths), len(scales), figsize=(1.9 * len(scales) + 0.8, 2.1 * len(paths) + 0.3), squeeze=False,
        sharex=True, sharey=True, layout="constrained",
    )  # fmt: skip
    words, numbers = _font(figure, 8), _font(figure, 7)
    shown = None
    for column, (category, scale) in enumerate(scales.items()):
        for row, path in enumerate(paths):
            place, values = places[row, column], scale[:, row].numpy(force=True)
            shown = place.imshow(values, cmap="RdBu_r", norm=TwoSlopeNorm(0, -limit, limit), aspect="auto")
            place.set_yticks(range(len(values)), range(1, len(values) + 1), fontsize=numbers)
            place.set_xticks([0, values.shape[1] - 1], [1, values.shape[1]], fontsize=numbers)
            if row == 0:
                place.set_title(category, fontsize=words)
            if column == 0:
                place.set_ylabel(f"{path}, layer", fontsize=words)
    figure.supxlabel("component of the scaling vector", fontsize=words)
    bar = figure.colorbar(shown, ax=places, shrink=0.8)
    bar.ax.tick_params(labelsize=numbers)
    return figure


def window_boxes(indices: Tensor, grid: int) -> list[tuple[int, int, int]]:
    """Token indices of windows (W, 1+w^2), CLS first -> (first row, first column, side) of each, in patches."""
    first = indices[:, 1] - 1
    side = round((indices.shape[1] - 1) ** 0.5)
    return [(int(i) // grid, int(i) % grid, side) for i in first]


def show_windows(images: Tensor, rows: list[str], indices: Tensor, grid: int) -> Figure:
    """Pictures (B, 3, S, S): the map of patches and all windows over each, then each window alone, the rest faded."""
    boxes, patch = window_boxes(indices, grid), images.shape[-1] / grid
    figure, places = plt.subplots(
        len(images), 1 + len(boxes), figsize=(1.6 * (1 + len(boxes)), 1.65 * len(images) + 0.2), squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for row, image in enumerate(images):
        tile(places[row, 0], image, "map and windows" if row == 0 else "")
        places[row, 0].set_ylabel(rows[row], fontsize=8)
        for line in range(1, grid):
            places[row, 0].axhline(line * patch - 0.5, color=GREY, linewidth=0.4)
            places[row, 0].axvline(line * patch - 0.5, color=GREY, linewidth=0.4)
        for number, (top, left, side) in enumerate(boxes):
            colour, inset = WINDOW_COLOURS[number % len(WINDOW_COLOURS)], 1.2 * number  # so that edges do not hide
            corner, length = (left * patch - 0.5, top * patch - 0.5), side * patch
            places[row, 0].add_patch(
                Rectangle((corner[0] + inset, corner[1] + inset), length - 2 * inset, length - 2 * inset,
                          fill=False, edgecolor=colour, linewidth=1.6)
            )  # fmt: skip
            seen = torch.zeros_like(image)
            seen[
                :, round(top * patch) : round((top + side) * patch), round(left * patch) : round((left + side) * patch)
            ] = 1
            alone = places[row, number + 1]
            tile(
                alone,
                1 - 0.15 * (1 - image) * (1 - seen) - (1 - image) * seen,
                f"window {number + 1}" if row == 0 else "",
            )
            alone.add_patch(Rectangle(corner, length, length, fill=False, edgecolor=colour, linewidth=1.8))
    return figure


def place_in_rank(distance: np.ndarray) -> np.ndarray:
    """Distances (L, G) -> the place, from 1, of each photo within its row; ties count against it."""
    return (distance[:, None, :] <= distance[:, :, None]).sum(-1)


def show_levels(
    query: Tensor, photos: Tensor, distance: np.ndarray, levels: list[str], target: int, most: int = 30
) -> Figure:
    """Query (3, S, S), photos (G, 3, S, S), distances (L, G): where each level ranks each photo.

    Columns are sorted by the last level; cells hold places, dark is near the top; the true photo is framed. Of a large
    gallery the first `most` photos are shown; the true one, when it is further down, is the last of them.
    """
    order = np.argsort(distance[-1], kind="stable")
    if target not in order[:most]:
        order[most - 1] = target
    order = order[:most]
    places, column = place_in_rank(distance)[:, order], int(np.flatnonzero(order == target)[0])
    count = len(order)
    figure = plt.figure(figsize=(0.48 * count + 1.5, 0.3 * len(levels) + 1.3))
    small = min(_font(figure, 7), 11)  # two digits fit a cell
    left, height = 0.13, 0.62
    table = figure.add_axes((left, 0.04, 0.86, height))
    table.imshow(places, cmap="Blues_r", vmin=1, vmax=count * 1.25, aspect="auto")
    table.set_yticks(range(len(levels)), levels, fontsize=_font(figure, 8))
    table.set_xticks([])
    for (row, number), place in np.ndenumerate(places):
        table.text(
            number, row, place, ha="center", va="center", fontsize=small, color="w" if place <= count / 2 else "k"
        )
    table.add_patch(
        Rectangle((column - 0.5, -0.5), 1, len(levels), fill=False, edgecolor=RED, linewidth=2.5, clip_on=False)
    )
    table.spines[:].set_visible(False)
    step = 0.86 / count
    for number, photo in enumerate(photos[order]):
        above = figure.add_axes((left + number * step, 0.04 + height + 0.02, step, 0.26))
        tile(above, photo, frame=RED if number == column else None)
    above = figure.add_axes((0.0, 0.04 + height + 0.02, left, 0.3))
    tile(above, query)
    _no_ticks(above)
    return figure


def schedule_weights(epochs: int, hard_every: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights of L_rand and of L_hard in each epoch, as `triplet_loss` applies them: (epochs,), (epochs,)."""
    hard = np.array([hard_weight(epoch, hard_every) for epoch in range(epochs)])
    return np.clip(1 - hard, 0, None), hard


def show_schedule(schedules: dict[str, tuple[int, int]]) -> Figure:
    """Title -> (epochs, hard_every): how the two parts of the loss are weighted over the epochs."""
    figure, places = plt.subplots(
        1, len(schedules), figsize=(3.6 * len(schedules), 2.7), squeeze=False, sharey=True, layout="constrained"
    )
    for place, (title, (epochs, every)) in zip(places[0], schedules.items(), strict=True):
        random, hard = schedule_weights(epochs, every)
        edges = np.arange(epochs + 1)
        place.stairs(random, edges, color=BLUE, linewidth=2, label=r"on $L_{rand}$", baseline=None)
        place.stairs(hard, edges, color=RED, linewidth=2, label=r"on $L_{hard}$ (this is $w$)", baseline=None)
        place.set_title(title, fontsize=9)
        place.set_xlabel("epoch")
    places[0, 0].set_ylabel("weight")
    lines = places[0, 0].get_legend_handles_labels()
    figure.legend(*lines, loc="outside lower center", ncols=2, fontsize=8)
    return figure


def drawing(name: str) -> HTML:
    """A drawing of book/figures. It takes the colours of its page, on which it is a part."""
    svg = (ROOT / "book" / "figures" / f"{name}.svg").read_text(encoding="utf-8")
    return HTML(f'<div class="drawing" tabindex="0">{svg}</div>')
