"""A folder of one's own: photo/<category>/<name>.jpg and sketch/<category>/<name>-<number>.png. Source: `ours`."""

from pathlib import Path

import pandas as pd

from dpclip.data.layout import Files, scan
from dpclip.data.sketchy import FOLDERS, find_sides
from dpclip.data.tree import Tree, foreign, frame, spellings

UNSEEN = "unseen.txt"  # in the folder: its unseen categories, one a line


def read_folder(root: Path) -> Tree:
    """Photos and sketches of one's own. A sketch belongs to the photo of its category that has its name, or its name
    before the last hyphen; the set is paired when all do. A sketch that shows no photo is an instance of its own.
    """
    folders = find_sides(root, "folder", FOLDERS)
    photos, sketches = scan(root, folders["photo"]), scan(root, folders["sketch"])
    category = spellings([], photos, sketches)
    instances = shown_photos(category, photos, sketches)
    rows = pd.concat([frame("photo", photos, category, photos.name), frame("sketch", sketches, category, instances)])
    odd = foreign(category, photos, sketches)
    tree = Tree("folder", root, rows, False, odd, photos.strays + sketches.strays, folders=folders)
    tree.paired = len(rows) > 0 and not tree.unpaired
    return tree


def shown_photos(category: dict[str, str], photos: Files, sketches: Files) -> list[str]:
    """For each sketch the name of the photo that it shows, or its own name where there is none."""
    there = {(category.get(folder), name) for folder, name in zip(photos.folder, photos.name, strict=True)}
    return [
        next((n for n in (name, name.rpartition("-")[0]) if (category.get(folder), n) in there), name)
        for folder, name in zip(sketches.folder, sketches.name, strict=True)
    ]
