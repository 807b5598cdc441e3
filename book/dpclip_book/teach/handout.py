"""What a teacher hands out: this working copy as a zip, its notebooks without solutions."""

import io
import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path

import nbformat

from dpclip.errors import UserError
from dpclip.files import ROOT, atomic_write_bytes
from dpclip_book.teach.editions import student

FOLDER = "dpclip-class"  # in which everything lies when the zip is unpacked
START = """# Start here

1. You need Python 3.11 to 3.14, `git` and `make`.
2. `make lab` installs the package into `.venv` and opens the chapters. The first time takes some minutes.
3. Exercises are at the end of each chapter. Write your code where it says `raise NotImplementedError`, run the
   cell, then the cell below it, which checks you.

On Windows, or with conda: see `environment.yml` and the page *Set up a class* (`book/class_setup.md`).
"""


def make_handout(root: Path = ROOT) -> Path:
    """Write _build/class/dpclip-class.zip with all files that git keeps; returns its path.

    Raises UserError outside a git checkout.
    """
    command = ["git", "ls-files", "-z", "--cached"]
    try:
        listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise UserError(
            f"{root} is no git checkout, so which files belong to it is not known. Clone it anew."
        ) from error
    files = [name for name in listed.split("\0") if name and (root / name).is_file()]
    target = root / "_build" / "class" / f"{FOLDER}.zip"
    atomic_write_bytes(target, pack_class(files, root))
    return target


def pack_class(files: Sequence[str], root: Path) -> bytes:
    """A zip of `files` below `root` with the student's edition of its notebooks; the same bytes each time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        add(archive, "START_HERE.md", START.encode())
        for name in sorted(files):
            content = (root / name).read_bytes()
            if name.endswith(".ipynb"):
                notebook = student(nbformat.reads(content.decode("utf-8"), as_version=4), name)
                content = (nbformat.writes(notebook) + "\n").encode()
            add(archive, name, content)
    return buffer.getvalue()


def add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(f"{FOLDER}/{name}")  # dated 1980, as all
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
