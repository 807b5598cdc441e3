"""Pictures of what fails (lab/failures.py)."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from dpclip.data.store import ImageStore
from dpclip.lab.failures import by_category
from dpclip.lab.retrieve import Ranking
from dpclip.report.figures import BLUE, GREY, RED, draw_ranking, short, tile


def show_categories(queries: pd.DataFrame) -> Figure:
    """Share of failing queries of each category, the hardest on top: a bar for the mean, a dot for each seed, a mark
    for chance.
    """
    table = by_category(queries)
    figure, axes = plt.subplots(figsize=(6.8, 0.27 * len(table) + 1), layout="constrained")
    axes.barh(table["category"], 100 * table["failed"], color=BLUE)
    seeds = queries.groupby(["seed", "category"])["failed"].mean().unstack()[table["category"]]
    for _, line in seeds.iterrows():
        axes.plot(100 * line, table["category"], ".", color="black", markersize=5)
    axes.plot(
        100 * table["chance"], table["category"], "|", color=RED, markersize=11, markeredgewidth=2, label="chance"
    )
    axes.set(xlabel="queries that fail, %", xlim=(0, 100))
    axes.invert_yaxis()
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


def show_counts(observed: np.ndarray, expected: np.ndarray) -> Figure:
    """Queries that fail in 0, 1, ..., S of S runs: counted, and expected if runs failed independently, (S+1,) each."""
    places = np.arange(len(observed))
    figure, axes = plt.subplots(figsize=(6, 2.6), layout="constrained")
    axes.bar(places - 0.2, observed, width=0.4, color=RED, label="counted")
    axes.bar(places + 0.2, expected, width=0.4, color=GREY, label="if runs failed independently")
    axes.set(xlabel=f"seeds, of {len(observed) - 1}, with which the query fails", ylabel="queries", xticks=places)
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


def show_objects(objects: pd.DataFrame) -> Figure:
    """Each photo by the share of its drawn and of its human sketches that fail; larger dots are several photos."""
    points = (100 * objects.round(3)).value_counts().reset_index(name="photos")
    figure, axes = plt.subplots(figsize=(4.2, 3.6), layout="constrained")
    axes.plot([0, 100], [0, 100], ":", color=GREY)
    axes.scatter(points["drawn"], points["human"], s=22 * points["photos"], color=BLUE, alpha=0.6, linewidths=0)
    axes.set(xlabel="drawn sketches that fail, %", ylabel="human sketches that fail, %", xlim=(-5, 105), ylim=(-5, 105))
    axes.set_aspect("equal")
    return figure
