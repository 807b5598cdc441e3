"""The pictures of the book, in one look: the colours of the drawings, the font that comes with matplotlib, quiet axes.

Every function returns a matplotlib figure. The ground is white in the dark scheme too, as a card: sketches and photos
have white grounds of their own, and colour maps mean the same on both.
"""

import io
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from cycler import cycler
from matplotlib.figure import Figure
from torch import Tensor

from dpclip.data.images import read_image
from dpclip.files import atomic_write_bytes

SIDE = 224  # of a file's picture, in pixels
BLUE, RED, GREEN, PURPLE = "#2a6f97", "#b5462f", "#43733f", "#8450c4"  # to be read on white, in both schemes
GREY, INK = "#6b7686", "#1f2933"

STYLE = {
    "font.family": "DejaVu Sans",  # the same on every machine
    **dict.fromkeys(("font.size", "axes.titlesize", "axes.labelsize"), 9),
    **dict.fromkeys(("xtick.labelsize", "ytick.labelsize", "legend.fontsize"), 8),
    **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
    **dict.fromkeys(("axes.edgecolor", "grid.color"), GREY),
    **dict.fromkeys(("axes.spines.top", "axes.spines.right", "legend.frameon"), False),
    "axes.prop_cycle": cycler(color=[BLUE, RED, GREEN, PURPLE, GREY]),
    "grid.alpha": 0.3,
}
plt.rcParams.update(STYLE)  # in every process that draws


def picture(image: Tensor) -> np.ndarray:
    """(3, S, S) in [0, 1] -> (S, S, 3) for imshow."""
    return image.permute(1, 2, 0).clamp(0, 1).numpy(force=True)


def tile(axes: plt.Axes, image: Tensor, title: str = "", frame: str | None = None) -> None:
    """One picture without ticks, with a title and perhaps a coloured frame."""
    axes.imshow(picture(image))
    axes.set_title(title, fontsize=8, parse_math=False)  # a file's name may hold dollar signs
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=frame is not None, color=frame, linewidth=3)


def short(name: str, most: int = 14) -> str:
    """A name for a title over a small picture; one that had to be cut ends with an ellipsis."""
    return name if len(name) <= most else f"{name[: most - 1]}…"


def grid(count: int, columns: int = 6) -> tuple[Figure, list[plt.Axes]]:
    """A figure with places for `count` pictures, in rows of `columns`, and its axes in reading order."""
    rows = -(-count // columns)
    figure, axes = plt.subplots(rows, columns, squeeze=False, layout="constrained")
    figure.set_size_inches(1.15 * columns, 1.35 * rows)
    for place in axes.flat[count:]:
        place.remove()
    return figure, list(axes.flat[:count])


def show_grid(images: Tensor, titles: list[str], columns: int) -> Figure:
    """Pictures (B, 3, S, S) in rows of `columns`."""
    figure, axes = grid(len(images), columns)
    for place, image, title in zip(axes, images, titles, strict=False):
        tile(place, image, title)
    return figure


def show_files(sketch: Path, photos: list[Path]) -> Figure:
    """A sketch and the photos found for it, files on disk, in rows of six with their names."""
    pictures = [torch.from_numpy(read_image(file, SIDE).copy()).float() / 255 for file in (sketch, *photos)]
    titles = ["sketch", *(f"{place}. {short(file.stem)}" for place, file in enumerate(photos, 1))]
    return show_grid(torch.stack(pictures), titles, columns=6)


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, atomically, and close it. Raises UserError when the folder cannot be written."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    plt.close(figure)
    atomic_write_bytes(path, buffer.getvalue())
