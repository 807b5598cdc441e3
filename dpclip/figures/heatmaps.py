"""Heatmaps of prompt similarity (the paper's Fig. 4, redrawn), and the picture of their focus."""

from collections.abc import Iterable

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from torch import Tensor

from dpclip.evaluation.prompt_similarity import similarity
from dpclip.figures.panels import picture, tile
from dpclip.method.model import DPCLIP, Context

COLOURS = "RdBu_r"  # red is high, blue is low, white is zero


def show_map(axes: Axes, values: Tensor, bound: float, image: Tensor | None = None) -> None:
    """A map (g, g) on the scale from -bound to bound; over the grey picture (3, S, S) where one is given."""
    size, alpha = values.shape[-1], 1.0
    if image is not None:
        axes.imshow(picture(image).mean(-1), cmap="gray", vmin=0, vmax=1)
        size, alpha = image.shape[-1], 0.6
    over, scale = (-0.5, size - 0.5, size - 0.5, -0.5), {"cmap": COLOURS, "vmin": -bound, "vmax": bound}
    axes.imshow(values.numpy(force=True), extent=over, alpha=alpha, **scale)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def largest(maps: Iterable[Tensor]) -> float:
    """The largest magnitude in some maps, as the bound of a scale; 1 where all are zero."""
    return max(float(values.abs().max()) for values in maps) or 1.0


class Sheet:
    """Rows and columns of small pictures, `places` (rows, columns), with room for colour bars below."""

    def __init__(self, rows: int, columns: int, side: float) -> None:
        self.figure = plt.figure(figsize=(side * columns, 1.05 * side * rows + 0.7), layout="constrained")
        self.grid = self.figure.add_gridspec(rows + 1, columns, height_ratios=[1] * rows + [0.1 / side])
        self.places = np.empty((rows, columns), dtype=object)
        for row, column in np.ndindex(rows, columns):
            self.places[row, column] = self.figure.add_subplot(self.grid[row, column])

    def bar(self, columns: slice, bound: float, label: str) -> None:
        """A colour bar below some columns, for the scale from -bound to bound."""
        colours = ScalarMappable(Normalize(-bound, bound), COLOURS)
        place = self.figure.add_subplot(self.grid[-1, columns])
        ticks = [-bound, 0, bound]
        bar = self.figure.colorbar(colours, cax=place, orientation="horizontal", ticks=ticks, format="%.2g")
        bar.ax.tick_params(labelsize=7)
        for tick, side in zip(bar.ax.get_xticklabels(), ("left", "center", "right"), strict=True):
            tick.set_horizontalalignment(side)  # inside the bar, clear of the next one's
        bar.set_label(label, fontsize=8)


def show_heatmaps(images: Tensor, maps: dict[str, Tensor], rows: list[str]) -> Figure:
    """Pictures (B, 3, S, S); support -> their maps (B, g, g). One row a picture: the picture, then for each support its
    map over the picture and alone, all on one symmetric scale. Of two supports also the difference, on its own scale.
    """
    last = 1 + 2 * len(maps)
    sheet = Sheet(len(images), last + (len(maps) == 2), 1.3)
    bound = largest(maps.values())
    for line, image, name in zip(sheet.places, images, rows, strict=True):
        tile(line[0], image)
        line[0].set_ylabel(name, fontsize=8, parse_math=False)
    for column, (support, values) in enumerate(maps.items()):
        over, alone = sheet.places[:, 1 + 2 * column], sheet.places[:, 2 + 2 * column]
        over[0].set_title(f"support: {support}", fontsize=8, loc="left", parse_math=False)
        for number, image in enumerate(images):
            show_map(over[number], values[number], bound, image)
            show_map(alone[number], values[number], bound)
    sheet.bar(slice(1, last), bound, "cosine of prompts and patches")
    if len(maps) == 2:
        first, second = maps.values()
        change = largest([first - second])
        for place, values in zip(sheet.places[:, last], first - second, strict=True):
            show_map(place, values, change)
        sheet.places[0, last].set_title("difference", fontsize=8)
        sheet.bar(slice(last, None), change, "left minus right")
    return sheet.figure


def heatmaps(model: DPCLIP, images: Tensor, contexts: dict[str, Context], rows: list[str]) -> Figure:
    """`show_heatmaps` of pictures (B, 3, S, S) in [0, 1] under each category's context, averaged over the layers."""
    maps = {name: similarity(model, images, context).mean(1) for name, context in contexts.items()}
    return show_heatmaps(images, maps, rows)
