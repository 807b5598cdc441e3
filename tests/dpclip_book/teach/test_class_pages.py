"""Tables for teachers: from records, and honest where there is none."""

import json

import nbformat

from dpclip_book.chapters import find_chapters
from dpclip_book.teach.class_pages import chapters_table, folder_size, read_measured, sizes_table, write_measured

from .chapter import make_chapter


def test_what_a_chapter_took_is_kept_and_shown(tmp_path):
    (tmp_path / "notebooks").mkdir()
    for name in ("00_a", "01_b"):
        nbformat.write(make_chapter(), tmp_path / "notebooks" / f"{name}.ipynb")
    one, two = find_chapters("mini", tmp_path)
    row = "| [A chapter](../notebooks/00_a.ipynb) | 1 | 1 | 1 |"
    assert f"{row} not measured yet | not measured yet |" in chapters_table([one, two], tmp_path)

    one.build.mkdir(parents=True)
    took = {"seconds": 90.0, "peak_mb": 812, "hardware": "2 cores", "commit": "abc"}
    (one.build / "00_a.json").write_text(json.dumps(took))
    write_measured([one, two], "mini", tmp_path)
    assert read_measured("mini", tmp_path)["00_a"] == {"seconds": 90.0, "peak_mb": 812, "hardware": "2 cores"}
    table = chapters_table([one, two], tmp_path)
    assert f"{row} 1.5 | 812 |" in table and "measured on 2 cores." in table and table.count("not measured yet") == 2


def test_sizes_are_of_this_copy(tmp_path, monkeypatch):
    monkeypatch.setattr("dpclip_book.teach.class_pages.environment_size", lambda: 7_000_000_000)
    pictures = tmp_path / "data" / "icon-sbir" / "images"
    pictures.mkdir(parents=True)
    (pictures / "a.png").write_bytes(b"0" * 3_000_000)
    (tmp_path / "data" / "b").write_bytes(b"0" * 2_000_000)
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "c").write_bytes(b"0" * 9_000_000)
    table = sizes_table(tmp_path)
    assert "without its history | 2 |" in table and "`make data` | 3 |" in table and "| 7,000 |" in table
    assert folder_size(tmp_path) == 14_000_000
