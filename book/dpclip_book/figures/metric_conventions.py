"""One ranking under every convention: as a table and as a picture."""

from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dpclip.evaluation.metrics import OURS, Convention, Denominator, Ties, average_precision, hit_ranks
from dpclip.figures.panels import BLUE, GREY, RED


def every_convention(distance: np.ndarray, relevant: np.ndarray, k: int) -> pd.DataFrame:
    """mAP@k of a ranking, distance and relevant (Q, G), under all conventions: one row a denominator and
    interpolation, one column a rule for ties, per cent.
    """
    ranks = {ties: hit_ranks(distance, relevant, ties) for ties in Ties}
    rows = []
    for denominator, interpolated in product(Denominator, (False, True)):
        cells = {
            f"ties {ties}": 100 * float(average_precision(ranks[ties], k, Convention(denominator, interpolated)).mean())
            for ties in Ties
        }
        rows.append({"denominator": str(denominator), "interpolated": "yes" if interpolated else "no"} | cells)
    return pd.DataFrame(rows)


def show_conventions(table: pd.DataFrame) -> Figure:
    """`every_convention` as a picture: a line from ties against to ties for the method, a dot at ties against. The
    convention of this book is red.
    """
    figure, axes = plt.subplots(figsize=(6.5, 3), layout="constrained")
    denominators = [str(denominator) for denominator in Denominator]
    for row in table.to_dict("records"):
        interpolated = row["interpolated"] == "yes"
        height = denominators.index(row["denominator"]) + (0.15 if interpolated else -0.15)
        ours = (row["denominator"], interpolated) == (str(OURS.denominator), OURS.interpolated)
        colour = RED if ours else BLUE
        worst, best = row[f"ties {Ties.AGAINST}"], row[f"ties {Ties.FOR}"]
        axes.plot([worst, best], [height, height], color=colour, linewidth=2)
        axes.plot(worst, height, "o", color=colour, markerfacecolor="white" if interpolated else colour)
    axes.set(xlabel="mAP@k, per cent", ylabel="denominator", xlim=(0, None))
    axes.set_yticks(range(len(denominators)), denominators)
    axes.invert_yaxis()
    axes.grid(axis="x", color=GREY, alpha=0.3)
    marks = [
        Line2D([], [], color=BLUE, marker="o", label="not interpolated"),
        Line2D([], [], color=BLUE, marker="o", markerfacecolor="white", label="interpolated"),
        Line2D([], [], color=RED, marker="o", label="this book"),
    ]
    figure.legend(handles=marks, loc="outside lower center", ncols=3)
    return figure
