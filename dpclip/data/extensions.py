"""The three extended sets of category-level retrieval. Their sketches and photos meet by category only. Section 11.

Sketchy-Ext     gallery = aligned photos + all photos of the extended folder, which holds a second copy of each aligned
                one: so the published galleries are counted (see data/sketchy/README.md)
TU-Berlin-Ext   sketches of TU-Berlin; the folders spell the categories, no list of all of them is known
QuickDraw-Ext   sketches and photos as image folders; the categories of the published list
"""

import re
from pathlib import Path

import pandas as pd

from dpclip.data.layout import Files, aligned, find_folders, scan
from dpclip.data.sketchy import EXTENDED, FOLDERS, PHOTO, SKETCH, find_sides, fitting
from dpclip.data.spelling import canonical
from dpclip.data.splits import authors, known_categories
from dpclip.data.tree import Tree, foreign, frame, spellings
from dpclip.errors import UserError

EXTENDED_FOLDERS = (
    "EXTEND_image_sketchy",
    "EXTEND_image_sketchy_ready",
    "extended_photo",
    "extended_photos",
    "photo_extended",
)
ANY_PHOTO = re.compile(f"{PHOTO.pattern}|{EXTENDED.pattern}", re.IGNORECASE)
TUBERLIN = {
    "photo": ("ImageResized", "ImageResized_ready", "images", "photo", "photos"),
    "sketch": ("png", "png_ready", "sketches", "sketch"),
}
QUICKDRAW = {
    "photo": ("images", "photo", "photos", "QuickDraw_images_final"),
    "sketch": ("sketches", "sketch", "drawings", "QuickDraw_sketches_final"),
}


def read_sketchy_ext(root: Path) -> Tree:
    """Sketchy and its extended photos below `root`. Raises UserError when a side or the extended photos are missing."""
    folders = find_sides(root, "sketchy-ext", FOLDERS)
    folders |= find_folders(root, {"extended": EXTENDED_FOLDERS}, FOLDERS["photo"] + FOLDERS["sketch"])
    if "extended" not in folders and folders["photo"].name.casefold() == "photo_basic":
        folders |= find_folders(folders["photo"].parent, {"extended": ("photo",)}, ("photo_basic", "sketch"))
    photos = fitting(scan(root, aligned(folders["photo"])), ANY_PHOTO)
    more = scan(root, folders["extended"]) if "extended" in folders else Files()
    sketches = fitting(scan(root, aligned(folders["sketch"])), SKETCH)
    if not more.path and not any(EXTENDED.fullmatch(name) for name in photos.name):
        raise UserError(
            f"sketchy-ext: no extended photos below {root}. Put their folder beside the others "
            f"({', '.join(EXTENDED_FOLDERS[:3])}). See: dpclip data where sketchy-ext"
        )
    category = spellings(known_categories("sketchy-ext"), photos, more, sketches)
    rows = pd.concat(
        [
            frame("photo", photos, category, photos.name),
            frame("photo", more, category, more.name),
            frame("sketch", sketches, category, [name.rsplit("-", 1)[0] for name in sketches.name]),
        ]
    )
    odd = foreign(category, photos, more, sketches)
    strays = photos.strays + more.strays + sketches.strays
    return Tree("sketchy-ext", root, rows, False, odd, strays, folders=folders)


def read_tuberlin_ext(root: Path) -> Tree:
    """TU-Berlin's sketches and the photos of its categories. Categories are spelled as in the unseen list, the others
    as the sketches' folders are.
    """
    folders = find_sides(root, "tuberlin-ext", TUBERLIN)
    sketches, photos = scan(root, folders["sketch"]), scan(root, folders["photo"])
    category = spellings([], sketches, photos)
    listed = canonical(category.values(), [c for unseen in authors("tuberlin-ext").values() for c in unseen])
    category = {folder: listed.get(own, own) for folder, own in category.items()}
    rows = pd.concat(
        [frame("photo", photos, category, photos.name), frame("sketch", sketches, category, sketches.name)]
    )
    return Tree("tuberlin-ext", root, rows, False, [], photos.strays + sketches.strays, folders=folders)


def read_quickdraw_ext(root: Path) -> Tree:
    """Drawings and photos of the 110 categories of QuickDraw-Ext; those of other categories are left out."""
    folders = find_sides(root, "quickdraw-ext", QUICKDRAW)
    photos, sketches = scan(root, folders["photo"]), scan(root, folders["sketch"])
    category = spellings(known_categories("quickdraw-ext"), photos, sketches)
    rows = pd.concat(
        [frame("photo", photos, category, photos.name), frame("sketch", sketches, category, sketches.name)]
    )
    tree = Tree("quickdraw-ext", root, rows, False, [], photos.strays + sketches.strays, folders=folders)
    other = {folder for side in (photos, sketches) for folder in side.folder} - set(category)
    if other:
        tree.ignored["categories that are not of QuickDraw-Ext"] = len(other)
    return tree
