"""The results of a table as pictures: seeds as dots, never a mean alone."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dpclip.evaluation.intervals import seed_interval
from dpclip.figures.panels import BLUE, GREY, RED

Values = dict[str, list[float]]  # row name -> a value a seed, perhaps none


def show_rows(panels: dict[str, Values], label: str, lines: dict[str, dict[str, float]] | None = None) -> Figure:
    """A line for each row, a panel for each of `panels`: a dot for each seed, their mean as a bar, its 95 % interval.
    Rows without a value say so. `lines`: panel -> name -> where a dotted line stands.
    """
    rows = list(next(iter(panels.values())))
    size = (7.5, 1 + 0.32 * len(rows))
    figure, places = plt.subplots(1, len(panels), figsize=size, sharey=True, squeeze=False, layout="constrained")
    for axes, (title, values) in zip(places[0], panels.items(), strict=True):
        for at in (lines or {}).get(title, {}).values():
            axes.axvline(at, color="black", linestyle=":", linewidth=1)
        for height, row in enumerate(rows):
            _draw(axes, height, values[row])
        axes.set(title=title if len(panels) > 1 else "", xlabel=label, ylim=(len(rows) - 0.5, -0.5))
        axes.grid(axis="x", color=GREY, alpha=0.3)
    places[0, 0].set_yticks(range(len(rows)), rows)
    names = dict.fromkeys(name for named in (lines or {}).values() for name in named)
    handles = [Line2D([], [], color="black", linestyle=":", linewidth=1, label=name) for name in names]
    if handles:
        figure.legend(handles=handles, loc="outside lower center", fontsize=8)
    return figure


def _draw(axes: plt.Axes, height: float, values: list[float]) -> None:
    if not values:
        axes.text(
            0.02, height, "not run yet", transform=axes.get_yaxis_transform(), color=GREY, va="center", fontsize=8
        )
        return
    mean, half = seed_interval(values)
    if len(values) > 1:
        axes.plot([mean - half, mean + half], [height, height], color=BLUE, linewidth=1.5)
    axes.plot(mean, height, "|", color=BLUE, markersize=13, markeredgewidth=2.5)
    axes.plot(values, [height] * len(values), "o", color=RED, markersize=4, alpha=0.8)


def show_curves(panels: dict[str, dict[float, list[float]]], label: str) -> Figure:
    """A panel for each quantity that was varied: its values from left to right, a dot for each seed, a line through
    the means. Values without a seed are left out.
    """
    figure, places = plt.subplots(1, len(panels), figsize=(7.5, 3), sharey=True, squeeze=False, layout="constrained")
    for axes, (title, curve) in zip(places[0], panels.items(), strict=True):
        known = {at: values for at, values in sorted(curve.items()) if values}
        axes.plot(range(len(known)), [np.mean(values) for values in known.values()], color=BLUE)
        for place, values in enumerate(known.values()):
            axes.plot([place] * len(values), values, "o", color=RED, markersize=4, alpha=0.8)
        axes.set_xticks(range(len(known)), [f"{at:g}" for at in known])
        axes.set(xlabel=title)
        axes.grid(axis="y", color=GREY, alpha=0.3)
    places[0, 0].set_ylabel(label)
    return figure


def show_shares(panels: dict[str, dict[str, dict[str, float]]], labels: dict[str, str]) -> Figure:
    """Panels of horizontal bars, stacked: panel -> row -> part -> length. `labels`: panel -> what its axis says."""
    rows = list(next(iter(panels.values())))
    size = (7.5, 1.2 + 0.28 * len(rows))
    figure, places = plt.subplots(1, len(panels), figsize=size, sharey=True, squeeze=False, layout="constrained")
    for axes, (title, bars) in zip(places[0], panels.items(), strict=True):
        parts = list(next(iter(bars.values())))
        start = np.zeros(len(rows))
        for part, colour in zip(parts, (GREY, RED, BLUE), strict=False):
            lengths = np.array([bars[row][part] for row in rows])
            axes.barh(rows, lengths, left=start, color=colour, label=part)
            start += lengths
        axes.set(title=title, xlabel=labels[title])
        axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=len(parts))
    places[0, 0].invert_yaxis()
    return figure
