"""Datasets by name: what data/sources.toml knows of them, what is read of them, which sketch shows what. Section 11.

Sketchy         photo/.../<category>/n02691156_58.jpg and sketch/.../<category>/n02691156_58-1.png, or flattened
Sketchy-Ext     gallery = aligned photos + all photos of the extended folder, which holds a second copy of each aligned
                one: so the published galleries are counted (see data/sketchy/README.md)
TU-Berlin-Ext   the folders spell the categories: no list of all of them is known
QuickDraw-Ext   the categories of the published list; others are left out
folder          photo/<category>/<name>.jpg and sketch/<category>/<name>-<number>.png `ours`
Sketches and photos of the extended sets meet by category only.
"""

import re
import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from dpclip.data.benchmark import NAME, ROOT, open_benchmark
from dpclip.data.layout import SIDES, Tree, aligned, find_folders, find_sides, make_tree, scan
from dpclip.data.manifest import Manifest, hash_contents
from dpclip.data.splits import UNSEEN, authors, known_categories
from dpclip.errors import UserError
from dpclip.files import DATA

PHOTO, SKETCH, EXTENDED = r"(n\d{8}_\d+)", r"(n\d{8}_\d+)-\d+", r"((?i:ext_\d+))"


def read_sketchy(root: Path, folders: dict[str, Path]) -> Tree:
    """Sketchy's aligned photos and sketches; extended photos among them are left out."""
    photos, sketches = (scan(root, aligned(folders[side])) for side in SIDES)
    extended = ~named(photos, EXTENDED)["stray"]
    sides = named(photos[~extended], PHOTO), named(sketches, SKETCH)
    tree = make_tree("sketchy", root, folders, sides, known_categories("sketchy"))
    tree.paired = True
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
        cure = "Put their folder, EXTEND_image_sketchy or extended_photo, beside the others"
        raise UserError(f"sketchy-ext: no extended photos below {root}. {cure}. See: dpclip data where sketchy-ext")
    sketches = named(scan(root, aligned(folders["sketch"])), SKETCH)
    return make_tree("sketchy-ext", root, folders, (photos, sketches), known_categories("sketchy-ext"))


def read_tuberlin_ext(root: Path, folders: dict[str, Path]) -> Tree:
    """TU-Berlin's sketches and the photos of its categories, spelled as in the unseen list, else as the folders are."""
    listed = [category for unseen in authors("tuberlin-ext").values() for category in unseen]
    sides = (scan(root, folders[side]) for side in SIDES)
    return make_tree("tuberlin-ext", root, folders, sides, listed, others=True)


def read_quickdraw_ext(root: Path, folders: dict[str, Path]) -> Tree:
    """Drawings and photos of the 110 categories of QuickDraw-Ext; those of other categories are left out."""
    sides = (scan(root, folders[side]) for side in SIDES)
    tree = make_tree("quickdraw-ext", root, folders, sides, known_categories("quickdraw-ext"))
    if other := {path.rpartition("/")[2] for path in tree.foreign}:
        tree.foreign, tree.ignored["categories that are not of QuickDraw-Ext"] = [], len(other)
    return tree


def read_folder(root: Path, folders: dict[str, Path]) -> Tree:
    """Photos and sketches of one's own. A sketch belongs to the photo of its category that has its name, or its name
    before the last hyphen or underscore. Where no sketch does, the set is unpaired; where some do, all must.
    """
    tree = make_tree("folder", root, folders, (scan(root, folders[side]) for side in SIDES), [], others=True)
    photo = tree.rows["modality"] == "photo"
    there = set(zip(*(tree.rows[column][photo] for column in ("category", "name")), strict=True))

    def shown(category: str, name: str) -> str:
        stems = sorted((name, name.rpartition("-")[0], name.rpartition("_")[0]), key=len, reverse=True)
        return next((stem for stem in stems if (category, stem) in there), name)

    tree.rows["instance"] = list(map(shown, tree.rows["category"], tree.rows["name"]))
    tree.paired = len(tree.unpaired) < (~photo).sum()
    return tree


def named(files: pd.DataFrame, pattern: str) -> pd.DataFrame:
    """The files of a scan; a name that does not fit the pattern makes a stray, the pattern's group is the instance."""
    fits = [re.fullmatch(pattern, name) for name in files["name"]]
    instance = [fit[fit.lastindex] if fit else name for fit, name in zip(fits, files["name"], strict=True)]
    return files.assign(instance=instance, stray=files["stray"] | np.array([fit is None for fit in fits], dtype=bool))


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


def open_dataset(name: str, root: Path | None = None, unseen: str = "", validation: int = 0) -> Manifest:
    """The manifest of a dataset. Raises UserError when its images are not on disk, or would make a wrong one.

    name        "icon-sbir" (embedded, needs no `root`, has a split of its own), or one of READERS
    unseen      the author of a split ("yelamarthi", "shen", ...) or a file with one category a line; see splits.py
    validation  how many seen categories become the split "val"; see splits.assign
    """
    if name == NAME:
        if unseen or validation:
            raise UserError(f"{NAME} has one fixed split: leave `unseen` and `val_categories` alone.")
        return open_benchmark(Path(root or ROOT))
    tree = read_tree(name, root)
    listing = tree.listing(split_of(name, root, unseen), validation)
    return replace(listing, fingerprint=hash_contents(root, listing.table["path"])[:12])


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
    return unseen or (str(own) if name == "folder" and own.is_file() else sources()[name]["unseen"])
