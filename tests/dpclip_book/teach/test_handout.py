"""The zip for a class: what git keeps, notebooks without solutions, the same bytes each time."""

import io
import subprocess
import zipfile

import nbformat
import pytest

from dpclip.errors import UserError
from dpclip_book.teach.handout import make_handout, pack_class

from .chapter import make_chapter


def test_bytes_are_the_same_each_time(tmp_path):
    (tmp_path / "a.ipynb").write_text(nbformat.writes(make_chapter()))
    (tmp_path / "b.txt").write_text("b")
    packed = pack_class(["b.txt", "a.ipynb"], tmp_path)
    assert packed == pack_class(["a.ipynb", "b.txt"], tmp_path)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.namelist() == [f"dpclip-class/{name}" for name in ("START_HERE.md", "a.ipynb", "b.txt")]
        assert b"twice_the_number" not in archive.read("dpclip-class/a.ipynb")


def test_it_holds_what_git_keeps_and_no_solution(tmp_path):
    for name in ("00_a.ipynb", "forgotten.ipynb"):
        (tmp_path / name).write_text(nbformat.writes(make_chapter()))
    with pytest.raises(UserError, match="is no git checkout"):
        make_handout(tmp_path)
    for words in (["init", "-q"], ["add", "00_a.ipynb"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    packed = make_handout(tmp_path)
    assert packed == tmp_path / "_build" / "class" / "dpclip-class.zip"
    with zipfile.ZipFile(packed) as archive:
        assert archive.namelist() == ["dpclip-class/START_HERE.md", "dpclip-class/00_a.ipynb"]
        assert b"never shown" not in archive.read("dpclip-class/00_a.ipynb")
