"""Datasets by name, and what data/sources.toml knows of them."""

import tomllib
from functools import cache
from pathlib import Path

from dpclip.data.benchmark import NAME, ROOT, open_benchmark
from dpclip.data.layout import find_sides
from dpclip.data.manifest import Manifest
from dpclip.data.readers import read_folder, read_quickdraw_ext, read_sketchy, read_sketchy_ext, read_tuberlin_ext
from dpclip.data.splits import UNSEEN
from dpclip.data.tree import Tree
from dpclip.errors import UserError
from dpclip.files import DATA

READERS = {
    "sketchy": read_sketchy,
    "sketchy-ext": read_sketchy_ext,
    "tuberlin-ext": read_tuberlin_ext,
    "quickdraw-ext": read_quickdraw_ext,
    "folder": read_folder,
}


@cache
def sources() -> dict[str, dict]:
    """The content of data/sources.toml: dataset -> its facts."""
    return tomllib.loads((DATA / "sources.toml").read_text(encoding="utf-8"))


def default_unseen(name: str) -> str:
    """The author whose split is taken when none is named; "" for a folder of one's own."""
    return sources()[name]["unseen"]


def open_dataset(name: str, root: Path | None = None, unseen: str = "", validation: int = 0) -> Manifest:
    """The manifest of a dataset whose images are on disk. Raises UserError with the cure when they are not, or when
    the manifest would be a wrong one.

    name        "openmoji-sbir" (embedded, needs no `root`, has a split of its own), or one of READERS
    unseen      the author of a split ("yelamarthi", "shen", ...) or a file with one category a line; see splits.py
    validation  how many seen categories become the split "val"; see splits.assign
    """
    if name == NAME:
        if unseen or validation:
            raise UserError(f"{NAME} has one fixed split: leave `unseen` and `val_categories` alone.")
        return open_benchmark(Path(root or ROOT))
    return read_tree(name, root).manifest(split_of(name, root, unseen), validation)


def read_tree(name: str, root: Path | None) -> Tree:
    """All images of a dataset below `root`. Raises UserError for an unknown name and a missing folder."""
    if name not in READERS:
        raise UserError(f"dataset {name!r} is unknown. Known: {', '.join([NAME, *READERS])}.")
    if root is None:
        raise UserError(f"{name} needs the path of its folder. See: dpclip data where {name}")
    return READERS[name](Path(root), find_sides(Path(root), name, sources()[name]["folders"]))


def split_of(name: str, root: Path, unseen: str) -> str:
    """The split that is meant: `unseen`, or else unseen.txt in the folder, or else the dataset's default."""
    own = Path(root) / UNSEEN
    if not unseen and name == "folder" and own.is_file():
        return str(own)
    return unseen or default_unseen(name)
