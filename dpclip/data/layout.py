"""Finding the folders of a dataset however its archive was unpacked, and listing their images. Source: `ours`."""

import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from dpclip.errors import UserError

IMAGES = frozenset(("jpg", "jpeg", "png", "bmp", "gif", "tif", "tiff", "webp"))
JUNK = frozenset(("thumbs.db", "desktop.ini", "__macosx", "icon\r"))  # besides all that begins with a dot
ALIGNED = "tx_000000000000"  # the rendering in which sketch and photo are scaled alike
DEPTH = 4  # levels below the root that are searched, for archives unpacked into a folder of their own


def entries_of(folder: Path) -> list[os.DirEntry]:
    """What is in a folder, sorted by name, without what operating systems leave behind (.DS_Store, Thumbs.db, ...).
    Raises UserError when it cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            kept = (e for e in entries if not e.name.startswith(".") and e.name.casefold() not in JUNK)
            return sorted(kept, key=lambda entry: entry.name)
    except OSError as error:
        raise UserError(f"{folder} cannot be read: {error.strerror}. Check the path and its permissions.") from error


def subfolders(folder: Path) -> list[os.DirEntry]:
    """The folders in a folder, as `entries_of` lists them."""
    return [entry for entry in entries_of(folder) if entry.is_dir()]


def find_sides(root: Path, name: str, wanted: dict[str, list[str]]) -> dict[str, Path]:
    """The folders of photos and of sketches, which stand side by side, and those of other purposes that are there.
    Raises UserError when there is no folder of photos beside one of sketches.
    """
    if not root.is_dir():
        raise UserError(f"{root} is no folder. Unpack the archive and give the path. See: dpclip data where {name}")
    sides = {side: wanted[side] for side in ("photo", "sketch")}
    folders = find_folders(root, sides)
    if not folders:
        raise UserError(
            f"{name}: below {root} no folder of photos ({', '.join(sides['photo'])}) stands beside one of sketches "
            f"({', '.join(sides['sketch'])}). See what it must look like: dpclip data where {name}"
        )
    for purpose in wanted.keys() - sides.keys():
        folders |= find_folders(root, {purpose: wanted[purpose]}, [n for names in sides.values() for n in names])
    return folders


def find_folders(root: Path, wanted: dict[str, list[str]], skip: Sequence[str] = ()) -> dict[str, Path]:
    """Purpose -> folder, for the first folder at or below `root`, level by level, that holds one for every purpose; an
    empty dict when there is none. Earlier names go before later ones; upper and lower case do not matter.

    Folders that bear a wanted name, or one of `skip`, are not searched, nor are unreadable ones.
    """
    names = {name.casefold() for several in (*wanted.values(), skip) for name in several}
    level = [root]
    for _ in range(DEPTH):
        below = []
        for folder in level:
            children = {entry.name.casefold(): Path(entry.path) for entry in subfolders(folder)}
            here = {
                purpose: next((children[n.casefold()] for n in several if n.casefold() in children), None)
                for purpose, several in wanted.items()
            }
            if all(here.values()):
                return {purpose: _inner(found, names) for purpose, found in here.items()}
            below += [path for name, path in children.items() if name not in names]
        level = [folder for folder in below if os.access(folder, os.R_OK | os.X_OK)]
    return {}


def _inner(folder: Path, names: set[str]) -> Path:
    """The folder, or the only one inside it where that bears a wanted name too (sketches/png/...)."""
    below = subfolders(folder)
    return _inner(Path(below[0].path), names) if len(below) == 1 and below[0].name.casefold() in names else folder


def aligned(folder: Path) -> Path:
    """The folder of the aligned rendering inside a side of Sketchy, or the side itself where it is flattened.

    Raises UserError where there are only other renderings.
    """
    renderings = [entry for entry in subfolders(folder) if entry.name.casefold().startswith("tx_")]
    for entry in renderings:
        if entry.name.casefold().startswith(ALIGNED):
            return Path(entry.path)
    if renderings:
        raise UserError(
            f"{folder} holds {', '.join(entry.name for entry in renderings)}, but not {ALIGNED}, in which sketch and "
            "photo are scaled alike. Unpack that one too."
        )
    return folder


def scan(root: Path, folder: Path) -> pd.DataFrame:
    """What is in the category folders of one side, sorted, but for junk. Columns: folder (a category as it is spelled),
    name (without extension), instance (the same), path (relative to the root), and whether it is a stray: no image, or
    of a name that is not UTF-8.
    """
    rows = []
    for category in subfolders(folder):
        prefix = f"{folder.relative_to(root).as_posix()}/{category.name}/"
        for entry in entries_of(category.path):
            path = prefix + entry.name
            text = path.encode("utf-8", "backslashreplace").decode()
            name, _, extension = text.rpartition("/")[2].rpartition(".")
            stray = text != path or extension.lower() not in IMAGES or not entry.is_file()
            rows.append((text.split("/")[-2], name, name, text, stray))
    table = pd.DataFrame(rows, columns=["folder", "name", "instance", "path", "stray"])
    return table.astype({"stray": bool})
