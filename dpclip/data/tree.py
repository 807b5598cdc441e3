"""What the folders of a dataset hold, before it is split: the rows of a manifest, and all that does not fit."""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from dpclip.data.contents import hash_contents
from dpclip.data.layout import Files
from dpclip.data.manifest import Manifest
from dpclip.data.spelling import canonical, key, words
from dpclip.data.splits import assign, unseen_categories
from dpclip.errors import UserError

SIDES = {"photo": "photo", "sketch": "human"}  # modality -> style


@dataclass
class Tree:
    """A dataset as found. `rows` holds modality, category, instance, style, path and name (of the file)."""

    name: str
    root: Path
    rows: pd.DataFrame
    paired: bool
    foreign: list[str] = field(default_factory=list)  # category folders that are no category of the dataset
    strays: list[str] = field(default_factory=list)  # files that are no images of the dataset
    ignored: dict[str, int] = field(default_factory=dict)  # what belongs to another dataset -> how many
    folders: dict[str, Path] = field(default_factory=dict)  # purpose -> folder

    @property
    def categories(self) -> list[str]:
        return sorted(self.rows["category"].unique())

    def side(self, modality: str) -> pd.DataFrame:
        return self.rows[self.rows["modality"] == modality]

    def columns(self, modality: str, *names: str) -> list[tuple]:
        """The rows of one side as tuples of some columns."""
        own = self.side(modality)
        return list(zip(*(own[name].to_numpy(dtype=object) for name in names), strict=True))

    @property
    def unpaired(self) -> list[str]:
        """Paths of the sketches that show no photo of their category."""
        photos = set(self.columns("photo", "category", "instance"))
        sketches = self.columns("sketch", "category", "instance", "path")
        return [path for category, instance, path in sketches if (category, instance) not in photos]

    @property
    def doubled(self) -> list[str]:
        """Paths of images that are there a second time in the folders of their side: with another extension, or under
        another spelling of the category.
        """
        again, seen = [], set()
        for modality in SIDES:
            for category, name, path in self.columns(modality, "category", "name", "path"):
                if (place := (path.rsplit("/", 2)[0], category, name)) in seen:
                    again.append(path)
                seen.add(place)
        return again

    def lone_categories(self) -> dict[str, list[str]]:
        """Modality -> categories that have no images of it."""
        return {m: sorted(set(self.categories) - set(self.side(m)["category"])) for m in SIDES}

    def manifest(self, unseen: str, validation: int) -> Manifest:
        """The manifest under a split. Raises UserError for what would make it a wrong one: misspelled folders,
        doubled images, sketches without a photo in a paired dataset, categories without sketches or photos.
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
        text = {category: words(category) for category in self.categories}
        contents = hash_contents(self.root, self.rows["path"])[:12]
        return Manifest.of(self.name, self.root, table, text, contents, self.paired)


def frame(modality: str, files: Files, category: dict[str, str], instance: list[str]) -> pd.DataFrame:
    """The rows of one side; files of folders that are no category are left out. `instance` is one for each file."""
    table = pd.DataFrame(
        {
            "modality": modality,
            "category": [category.get(folder) for folder in files.folder],
            "instance": instance,
            "style": SIDES[modality],
            "path": files.path,
            "name": files.name,
        }
    )
    return table[table["category"].notna()].astype("str")


def spellings(known: list[str], *sides: Files) -> dict[str, str]:
    """Folder name -> canonical category for the folders of all sides; folders that are no category are left out.

    Where no list is known, the categories are spelled as in the first side that has them.
    """
    folders = [sorted(set(side.folder)) for side in sides]
    if not known:
        first: dict[str, str] = {}
        for name in (name for names in folders for name in names):
            first.setdefault(key(name), name)
        known = list(first.values())
    return canonical({name for names in folders for name in names}, known)


def foreign(category: dict[str, str], *sides: Files) -> list[str]:
    """Paths of the category folders with images that are no category of the dataset."""
    return sorted(
        {
            path.rsplit("/", 1)[0]
            for side in sides
            for folder, path in zip(side.folder, side.path, strict=True)
            if folder not in category
        }
    )
