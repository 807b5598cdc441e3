"""One table for every dataset: which image shows which object, in which modality and style, and in which split."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from dpclip.errors import UserError

COLUMNS = ["modality", "category", "instance", "style", "path", "split"]
MODALITIES = ("photo", "sketch")
SPLITS = ("seen", "val", "unseen")


@dataclass(frozen=True)
class Manifest:
    """A dataset as rows. The row number is the identity of an image everywhere else (caches, batches, results).

    A photo and a sketch belong together when they share (category, instance); in a dataset that is not `paired`, by
    their category only. Build one with `Manifest.of`, which sorts the rows.
    """

    name: str  # "openmoji-sbir", "sketchy", ...
    root: Path  # the folder that the paths are relative to
    table: pd.DataFrame  # COLUMNS; index 0..N-1 = row number; sorted by the first five columns
    text: dict[str, str] = field(default_factory=dict)  # category -> words for the text encoder
    fingerprint: str = ""  # extra identity of the bytes, for example a hash of their statistics
    paired: bool = True  # each sketch shows one of the photos

    @classmethod
    def of(
        cls,
        name: str,
        root: Path,
        rows: list[dict] | pd.DataFrame,
        text: dict[str, str],
        fingerprint: str = "",
        paired: bool = True,
    ) -> "Manifest":
        """Sort and number `rows` (of COLUMNS), check them, make the manifest. UserError for a broken rule."""
        table = pd.DataFrame(rows, columns=COLUMNS).sort_values(COLUMNS[:5], ignore_index=True)
        for column, allowed in (("modality", MODALITIES), ("split", SPLITS)):
            odd = sorted(set(table[column]) - set(allowed))
            if odd:
                raise UserError(f"{name}: {column} {odd[0]!r} is unknown. Use one of {', '.join(allowed)}.")
        sides = table.groupby("category")["split"].nunique()
        if (sides > 1).any():
            raise UserError(f"{name}: category {sides.idxmax()!r} is in two splits. Give every category one split.")
        wordless = sorted(set(table["category"]) - set(text))
        if wordless:
            raise UserError(f"{name}: category {wordless[0]!r} has no words for the text encoder. Add them to `text`.")
        if table["path"].duplicated().any():
            raise UserError(
                f"{name}: {table['path'][table['path'].duplicated()].iloc[0]} is listed twice. List it once."
            )
        return cls(name, Path(root), table, dict(text), fingerprint, paired)

    @property
    def hash(self) -> str:
        """12 hexadecimal digits that change with any row, any category's words, or the fingerprint."""
        content = [self.table.to_csv(index=True), json.dumps(self.text, sort_keys=True), self.fingerprint]
        return hashlib.sha256("\0".join(content).encode("utf-8")).hexdigest()[:12]

    def rows(self, **equals: str) -> np.ndarray:
        """Sorted row numbers (int64) of the images with these column values: rows(modality="photo", split="val")."""
        mask = np.ones(len(self.table), dtype=bool)
        for column, value in equals.items():
            if column not in COLUMNS:
                raise UserError(f"{self.name}: no column {column!r}. The columns are {', '.join(COLUMNS)}.")
            mask &= (self.table[column] == value).to_numpy()
        return np.flatnonzero(mask)

    @property
    def styles(self) -> list[str]:
        """The styles of the sketches, the one that trains first: "warped" where it exists, else "human"."""
        return sorted(self.table["style"][self.table["modality"] == "sketch"].unique(), reverse=True)

    def categories(self, split: str) -> list[str]:
        """The sorted category names of one split."""
        return sorted(self.table["category"].iloc[self.rows(split=split)].unique())

    def examples(self, wanted: list[str]) -> list[str]:
        """As many unseen categories as are `wanted`: of those the ones that are here, then others in sorted order."""
        unseen = self.categories("unseen")
        here = [category for category in wanted if category in unseen]
        return [*here, *(category for category in unseen if category not in here)][: len(wanted)]
