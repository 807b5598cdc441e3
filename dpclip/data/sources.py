"""Datasets by name."""

from pathlib import Path

from dpclip.data import openmoji
from dpclip.data.manifest import Manifest
from dpclip.data.openmoji_list import NAME, ROOT
from dpclip.data.openmoji_list import manifest as openmoji_manifest
from dpclip.errors import UserError


def open_dataset(name: str, root: Path | None = None) -> Manifest:
    """The manifest of a dataset whose images are on disk. Raises UserError with the cure when they are not.

    "openmoji-sbir" is the embedded benchmark and needs no `root`.
    """
    if name != NAME:
        raise UserError(f"dataset {name!r} is unknown. Known: {NAME}.")
    root = Path(root or ROOT)
    if not openmoji.is_built(root):
        raise UserError(f"{root / 'images'} is missing or was drawn by another version. Run: {openmoji.BUILD}")
    listing = openmoji_manifest(root)
    for path in listing.table["path"]:
        if not (root / path).is_file():
            raise UserError(f"{root / path} is missing. Run: {openmoji.BUILD} --force")
    return listing
