"""One look for all figures: the colours of the drawings, the font that comes with matplotlib, quiet axes.

`dpclip.figures.panels` applies it, and every module that draws imports that one. Figures keep a white ground in the
dark scheme too, as a card: sketches and photos have white grounds of their own, and colour maps mean the same on both.
"""

import matplotlib.pyplot as plt
from cycler import cycler

BLUE, RED, GREEN, PURPLE = "#2a6f97", "#b5462f", "#43733f", "#8450c4"  # to be read on white, in both schemes
GREY, INK = "#6b7686", "#1f2933"

STYLE = {
    "font.family": "DejaVu Sans",  # the same on every machine
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=[BLUE, RED, GREEN, PURPLE, GREY]),
    "grid.color": GREY,
    "grid.alpha": 0.3,
}


def use_style() -> None:
    """Set matplotlib's defaults for this process."""
    plt.rcParams.update(STYLE)
