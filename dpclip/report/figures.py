"""The pictures of the book. Every function returns a matplotlib figure."""

import io
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from dpclip.data.files import atomic_write_bytes
from dpclip.data.images import ImageStore
from dpclip.lab.retrieve import Ranking

BLUE, RED, GREY = "#2a6f97", "#c8553d", "#8d99ae"


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


def show_grid(images: Tensor, titles: list[str], columns: int) -> Figure:
    """Pictures (B, 3, S, S) in rows of `columns`."""
    rows = -(-len(images) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(1.15 * columns, 1.35 * rows), squeeze=False, layout="constrained"
    )
    for place in axes.flat[len(images) :]:
        place.set_axis_off()
    for place, image, title in zip(axes.flat, images, titles, strict=False):
        tile(place, image, title)
    return figure


def show_ranking(store: ImageStore, ranking: Ranking, top: int = 10, target: int | None = None) -> Figure:
    """The sketch, then its nearest photos, nearest first; the photo with row number `target` is framed."""
    rows = ranking.rows[:top]
    figure, axes = plt.subplots(1, len(rows) + 1, figsize=(1.15 * (len(rows) + 1), 1.6), layout="constrained")
    tile(axes[0], ranking.sketch, "sketch", frame=GREY)
    names = store.manifest.table["instance"]
    for place, (row, image) in enumerate(zip(rows, store[rows], strict=True)):
        tile(axes[place + 1], image, f"{place + 1}. {names[row][:14]}", frame=RED if row == target else None)
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, atomically, and close it. Raises UserError when the folder cannot be written."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    plt.close(figure)
    atomic_write_bytes(path, buffer.getvalue())
