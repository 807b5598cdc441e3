"""Figures show what they are given, and tables are directives that pages can number."""

from importlib import reload

import matplotlib
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.colors import to_hex
from PIL import Image

from dpclip.data.manifest import Manifest
from dpclip.evaluation.evaluate import Ranking
from dpclip.figures import heatmaps, panels
from dpclip.figures.panels import GREY, INK, STYLE
from dpclip.files import ROOT
from dpclip_book.figures import ranking_pictures
from dpclip_book.pages.markdown import numbered_table

matplotlib.use("Agg")
COLOURS = (panels.BLUE, panels.RED, panels.GREEN, panels.PURPLE)


@pytest.fixture
def manifest(tmp_path) -> Manifest:
    """Two categories of three and two photos."""
    rows = [
        {"modality": "photo", "category": c, "instance": f"{c}{n}", "style": "photo", "path": f"{c}{n}.png", "split": s}
        for c, count, s in (("bird", 3, "seen"), ("lock", 2, "unseen"))
        for n in range(count)
    ]
    return Manifest.of("toy", tmp_path, rows, {"bird": "bird", "lock": "lock"})


@pytest.fixture
def store(manifest):
    """Grey pictures whose brightness tells their row."""

    class Store:
        def __getitem__(self, rows):
            return torch.stack([torch.full((3, 4, 4), row / 10) for row in rows])

    Store.manifest = manifest
    return Store()


def ranking(order: list[int]) -> Ranking:
    return Ranking(torch.zeros(3, 4, 4), np.array(order), np.arange(len(order)) / 10, "bird")


def test_images_of_all_kinds_become_colour_on_white():
    grey, clear = np.zeros((4, 4)), np.zeros((4, 4, 4))
    white = np.full((4, 4, 3), 255, dtype=np.uint8)
    images = ranking_pictures.as_images([grey, clear, white])
    assert images.shape == (3, 3, 4, 4)
    assert images.mean((1, 2, 3)).tolist() == [0, 1, 1]


def test_place_counts_from_one():
    assert [ranking_pictures.place_of(ranking([2, 0, 1]), photo) for photo in (2, 0, 1)] == [1, 2, 3]


def test_rankings_of_a_gallery_smaller_than_asked_for_are_shown_whole(store):
    figure = ranking_pictures.show_rankings(store, {"a": ranking([1, 0, 2]), "b": ranking([0, 1, 2])}, target=2, top=7)
    assert len(figure.axes) == 2 * (1 + 3)


@pytest.mark.parametrize(
    ("order", "shown", "title"), [([1, 0, 2], [1, 0], "1. bird1"), ([0, 2, 1], [0, 1], "3. bird1")]
)
def test_rankings_always_show_the_true_photo(store, order, shown, title):
    figure = ranking_pictures.show_rankings(store, {"a hand": ranking(order)}, target=1, top=2)
    sketch, *photos = figure.axes
    assert sketch.get_title() == "a hand"
    assert [round(float(place.images[0].get_array().max()) * 10) for place in photos] == shown
    framed = [place.get_title() for place in photos if place.spines["top"].get_visible()]
    assert framed == [title]
    matplotlib.pyplot.close(figure)


def test_a_ranking_breaks_into_rows_that_a_page_can_show(store):
    figure = ranking_pictures.show_ranking(store, ranking([2, 0, 1] * 3), top=7, target=0)
    titles = [place.get_title() for place in figure.axes]
    assert titles[:3] == ["sketch", "1. bird2", "2. bird0"] and len(titles) == 8
    assert {place.get_subplotspec().rowspan.start for place in figure.axes} == {0, 1}
    matplotlib.pyplot.close(figure)


def test_a_name_that_is_cut_shows_it():
    assert [panels.short(name) for name in ("duck", "fourteen-signs", "fifteen-letters")] == [
        "duck", "fourteen-signs", "fifteen-lette…",
    ]  # fmt: skip


def test_names_of_files_are_no_formulas(tmp_path):
    for name in ("sketch", r"$\frac{$", "[x] $a_{b$"):
        Image.new("RGB", (20, 10)).save(tmp_path / f"{name}.png")
    files = [tmp_path / f"{name}.png" for name in (r"$\frac{$", "[x] $a_{b$")]
    panels.save_figure(panels.show_files(tmp_path / "sketch.png", files), tmp_path / "out.png")
    maps = {r"$\frac{$": torch.rand(1, 7, 7)}
    panels.save_figure(heatmaps.show_heatmaps(torch.rand(1, 3, 28, 28), maps, ["$a_{b$"]), tmp_path / "map.png")
    assert (tmp_path / "out.png").stat().st_size and (tmp_path / "map.png").stat().st_size


def test_matrix_is_centred_on_zero():
    figure = ranking_pictures.show_matrix(np.array([[0.5, -1.0]]), ["row"], ["one", "two"], "label")
    shown = figure.axes[0].images[0]
    assert shown.get_clim() == (-1, 1) and shown.get_array().tolist() == [[0.5, -1.0]]
    matplotlib.pyplot.close(figure)


def test_table_is_a_named_directive():
    frame = pd.DataFrame({"Method": ["a|b"], "Acc@1": [0.25], "n": [3]})
    assert numbered_table(frame, "Caption.", "table-x").data == (
        ":::{table} Caption.\n:name: table-x\n\n"
        "| Method | Acc@1 | n |\n| :-- | --: | --: |\n| a\\|b | 0.25 | 3 |\n:::\n"
    )


@pytest.mark.parametrize(
    "cells", [["12,500", "–"], ["1,234,567"], ["1.5 ± 0.2"], ["[-0.5, +0.2]"], ["12 %"], ["+1.5 [-0.5, +2.5]"]]
)
def test_text_that_is_numbers_stands_to_the_right(cells):
    assert "\n| --: |\n" in numbered_table(pd.DataFrame({"n": cells}), "Caption.", "x").data


@pytest.mark.parametrize("cells", [["7 x 7"], ["5 to 63"], ["12,500 photos"], ["–"]])
def test_other_text_stands_to_the_left(cells):
    assert "\n| :-- |\n" in numbered_table(pd.DataFrame({"n": cells}), "Caption.", "x").data


def contrast(colour: str) -> float:
    """Against white, as WCAG counts it."""
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in mpl.colors.to_rgb(colour)]
    return 1.05 / (sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True)) + 0.05)


def test_drawing_modules_apply_the_style():
    with mpl.rc_context():
        mpl.rcdefaults()
        reload(panels)
        assert all(mpl.rcParams[name] == mpl.RcParams(STYLE)[name] for name in STYLE)
        figure, axes = plt.subplots()
        lines = [axes.plot([0, 1])[0] for _ in range(4)]
        assert [to_hex(line.get_color()) for line in lines] == list(COLOURS)
        assert not axes.spines["top"].get_visible()
        plt.close(figure)


def test_colours_of_figures_are_those_of_the_pages():
    css = (ROOT / "book" / "_static" / "book.css").read_text(encoding="utf-8")
    for number, colour in enumerate(COLOURS, start=1):
        assert f"--drawing-window-{number}: {colour};" in css


def test_words_can_be_read():
    for colour in (*COLOURS, GREY, INK):
        assert contrast(colour) >= 4.5, colour
