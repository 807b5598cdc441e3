"""Small drawings of the three modules, in our own hand: boxes and arrows, no picture of anybody else's."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from dpclip.report.figures import BLUE, GREY, RED

FROZEN, TRAINED, PLAIN = "#d7e3ec", "#f6d5cc", "#ffffff"


class Sketch:
    """A blank sheet in units of its own, with boxes, arrows and words."""

    def __init__(self, width: float, height: float):
        self.figure, self.axes = plt.subplots(figsize=(width, height), layout="constrained")
        self.axes.set(xlim=(0, 10), ylim=(0, 10 * height / width))
        self.axes.set_axis_off()

    def box(self, x: float, y: float, text: str, width: float = 1.4, height: float = 0.55, fill: str = PLAIN) -> None:
        """A box with its centre at (x, y)."""
        shape = FancyBboxPatch(
            (x - width / 2, y - height / 2), width, height, boxstyle="round,pad=0,rounding_size=0.08",
            facecolor=fill, edgecolor="#44505c", linewidth=1,
        )  # fmt: skip
        self.axes.add_patch(shape)
        self.word(x, y, text)

    def word(self, x: float, y: float, text: str, size: float = 8.5, colour: str = "k") -> None:
        self.axes.text(x, y, text, ha="center", va="center", fontsize=size, color=colour)

    def arrow(
        self, start: tuple[float, float], end: tuple[float, float], colour: str = "#44505c", bend: float = 0
    ) -> None:
        self.axes.add_patch(
            FancyArrowPatch(
                start,
                end,
                arrowstyle="-|>",
                mutation_scale=10,
                color=colour,
                linewidth=1.2,
                shrinkA=0,
                shrinkB=0,
                connectionstyle=f"arc3,rad={bend}",
            )  # fmt: skip
        )

    def key(self, x: float, y: float) -> None:
        """What the fills mean."""
        for number, (fill, text) in enumerate(((FROZEN, "CLIP's"), (TRAINED, "new, trained"))):
            self.box(x + 1.6 * number, y, "", 0.3, 0.25, fill)
            self.axes.text(x + 0.25 + 1.6 * number, y, text, va="center", fontsize=8)


def draw_visual_prompt() -> Figure:
    """Support -> T; T and l_m -> G -> p_m -> layer m."""
    s = Sketch(7.6, 3.1)
    for y, name in ((3.5, "sketch $S$"), (2.7, "photo $P_1$"), (1.9, "photo $P_2$")):
        s.box(0.8, y, name, 1.2)
        s.arrow((1.4, y), (1.85, 2.7 + (y - 2.7) * 0.5))
    s.box(2.45, 2.7, "embed", 1.1, 1.3, FROZEN)
    s.arrow((3.0, 2.7), (3.4, 2.7))
    s.box(3.85, 2.7, "$T$", 0.8, 0.6)
    s.arrow((4.25, 2.7), (5.0, 2.3))
    s.box(1.35, 0.8, "learned $l_m$", 1.5, 0.55, TRAINED)
    s.arrow((2.1, 0.8), (2.5, 0.8))
    s.box(3.35, 0.8, "linear, dropout", 1.6, 0.55, TRAINED)
    s.arrow((4.15, 0.8), (5.0, 1.7))
    s.box(5.5, 2.0, "$G$", 0.9, 1.2, TRAINED)
    s.word(5.5, 1.15, "one block for all layers", 7.5, "#44505c")
    s.arrow((5.95, 2.0), (6.45, 2.0))
    s.word(6.2, 2.25, "last $K$", 7.5, "#44505c")
    s.box(6.85, 2.0, "$p_m$", 0.75, 0.6)
    s.arrow((7.23, 2.0), (7.75, 2.0), RED)
    s.box(8.75, 2.0, "layer $m$", 1.9, 0.75, FROZEN)
    s.box(8.3, 0.8, "CLS, patches", 1.3, 0.5)
    s.arrow((8.3, 1.05), (8.3, 1.6))
    s.box(9.45, 0.8, "$p_{m-1}$", 0.75, 0.5)
    s.word(9.45, 1.35, "dropped", 7.5, RED)
    s.arrow((8.75, 2.4), (8.75, 2.9))
    s.word(8.75, 3.1, "to layer $m+1$", 8)
    s.key(5.0, 3.7)
    return s.figure


def draw_scalings() -> Figure:
    """No scaling, direct scaling and side-way scaling of a linear map, side by side."""
    s = Sketch(7.6, 3.2)
    for x, title in ((1.2, "none"), (4.2, "direct"), (7.8, "side-way")):
        s.word(x, 3.7, title, 9.5)
    s.word(1.2, 0.25, "$h$")
    s.arrow((1.2, 0.45), (1.2, 1.25))
    s.box(1.2, 1.6, "$W$", 1.2, 0.65, FROZEN)
    s.arrow((1.2, 1.95), (1.2, 3.35))

    s.word(4.2, 0.25, "$h$")
    s.arrow((4.2, 0.45), (4.2, 1.25))
    s.box(4.2, 1.6, "$W$", 1.2, 0.65, FROZEN)
    s.arrow((4.2, 1.95), (4.2, 2.35))
    s.box(4.2, 2.6, r"$\times\,(1+s)$", 1.3, 0.5)
    s.arrow((4.2, 2.85), (4.2, 3.35))
    s.box(2.75, 2.6, "MLP$_m$", 0.9, 0.5, TRAINED)
    s.arrow((3.2, 2.6), (3.55, 2.6), BLUE)
    s.word(2.75, 1.9, "$t_c$", colour=BLUE)
    s.arrow((2.75, 2.05), (2.75, 2.35), BLUE)

    s.word(7.0, 0.25, "$h$")
    s.arrow((7.0, 0.45), (7.0, 1.6))
    s.box(7.0, 1.95, "$W$", 1.1, 0.65, FROZEN)
    s.arrow((7.0, 2.3), (7.0, 2.85))
    s.word(7.0, 3.02, r"$\oplus$", 13)
    s.arrow((7.0, 3.18), (7.0, 3.45))
    s.arrow((7.0, 0.7), (8.1, 0.9), GREY)
    s.box(8.5, 0.95, "$A$", 0.7, 0.45, TRAINED)
    s.arrow((8.5, 1.18), (8.5, 1.5))
    s.box(8.5, 1.73, r"$\times\,(1+s)$", 1.2, 0.45)
    s.arrow((8.5, 1.95), (8.5, 2.2))
    s.box(8.5, 2.43, "$B$", 1.1, 0.45, TRAINED)
    s.arrow((8.5, 2.65), (7.2, 3.02), GREY)
    s.box(9.55, 0.95, "MLP$_m$", 0.85, 0.5, TRAINED)
    s.arrow((9.55, 1.2), (9.12, 1.62), BLUE)
    s.word(9.55, 0.25, "$t_c$", colour=BLUE)
    s.arrow((9.55, 0.4), (9.55, 0.68), BLUE)
    s.key(0.3, 4.05)
    return s.figure


def draw_patch_matching() -> Figure:
    """The map that enters the last layer -> the last layer, and windows -> its copy -> local features."""
    s = Sketch(7.6, 2.9)
    s.box(1.1, 2.0, "tokens that enter\nthe last layer", 1.8, 0.9)
    s.arrow((2.0, 2.25), (3.0, 3.1))
    s.box(4.0, 3.1, "last layer", 1.9, 0.6, FROZEN)
    s.arrow((4.95, 3.1), (5.5, 3.1))
    s.box(6.9, 3.1, "ln_post, proj", 2.6, 0.6, FROZEN)
    s.arrow((8.2, 3.1), (8.8, 3.1))
    s.word(9.1, 3.1, "$f_g$", 10)
    s.arrow((2.0, 1.75), (2.5, 1.2))
    s.word(1.45, 1.25, "no prompts", 7.5, RED)
    for number in range(3, -1, -1):
        s.box(3.15 + 0.13 * number, 1.0 + 0.13 * number, "CLS + window $k$" if number == 0 else "", 1.6, 0.6)
    s.arrow((4.35, 1.1), (4.65, 1.1))
    s.box(5.4, 1.1, "copy of the\nlast layer", 1.5, 0.8, TRAINED)
    s.word(5.4, 0.45, "one for all windows", 7.5, "#44505c")
    s.arrow((6.15, 1.1), (6.6, 1.1))
    for number in range(3, -1, -1):
        s.box(
            7.4 + 0.13 * number, 0.95 + 0.13 * number, "ln_post$_k$, proj$_k$" if number == 0 else "", 1.4, 0.6, TRAINED
        )
    s.arrow((8.55, 1.1), (8.85, 1.1))
    s.word(9.2, 1.1, "$f_l^k$", 10)
    s.key(0.3, 3.6)
    return s.figure
