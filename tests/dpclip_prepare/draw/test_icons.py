"""The committed icons of Icon-SBIR and the pictures drawn from them."""

import hashlib
import io
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from dpclip.data import benchmark
from dpclip.data.benchmark import ROOT as FOLDER
from dpclip.data.benchmark import Icon
from dpclip.errors import UserError
from dpclip_prepare.draw import canvas, hands, icon_pictures, people, regions, strokes
from makers.icon_sets import write_icons


@pytest.fixture(scope="module")
def icons():
    return benchmark.read_icons()


@pytest.fixture(scope="module")
def some(icons):
    """A coloured and a monochrome icon of four concepts, far apart in the table."""
    return [icon for icon in icons[:: len(icons) // 6]]


# --- the table ---


def test_enough_concepts_and_pictures_on_each_side(icons):
    count = Counter(icon.concept for icon in icons)
    splits = benchmark.split_by_name(set(count))
    pictures = Counter(splits[icon.concept] for icon in icons)
    assert len(count) >= 200 and len(icons) >= 5000
    assert min(count.values()) >= 12 and max(count.values()) <= 36
    sides = Counter(splits.values())
    assert sides["unseen"] >= 60 and pictures["unseen"] >= 1200
    assert sides["val"] == 20


def test_the_split_is_the_rule_that_was_written_down(icons):
    concepts = {icon.concept for icon in icons}
    splits = benchmark.split_by_name(concepts)
    number = {c: int(hashlib.sha256(c.encode()).hexdigest(), 16) for c in concepts}
    assert {c for c in concepts if splits[c] == "unseen"} == {c for c in concepts if number[c] % 4 == 0}
    seen, val = ([number[c] for c in concepts if splits[c] == side] for side in ("seen", "val"))
    assert max(val) < min(seen)


def test_every_icon_has_files_of_its_own_and_a_set_with_author_and_licence(icons):
    assert len({(icon.concept, icon.instance) for icon in icons}) == len(icons)
    notice = (FOLDER / "NOTICE.md").read_text(encoding="utf-8")
    for name in {icon.set for icon in icons}:
        assert f"| {name} " in notice


def test_no_body_runs_code_or_loads_anything(icons):
    for icon in icons:
        assert not any(word in icon.body for word in ("<script", "<image", "http://", "https://", "javascript:")), icon


def test_a_damaged_table_names_its_cure(tmp_path):
    (tmp_path / benchmark.ICONS).write_bytes(b"not xz")
    with pytest.raises(UserError, match="git checkout"):
        benchmark.read_icons(tmp_path)


def test_a_written_table_is_read_back(tmp_path, some):
    write_icons(some[::-1], tmp_path)
    assert benchmark.read_icons(tmp_path) == some


# --- pictures ---


def test_pictures_are_the_same_each_time_and_do_not_depend_on_each_other(some):
    first = {path: png for icon in some for path, png in icon_pictures.draw_icon(icon).items()}
    again = {path: png for icon in some[::-1] for path, png in icon_pictures.draw_icon(icon).items()}
    assert first == again and len(first) == 6 * len(some)


def test_photos_are_coloured_sketches_are_ink_and_all_have_the_same_size(some):
    for icon in some:
        for path, png in icon_pictures.draw_icon(icon).items():
            pixels = np.asarray(Image.open(io.BytesIO(png))).astype(float)
            assert pixels.shape[:2] == (canvas.SIDE, canvas.SIDE)
            if "/photo/" in path:
                assert pixels.shape[2] == 3 and pixels.std() > 8, path
            else:
                assert 0.01 < (pixels < 128).mean() < 0.4 and pixels[0].min() == 255, path


def test_a_practised_hand_stays_closer_to_the_icon_than_a_hurried_one(some):
    apart = {}
    for icon in some:
        parts = regions.take_apart(
            canvas.rendered(canvas.svg_document(icon.body, icon.box), canvas.ART, "x"), icon.coloured
        )
        lines = hands.on_paper(strokes.trace(strokes.edges(parts.regions, parts.lines)))
        for skill in (1, 5):
            pair = [hands.sketch_of(lines, skill, np.random.default_rng(seed)) for seed in (0, 1)]
            apart.setdefault(skill, []).append(np.abs(pair[0] - pair[1]).mean())
    assert np.mean(apart[5]) < np.mean(apart[1])


def test_a_panic_of_the_renderer_names_the_icon(monkeypatch):
    class Panic(BaseException):
        pass

    def panics(**_):
        raise Panic("called Option::unwrap")

    monkeypatch.setattr(canvas.resvg_py, "svg_to_bytes", panics)
    with pytest.raises(UserError, match="tabler:cat"):
        icon_pictures.draw_icon(Icon("cat", "tabler", "cat", "0 0 24 24", "<path/>", False))


# --- parts and strokes ---


def ring(width, inner=None):
    """A black ring of radius 55 around `inner`, RGBA."""
    y, x = np.mgrid[0 : canvas.ART, 0 : canvas.ART] - canvas.ART / 2
    far = np.hypot(x, y)
    rgba = np.zeros((canvas.ART, canvas.ART, 4), dtype=np.float32)
    if inner is not None:
        rgba[far < 55] = [*inner, 1]
    rgba[(far < 55) & (far > 55 - width)] = [0, 0, 0, 1]
    return rgba


def test_the_outline_of_a_coloured_icon_is_not_in_the_photo_but_in_the_sketch():
    parts = regions.take_apart(ring(6, (0.9, 0.2, 0.2)), True)
    inside = parts.regions > 0
    assert np.abs(parts.colour[inside] - [0.9, 0.2, 0.2]).max() < 0.05
    assert parts.lines.any() and len(strokes.trace(strokes.edges(parts.regions, parts.lines))) == 1


def test_an_outline_becomes_the_surface_that_it_encloses():
    parts = regions.take_apart(ring(6), False)
    assert len(np.unique(parts.regions)) == 2
    assert parts.regions[canvas.ART // 2, canvas.ART // 2] > 0


def test_a_line_that_encloses_nothing_is_refused():
    rgba = np.zeros((canvas.ART, canvas.ART, 4), dtype=np.float32)
    rgba[20:140, 76:84, 3] = rgba[76:84, 20:140, 3] = 1
    with pytest.raises(regions.Unusable, match="outline"):
        regions.take_apart(rgba, False)


def test_a_skeleton_is_thin_and_connected():
    mask = np.zeros((60, 60), dtype=bool)
    mask[10:50, 26:34] = mask[26:34, 10:50] = True
    thin = strokes.skeleton(mask)
    assert 60 < thin.sum() < 90 and not (thin[:-1, :-1] & thin[1:, :-1] & thin[:-1, 1:] & thin[1:, 1:]).any()
    lines = strokes.trace(thin)
    assert len(lines) == 4 and sum(len(line) for line in lines) > 60


# --- people ---


def test_people_drew_a_hundred_of_each_concept_they_drew(icons):
    concepts = {icon.concept for icon in icons}
    with np.load(FOLDER / "human.npz") as file:
        assert len(file.files) >= 120 and set(file.files) <= concepts
        for concept in file.files:
            assert file[concept].shape == (100, 28, 28)
        cat = people.drawn_by_a_person(file["cat"][0])
    assert cat.shape == (canvas.SIDE, canvas.SIDE) and 0.02 < (cat < 0.5).mean() < 0.3
