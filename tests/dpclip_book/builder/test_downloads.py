"""The page Downloads: every file is there, opens, and is the same bytes each time."""

import io
import re
import zipfile

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from dpclip.commands.table_commands import TABLES
from dpclip.files import ROOT
from dpclip_book.builder.downloads import archive, write_downloads


@pytest.fixture(scope="module")
def offered(tmp_path_factory):
    """The folder of downloads without a PDF, the same with one, and the Markdown of each."""
    base = tmp_path_factory.mktemp("downloads")
    chapter = base / "00_first.ipynb"
    nbformat.write(new_notebook(cells=[new_markdown_cell("# A chapter\n\ntext")]), chapter)
    bare = write_downloads(base / "bare", [chapter], base / "dp-clip.pdf", "smoke")
    (base / "dp-clip.pdf").write_bytes(b"%PDF")
    return base, bare, write_downloads(base / "full", [chapter], base / "dp-clip.pdf", "smoke")


def test_every_link_leads_to_a_file_and_every_file_is_linked(offered):
    base, bare, full = offered
    for folder, text in (("bare", bare), ("full", full)):
        linked = set(re.findall(r'href="\.\./downloads/([^"]+)"', text))
        files = {path.relative_to(base / folder).as_posix() for path in (base / folder).rglob("*") if path.is_file()}
        assert linked == files
    assert "make pdf PRESET=smoke" in bare and "dp-clip.pdf" in full
    assert "00_first.ipynb</a> (1 kB): A chapter" in full


def test_the_archive_holds_all_records(offered):
    with zipfile.ZipFile(offered[0] / "bare" / "records.zip") as zipped:
        assert zipped.testzip() is None
        names = zipped.namelist()
        assert zipped.read("records/tolerance.toml") == (ROOT / "data/records/tolerance.toml").read_bytes()
    assert names == sorted(names)
    assert len(names) == sum(path.is_file() for path in (ROOT / "data" / "records").rglob("*"))


def test_same_files_same_bytes(tmp_path):
    (tmp_path / "a").write_text("a")
    first = archive([tmp_path / "a"], tmp_path)
    (tmp_path / "a").touch()
    assert archive([tmp_path / "a"], tmp_path) == first
    assert zipfile.ZipFile(io.BytesIO(first)).read("a") == b"a"


@pytest.mark.parametrize("number", TABLES)
def test_tables_are_csv_with_kinds_apart(offered, number):
    table = pd.read_csv(offered[0] / "bare" / "tables" / f"table{number}.csv")
    assert len(table)
    if number != 5:
        assert "published" in set(table["kind"]) and table["kind"].notna().all()
