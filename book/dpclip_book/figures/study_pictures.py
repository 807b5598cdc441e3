"""Pictures of what fails (book/dpclip_book/studies/failures.py)."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from torch import Tensor

from dpclip.data.store import ImageStore
from dpclip.evaluation.evaluate import Ranking
from dpclip.evaluation.intervals import compare_queries
from dpclip.figures.heatmaps import Sheet, largest, show_map
from dpclip.figures.panels import BLUE, GREY, RED, short, tile
from dpclip_book.figures.ranking_pictures import draw_ranking
from dpclip_book.studies.failures import by_category
from dpclip_book.studies.focus import CONTROLS


def show_categories(queries: pd.DataFrame) -> Figure:
    """Share of failing queries of each category, the hardest first: a bar for the mean, a dot for each seed, a mark
    for chance.
    """
    table = by_category(queries)
    figure, axes = plt.subplots(figsize=(7.5, 3.4), layout="constrained")
    axes.bar(table["category"], 100 * table["failed"], color=BLUE)
    seeds = queries.groupby(["seed", "category"])["failed"].mean().unstack()[table["category"]]
    for _, line in seeds.iterrows():
        axes.plot(table["category"], 100 * line, ".", color="black", markersize=3)
    axes.plot(table["category"], 100 * table["chance"], "_", color=RED, markeredgewidth=2, label="chance")
    axes.set(ylabel="queries that fail, %", ylim=(0, 100))
    axes.margins(x=0.01)
    axes.tick_params(axis="x", rotation=90, labelsize=7)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), borderpad=0)
    return figure


def show_failures(store: ImageStore, rankings: list[Ranking], targets: list[int], top: int = 6) -> Figure:
    """One row a ranking under its category's name: the sketch, then the nearest photos; the true one (row number) is
    framed, and takes the last place when it is further down.
    """
    top = min(top, *(len(ranking.rows) for ranking in rankings))
    size = (1.2 * (top + 1), 1.45 * len(rankings))
    figure, axes = plt.subplots(len(rankings), top + 1, figsize=size, squeeze=False, layout="constrained")
    for line, ranking, target in zip(axes, rankings, targets, strict=True):
        draw_ranking(line, store, ranking.category, ranking, target)
    return figure


def show_counts(observed: np.ndarray, expected: np.ndarray, of: str = "seeds", what: str = "queries") -> Figure:
    """How many queries fail with 0, 1, ..., S of S seeds: counted, and expected if seeds failed independently, (S+1,)
    each. `of` and `what` name something else than seeds and queries.
    """
    places = np.arange(len(observed))
    figure, axes = plt.subplots(figsize=(6, 2.6), layout="constrained")
    axes.bar(places - 0.2, observed, width=0.4, color=RED, label="counted")
    axes.bar(places + 0.2, expected, width=0.4, color=GREY, label=f"if {of} failed independently")
    axes.set(xlabel=f"{of}, of {len(observed) - 1}, with which they fail", ylabel=what, xticks=places)
    axes.legend()
    return figure


def show_wrong_firsts(store: ImageStore, table: pd.DataFrame, top: int = 7) -> Figure:
    """The photos of the first rows of `wrong_firsts`, and how often each was wrongly first."""
    table = table.head(top)
    figure, axes = plt.subplots(1, top, figsize=(1.25 * top, 1.75), squeeze=False, layout="constrained")
    for place in axes[0, len(table) :]:
        place.set_axis_off()
    names = store.manifest.table["instance"]
    for place, row in zip(axes[0], table.itertuples(), strict=False):
        tile(place, store[[row.photo]][0], f"{short(names[row.photo])}\n{row.wrong} of {row.asked}")
    return figure


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
        spread = compare_queries(values, np.zeros_like(values))
        axes.plot(values, np.full(len(values), place) + 0.18, "o", color=GREY, markersize=3.5, alpha=0.8)
        axes.plot([spread.low, spread.high], [place, place], color=colour, linewidth=2)
        axes.plot(spread.difference, place, "D", color=colour, markersize=6)
    axes.axvline(means["area"].mean(), color="black", linestyle=":", label="area")
    axes.set(xlabel="share of the positive similarity on the right object, %")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.legend()
    return figure
