"""The pictures of the book. Every function returns a matplotlib figure."""

import io
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from torch import Tensor

from dpclip.data.files import atomic_write_bytes
from dpclip.data.images import read_image
from dpclip.data.manifest import SPLITS, Manifest
from dpclip.data.store import ImageStore
from dpclip.lab.retrieve import Ranking
from dpclip.report.style import BLUE, GREY, RED, use_style

use_style()


def picture(image: Tensor) -> np.ndarray:
    """(3, S, S) in [0, 1] -> (S, S, 3) for imshow."""
    return image.permute(1, 2, 0).clamp(0, 1).numpy(force=True)


def tile(axes: plt.Axes, image: Tensor, title: str = "", frame: str | None = None) -> None:
    """One picture without ticks, with a title and perhaps a coloured frame."""
    axes.imshow(picture(image))
    axes.set_title(title, fontsize=8)
    axes.set(xticks=[], yticks=[])
    for side in axes.spines.values():
        side.set(visible=frame is not None, color=frame, linewidth=3)


def short(name: str, most: int = 14) -> str:
    """A name for a title over a small picture; one that had to be cut ends with an ellipsis."""
    return name if len(name) <= most else f"{name[: most - 1]}…"


def grid(count: int, columns: int = 6) -> tuple[Figure, list[plt.Axes]]:
    """A figure with places for `count` pictures, in rows of `columns`, and its axes in reading order."""
    rows = -(-count // columns)
    size = (1.15 * columns, 1.35 * rows)
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    for place in axes.flat[count:]:
        place.remove()
    return figure, list(axes.flat[:count])


def show_grid(images: Tensor, titles: list[str], columns: int) -> Figure:
    """Pictures (B, 3, S, S) in rows of `columns`."""
    figure, axes = grid(len(images), columns)
    for place, image, title in zip(axes, images, titles, strict=False):
        tile(place, image, title)
    return figure


def show_ranking(store: ImageStore, ranking: Ranking, top: int = 10, target: int | None = None) -> Figure:
    """The sketch, then its nearest photos, nearest first; the photo with row number `target` is framed."""
    rows = ranking.rows[:top]
    figure, axes = grid(len(rows) + 1)
    tile(axes[0], ranking.sketch, "sketch", frame=GREY)
    names = store.manifest.table["instance"]
    for place, (row, image) in enumerate(zip(rows, store[rows], strict=True), 1):
        tile(axes[place], image, f"{place}. {short(names[row])}", frame=RED if row == target else None)
    return figure


def show_files(sketch: Path, photos: list[Path], size: int) -> Figure:
    """A sketch and the photos found for it, files on disk, in rows of six with their names."""
    pictures = [torch.from_numpy(read_image(file, size).copy()).float() / 255 for file in (sketch, *photos)]
    titles = ["sketch", *(f"{place}. {short(file.stem)}" for place, file in enumerate(photos, 1))]
    return show_grid(torch.stack(pictures), titles, columns=6)


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


def show_sizes(manifest: Manifest) -> Figure:
    """Photos of each category as bars, largest first, coloured by split."""
    photos = manifest.table.iloc[manifest.rows(modality="photo")]
    sizes = (
        photos.groupby(["category", "split"]).size().sort_values(kind="stable", ascending=False).reset_index(name="n")
    )
    figure, axes = plt.subplots(figsize=(8, 3.4), layout="constrained")
    axes.bar(sizes["category"], sizes["n"], color=sizes["split"].map(SPLIT_COLOURS))
    axes.tick_params("x", rotation=90, labelsize=7)
    axes.set(ylabel="objects", xlim=(-0.7, len(sizes) - 0.3))
    axes.legend(handles=[Patch(color=c, label=split) for split, c in SPLIT_COLOURS.items()])
    return figure


def show_matrix(values: np.ndarray, rows: list[str], columns: list[str], label: str, size: float = 7.0) -> Figure:
    """A matrix (R, C) around zero as colours, blue below and red above, with the names of its rows and columns."""
    figure, axes = plt.subplots(figsize=(size, size * len(rows) / len(columns)), layout="constrained")
    bound = np.abs(values).max()
    shown = axes.imshow(values, cmap="RdBu_r", aspect="auto", vmin=-bound, vmax=bound)
    axes.set_xticks(range(len(columns)), columns, rotation=90, fontsize=7)
    axes.set_yticks(range(len(rows)), rows, fontsize=7)
    figure.colorbar(shown, ax=axes, label=label, shrink=0.6)
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, atomically, and close it. Raises UserError when the folder cannot be written."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    plt.close(figure)
    atomic_write_bytes(path, buffer.getvalue())
