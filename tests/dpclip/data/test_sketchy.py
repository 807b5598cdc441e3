"""Sketchy: every exact name, in every layout and spelling, and each circulated trap."""

import contextlib
import gzip
import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from dpclip.data.sources import open_dataset
from dpclip.data.splits import split_lists
from dpclip.errors import UserError
from dpclip.files import DATA
from dpclip_prepare.check.expected import published_names
from dpclip_prepare.check.folders import check_dataset
from tests.stand_in import LAYOUTS, make_sketchy

SHARED = DATA.parents[1] / "shared"
SPELLED = {"car_(sedan)": "car_sedan", "hot-air_balloon": "hot_air_balloon", "jack-o-lantern": "jack_o_lantern"}
PAPER = {  # section 11
    "categories": 125,
    "photos": 12_500,
    "sketches": 75_481,
    "seen photos": 10_400,
    "unseen photos": 2_100,
    "seen sketches": 62_787,
    "unseen sketches": 12_694,
}
FEW = ["car_(sedan)", "cow", "zebra", "hot-air_balloon"]


@pytest.fixture
def small(tmp_path):
    """Four categories of three photos, flattened; the cow is unseen."""
    return make_sketchy(tmp_path / "small", "flat", FEW, 3)


def linked(full: Path, root: Path, layout: str, spelling: dict[str, str]) -> Path:
    """The same files in another layout and spelling, through symbolic links to their category folders."""
    for side, own in zip(LAYOUTS["official"], LAYOUTS[layout], strict=True):
        (root / own).mkdir(parents=True)
        for folder in (full / side).iterdir():
            (root / own / spelling.get(folder.name, folder.name)).symlink_to(folder)
    return root


def found(report) -> dict[str, int]:
    return {what: number for what, number, _ in report.counts}


def said(report) -> str:
    return "\n".join(report.lines)


def problems(root, name="sketchy", **options) -> str:
    """The text of a report that must not be in order for another reason than its counts: the tree is small."""
    report = check_dataset(name, root, **options)
    assert not report.ok
    return "\n".join(line for problem in report.problems for line in problem.lines)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the project's shared folder is not here")
@pytest.mark.parametrize("ours, theirs", [("sketchy/names.tsv.gz", "sketchy/names.tsv.gz"), ("splits.json",) * 2])
def test_committed_facts_are_the_shared_ones(ours, theirs):
    one, other = (DATA / ours).read_bytes(), (SHARED / theirs).read_bytes()
    unzip = gzip.decompress if ours.endswith(".gz") else bytes
    assert unzip(one) == unzip(other)


@pytest.mark.parametrize("layout, spelling", [("official", {}), ("nested", SPELLED), ("flat", SPELLED), ("basic", {})])
def test_every_layout_and_spelling_gives_the_published_numbers(sketchy, tmp_path, layout, spelling):
    report = check_dataset("sketchy", linked(sketchy, tmp_path, layout, spelling))
    assert report.ok, said(report)
    assert found(report) == PAPER == {what: expected for what, _, expected in report.counts}


def test_the_manifest_has_the_published_numbers(sketchy):
    manifest = open_dataset("sketchy", sketchy)
    table = manifest.table
    assert {m: len(manifest.rows(modality=m)) for m in ("photo", "sketch")} == {"photo": 12_500, "sketch": 75_481}
    assert len(manifest.rows(modality="sketch", split="seen")) == 62_787
    assert manifest.paired and manifest.styles == ["human"] and manifest.categories("val") == []
    assert manifest.categories("unseen") == split_lists()["sketchy"]["unseen"]["yelamarthi"]
    assert {*table["category"] + "/" + table["instance"]} == published_names()[0]
    assert manifest.text["car_(sedan)"] == "car sedan" and manifest.text["hot-air_balloon"] == "hot-air balloon"
    row = table.iloc[manifest.rows(modality="sketch")[0]]
    assert row["path"] == "sketch/tx_000000000000/airplane/n02691156_10151-1.png"
    assert row["instance"] == "n02691156_10151"


def test_the_other_list_of_unseen_categories(sketchy):
    counts = found(check_dataset("sketchy", sketchy, "shen"))
    assert counts["unseen sketches"] == 15_229 and counts["unseen photos"] == 2_500
    assert len(open_dataset("sketchy", sketchy, "shen", validation=10).categories("val")) == 10


def test_circulated_list_that_trains_on_fewer_sketches(sketchy, tmp_path):
    seen = set(split_lists()["sketchy"]["categories"]) - set(split_lists()["sketchy"]["unseen"]["yelamarthi"])
    with contextlib.ExitStack() as back:
        for category in seen:
            for path in sorted((sketchy / LAYOUTS["official"][1] / category).iterdir())[:50]:
                os.rename(path, tmp_path / path.name)
                back.callback(os.rename, tmp_path / path.name, path)
        report = check_dataset("sketchy", sketchy)
    assert found(report)["seen sketches"] == 57_587
    assert len(report.problems) == 1 and not report.ok
    assert "57,587 instead of 62,787" in said(report) and "circulated list" in said(report)


