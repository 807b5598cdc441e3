"""One table for every dataset: which image shows what, in which modality, style and split; and a dataset's identity."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track

from dpclip.errors import UserError
from dpclip.files import BUILD_FOLDER, atomic_write_text, sha256_file

HASHES = BUILD_FOLDER / "contents"  # hashes of contents that were taken before, a small file a data set
COLUMNS = ["modality", "category", "instance", "style", "path", "split"]
SPLITS = ("seen", "val", "unseen")
PART = 512  # files that a thread reads at a time: a task for each costs more than reading it


@dataclass(frozen=True)
class Manifest:
    """A dataset as rows, made by `Manifest.of`. Everywhere else the row number is the identity of an image. A photo and
    a sketch belong together by (category, instance); sketches of an `unpaired` style, by category only.
    """

    name: str  # "icon-sbir", "sketchy", ...
    root: Path  # the folder that the paths are relative to
    table: pd.DataFrame  # COLUMNS; index 0..N-1 = row number; sorted by the first five columns
    text: dict[str, str] = field(default_factory=dict)  # category -> words for the text encoder
    fingerprint: str = ""  # extra identity of the bytes, for example a hash of their statistics
    unpaired: tuple[str, ...] = ()  # styles of sketches that show no certain photo

    @classmethod
    def of(
        cls, name: str, root: Path, rows: list | pd.DataFrame, text: dict, fingerprint: str = "", unpaired: tuple = ()
    ) -> "Manifest":
        """Sort and number `rows` (of COLUMNS), check them, make the manifest. UserError for a broken rule."""
        table = pd.DataFrame(rows, columns=COLUMNS).sort_values(COLUMNS[:5], ignore_index=True)
        for column, allowed in (("modality", ("photo", "sketch")), ("split", SPLITS)):
            if odd := sorted(set(table[column]) - set(allowed)):
                raise UserError(f"{name}: {column} {odd[0]!r} is unknown. Use one of {', '.join(allowed)}.")
        if ((sides := table.groupby("category")["split"].nunique()) > 1).any():
            raise UserError(f"{name}: category {sides.idxmax()!r} is in two splits. Give every category one split.")
        if wordless := sorted(set(table["category"]) - set(text)):
            raise UserError(f"{name}: category {wordless[0]!r} has no words for the text encoder. Add them to `text`.")
        if (twice := table["path"].duplicated()).any():
            raise UserError(f"{name}: {table['path'][twice].iloc[0]} is listed twice. List it once.")
        return cls(name, Path(root), table, dict(text), fingerprint, unpaired)

    @cached_property
    def hash(self) -> str:
        """12 hexadecimal digits that change with any row, any category's words, or the fingerprint."""
        content = [self.table.to_csv(index=True), json.dumps(self.text, sort_keys=True), self.fingerprint]
        return hashlib.sha256("\0".join(content).encode("utf-8")).hexdigest()[:12]

    @cached_property
    def _codes(self) -> dict[str, tuple[np.ndarray, dict[str, int]]]:
        """Column -> (number of each row's value, value -> number): comparing numbers is fast where rows are many."""
        found = {column: pd.factorize(self.table[column]) for column in COLUMNS}
        return {
            column: (codes, {value: n for n, value in enumerate(values)}) for column, (codes, values) in found.items()
        }

    def rows(self, **equals: str) -> np.ndarray:
        """Sorted row numbers (int64) of the images with these column values: rows(modality="photo", split="val")."""
        mask = np.ones(len(self.table), dtype=bool)
        for column, value in equals.items():
            codes, numbers = self._codes[column]
            mask &= codes == numbers.get(value, -1)  # which no row has
        return np.flatnonzero(mask)

    @cached_property
    def styles(self) -> list[str]:
        """The styles of the sketches, the one that trains first: "warped" where it exists, else "human"."""
        return sorted(self.table["style"][self.table["modality"] == "sketch"].unique(), reverse=True)

    @property
    def paired(self) -> list[str]:
        """The styles whose sketches each show one of the photos: those that fine-grained retrieval is tested with."""
        return [style for style in self.styles if style not in self.unpaired]

    def categories(self, split: str) -> list[str]:
        """The sorted category names of one split."""
        return sorted(self.table["category"].iloc[self.rows(split=split)].unique())

    def examples(self, wanted: list[str]) -> list[str]:
        """As many unseen categories as are `wanted`: of those the ones that are here, then others in sorted order."""
        unseen = self.categories("unseen")
        here = [category for category in wanted if category in unseen]
        return [*here, *(category for category in unseen if category not in here)][: len(wanted)]


def hash_contents(root: Path, paths: Iterable[str]) -> str:
    """64 hexadecimal digits that change with any name and any byte of the files `paths` below `root`. They are read
    once; the hash is kept while their sizes and times stay. Raises UserError naming a file that cannot be read.
    """
    root, paths = Path(root).resolve(), sorted(paths)
    states = (_reading(os.stat, f"{root}/{path}") for path in paths)  # as text: a Path each takes longer
    state = _hash([(s.st_size, s.st_mtime_ns, s.st_ctime_ns) for s in states])
    kept = HASHES / _hash([str(root), *paths])[:24]
    if kept.is_file() and (known := kept.read_text().split())[:1] == [state] and len(known) == 2:
        return known[1]
    console, total = Console(stderr=True), hashlib.sha256()
    parts = [paths[first : first + PART] for first in range(0, len(paths), PART)]
    with ThreadPoolExecutor() as pool:
        found = pool.map(lambda part: [_reading(sha256_file, f"{root}/{path}") for path in part], parts)
        shown = {"console": console, "transient": True, "disable": not console.is_terminal}
        for part, digests in zip(parts, track(found, "reading pictures", len(parts), **shown), strict=True):
            for path, digest in zip(part, digests, strict=True):
                total.update(f"{path}\0{digest}\n".encode())
    atomic_write_text(kept, f"{state} {total.hexdigest()}\n")
    return total.hexdigest()


def _hash(content: list) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _reading(function: Callable[[Path], Any], path: Path | str) -> Any:
    try:
        return function(path)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}). Check the file and its permissions.") from error
