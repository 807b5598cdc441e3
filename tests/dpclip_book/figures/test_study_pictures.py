"""Pictures of failures show the numbers and photos that they are given."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch

from dpclip.data.manifest import Manifest
from dpclip.evaluation.evaluate import Ranking
from dpclip_book.figures import study_pictures


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def store(tmp_path):
    """Grey photos whose brightness tells their row."""
    row = {"modality": "photo", "category": "bird", "style": "photo", "split": "unseen"}
    rows = [row | {"instance": f"bird{n}", "path": f"{n}.png"} for n in range(5)]

    class Store:
        manifest = Manifest.of("toy", tmp_path, rows, {"bird": "bird"})

        def __getitem__(self, rows):
            return torch.stack([torch.full((3, 4, 4), row / 10) for row in rows])

    return Store()


def test_each_ranking_has_its_own_true_photo(store):
    rankings = [
        Ranking(torch.zeros(3, 4, 4), np.array(order), np.arange(5.0), "bird") for order in ([4, 3, 2, 1, 0],) * 2
    ]
    axes = np.array(study_pictures.show_failures(store, rankings, [3, 0], top=3).axes).reshape(2, 4)
    titles = [[place.get_title() for place in line[1:]] for line in axes]
    assert titles == [["1. bird4", "2. bird3", "3. bird2"], ["1. bird4", "2. bird3", "5. bird0"]]
    assert [place.get_title() for place in axes[:, 0]] == ["bird", "bird"]
    assert [place.spines["top"].get_visible() for place in axes[:, 1:].flat] == [False, True, False, False, False, True]


def test_wrong_firsts_say_how_often(store):
    table = pd.DataFrame({"category": "bird", "photo": [3, 1], "wrong": [5, 2], "asked": [8, 9]})
    axes = study_pictures.show_wrong_firsts(store, table, top=3).axes
    assert [place.get_title() for place in axes] == ["bird3\n5 of 8", "bird1\n2 of 9", ""]


def test_categories_and_counts():
    queries = pd.DataFrame({"category": list("aabb") * 2, "seed": [0] * 4 + [1] * 4, "gallery": 4})
    queries["failed"] = [True, False, True, True] * 2
    bars = study_pictures.show_categories(queries).axes[0]
    assert [bar.get_height() for bar in bars.patches] == [100, 50] and len(bars.lines) == 3
    (axes,) = study_pictures.show_counts(np.array([3, 1]), np.array([2.0, 2.0]), "hands", "photos").axes
    assert [bar.get_height() for bar in axes.patches] == [3, 1, 2, 2]
    assert axes.get_xlabel() == "hands, of 1, with which they fail" and axes.get_ylabel() == "photos"
