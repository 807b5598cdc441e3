"""What the folders of a dataset hold, before it is split: the rows of a manifest, and all that does not fit."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from dpclip.data.manifest import Manifest, hash_contents
from dpclip.data.splits import assign, canonical, category_words, spelling_key, unseen_categories
from dpclip.errors import UserError

SIDES = {"photo": "photo", "sketch": "human"}  # modality -> style


@dataclass
class Tree:
    """A dataset as found. `rows` holds modality, category, instance, style, path and name (of the file)."""

    name: str
    root: Path
    rows: pd.DataFrame
    paired: bool  # each sketch shows one of the photos
    foreign: list[str]  # category folders that are no category of the dataset
    strays: list[str]  # files that are no images of the dataset
    folders: dict[str, Path]  # purpose -> folder
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
        """Paths of images that are there a second time in the folders of their side: with another extension, or under
        another spelling of the category.
        """
        side = self.rows["path"].str.rsplit("/", n=2).str[0]
        return self.rows["path"][self.rows.assign(side=side).duplicated(["side", "category", "name"])].tolist()

    def lone_categories(self) -> dict[str, list[str]]:
        """Modality -> categories that have no images of it."""
        sides = self.rows.groupby("modality")["category"].unique()
        return {m: sorted(set(self.categories) - set(sides.get(m, ()))) for m in SIDES}

    def manifest(self, unseen: str, validation: int) -> Manifest:
        """The manifest under a split. Raises UserError as `listing` does, and for a file that cannot be read."""
        contents = hash_contents(self.root, self.rows["path"])[:12]
        return replace(self.listing(unseen, validation), fingerprint=contents)

    def listing(self, unseen: str, validation: int = 0) -> Manifest:
        """The manifest by names alone: no picture is read. Raises UserError for what would make it a wrong one:
        misspelled folders, doubled images, sketches without a photo in a paired dataset, categories without sketches or
        photos.
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
        return Manifest.of(self.name, self.root, table, text, paired=self.paired)


def make_tree(
    name: str,
    root: Path,
    folders: dict[str, Path],
    photos: pd.DataFrame,
    sketches: pd.DataFrame,
    known: Sequence[str] = (),
    others: bool = False,
    paired: bool = False,
) -> Tree:
    """The tree of two sides as `layout.scan` lists them. Categories are spelled as in `known`; with `others`, those
    that it lacks are categories too, spelled as the sketches' folders are.
    """
    rows = pd.concat([s.assign(modality=m, style=SIDES[m]) for m, s in (("photo", photos), ("sketch", sketches))])
    if others:
        met = {spelling_key(category): category for category in [*photos["folder"], *sketches["folder"], *known]}
        known = list(met.values())
    category = canonical(set(rows["folder"]), known)
    strays = rows["path"][rows["stray"]].tolist()
    rows = rows[~rows["stray"]].assign(category=lambda table: table["folder"].map(category))
    foreign = sorted({path.rsplit("/", 1)[0] for path in rows["path"][rows["category"].isna()]})
    columns = ["modality", "category", "instance", "style", "path", "name"]
    rows = rows[rows["category"].notna()][columns].astype("str").reset_index(drop=True)
    return Tree(name, root, rows, paired, foreign, strays, folders)
