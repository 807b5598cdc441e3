"""Heatmaps show the maps they are given, on one scale that is symmetric around zero."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch

from dpclip.evaluation.prompt_similarity import similarity
from dpclip.figures import heatmaps
from dpclip.method.model import DPCLIP, DPCLIPConfig
from dpclip_book.figures import study_pictures
from dpclip_book.studies.focus import CONTROLS


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def shown(axes):
    return axes.images[-1].get_array()


def test_maps_lie_over_the_picture_and_beside_it_on_one_symmetric_scale():
    images = torch.rand(2, 3, 28, 28)
    maps = {"bird": 0.5 * torch.rand(2, 7, 7), "lock": -torch.rand(2, 7, 7)}
    bound = max(float(m.abs().max()) for m in maps.values())
    axes = np.array(heatmaps.show_heatmaps(images, maps, ["a", "b"]).axes[:12]).reshape(2, 6)
    for row in range(2):
        for column, name in ((1, "bird"), (2, "bird"), (3, "lock"), (4, "lock")):
            np.testing.assert_allclose(shown(axes[row, column]), maps[name][row])
            assert axes[row, column].images[-1].get_clim() == pytest.approx((-bound, bound))
            assert len(axes[row, column].images) == (2 if column % 2 else 1)  # over the picture, alone
        np.testing.assert_allclose(shown(axes[row, 5]), (maps["bird"] - maps["lock"])[row])
    assert axes[0, 1].images[-1].get_cmap().name == "RdBu_r"  # red is high
    assert axes[0, 3].get_title(loc="left") == "support: lock" and axes[1, 0].get_ylabel() == "b"


@pytest.mark.parametrize("count", [1, 3])
def test_a_difference_needs_two_supports(count):
    maps = {str(number): torch.rand(1, 7, 7) for number in range(count)}
    figure = heatmaps.show_heatmaps(torch.rand(1, 3, 28, 28), maps, ["a"])
    assert len(figure.axes) == 1 + 2 * count + 1  # the last one is the colour bar


def test_equal_maps_differ_by_white():
    maps = dict.fromkeys(("one", "two"), torch.rand(1, 7, 7))
    place = heatmaps.show_heatmaps(torch.rand(1, 3, 28, 28), maps, ["a"]).axes[5]
    assert place.images[0].norm(0.0) == 0.5 and (shown(place) == 0).all()


def test_one_call_draws_any_pictures_under_any_contexts(tiny_backbone):
    torch.manual_seed(0)
    model = DPCLIP(tiny_backbone, DPCLIPConfig(templates=1, scaling="none"))
    images = torch.rand(2, 3, 56, 56)
    with torch.no_grad():
        contexts = {name: model.context(torch.randn(3, 3, 56, 56), None) for name in ("one", "two")}
    axes = heatmaps.heatmaps(model, images, contexts, ["a", "b"]).axes
    np.testing.assert_allclose(shown(axes[6 + 4]), similarity(model, images, contexts["two"])[1].mean(0), atol=1e-6)


def test_layers_then_their_mean():
    maps = {"one": torch.rand(3, 7, 7), "two": torch.rand(3, 7, 7)}
    axes = study_pictures.show_layers(torch.rand(3, 28, 28), maps).axes
    assert [place.get_title() for place in axes[:5]] == ["", "layer 1", "layer 2", "layer 3", "mean"]
    np.testing.assert_allclose(shown(axes[5 + 3]), maps["two"][2])
    np.testing.assert_allclose(shown(axes[5 + 4]), maps["two"].mean(0))


def test_focus_shows_the_mean_of_each_category_and_of_all():
    values = {"matched": [0.2, 0.4, 0.5, 0.5]} | {name: [0.1, 0.1, 0.2, 0.2] for name in (*CONTROLS, "contrast")}
    figure = study_pictures.show_focus(pd.DataFrame({"category": ["a", "a", "b", "b"], **values}))
    dots, interval, mean = figure.axes[0].lines[:3]
    assert dots.get_xdata() == pytest.approx([30, 50]) and mean.get_xdata() == pytest.approx([40])
    assert interval.get_xdata() == pytest.approx([40 - 127.06, 40 + 127.06], abs=0.01)  # of two categories
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "matched", "swapped", "unmatched", "random", "contrast"
    ]  # fmt: skip
