"""Figures have the look of the drawings."""

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.colors import to_hex

from dpclip.figures import panels
from dpclip.figures.style import GREY, INK, STYLE
from dpclip.files import ROOT
from dpclip_book.figures.sheet import ON_CARD


def contrast(colour: str) -> float:
    """Against white, as WCAG counts it."""
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in mpl.colors.to_rgb(colour)]
    return 1.05 / (sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True)) + 0.05)


def test_drawing_modules_apply_the_style():
    with mpl.rc_context():
        mpl.rcdefaults()
        panels.use_style()
        assert all(mpl.rcParams[name] == mpl.RcParams(STYLE)[name] for name in STYLE)
        figure, axes = plt.subplots()
        lines = [axes.plot([0, 1])[0] for _ in range(4)]
        assert [to_hex(line.get_color()) for line in lines] == list(ON_CARD)
        assert not axes.spines["top"].get_visible()
        plt.close(figure)


def test_colours_of_figures_are_those_of_the_pages():
    css = (ROOT / "book" / "_static" / "book.css").read_text(encoding="utf-8")
    for number, colour in enumerate(ON_CARD, start=1):
        assert f"--drawing-window-{number}: {colour};" in css


def test_words_can_be_read():
    for colour in (*ON_CARD, GREY, INK):
        assert contrast(colour) >= 4.5, colour
