"""Readers of the circulated sets and of one's own folder: what is listed of two folders, and which sketch shows what.
Section 11.

Sketchy         photo/.../<category>/n02691156_58.jpg and sketch/.../<category>/n02691156_58-1.png, or flattened
Sketchy-Ext     gallery = aligned photos + all photos of the extended folder, which holds a second copy of each aligned
                one: so the published galleries are counted (see data/sketchy/README.md)
TU-Berlin-Ext   the folders spell the categories: no list of all of them is known
QuickDraw-Ext   the categories of the published list; others are left out
folder          photo/<category>/<name>.jpg and sketch/<category>/<name>-<number>.png `ours`
The sketches and photos of the extended sets meet by category only.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from dpclip.data.layout import aligned, find_folders, scan
from dpclip.data.splits import authors, known_categories
from dpclip.data.tree import SIDES, Tree, make_tree
from dpclip.errors import UserError

PHOTO, SKETCH, EXTENDED = r"(n\d{8}_\d+)", r"(n\d{8}_\d+)-\d+", r"((?i:ext_\d+))"


def read_sketchy(root: Path, folders: dict[str, Path]) -> Tree:
    """Sketchy's aligned photos and sketches; extended photos among them are left out."""
    photos, sketches = (scan(root, aligned(folders[side])) for side in SIDES)
    extended = ~named(photos, EXTENDED)["stray"]
    sides = named(photos[~extended], PHOTO), named(sketches, SKETCH)
    tree = make_tree("sketchy", root, folders, *sides, known_categories("sketchy"), paired=True)
    if extended.any():
        tree.ignored["extended photos (they belong to sketchy-ext)"] = int(extended.sum())
    return tree


def read_sketchy_ext(root: Path, folders: dict[str, Path]) -> Tree:
    """Sketchy and its extended photos. Raises UserError where there are none of these."""
    if "extended" not in folders and folders["photo"].name.casefold() == "photo_basic":
        folders |= find_folders(folders["photo"].parent, {"extended": ["photo"]}, ["photo_basic", "sketch"])
    photos = named(scan(root, aligned(folders["photo"])), f"{PHOTO}|{EXTENDED}")
    if "extended" in folders:
        photos = pd.concat([photos, scan(root, folders["extended"])])
    elif named(photos, EXTENDED)["stray"].all():
        raise UserError(
            f"sketchy-ext: no extended photos below {root}. Put their folder, EXTEND_image_sketchy or extended_photo, "
            "beside the others. See: dpclip data where sketchy-ext"
        )
    sketches = named(scan(root, aligned(folders["sketch"])), SKETCH)
    return make_tree("sketchy-ext", root, folders, photos, sketches, known_categories("sketchy-ext"))


def read_tuberlin_ext(root: Path, folders: dict[str, Path]) -> Tree:
    """TU-Berlin's sketches and the photos of its categories, spelled as in the unseen list, the others as the sketches'
    folders are.
    """
    listed = [category for unseen in authors("tuberlin-ext").values() for category in unseen]
    sides = (scan(root, folders[side]) for side in SIDES)
    return make_tree("tuberlin-ext", root, folders, *sides, listed, others=True)


def read_quickdraw_ext(root: Path, folders: dict[str, Path]) -> Tree:
    """Drawings and photos of the 110 categories of QuickDraw-Ext; those of other categories are left out."""
    sides = (scan(root, folders[side]) for side in SIDES)
    tree = make_tree("quickdraw-ext", root, folders, *sides, known_categories("quickdraw-ext"))
    if other := {path.rpartition("/")[2] for path in tree.foreign}:
        tree.foreign, tree.ignored["categories that are not of QuickDraw-Ext"] = [], len(other)
    return tree


def read_folder(root: Path, folders: dict[str, Path]) -> Tree:
    """Photos and sketches of one's own. A sketch belongs to the photo of its category that has its name, or its name
    before the last hyphen or underscore. Where no sketch does, the set is unpaired; where some do, all must.
    """
    tree = make_tree("folder", root, folders, *(scan(root, folders[side]) for side in SIDES), others=True)
    photo = tree.rows["modality"] == "photo"
    there = set(zip(*(tree.rows[column][photo] for column in ("category", "name")), strict=True))

    def shown(category: str, name: str) -> str:
        stems = sorted((name, name.rpartition("-")[0], name.rpartition("_")[0]), key=len, reverse=True)
        return next((stem for stem in stems if (category, stem) in there), name)

    tree.rows["instance"] = list(map(shown, tree.rows["category"], tree.rows["name"]))
    tree.paired = len(tree.unpaired) < (~photo).sum()
    return tree


def named(files: pd.DataFrame, pattern: str) -> pd.DataFrame:
    """The files of a scan, where each whose whole name does not fit the pattern is a stray; its group is the instance,
    which a sketch has in common with its photo.
    """
    fits = [re.fullmatch(pattern, name) for name in files["name"]]
    instance = [fit[fit.lastindex] if fit else name for fit, name in zip(fits, files["name"], strict=True)]
    return files.assign(instance=instance, stray=files["stray"] | np.array([fit is None for fit in fits], dtype=bool))
