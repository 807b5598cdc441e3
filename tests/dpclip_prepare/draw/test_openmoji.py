"""The embedded benchmark: its lists, its rules, its pixels, and what it says when something is broken."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from dpclip.data import benchmark, sources
from dpclip.data.benchmark import read_csv
from dpclip.data.store import ImageStore
from dpclip.errors import UserError
from dpclip_prepare.draw import benchmark_images, drawing, human, shading, sketching, svg
from dpclip_prepare.draw.objects import SMALLEST, choose, split_rule

ROOT = benchmark_images.ROOT
DOG, APPLE = "1F436", "1F34E"


@pytest.fixture(scope="module")
def objects():
    return benchmark.objects()


@pytest.fixture
def small(tmp_path):
    """A root with four objects of two categories, one of them drawn by people."""
    for name in benchmark_images.COMMITTED:
        shutil.copy(ROOT / name, tmp_path / name)
    wanted = {"1F436", "1F431", "1F982", "1F41C"}
    lines = (ROOT / "objects.csv").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines[1:] if line.split(",")[0] in wanted]
    (tmp_path / "objects.csv").write_text("\n".join([lines[0], *kept]) + "\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def built(small, monkeypatch):
    """The same with its images, drawn in this process."""

    def draw_here(jobs, folder):
        for item, ink in jobs:
            benchmark_images._draw_one(item, ink, folder)

    monkeypatch.setattr(benchmark_images, "_draw_all", draw_here)
    assert benchmark_images.build(small) > 0
    benchmark_images.write_signature(small)
    return small


# --- the lists ---


def test_enough_objects_and_whole_categories_in_each_split(objects):
    sides = {}
    for item in objects:
        sides.setdefault(item["category"], set()).add(item["split"])
    assert len(objects) >= 650 and len(sides) >= 35
    assert all(len(splits) == 1 for splits in sides.values())
    for split, categories, instances in (("unseen", 8, 180), ("val", 4, 60)):
        members = [item["category"] for item in objects if item["split"] == split]
        assert len(set(members)) >= categories and len(members) >= instances
        assert min(map(members.count, set(members))) >= SMALLEST
    assert len({item["codepoint"] for item in objects}) == len({i["instance"] for i in objects}) == len(objects)


def test_split_is_what_the_rule_gives(objects):
    rows = read_csv(ROOT / "categories.csv")
    counts = [row | {"count": sum(item["category"] == row["category"] for item in objects)} for row in rows]
    assert {row["category"]: row["split"] for row in rows} == split_rule(counts)
    assert {item["category"]: item["split"] for item in objects} == split_rule(counts)
    assert all(row["words"] and row["count"] for row in counts)


def test_choice_drops_empty_photos_and_twins():
    def entry(code):
        return {"hexcode": code, "annotation": code, "subgroups": "things", "group": "objects"}

    paperclip, green_book, blue_book = "1F4CE", "1F4D7", "1F4D8"
    chosen = choose([entry(code) for code in (blue_book, paperclip, green_book, DOG)], ["things"])
    assert {row["codepoint"] for row in chosen} == {green_book, DOG}


def test_every_sketch_has_its_photo_and_every_photo_five_sketches(objects):
    table = benchmark.recorded().table
    photos = table[table["modality"] == "photo"].set_index(["category", "instance"])
    sketches = table[table["modality"] == "sketch"].set_index(["category", "instance"])
    assert photos.index.is_unique and len(photos) == len(objects)
    assert sketches.index.isin(photos.index).all()
    assert (sketches[sketches["style"] == "warped"].groupby(level=[0, 1]).size() == 5).all()
    assert (sketches["split"] == photos.loc[sketches.index, "split"].to_numpy()).all()


def test_human_drawings_belong_to_objects(objects):
    names = {item["codepoint"]: item["name"] for item in objects}
    rows, drawn = read_csv(ROOT / "human.csv"), benchmark.human_drawings()
    assert len(rows) >= 134 and {row["codepoint"] for row in rows} == set(drawn)
    assert all(names[row["codepoint"]] == row["name"] for row in rows)
    assert all(len(ink) == human.DRAWINGS and (ink > 0).any((1, 2)).all() for ink in drawn.values())


# --- the pixels ---


def test_same_object_same_bytes_and_five_different_sketches():
    item = {"codepoint": DOG, "category": "animal-mammal", "instance": "dog-face"}
    one, two = benchmark_images.draw_object(item), benchmark_images.draw_object(item)
    assert one == two
    assert len(one) == len(set(one.values())) == 6


def test_photo_has_no_outline_and_sketch_no_surface():
    text = svg.read_drawing(APPLE)
    only_lines = svg.outlines_svg(text)
    assert drawing.rasterise(only_lines)[..., 3].mean() > 0.02
    assert drawing.rasterise(svg.surfaces(only_lines)).max() == 0  # a drawing of lines alone leaves an empty photo
    assert svg.outlines(svg.surfaces(text)) == []
    mirror_ball = svg.read_drawing("1FAA9")  # its surfaces carry black lines too
    assert 'fill="none" stroke="#000"' in mirror_ball.split('id="line"')[0]
    assert 'stroke="#000"' not in svg.surfaces(mirror_ball)


def test_outlines_as_polylines_cover_the_drawn_lines():
    for code in (DOG, APPLE, "1F697", "1F3E5", "1F98B"):
        text = svg.read_drawing(code)
        true = drawing.rasterise(svg.outlines_svg(text))[..., 3] > 0.5
        ink = np.zeros_like(true)
        scale = drawing.SIZE / drawing.CANVAS
        for shape in svg.outlines(text):
            for line in shape.lines:
                x, y = np.clip((sketching._resampled(line) * scale).astype(int).T, 0, drawing.SIZE - 1)
                ink[y, x] = True
        assert (ink & true).sum() > 0.95 * ink.sum()


def test_a_practised_hand_strays_less():
    shapes = svg.outlines(svg.read_drawing(DOG))
    ideal = sketching.Hand(*[0.0] * 10)

    def cost(hand):
        points = []
        for seed in range(6):
            warp = sketching._frame(shapes, hand, np.random.default_rng(seed))
            still = sketching._frame(shapes, ideal, np.random.default_rng(seed))
            points.append(np.abs(warp(shapes[0].lines[0]) - still(shapes[0].lines[0])).mean())
        return np.mean(points)

    costs = [cost(hand) for hand in sketching.HANDS.values()]
    assert costs == sorted(costs, reverse=True) and costs[-1] < costs[0] / 2


def test_images_have_their_kind_of_pixels():
    text = svg.read_drawing(APPLE)
    photo = shading.photo(text, drawing.seeded(APPLE, "photo"))
    assert photo.shape == (drawing.SIZE, drawing.SIZE, 3) and photo.std() > 0.05
    sketch = sketching.sketch(svg.outlines(text), 3, drawing.seeded(APPLE, "sketch-3"))
    person = human.human_sketch(benchmark.human_drawings()[APPLE][0])
    for drawn in (sketch, person):
        assert drawn.shape == (drawing.SIZE, drawing.SIZE)
        assert np.median(drawn) > 0.97 and drawn.min() < 0.05 and 0.01 < (drawn < 0.5).mean() < 0.4
        assert (drawn[[0, -1]] > 0.9).all() and (drawn[:, [0, -1]] > 0.9).all()  # nothing is cut off


# --- building and what goes wrong ---


def test_build_again_returns_at_once_and_a_changed_list_builds_anew(built):
    assert benchmark_images.check_benchmark(built) == []
    assert benchmark_images.is_built(built)
    assert sources.open_dataset("openmoji-sbir", built).table["path"].str.startswith("images/").all()
    assert sorted(path.name for path in built.iterdir() if path.name.startswith(".")) == []
    text = (built / "objects.csv").read_text(encoding="utf-8").splitlines()
    (built / "objects.csv").write_text("\n".join(text[:-1]) + "\n", encoding="utf-8")
    assert not benchmark_images.is_built(built)
    with pytest.raises(UserError, match="Run: dpclip data build"):
        sources.open_dataset("openmoji-sbir", built)
    assert "dpclip data build" in benchmark_images.check_benchmark(built)[0]


def test_missing_and_damaged_images_are_named_with_the_cure(built):
    photo, sketch = (built / benchmark.recorded(built).table["path"].iloc[row] for row in (0, -1))
    photo.unlink()
    sketch.write_bytes(sketch.read_bytes()[:100])
    problems = benchmark_images.check_benchmark(built)
    assert len(problems) == 2
    assert f"{photo} is missing" in problems[0] and f"{sketch} is damaged" in problems[1]
    with pytest.raises(UserError, match=f"{photo.name} is missing"):
        sources.open_dataset("openmoji-sbir", built)


def test_a_changed_rule_of_drawing_is_seen(built, monkeypatch):
    """One hand that trembles a little more: the pictures are other ones, and do not pass for those recorded."""
    monkeypatch.setitem(sketching.HANDS, 3, replace(sketching.HANDS[3], wobble=0.4))
    benchmark_images.build(built)
    (problem,) = benchmark_images.check_benchmark(built)
    assert "-3.png" in problem and "do not look as recorded" in problem
    assert benchmark.open_benchmark(built).hash != benchmark.recorded(built).hash


def test_pictures_drawn_a_little_differently_are_decoded_anew(built, tmp_path):
    """By less than the recorded looks allow, as another processor would: the same dataset, other pixels."""
    before = benchmark.open_benchmark(built)
    old = ImageStore(before, drawing.SIZE, tmp_path / "cache").load([0])
    path = built / before.table["path"][0]
    pixels = np.asarray(Image.open(path)).copy()
    pixels[0, 0] ^= 1
    Image.fromarray(pixels).save(path)
    benchmark_images.stamp(built)
    after = benchmark.open_benchmark(built)
    assert after.hash == before.hash
    new = ImageStore(after, drawing.SIZE, tmp_path / "cache").load([0])
    assert (new != old).sum() == 3 and (new[0].numpy() == pixels.transpose(2, 0, 1)).all()


def test_pictures_changed_after_they_were_drawn_are_refused(built):
    first = built / benchmark.recorded(built).table["path"].iloc[0]
    Image.new("RGB", (drawing.SIZE, drawing.SIZE)).save(first)
    assert any("changed after they were drawn" in problem for problem in benchmark_images.check_benchmark(built))
    with pytest.raises(UserError, match="not those that were drawn. Run: dpclip data build --force"):
        sources.open_dataset("openmoji-sbir", built)


def test_a_failed_build_keeps_the_old_images(built, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(benchmark_images, "_draw_all", full)
    with pytest.raises(UserError, match="No space left on device"):
        benchmark_images.build(built)
    assert benchmark_images.check_benchmark(built) == []


def test_an_unwritable_folder_is_named(small, monkeypatch):
    def denied(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(
        benchmark_images.tempfile, "mkdtemp", denied
    )  # the superuser of a container may write everywhere
    with pytest.raises(UserError, match=f"cannot write in {small}: Permission denied"):
        benchmark_images.build(small)


def test_an_unknown_dataset_is_named():
    with pytest.raises(UserError, match="dataset 'sketchi' is unknown"):
        sources.open_dataset("sketchi")