def test_misspelled_folder_is_named_with_its_category(small):
    (small / "sketch" / "zebra").rename(small / "sketch" / "zebraa")
    text = problems(small)
    assert "sketch/zebraa (did you mean zebra?)" in text and "Rename" in text
    with pytest.raises(UserError, match="zebraa is no category.*dpclip data check sketchy"):
        open_dataset("sketchy", small)


def test_renamed_and_split_folders(small):
    (small / "photo" / "car_(sedan)").rename(small / "photo" / "Car Sedan")
    assert set(open_dataset("sketchy", small).categories("seen")) == set(FEW) - {"cow"}
    shutil.copytree(small / "photo" / "Car Sedan", small / "photo" / "car_sedan")
    assert "images that are there twice (3)" in problems(small)
    with pytest.raises(UserError, match="there twice"):
        open_dataset("sketchy", small)


def test_unpaired_sketches(sketchy, tmp_path):
    photo = sketchy / "photo/tx_000000000000/cow/n01887787_923.jpg"
    os.rename(photo, tmp_path / photo.name)
    try:
        text = problems(sketchy)
        with pytest.raises(UserError, match="n01887787_923-1.png .and 17 more. is a sketch without a photo"):
            open_dataset("sketchy", sketchy)
    finally:
        os.rename(tmp_path / photo.name, photo)
    assert "sketches that show no photo (18)\n    sketch/tx_000000000000/cow/n01887787_923-1.png\n" in text
    assert "Put the photo back, or remove the sketch" in text and "... and 13 more" in text
    assert "missing photos (1)\n    cow/n01887787_923\n" in text and "missing sketches" not in text


def test_what_systems_leave_behind_is_passed_over(small):
    before = open_dataset("sketchy", small)
    for name in (".DS_Store", "photo/.DS_Store", "photo/cow/Thumbs.db", "sketch/cow/._n01887787_923-1.png"):
        (small / name).write_bytes(b"junk")
    (small / "__MACOSX" / "photo" / "cow").mkdir(parents=True)
    assert open_dataset("sketchy", small).hash == before.hash
    assert "do not belong" not in problems(small)


def test_upper_case_extensions(small):
    for path in (small / "photo" / "cow").iterdir():
        path.rename(path.with_suffix(".JPG"))
    assert len(open_dataset("sketchy", small).rows(modality="photo", category="cow")) == 3
    assert "no photo" not in problems(small)


def test_missing_strange_and_empty_files(small):
    cow = sorted((small / "sketch" / "cow").iterdir())
    cow[0].unlink()
    (small / "sketch" / "cow" / "n01887787_1-1 (1).png").write_bytes(b"x")
    (small / "sketch" / "cow" / "n99999999_1-1.png").write_bytes(cow[1].read_bytes())
    (small / "sketch" / "cow" / "notes.txt").write_text("x")
    (small / "photo" / "zebra" / "n02391049_1.jpg").touch()
    text = problems(small)
    assert "missing categories (121)" in text and "... and 116 more" in text
    assert cow[0].stem in text
    assert "sketches that are not of Sketchy's aligned set (1)\n    cow/n99999999_1-1" in text
    assert "sketch/cow/n01887787_1-1 (1).png" in text and "sketch/cow/notes.txt" in text
    assert "empty files (1)\n    photo/zebra/n02391049_1.jpg" in text
    assert "sketches that show no photo (1)\n    sketch/cow/n99999999_1-1.png" in text


def test_truncated_jpeg_is_found_by_decoding(small):
    path = next((small / "photo" / "cow").iterdir())
    content = path.read_bytes()
    path.unlink()  # the others are links of the same file
    path.write_bytes(content[: len(content) // 2])
    assert "be decoded" not in problems(small)
    text = problems(small, decode=True)
    assert "images that cannot be decoded (1)" in text and path.name in text and "Unpack the archive again" in text


def test_other_renderings_and_missing_sides(tmp_path):
    for side in ("photo", "sketch"):
        (tmp_path / side / "tx_000100000000" / "cow").mkdir(parents=True)
    with pytest.raises(UserError, match="but not tx_000000000000"):
        open_dataset("sketchy", tmp_path)
    with pytest.raises(UserError, match="stands beside one of sketches.*dpclip data where sketchy"):
        open_dataset("sketchy", tmp_path / "photo")
    with pytest.raises(UserError, match="nowhere is no folder"):
        open_dataset("sketchy", tmp_path / "nowhere")
    with pytest.raises(UserError, match="needs the path"):
        open_dataset("sketchy")


def test_photo_and_sketch_of_different_datasets_are_not_mixed(small, tmp_path):
    (tmp_path / "aaa" / "photo" / "cow").mkdir(parents=True)
    assert len(open_dataset("sketchy", tmp_path).table) == len(open_dataset("sketchy", small).table)


def test_another_rendering_is_another_dataset(small):
    before = open_dataset("sketchy", small).hash
    for path in (small / "photo" / "cow").iterdir():
        path.unlink()
        Image.new("RGB", (90, 90)).save(path)
    assert open_dataset("sketchy", small).hash != before
