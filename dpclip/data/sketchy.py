"""Sketchy: every image of its aligned set by name, and a copy of it on disk, in the archive's layout or flattened.

Source: section 11. Names: `photo/.../<category>/n02691156_58.jpg`, `sketch/.../<category>/n02691156_58-1.png`.
"""

import re
from functools import cache
from pathlib import Path

import pandas as pd

from dpclip.data.layout import Files, aligned, find_folders, scan
from dpclip.data.splits import known_categories
from dpclip.data.tree import Tree, foreign, frame, spellings
from dpclip.errors import UserError
from dpclip.files import DATA

PHOTO = re.compile(r"n\d{8}_\d+")
SKETCH = re.compile(r"(n\d{8}_\d+)-\d+")
EXTENDED = re.compile(r"ext_\d+", re.IGNORECASE)
FOLDERS = {
    "photo": ("photo_basic", "photo", "photos", "images"),  # photo_basic first: a photo beside it holds extended ones
    "sketch": ("sketch", "sketches"),
}


@cache
def published_names() -> tuple[frozenset[str], frozenset[str]]:
    """All photos and all sketches of the aligned set, as "<category>/<name without extension>"."""
    table = pd.read_csv(DATA / "sketchy" / "names.tsv.gz", sep="\t", dtype=str)
    photos = (table["category"] + "/" + table["photo_id"]).tolist()
    sketches = [
        f"{photo}-{number}"
        for photo, numbers in zip(photos, table["sketch_numbers"], strict=True)
        for number in numbers.split(",")
    ]
    return frozenset(photos), frozenset(sketches)


def read_sketchy(root: Path) -> Tree:
    """Sketchy's aligned photos and sketches below `root`; extended photos among them are left out. Raises UserError
    when a side is not found.
    """
    folders = find_sides(root, "sketchy", FOLDERS)
    photos, sketches = (scan(root, aligned(folders[side])) for side in ("photo", "sketch"))
    of_another = [EXTENDED.fullmatch(name) is not None for name in photos.name]
    strays = photos.strays
    photos = fitting(photos.keep([not other for other in of_another]), PHOTO)
    sketches = fitting(sketches, SKETCH)
    category = spellings(known_categories("sketchy"), photos, sketches)
    rows = pd.concat(
        [
            frame("photo", photos, category, photos.name),
            frame("sketch", sketches, category, [name.rsplit("-", 1)[0] for name in sketches.name]),
        ]
    )
    tree = Tree("sketchy", root, rows, True, foreign(category, photos, sketches), folders=folders)
    tree.strays = strays + photos.strays + sketches.strays
    if any(of_another):
        tree.ignored["extended photos (they belong to sketchy-ext)"] = sum(of_another)
    return tree


def find_sides(root: Path, name: str, names: dict[str, tuple[str, ...]]) -> dict[str, Path]:
    """The folders of photos and of sketches, which stand side by side. Raises UserError when there are none."""
    if not root.is_dir():
        raise UserError(f"{root} is no folder. Unpack the archive and give the path. See: dpclip data where {name}")
    folders = find_folders(root, names)
    if not folders:
        raise UserError(
            f"{name}: below {root} no folder of photos ({', '.join(names['photo'])}) stands beside one of sketches "
            f"({', '.join(names['sketch'])}). See what it must look like: dpclip data where {name}"
        )
    return folders


def fitting(files: Files, pattern: re.Pattern) -> Files:
    """The files whose whole name fits the pattern; the others become strays."""
    fits = [pattern.fullmatch(name) is not None for name in files.name]
    kept = files.keep(fits)
    kept.strays = files.strays + [path for path, fit in zip(files.path, fits, strict=True) if not fit]
    return kept
