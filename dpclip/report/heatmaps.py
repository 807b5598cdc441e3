"""Heatmaps of prompt similarity (the paper's Fig. 4, redrawn), and the picture of their focus."""

from collections.abc import Iterable

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from torch import Tensor

from dpclip.lab.focus import CONTROLS
from dpclip.lab.similarity import similarity
from dpclip.lab.statistics import compare
from dpclip.method.model import DPCLIP, Context
from dpclip.report.figures import BLUE, GREY, RED, picture, tile

COLOURS = "RdBu_r"  # red is high, blue is low, white is zero


def show_map(axes: Axes, values: Tensor, bound: float, image: Tensor | None = None) -> None:
    """A map (g, g) on the scale from -bound to bound; over the grey picture (3, S, S) where one is given."""
    size = values.shape[-1] if image is None else image.shape[-1]
    if image is not None:
        axes.imshow(picture(image).mean(-1), cmap="gray", vmin=0, vmax=1)
    axes.imshow(
        values.numpy(force=True), cmap=COLOURS, vmin=-bound, vmax=bound, alpha=1 if image is None else 0.6,
        extent=(-0.5, size - 0.5, size - 0.5, -0.5),
    )  # fmt: skip
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
        bar = self.figure.colorbar(
            colours, cax=place, orientation="horizontal", ticks=[-bound, 0, bound], format="%.2g"
        )
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
        line[0].set_ylabel(name, fontsize=8)
    for column, (support, values) in enumerate(maps.items()):
        over, alone = sheet.places[:, 1 + 2 * column], sheet.places[:, 2 + 2 * column]
        over[0].set_title(f"support: {support}", fontsize=8, loc="left")
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
    """Pictures (B, 3, S, S) in [0, 1] under each category's context, averaged over layers and prompts: the whole figure
    for any pictures and any run with prompts.
    """
    maps = {name: similarity(model, images, context).mean(1) for name, context in contexts.items()}
    return show_heatmaps(images, maps, rows)


def show_layers(image: Tensor, maps: dict[str, Tensor]) -> Figure:
    """A picture (3, S, S); support -> its maps (M, g, g). One row a support: the picture, its map at each layer and
    their mean, all on one symmetric scale.
    """
    layers = len(next(iter(maps.values())))
    sheet = Sheet(len(maps), layers + 2, 1.0)
    bound = largest(maps.values())
    for line, (support, values) in zip(sheet.places, maps.items(), strict=True):
        tile(line[0], image)
        line[0].set_ylabel(support, fontsize=8)
        for place, layer in zip(line[1:], [*values, values.mean(0)], strict=True):
            show_map(place, layer, bound)
    for number, place in enumerate(sheet.places[0, 1:], 1):
        place.set_title(f"layer {number}" if number <= layers else "mean", fontsize=8)
    sheet.bar(slice(1, None), bound, "cosine of prompts and patches")
    return sheet.figure


def show_focus(shares: pd.DataFrame) -> Figure:
    """Shares of the right object (focus.py): a dot for each category, a diamond and a line for the mean and its 95 %
    interval over categories. The controls are blue, the area is a dotted line.
    """
    means = 100 * shares.groupby("category").mean(numeric_only=True)
    names = ["matched", *(name for name in CONTROLS if name != "area"), "contrast"]
    figure, axes = plt.subplots(figsize=(6.8, 2.6), layout="constrained")
    for place, name in enumerate(names):
        values, colour = means[name].to_numpy(), BLUE if name in CONTROLS else RED
        spread = compare([values], [np.zeros_like(values)])
        axes.plot(values, np.full(len(values), place) + 0.18, "o", color=GREY, markersize=3.5, alpha=0.8)
        axes.plot([spread.low, spread.high], [place, place], color=colour, linewidth=2)
        axes.plot(spread.difference, place, "D", color=colour, markersize=6)
    axes.axvline(means["area"].mean(), color="black", linestyle=":", label="area")
    axes.set(xlabel="share of the positive similarity on the right object, %")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.legend()
    return figure
