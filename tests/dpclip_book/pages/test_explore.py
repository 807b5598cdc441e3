"""The data and pictures of the page that explores results: every name and place is that of its row."""

import io

import numpy as np
import pytest
from PIL import Image

from dpclip.data import benchmark
from dpclip.data.images import read_image
from dpclip.errors import UserError
from dpclip_book.pages import explore
from dpclip_book.studies.rankings import rankings_path, read_rankings
from tests.toy import make_toy


@pytest.fixture(scope="module")
def content():
    return read_rankings(rankings_path("mini"))


def test_data_of_the_page_is_that_of_the_rankings(content):
    manifest = benchmark.recorded()
    data = explore.page_data(content, manifest)
    rows = {style: explore.sheet_rows(manifest, style) for style in ("photo", "warped")}
    assert data["sheets"] == {style: len(own) for style, own in rows.items()}
    assert data["photos"] == manifest.table["instance"][rows["photo"]].tolist()
    assert len(rows["warped"]) == len(rows["photo"])
    for category, start in data["start"].items():
        assert rows["photo"][start] == manifest.rows(modality="photo", category=category)[0]
    for test, own in zip(content["tests"], data["tests"], strict=True):
        assert [rows[test["style"]][place] for place in own["pictures"]] == test["queries"]
        assert [rows["photo"][place] for place in own["photos"]] == test["photos"]
        for name, row in content["rows"].items():
            assert own["ranks"][name] == test["found"][row["run"]]["ranks"]
            assert own["first"][name].split() == test["found"][row["run"]]["first"]


def test_only_rows_of_table_3_have_modules(content):
    base = {"run": next(iter(content["rows"].values()))["run"]}
    rows = {"DP-CLIP": base | {"tables": ["1", "3"]}, "+V": base | {"tables": ["3"]}, "LoRA": base | {"tables": ["1"]}}
    data = explore.page_data(content | {"rows": rows, "tests": []}, benchmark.recorded())
    assert [row.get("modules") for row in data["rows"].values()] == [["V", "T", "patch"], ["V"], None]


@pytest.mark.parametrize("style", ["photo", "warped"])
def test_a_sheet_holds_each_picture_at_its_place(tmp_path, monkeypatch, style):
    monkeypatch.setattr(explore, "COLUMNS", 4)
    manifest = make_toy(tmp_path)
    image = np.asarray(Image.open(io.BytesIO(explore.sheet(manifest, style))).convert("L")).astype(float)
    rows, side = explore.sheet_rows(manifest, style), explore.SIDE
    assert image.shape == (-(-len(rows) // 4) * side, 4 * side)
    pictures = [read_image(manifest.root / manifest.table["path"][row], side).mean(0) for row in rows]
    for number in range(len(rows)):
        top, left = number // 4 * side, number % 4 * side
        shown = image[top : top + side, left : left + side]
        assert np.argmin([np.abs(shown - picture).mean() for picture in pictures]) == number


def test_accuracy_is_the_share_of_first_ranks():
    tests = [
        {"protocol": protocol, "found": {"r": {"ranks": ranks}}}
        for protocol, ranks in (("held-out", [1, 2]), ("held-out", [1, 1]), ("transductive", [5]))
    ]
    table = explore.accuracy_table({"rows": {"DP-CLIP": {"run": "r"}}, "tests": tests})
    assert table.values.tolist() == [["DP-CLIP", 75]]


def test_a_book_of_results_made_again_shows_the_committed_rankings(tmp_path, monkeypatch):
    monkeypatch.setenv("DPCLIP_RECORDS", str(tmp_path))
    (tmp_path / "book").mkdir()
    explore.write_explorer(tmp_path)
    extra = tmp_path / "extra" / "explore"
    assert (extra / "rankings.js").stat().st_size < 1_000_000
    assert sum(path.stat().st_size for path in extra.iterdir()) < 4_000_000
    assert "openmoji" in (extra / "LICENSES.txt").read_text(encoding="utf-8")


def test_rankings_of_other_data_are_refused(tmp_path, monkeypatch, content):
    monkeypatch.setattr(explore, "read_rankings", lambda _: content | {"data_hash": "other"})
    with pytest.raises(UserError, match="of other data"):
        explore.write_explorer(tmp_path)
