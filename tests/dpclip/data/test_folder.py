"""A folder of one's own."""

import pytest
from PIL import Image

from dpclip.data.sources import open_dataset
from dpclip.errors import UserError
from dpclip_prepare.check.folders import check_dataset

CATEGORIES = ["ape", "bee", "cow", "dog", "elk", "fox"]


@pytest.fixture
def root(tmp_path):
    """Six categories of two photos with two sketches each; the names have hyphens."""
    for category in CATEGORIES:
        for side in ("photo", "sketch"):
            (tmp_path / side / category).mkdir(parents=True)
        for name in ("my-one", "two"):
            Image.new("RGB", (4, 4)).save(tmp_path / "photo" / category / f"{name}.png")
            for k in (1, 2):
                Image.new("L", (4, 4)).save(tmp_path / "sketch" / category / f"{name}-{k}.png")
    return tmp_path


def text_of(root, **options) -> str:
    return "\n".join(check_dataset("folder", root, **options).lines)


def test_sketches_find_their_photos(root):
    (root / "sketch" / "ape" / "two.png").write_bytes((root / "sketch" / "ape" / "two-1.png").read_bytes())
    manifest = open_dataset("folder", root)
    assert manifest.paired and set(manifest.table["instance"]) == {"my-one", "two"}
    assert len(manifest.rows(modality="sketch", category="ape")) == 5
    assert manifest.categories("unseen") == ["elk"] and check_dataset("folder", root).ok


def test_unseen_categories_of_a_file_and_of_the_folder(root, tmp_path):
    (root / "mine.txt").write_text("bee\nfox\n")
    assert open_dataset("folder", root, str(root / "mine.txt")).categories("unseen") == ["bee", "fox"]
    (root / "unseen.txt").write_text("ape\n")
    assert open_dataset("folder", root, validation=2).categories("unseen") == ["ape"]
    assert open_dataset("folder", root, "yelamarthi").categories("unseen") == ["cow"]
    (root / "unseen.txt").write_text("apf\n")
    assert "Did you mean 'ape'?" in text_of(root) and not check_dataset("folder", root).ok


def test_unpaired_sketches(root):
    for path in (root / "sketch" / "cow").iterdir():
        path.rename(path.with_name(f"drawn-{path.name}"))
    manifest = open_dataset("folder", root)
    assert not manifest.paired
    assert set(manifest.table["instance"][manifest.rows(modality="sketch", category="cow")]) == {
        f"drawn-{name}-{k}" for name in ("my-one", "two") for k in (1, 2)
    }
    assert "sketches that show no photo (4)" in text_of(root)
    for category in set(CATEGORIES) - {"cow"}:
        for path in (root / "sketch" / category).iterdir():
            path.rename(path.with_name(f"drawn-{path.name}"))
    assert check_dataset("folder", root).ok  # a set of unpaired sketches is one


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
