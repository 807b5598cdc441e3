"""A folder of one's own."""

import shutil

import pytest
from PIL import Image

from dpclip.data.sources import open_dataset
from dpclip.errors import UserError
from dpclip_prepare.check.folders import check_dataset

CATEGORIES = ["ape", "bee", "cow", "dog", "elk", "fox"]
NAMES = ("my-one", "two", "a_3", "four")


@pytest.fixture
def root(tmp_path):
    """Six categories of four photos with four sketches each; names have hyphens and underscores, the number of a sketch
    comes after either.
    """
    for category in CATEGORIES:
        for side in ("photo", "sketch"):
            (tmp_path / side / category).mkdir(parents=True)
        for name in NAMES:
            Image.new("RGB", (4, 4)).save(tmp_path / "photo" / category / f"{name}.png")
            for end in ("-1", "-2", "_1", "_2"):
                Image.new("L", (4, 4)).save(tmp_path / "sketch" / category / f"{name}{end}.png")
    return tmp_path


def text_of(root, **options) -> str:
    return "\n".join(check_dataset("folder", root, **options).lines)


def rename_sketches(root, categories) -> None:
    for path in [path for category in categories for path in (root / "sketch" / category).iterdir()]:
        path.rename(path.with_name(f"drawn{path.name}"))


def test_sketches_find_their_photos(root):
    (root / "sketch" / "ape" / "two.png").write_bytes((root / "sketch" / "ape" / "two-1.png").read_bytes())
    manifest = open_dataset("folder", root)
    assert manifest.paired and set(manifest.table["instance"]) == set(NAMES)
    assert len(manifest.rows(modality="sketch", category="ape")) == 17
    assert len(manifest.rows(modality="sketch", category="bee", instance="a_3")) == 4
    assert manifest.categories("unseen") == ["elk"] and check_dataset("folder", root).ok


def test_the_longest_name_of_a_photo_is_meant(root):
    Image.new("RGB", (4, 4)).save(root / "photo" / "ape" / "a_3-1.png")
    Image.new("RGB", (4, 4)).save(root / "photo" / "ape" / "a.png")
    table = open_dataset("folder", root).table.set_index("path")["instance"]
    assert table["sketch/ape/a_3-1.png"] == "a_3-1" and table["sketch/ape/a_3-2.png"] == "a_3"


def test_unseen_categories_of_a_file_and_of_the_folder(root, tmp_path):
    (root / "mine.txt").write_text("bee\nfox\n")
    assert open_dataset("folder", root, str(root / "mine.txt")).categories("unseen") == ["bee", "fox"]
    (root / "unseen.txt").write_text("ape\n")
    assert open_dataset("folder", root, validation=2).categories("unseen") == ["ape"]
    assert open_dataset("folder", root, "yelamarthi").categories("unseen") == ["cow"]
    (root / "unseen.txt").write_text("apf\n")
    assert "Did you mean 'ape'?" in text_of(root) and not check_dataset("folder", root).ok


def test_one_sketch_without_its_photo_among_others_is_named(root):
    (root / "sketch" / "cow" / "two_1.png").rename(root / "sketch" / "cow" / "tow_1.png")
    with pytest.raises(UserError, match="sketch/cow/tow_1.png is a sketch without a photo.*data check folder"):
        open_dataset("folder", root)
    assert "sketches that show no photo (1)\n    sketch/cow/tow_1.png" in text_of(root)
    assert not check_dataset("folder", root).ok


def test_a_set_where_no_sketch_names_a_photo_is_of_the_category_level_and_says_so(root):
    rename_sketches(root, CATEGORIES)
    manifest = open_dataset("folder", root)
    assert not manifest.paired
    assert "drawntwo_2" in set(manifest.table["instance"][manifest.rows(modality="sketch", category="cow")])
    assert check_dataset("folder", root).ok and "only category-level retrieval can be measured" in text_of(root)


def test_replaced_pictures_are_another_dataset(root):
    before = open_dataset("folder", root).hash
    assert open_dataset("folder", root).hash == before
    Image.new("RGB", (4, 4), "red").save(root / "photo" / "cow" / "two.png")
    assert open_dataset("folder", root).hash != before


def test_one_category_is_refused_with_the_way_out(root):
    for side in ("photo", "sketch"):
        for category in CATEGORIES[1:]:
            shutil.rmtree(root / side / category)
    with pytest.raises(UserError, match="1 of 1 categories.*trained run on them all.*unseen.txt in the folder"):
        open_dataset("folder", root)
    assert "unseen.txt in the folder" in text_of(root)
    (root / "unseen.txt").write_text("ape\n")
    manifest, report = open_dataset("folder", root), check_dataset("folder", root)
    assert manifest.categories("unseen") == ["ape"] and not manifest.categories("seen")
    assert report.ok and any("trained runs can be tested here" in note for note in report.notes)


def test_in_order_means_trainable(root):
    for category in CATEGORIES:
        (root / "photo" / category / "four.png").unlink()
        for path in (root / "sketch" / category).glob("four*"):
            path.unlink()
    (root / "photo" / "ape" / "notes.txt").write_text("what does not belong there does not hide it")
    text = text_of(root)
    assert "too few images for a run" in text and "no seen category of folder has 16 sketches" in text
    assert text.endswith("Not in order.")


def test_a_category_needs_both_sides(root):
    for path in (root / "sketch" / "cow").iterdir():
        path.unlink()
    assert "categories without sketches (1)\n    cow" in text_of(root)
    with pytest.raises(UserError, match="category 'cow' has no sketch"):
        open_dataset("folder", root)


def test_names_that_are_not_utf8_are_left_out(root):
    odd = bytes(root / "photo" / "cow") + b"/caf\xe9.png"
    with open(odd, "wb") as file:
        file.write(b"x")
    assert open_dataset("folder", root).hash
    report = check_dataset("folder", root)
    assert "files that do not belong here (they are left out) (1)" in "\n".join(report.lines)
