"""Scenes show what they say; focus is one where prompts are an object's tokens, and the area where they are noise."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from dpclip.data.batches import test_sets
from dpclip.data.store import ImageStore
from dpclip.errors import UserError
from dpclip.evaluation.evaluate import open_bench
from dpclip.evaluation.intervals import Comparison
from dpclip.evaluation.prompt_similarity import prompt_similarity
from dpclip.method.model import DPCLIP, Context, DPCLIPConfig
from dpclip_book.studies import focus
from dpclip_book.studies.focus import CONTROLS, focus_verdict, gains, measure_focus, object_share, random_prompts
from dpclip_book.studies.scenes import NEIGHBOURS, compose, draw_scenes, placements
from tests.toy import make_toy

COLOURS = {"cat": 0.1, "cup": 0.2, "dog": 0.4}  # no mean of two is a third


@pytest.fixture
def store(tmp_path):
    return ImageStore(make_toy(tmp_path / "toy"), 56, tmp_path / "cache")


@pytest.fixture
def tests(store):
    return test_sets(store.manifest, "seen", "warped", "held-out", DPCLIPConfig(), 0)


@pytest.fixture
def plain(store):
    """Instead of pictures, the grey of their category."""

    class Plain:
        size, manifest = store.size, store.manifest

        def __getitem__(self, rows):
            greys = [COLOURS[self.manifest.table["category"][row]] for row in rows]
            return torch.tensor(greys)[:, None, None, None].expand(-1, 3, self.size, self.size)

    return Plain()


@pytest.mark.parametrize("grid", [7, 14, 8])
def test_photos_stay_inside_and_apart(grid):
    for first, second in placements(grid):
        cells = [
            {(r, c) for r in range(top, top + grid // 2) for c in range(left, left + grid // 2)}
            for top, left in (first, second)
        ]
        assert not cells[0] & cells[1]
        assert all(0 <= r < grid and 0 <= c < grid for r, c in cells[0] | cells[1])
    assert len(placements(grid)) == len(set(placements(grid))) == 4


def test_few_categories_all_meet_in_every_placement(store, tests):
    scenes = draw_scenes(tests, 0, 7)
    assert len(scenes) == 3 * 4
    category = store.manifest.table["category"].to_numpy()
    for scene in scenes.itertuples():
        assert {scene.first, scene.second, scene.third} == {0, 1, 2}
        for number, photo in ((scene.first, scene.photo_first), (scene.second, scene.photo_second)):
            assert category[photo] == tests[number].category and photo in tests[number].gallery
    assert not draw_scenes(tests, 1, 7).equals(scenes) and draw_scenes(tests, 0, 7).equals(scenes)
    with pytest.raises(UserError, match="three categories"):
        draw_scenes(tests[:2], 0, 7)


@pytest.mark.parametrize("count", [3, 12])
def test_each_of_many_categories_meets_its_neighbours(count):
    tests = [SimpleNamespace(gallery=np.arange(10 * number, 10 * number + 4)) for number in range(count)]
    one, two = (draw_scenes(tests, seed, 7) for seed in (0, 1))
    pairs = set(zip(one["first"], one["second"], strict=True))
    assert all(first < second for first, second in pairs) and len(one) == 4 * len(pairs)
    assert np.bincount(np.array(sorted(pairs)).ravel()).tolist() == [2 * NEIGHBOURS] * count
    assert (pairs != set(zip(two["first"], two["second"], strict=True))) == (count > 3)


def test_patches_of_an_object_show_it_and_nothing_else(plain, tests):
    scenes = draw_scenes(tests, 0, 7)
    images, patches = compose(plain, scenes, 7)
    assert (patches.sum((2, 3)) == 9).all()
    pixels = np.kron(patches.numpy(), np.ones((8, 8), bool))  # (B, 2, S, S)
    for scene, image, (first, second) in zip(scenes.itertuples(), images, pixels, strict=True):
        a, b = (COLOURS[tests[number].category] for number in (scene.first, scene.second))
        expected = np.where(first, a, np.where(second, b, (a + b) / 2))
        np.testing.assert_allclose(image.numpy(), np.broadcast_to(expected, image.shape), atol=1e-6)


def test_a_photo_in_a_scene_is_the_whole_photo_upright(store, tests):
    scenes = draw_scenes(tests, 0, 7).iloc[[0]]  # side by side
    images, _ = compose(store, scenes, 7)
    right = F.interpolate(store[scenes["photo_second"].to_numpy()], (24, 24), mode="bilinear", antialias=True)
    torch.testing.assert_close(images[:, :, 16:40, 32:56], right)


def test_prompts_that_are_the_tokens_of_an_object_put_everything_on_it(plain, tests):
    _, patches = compose(plain, draw_scenes(tests, 0, 7), 7)
    for placed in patches:  # (2, g, g)
        kind = 1 + placed[0].int() + 2 * placed[1].int()  # plain 1, first 2, second 3
        tokens = torch.eye(4)[torch.cat([torch.zeros(1, dtype=torch.int), kind.flatten()])]  # (1+N, D)
        maps = prompt_similarity(5 * torch.eye(4)[[2, 2, 2]], tokens)
        assert object_share(maps, placed).tolist() == [1.0, 0.0]


def test_random_prompts_put_on_an_object_what_its_area_is(plain, tests):
    _, patches = compose(plain, draw_scenes(tests, 0, 7).iloc[[0]], 7)
    generator = torch.Generator().manual_seed(0)
    context = random_prompts(Context([torch.full((3, 16), 2.0)], []), 2000, generator)
    assert context.prompts[0].norm(dim=-1).numpy() == pytest.approx(np.full((2000, 3), 8.0), rel=1e-5)
    maps = prompt_similarity(context.prompts[0], torch.randn(2000, 50, 16, generator=generator))
    share = object_share(maps[:, None], patches)
    assert share.mean(0).tolist() == pytest.approx([9 / 49] * 2, abs=0.01)


def test_dissimilarity_counts_for_nothing(plain, tests):
    _, patches = compose(plain, draw_scenes(tests, 0, 7), 7)
    maps = patches[:, :1].float() - patches[:, 1:].float()
    assert object_share(maps, patches).tolist() == [[1.0, 0.0]] * len(patches)


def test_a_map_without_similarity_prefers_nothing(plain, tests):
    _, patches = compose(plain, draw_scenes(tests, 0, 7), 7)
    assert object_share(-torch.ones(7, 7), patches).numpy() == pytest.approx(9 / 49)


def test_every_share_is_measured_under_its_own_support(plain, tests, monkeypatch):
    """Prompts that see the grey of their category only: matched is all, swapped nothing, the rest the area."""

    class Bench:
        store, model = plain, type("Model", (), {"backbone": type("Backbone", (), {"grid": 7})})

        def tests(self, split, style, protocol, seed):
            return test_sets(plain.manifest, split, style, protocol, DPCLIPConfig(), seed)

        def context(self, test):
            return Context([torch.tensor([[COLOURS[test.category]]])], [])

    def seen(model, images, context):
        if context.prompts[0].ndim == 3:  # random
            return torch.ones(len(images), 2, 7, 7)
        near = (F.avg_pool2d(images.mean(1, keepdim=True), 8) - context.prompts[0].item()).abs() < 1e-3
        return near.float().expand(-1, 2, -1, -1)

    monkeypatch.setattr(focus, "similarity", seen)
    monkeypatch.setattr(focus, "CHUNK", 3)
    shares = measure_focus(Bench(), "seen", [0])
    assert len(shares) == 2 * 3 * 4 and shares.groupby("category").size().tolist() == [8, 8, 8]
    expected = {"matched": 1, "contrast": 1, "swapped": 0, "unmatched": 9 / 49, "random": 9 / 49, "area": 9 / 49}
    for name, value in expected.items():
        assert shares[name].to_numpy() == pytest.approx(value), name
    found = gains(shares)
    assert list(found) == list(CONTROLS) and found["swapped"].difference == 1
    assert focus_verdict(list(found.values())) == "focus"


def test_a_whole_measurement_of_a_model(store, tiny_backbone):
    torch.manual_seed(0)
    bench = open_bench(DPCLIP(tiny_backbone, DPCLIPConfig(templates=1, rank=2)), store)
    shares = measure_focus(bench, "seen", [0, 1])
    values = shares[["matched", *CONTROLS]].to_numpy()
    assert len(shares) == 2 * 24 and ((values >= 0) & (values <= 1)).all()
    assert shares.equals(measure_focus(bench, "seen", [0, 1]))
    assert not np.allclose(shares["matched"], shares["swapped"])


@pytest.mark.parametrize(
    ("intervals", "verdict"),
    [
        ([(0.02, 0.1), (0.011, 0.2)], "focus"),
        ([(0.02, 0.1), (0.001, 0.2)], "undecided"),
        ([(0.02, 0.1), (0.001, 0.009)], "no focus"),
        ([(-0.1, 0.1), (-0.2, -0.1)], "no focus"),
    ],
)
def test_a_verdict_needs_every_control(intervals, verdict):
    found = [Comparison((low + high) / 2, (high - low) / 2 / 1.96) for low, high in intervals]
    assert focus_verdict(found) == verdict
