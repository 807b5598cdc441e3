"""The extended sets: published numbers on stand-ins whose category folders are links of a few real ones."""

from pathlib import Path

import pytest
from PIL import Image

from dpclip.data.sources import open_dataset
from dpclip.data.splits import authors, known_categories
from dpclip.errors import UserError
from dpclip_prepare.check.folders import check_dataset
from tests.stand_in import link_all, make_sketchy

GREY = Image.new("L", (4, 4), 128)


@pytest.fixture
def dealer(tmp_path):
    """deal(side, categories, total, names): folders of `categories` that hold `total` images in all, as even as can be;
    folders of one size are links of the same one.
    """
    pools = {}

    def deal(side: Path, categories: list[str], total: int, name: str) -> None:
        side.mkdir(parents=True, exist_ok=True)
        for place, category in enumerate(categories):
            size = total // len(categories) + (total % len(categories) if place == 0 else 0)
            if (name, size) not in pools:
                pools[name, size] = tmp_path / "pools" / f"{len(pools)}"
                link_all(pools[name, size], [name.format(number) for number in range(1, size + 1)], GREY)
            (side / category).symlink_to(pools[name, size])

    return deal


def found(report) -> dict[str, tuple]:
    return {what: (number, expected) for what, number, expected in report.counts}


def sketchy_ext(deal, root: Path, sketchy: Path) -> Path:
    """Sketchy beside extended photos in the published numbers; those of one category hold its copies too."""
    root.mkdir()
    (root / "256x256").symlink_to(sketchy)
    side = root / "EXTEND_image_sketchy"
    shen, yelamarthi = (set(authors("sketchy")[author]) for author in ("shen", "yelamarthi"))
    deal(side, sorted(shen), 14_601, "ext_{}.jpg")
    shared = sum(len(list((side / category).iterdir())) for category in sorted(shen & yelamarthi))
    cows = [p.name for p in (sketchy / "photo/tx_000000000000/cow").iterdir()] + [f"ext_{n}.jpg" for n in range(385)]
    link_all(side / "cow", cows, GREY)
    deal(side, sorted(yelamarthi - shen - {"cow"}), 10_453 - shared - len(cows), "ext_{}.jpg")
    rest = sorted(set(known_categories("sketchy")) - shen - yelamarthi)
    deal(side, rest, 73_002 - 14_601 - (10_453 - shared), "ext_{}.jpg")
    return root


def test_sketchy_ext(sketchy, tmp_path, dealer):
    root = sketchy_ext(dealer, tmp_path / "data", sketchy)
    for unseen, photos, sketches in (("shen", 17_101, 15_229), ("yelamarthi", 12_553, 12_694)):
        report = check_dataset("sketchy-ext", root, unseen)
        assert report.ok, report.lines
        counts = found(report)
        assert counts["unseen photos"] == (photos, photos) and counts["unseen sketches"] == (sketches, sketches)
        assert counts["aligned photos"] == (12_500, 12_500) and counts["extended photos"] == (73_002, 73_002)
    manifest = open_dataset("sketchy-ext", root)
    assert not manifest.paired and len(manifest.categories("unseen")) == 25
    assert len(manifest.rows(modality="photo", split="unseen")) == 17_101


@pytest.fixture
def small(tmp_path):
    return make_sketchy(tmp_path / "small", "basic", ["cow", "zebra", "cup"], 3)


def test_extended_photos_beside_photo_basic_are_in_photo(small):
    link_all(small / "photo" / "cow", [p.name for p in (small / "photo_basic/cow").iterdir()] + ["ext_7.jpg"], GREY)
    for category in ("zebra", "cup"):
        link_all(small / "photo" / category, ["ext_1.jpg"], GREY)
    assert len(open_dataset("sketchy-ext", small, "yelamarthi").rows(modality="photo")) == 9 + 3 + 3
    assert len(open_dataset("sketchy", small).rows(modality="photo")) == 9


def test_gallery_without_second_copies_is_explained(small):
    for category in ("cow", "zebra", "cup"):
        link_all(small / "extended_photo" / category, ["ext_1.jpg"], GREY)
    text = "\n".join(check_dataset("sketchy-ext", small).lines)
    assert "lack the second copies" in text and "not quite comparable" in text


def test_sketchy_leaves_extended_photos_out(small):
    link_all(small / "photo_basic" / "cow" / ".." / "zebra", ["ext_1.jpg", "ext_2.jpg"], GREY)
    assert len(open_dataset("sketchy", small).rows(modality="photo")) == 9
    assert "left out: 2 extended photos" in "\n".join(check_dataset("sketchy", small).lines)
    assert len(open_dataset("sketchy-ext", small, "yelamarthi").rows(modality="photo")) == 11


def test_sketchy_ext_without_extended_photos(small):
    with pytest.raises(UserError, match="no extended photos.*EXTEND_image_sketchy"):
        open_dataset("sketchy-ext", small)


def tuberlin(deal, root: Path, rename: dict[str, str]) -> Path:
    unseen = authors("tuberlin-ext")["sake"]
    seen = [f"thing {number}" for number in range(220)]
    deal(root / "png", [rename.get(name, name) for name in unseen + seen], 20_000, "{}.png")
    deal(root / "ImageResized", unseen, 27_989, "n07753592_{}.JPEG")
    deal(root / "ImageResized", seen, 880, "n07753592_{}.JPEG")
    (root / "png" / "filelist.txt").write_text("lists at this level are no pictures")
    return root


@pytest.mark.parametrize("rename", [{}, {"hot air balloon": "hot_air_balloon", "t-shirt": "T-Shirt"}])
def test_tuberlin_ext(tmp_path, dealer, rename):
    report = check_dataset("tuberlin-ext", tuberlin(dealer, tmp_path / "data", rename))
    assert report.ok, report.lines
    counts = found(report)
    assert counts["sketches"] == (20_000, 20_000) and counts["categories"] == (250, 250)
    assert counts["unseen sketches"] == (2_400, 2_400) and counts["unseen photos"] == (27_989, 27_989)
    assert "differ between repositories" in "\n".join(report.notes)
    manifest = open_dataset("tuberlin-ext", tmp_path / "data")
    assert set(manifest.categories("unseen")) == set(authors("tuberlin-ext")["sake"]) and not manifest.paired


def test_tuberlin_category_spelled_in_two_ways(tmp_path, dealer):
    root = tuberlin(dealer, tmp_path / "data", {"windmill": "wind-mil"})
    text = "\n".join(check_dataset("tuberlin-ext", root).lines)
    assert "categories without photos (1)\n    wind-mil" in text
    assert "categories without sketches (1)\n    windmill" in text
    with pytest.raises(UserError, match="has no"):
        open_dataset("tuberlin-ext", root)


def test_quickdraw_ext_as_images(tmp_path, dealer):
    known, unseen = known_categories("quickdraw-ext"), authors("quickdraw-ext")["doodle2search"]
    sides = (("sketches", 92_291, 64, "5147947173937152{}.png"), ("images", 54_151, 4, "image_{}.jpg"))
    for side, total, each, name in sides:
        dealer(tmp_path / "data" / side, unseen, total, name)
        dealer(tmp_path / "data" / side, sorted(set(known) - set(unseen)), 80 * each, name)
    report = check_dataset("quickdraw-ext", tmp_path / "data")
    assert report.ok, report.lines
    counts = found(report)
    assert counts["unseen sketches"] == (92_291, 92_291) and counts["unseen photos"] == (54_151, 54_151)
    assert len(open_dataset("quickdraw-ext", tmp_path / "data").categories("seen")) == 80
