"""One look for all figures: the colours of the drawings, the font that comes with matplotlib, quiet axes.

`dpclip.figures.panels` applies it, and every module that draws imports that one. The ground is white in the dark scheme
too, as a card: sketches and photos have white grounds of their own, and colour maps mean the same on both.
"""

import matplotlib.pyplot as plt
from cycler import cycler

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


def use_style() -> None:
    """Set matplotlib's defaults for this process."""
    plt.rcParams.update(STYLE)
