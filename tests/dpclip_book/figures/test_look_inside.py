"""Looks inside: the arrays behind the figures, and that each figure shows them."""

import matplotlib
import numpy as np
import pytest
import torch

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from dpclip.config import DPCLIPConfig
from dpclip.evaluation.metrics import target_ranks
from dpclip.evaluation.prompt_similarity import prompt_similarity
from dpclip.method.interface import Features
from dpclip.method.losses import triplet_loss
from dpclip.method.model import DPCLIP
from dpclip.method.patch_match import window_tokens
from dpclip_book.figures import look_inside


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_similarity_is_one_where_a_patch_equals_the_prompts_and_skips_cls():
    tokens = torch.eye(5)[None].repeat(2, 1, 1)  # CLS and a 2x2 map, all at right angles
    maps = prompt_similarity(3 * torch.eye(5)[[2, 2]], tokens)
    assert maps.tolist() == [[[0.0, 1.0], [0.0, 0.0]]] * 2


def test_similarity_averages_over_prompts():
    maps = prompt_similarity(torch.eye(5)[[1, 4]], torch.eye(5)[None])
    assert maps.tolist() == [[[0.5, 0.0], [0.0, 0.5]]]


def test_cosine_matrix():
    matrix = look_inside.cosine_matrix(torch.tensor([[[1.0], [0.0]], [[0.0], [2.0]], [[-3.0], [0.0]]]))
    np.testing.assert_allclose(matrix, [[1, 0, -1], [0, 1, 0], [-1, 0, 1]], atol=1e-7)


@pytest.mark.parametrize(
    ("grid", "window", "windows", "boxes"),
    [(7, 5, 4, [(0, 0, 5), (0, 2, 5), (2, 0, 5), (2, 2, 5)]), (7, 3, 1, [(2, 2, 3)])],
)
def test_window_boxes_undo_window_tokens(grid, window, windows, boxes):
    assert look_inside.window_boxes(window_tokens(grid, window, windows), grid) == boxes


def test_places_agree_with_the_metric_also_in_ties():
    distance = np.random.default_rng(0).integers(0, 4, (6, 9)).astype(float)
    target = np.arange(6)
    places = look_inside.place_in_rank(distance)
    assert (places[np.arange(6), target] == target_ranks(distance, target)).all()


@pytest.mark.parametrize("every", [0, 10])
def test_schedule_is_the_one_of_the_loss(every):
    config, generator = DPCLIPConfig(hard_every=every), torch.Generator().manual_seed(0)
    parts = [Features(torch.randn(4, 8, generator=generator)) for _ in range(3)]
    for epoch, (random, hard) in enumerate(zip(*look_inside.schedule_weights(60, every), strict=True)):
        loss, seen = triplet_loss(*parts, torch.arange(4), epoch, config)
        assert loss.item() == pytest.approx(random * seen["random"].item() + hard * seen["hard"].item(), rel=1e-5)


def test_source_is_the_code_of_the_package():
    text = look_inside.source(look_inside.cosine_matrix, look_inside.window_boxes).data
    assert text.count("```python") == 2 and "def cosine_matrix(" in text and "def window_boxes(" in text


def test_source_of_a_method_keeps_its_indentation():
    text = look_inside.source(DPCLIP.normalise).data
    assert "\ndef normalise(" in text and "\n    return (images" in text


def test_figures_show_what_they_are_given():
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(2, 3, 28, 28, generator=generator)
    maps = torch.rand(2, 3, 7, 7, generator=generator)
    axes = look_inside.show_similarity(images, maps, ["a", "b"], ["x", "y", "z"]).axes
    np.testing.assert_allclose(axes[5 + 1].images[-1].get_array(), maps[1, 1])  # row 1, after the picture

    scales = {"one": torch.tensor([[[1.0, -2.0], [0.0, 0.5]]])}
    panel = look_inside.show_scales(scales).axes[0].images[0]
    assert panel.get_clim() == (-2, 2) and panel.get_array().tolist() == [[1.0, -2.0]]

    assert len(look_inside.show_windows(images, ["a", "b"], window_tokens(7, 5, 4), 7).axes) == 2 * 5
    figure = look_inside.show_levels(images[0], images, np.array([[0.2, 0.1], [0.3, 0.4]]), ["g", "fused"], target=1)
    assert [t.get_text() for t in figure.axes[0].texts] == ["2", "1", "1", "2"]
    gallery = np.array([[0.1, 0.2, 0.3, 0.4]])  # the true photo is the last of four; two are shown
    figure = look_inside.show_levels(images[0], torch.rand(4, 3, 28, 28), gallery, ["g"], target=3, most=2)
    assert [t.get_text() for t in figure.axes[0].texts] == ["1", "4"]
    assert len(look_inside.show_schedule({"a": (60, 10), "b": (12, 2)}).axes) == 2
    assert look_inside.show_matrices({"m": np.eye(2)}, ["a", "b"]).axes[0].images[0].get_array().tolist() == [
        [1, 0],
        [0, 1],
    ]
    assert look_inside.show_matrices({"m": -np.eye(2)}, ["a", "b"]).axes[0].images[0].get_clim() == (
        -1,
        1,
    )  # white is zero
