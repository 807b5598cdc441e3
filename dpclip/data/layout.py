"""Finding the folders of a dataset however its archive was unpacked, and listing their images. Source: `ours`."""

import os
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path

from dpclip.errors import UserError

IMAGES = frozenset(("jpg", "jpeg", "png", "bmp", "gif", "tif", "tiff", "webp"))
JUNK = frozenset(("thumbs.db", "desktop.ini", "__macosx", "icon\r"))  # besides all that begins with a dot
ALIGNED = "tx_000000000000"  # the rendering in which sketch and photo are scaled alike
DEPTH = 4  # levels below the root that are searched, for archives unpacked into a folder of their own


@dataclass
class Files:
    """The images of one side of a dataset, one entry each, in columns."""

    folder: list[str] = field(default_factory=list)  # the category folder's name as it is spelled
    name: list[str] = field(default_factory=list)  # the file's name without extension
    path: list[str] = field(default_factory=list)  # relative to the root, with /
    strays: list[str] = field(default_factory=list)  # paths of what is no image

    def add(self, folder: str, names: list[str], paths: list[str]) -> None:
        """Images of one category folder."""
        self.folder += [folder] * len(names)
        self.name += names
        self.path += paths

    def keep(self, fits: list[bool]) -> "Files":
        """The images that fit; strays are not copied."""
        columns = (self.folder, self.name, self.path)
        return Files(*(list(compress(column, fits)) for column in columns))


def is_junk(name: str) -> bool:
    """Whether a file is one that operating systems leave behind (.DS_Store, ._x.jpg, Thumbs.db, ...)."""
    return name.startswith(".") or name.casefold() in JUNK


def subfolders(folder: Path) -> list[os.DirEntry]:
    """The folders in a folder, sorted by name, without junk. Raises UserError when it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted((e for e in entries if not is_junk(e.name) and e.is_dir()), key=lambda entry: entry.name)
    except OSError as error:
        raise UserError(f"{folder} cannot be read: {error.strerror}. Check the path and its permissions.") from error


def find_folders(root: Path, wanted: dict[str, tuple[str, ...]], skip: tuple[str, ...] = ()) -> dict[str, Path]:
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


def scan(root: Path, folder: Path) -> Files:
    """The images in the category folders of one side, sorted. Junk is passed over; names that are not UTF-8, folders
    and other files count as strays.
    """
    files = Files()
    for category in subfolders(folder):
        prefix = f"{folder.relative_to(root).as_posix()}/{category.name}/"
        with os.scandir(category.path) as entries:
            found = {entry.name: entry.is_file() for entry in entries if not is_junk(entry.name)}
        parts = {name: name.rpartition(".") for name in sorted(found) if found[name] and _is_text(name)}
        images = [name for name, (_, _, extension) in parts.items() if extension.lower() in IMAGES]
        files.add(category.name, [parts[name][0] for name in images], [prefix + name for name in images])
        files.strays += [prefix + name for name in sorted(set(found) - set(images))]
    return files


def _is_text(name: str) -> bool:
    if name.isascii():
        return True
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
