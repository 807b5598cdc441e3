"""Drawings inside stroke and bitmap files."""

import json
import os
import pickle

import numpy as np
import pytest
from PIL import Image

from dpclip.data import quickdraw
from dpclip.data.check import check_dataset
from dpclip.data.images import read_image
from dpclip.data.sources import open_dataset
from dpclip.errors import UserError

SIMPLE = [[[0, 255], [0, 255]], [[0, 255], [255, 0]]]  # two diagonals
RAW = [[[10.5, 300.25, 300.25], [7.0, 7.0, 100.5], [0, 16, 40]]]  # with times


def line(drawing) -> str:
    return json.dumps({"word": "bat", "key_id": "5147947173937152", "recognized": True, "drawing": drawing})


@pytest.fixture
def root(tmp_path):
    """Bats and cats: strokes and bitmaps, each with photos; and a category that the published list has not."""
    for category in ("bat", "cat"):
        (tmp_path / "images" / category).mkdir(parents=True)
        Image.new("RGB", (4, 4)).save(tmp_path / "images" / category / "image_00001.jpg")
    folder = tmp_path / "sketches"
    folder.mkdir()
    (folder / "full_simplified_bat.ndjson").write_text(f"{line(SIMPLE)}\n{line(RAW)}\n\n")
    ink = np.zeros((3, 784), dtype=np.uint8)
    ink[:, 14 * 28 + 4 : 14 * 28 + 24] = 255  # a horizontal bar
    np.save(folder / "full_numpy_bitmap_cat.npy", ink)
    (folder / "aircraft carrier.ndjson").write_text("not looked at\n")
    return tmp_path


def test_manifest_of_drawings(root):
    manifest = open_dataset("quickdraw-ext", root)
    sketches = manifest.table.iloc[manifest.rows(modality="sketch")]
    assert sketches.groupby("category").size().to_dict() == {"bat": 2, "cat": 3}  # the blank line is none
    assert sketches["path"].iloc[1] == "sketches/full_simplified_bat.ndjson#1"
    assert sketches["instance"].is_unique and manifest.categories("unseen") == ["bat"]
    for path in sketches["path"]:
        pixels = read_image(root / path, 56)
        assert pixels.shape == (3, 56, 56) and pixels.dtype == np.uint8
        assert 0.02 < (pixels < 128).mean() < 0.4 and pixels.max() == 255


def test_strokes_fill_the_picture_and_keep_their_shape(root):
    cross, bend = (read_image(root / f"sketches/full_simplified_bat.ndjson#{n}", 64)[0] < 128 for n in (0, 1))
    assert cross[32, 32] and cross[8, 8] and cross[8, 55] and not cross[32, 8] and not cross[:3].any()
    rows, columns = np.nonzero(bend)
    assert np.ptp(columns) > 45 and 0.25 < np.ptp(rows) / np.ptp(columns) < 0.45  # 93.5 high, 289.75 wide


def test_bitmaps_are_black_on_white(root):
    bar = read_image(root / "sketches/full_numpy_bitmap_cat.npy#0", 64)[0] < 128
    assert bar[32, 20:44].all() and not bar[:20].any() and not bar[44:].any()


@pytest.mark.parametrize(
    "broken", ['{"drawing": [[[1, 2]', "{}", line([]), line([[[1, 2], ["a", 3]]]), line([[[], []]])]
)
def test_a_broken_line_is_named(root, broken):
    path = root / "sketches" / "full_simplified_bat.ndjson"
    path.write_text(f"{line(SIMPLE)}\n{broken}\n{line(RAW)}\n")
    with pytest.raises(UserError, match="bat.ndjson, line 2, is no drawing.*Download the file again, or delete"):
        read_image(root / "sketches/full_simplified_bat.ndjson#1", 56)
    assert read_image(root / "sketches/full_simplified_bat.ndjson#2", 56).shape == (3, 56, 56)
    report = check_dataset("quickdraw-ext", root, decode=True)
    assert "images that cannot be decoded (1)" in "\n".join(report.lines)


def test_drawings_that_are_not_there(root):
    for address, message in (
        ("full_simplified_bat.ndjson#9", "line 10 is none of its first"),
        ("full_numpy_bitmap_cat.npy#3", "holds 3 drawings, but number 3"),
        ("dog.npy#0", "dog.npy is missing"),
    ):
        with pytest.raises(UserError, match=message):
            read_image(root / "sketches" / address, 56)


def test_arrays_that_are_no_bitmaps(root):
    path = root / "sketches" / "full_numpy_bitmap_cat.npy"
    for array in (np.zeros((3, 784)), np.zeros((3, 30), np.uint8), np.array([{}, {}], dtype=object)):
        np.save(path, array, allow_pickle=True)
        with pytest.raises(UserError, match="full_numpy_bitmap_cat.npy"):
            open_dataset("quickdraw-ext", root)


def test_a_pickle_is_not_opened(root):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(root / "opened"),)

    path = root / "sketches" / "full_numpy_bitmap_cat.npy"
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(UserError, match="is no array of bitmaps"):
        open_dataset("quickdraw-ext", root)
    assert not (root / "opened").exists()


def test_only_so_many_drawings_are_taken(root, monkeypatch):
    monkeypatch.setattr(quickdraw, "DRAWINGS", 2)
    path = root / "sketches" / "full_simplified_bat.ndjson"
    path.write_text(f"{line(SIMPLE)}\n" * 5)
    assert open_dataset("quickdraw-ext", root).rows(modality="sketch").size == 4


def test_two_files_of_one_category(root):
    (root / "sketches" / "bat.ndjson").write_text(line(SIMPLE))
    with pytest.raises(UserError, match="is there twice"):
        open_dataset("quickdraw-ext", root)


def test_check_expects_no_published_number_of_such_sketches(root):
    report = check_dataset("quickdraw-ext", root)
    expected = {what: number for what, _, number in report.counts}
    assert expected["unseen sketches"] is None and expected["unseen photos"] == 54_151
    assert any("3,000 drawings" in note for note in report.notes)
