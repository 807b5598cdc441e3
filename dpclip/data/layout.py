"""The folders of a dataset, found however its archive was unpacked: their images, and what does not fit. `ours`"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from dpclip.data.manifest import Manifest
from dpclip.data.splits import assign, canonical, category_words, spelling_key, unseen_categories
from dpclip.errors import UserError

SIDES = {"photo": "photo", "sketch": "human"}  # modality -> style
IMAGES = frozenset(("jpg", "jpeg", "png", "bmp", "gif", "tif", "tiff", "webp"))
JUNK = frozenset(("thumbs.db", "desktop.ini", "__macosx", "icon\r"))  # besides all that begins with a dot
ALIGNED = "tx_000000000000"  # the rendering in which sketch and photo are scaled alike
DEPTH = 4  # levels below the root that are searched, for archives unpacked into a folder of their own


def entries_of(folder: Path) -> list[os.DirEntry]:
    """What is in a folder, by name, without what operating systems leave there; UserError when it cannot be read."""
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
    """The folders of photos and sketches, side by side (UserError when there are none), and of the other purposes."""
    if not root.is_dir():
        raise UserError(f"{root} is no folder. Unpack the archive and give the path. See: dpclip data where {name}")
    sides = {side: wanted[side] for side in ("photo", "sketch")}
    folders = find_folders(root, sides)
    if not folders:
        photos, sketches = (", ".join(names) for names in sides.values())
        what = f"no folder of photos ({photos}) stands beside one of sketches ({sketches})"
        raise UserError(f"{name}: below {root} {what}. See what it must look like: dpclip data where {name}")
    for purpose in wanted.keys() - sides.keys():
        folders |= find_folders(root, {purpose: wanted[purpose]}, [n for names in sides.values() for n in names])
    return folders


def find_folders(root: Path, wanted: dict[str, list[str]], skip: Sequence[str] = ()) -> dict[str, Path]:
    """Purpose -> folder, for the first folder at or below `root`, level by level, that holds one for every purpose, or
    {}. Earlier names go first, in any case. Unreadable folders, and those of a wanted name or in `skip`, are passed by.
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
    """The aligned rendering inside a side of Sketchy, else the side; UserError where there are others only."""
    renderings = [entry for entry in subfolders(folder) if entry.name.casefold().startswith("tx_")]
    for entry in renderings:
        if entry.name.casefold().startswith(ALIGNED):
            return Path(entry.path)
    if renderings:
        others = ", ".join(entry.name for entry in renderings)
        raise UserError(f"{folder} holds {others}, but not {ALIGNED}, the aligned one. Unpack it too.")
    return folder


def scan(root: Path, folder: Path) -> pd.DataFrame:
    """What is in the category folders of one side, sorted. Columns: folder (a category as it is spelled), name (without
    extension), instance (the same), path (from the root), stray (no image, or of a name that is not UTF-8).
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
    return pd.DataFrame(rows, columns=["folder", "name", "instance", "path", "stray"]).astype({"stray": bool})


@dataclass
class Tree:
    """A dataset as found. `rows` holds modality, category, instance, style, path and name (of the file)."""

    name: str
    root: Path
    rows: pd.DataFrame
    foreign: list[str]  # category folders that are no category of the dataset
    strays: list[str]  # files that are no images of the dataset
    folders: dict[str, Path]  # purpose -> folder
    paired: bool = False  # each sketch shows one of the photos
    ignored: dict[str, int] = field(default_factory=dict)  # what belongs to another dataset -> how many

    @property
    def categories(self) -> list[str]:
        return sorted(self.rows["category"].unique())

    @property
    def unpaired(self) -> list[str]:
        """Paths of the sketches that show no photo of their category."""
        shown, photo = pd.MultiIndex.from_frame(self.rows[["category", "instance"]]), self.rows["modality"] == "photo"
        return self.rows["path"][~photo & ~shown.isin(shown[photo])].tolist()

    @property
    def doubled(self) -> list[str]:
        """Paths of images that are there twice on a side, with other extensions or spellings of the category."""
        side = self.rows["path"].str.rsplit("/", n=2).str[0]
        return self.rows["path"][self.rows.assign(side=side).duplicated(["side", "category", "name"])].tolist()

    def lone_categories(self) -> dict[str, list[str]]:
        """Modality -> categories that have no images of it."""
        sides = self.rows.groupby("modality")["category"].unique()
        return {m: sorted(set(self.categories) - set(sides.get(m, ()))) for m in SIDES}

    def listing(self, unseen: str, validation: int = 0) -> Manifest:
        """The manifest by names alone. Raises UserError for what would make it a wrong one: misspelled folders, doubled
        images, sketches without a photo in a paired dataset, categories without sketches or photos.
        """
        check = f"See: dpclip data check {self.name} {self.root}"
        for faulty, what in (
            (self.foreign, "no category of this dataset"),
            (self.doubled, "there twice"),
            (self.unpaired if self.paired else [], "a sketch without a photo"),
        ):
            if faulty:
                more = f" (and {len(faulty) - 1} more)" * (len(faulty) > 1)
                raise UserError(f"{self.name}: {self.root / faulty[0]}{more} is {what}. {check}")
        for modality, lone in self.lone_categories().items():
            if lone:
                raise UserError(f"{self.name}: category {lone[0]!r} has no {modality} in {self.root}. {check}")
        if not len(self.rows):
            raise UserError(f"{self.name}: no image in {self.root}. See: dpclip data where {self.name}")
        sides = assign(self.categories, unseen_categories(self.name, unseen, self.categories), validation)
        table = self.rows.assign(split=self.rows["category"].map(sides))
        text = {category: category_words(category) for category in self.categories}
        return Manifest.of(self.name, self.root, table, text, unpaired=() if self.paired else (SIDES["sketch"],))


def make_tree(
    name: str, root: Path, folders: dict[str, Path], sides: Iterable[pd.DataFrame], known: list, others: bool = False
) -> Tree:
    """The unpaired tree of photos and sketches as `layout.scan` lists them. Categories are spelled as in `known`; with
    `others`, those that it lacks are categories too, spelled as the sketches' folders are.
    """
    rows = pd.concat([side.assign(modality=m, style=SIDES[m]) for m, side in zip(SIDES, sides, strict=True)])
    if others:
        known = list({spelling_key(category): category for category in [*rows["folder"], *known]}.values())
    category = canonical(set(rows["folder"]), known)
    strays = rows["path"][rows["stray"]].tolist()
    rows = rows[~rows["stray"]].assign(category=lambda table: table["folder"].map(category))
    foreign = sorted({path.rsplit("/", 1)[0] for path in rows["path"][rows["category"].isna()]})
    columns = ["modality", "category", "instance", "style", "path", "name"]
    rows = rows[rows["category"].notna()][columns].astype("str").reset_index(drop=True)
    return Tree(name, root, rows, foreign, strays, folders)
