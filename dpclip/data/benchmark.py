"""The embedded benchmark Icon-SBIR as the library reads it: its icons, its rows, and whether its pictures are those
recorded.

A category is a concept ("guitar"), an instance one artist's drawing of it in one of many openly licensed icon sets:
one photo, and a sketch by each hand of SKILLS (a sketch's file name ends with the skill). What people drew for Quick,
Draw! shows a concept, no certain photo. data/dpclip_prepare draws the pictures. Source: `ours`.
"""

import hashlib
import json
import lzma
import re
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from dpclip.data.manifest import Manifest, hash_contents
from dpclip.errors import UserError
from dpclip.files import DATA, sha256_file

NAME = "icon-sbir"
ROOT = DATA / NAME
ICONS, PEOPLE = "icons.jsonl.xz", "human.npz"
SIGNATURE = "signature.npz"  # what the recorded pictures look like, coarsely
BUILD = "dpclip data build"
BUILT = "images/built.json"  # what was drawn: the hash of the pictures, and whether they are those recorded
SKILLS = (1, 2, 3, 4, 5)  # of the hands, 1 hurried to 5 practised
VALIDATION = 20  # of the seen concepts


@dataclass(frozen=True)
class Icon:
    """One artist's drawing of a concept; monochrome drawings are black."""

    concept: str  # "alarm clock"; empty before an icon is chosen
    set: str
    name: str
    box: str  # SVG view box: x y width height
    body: str  # SVG markup
    coloured: bool

    @cached_property
    def instance(self) -> str:
        """The name of its files, different for every icon of a concept."""
        return re.sub(r"[^a-z0-9]+", "-", f"{self.set}-{self.name}".lower()).strip("-")

    @cached_property
    def category(self) -> str:
        """The concept as a folder's name."""
        return self.concept.replace(" ", "_")


def read_icons(root: Path = ROOT) -> list[Icon]:
    """All icons of the committed table, ordered by concept, set and name. Raises UserError for a damaged file."""
    path = Path(root) / ICONS
    try:
        with lzma.open(path, "rt", encoding="utf-8") as lines:
            return [Icon(**json.loads(line)) for line in lines]
    except (OSError, ValueError, TypeError, EOFError, lzma.LZMAError) as error:
        raise UserError(f"{path} cannot be read ({error}). Restore it: git checkout -- {path}") from error


def split_by_name(concepts: set[str]) -> dict[str, str]:
    """seen, val or unseen for each concept. The rule was written down before any result: a concept is unseen when the
    SHA-256 of its name, as a number, is divisible by four; of the others, the 20 with the smallest are for validation.
    """
    number = {concept: int(hashlib.sha256(concept.encode()).hexdigest(), 16) for concept in concepts}
    seen = sorted((concept for concept in concepts if number[concept] % 4), key=number.get)
    return {concept: "unseen" for concept in concepts - set(seen)} | {
        concept: "val" if place < VALIDATION else "seen" for place, concept in enumerate(seen)
    }


def human_drawings(root: Path = ROOT) -> dict[str, np.ndarray]:
    """Concept -> (100, 28, 28) uint8 ink, 0 white to 3 black, where people drew it. UserError for a damaged file."""
    path = Path(root) / PEOPLE
    try:
        with np.load(path, allow_pickle=False) as file:
            return {concept: file[concept] for concept in file.files}
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error}). In its folder: git checkout -- {path.name}") from error


def image_path(kind: str, category: str, name: str) -> str:
    """Where an image lies below the root; `kind` is photo, sketch or human."""
    return f"images/{kind}/{category}/{name}.png"


def recorded(root: Path = ROOT) -> Manifest:
    """Every image of the benchmark as the repository records it, whether it is built here or not."""
    root, rows, icons = Path(root), [], read_icons(root)
    split, people = split_by_name({icon.concept for icon in icons}), human_drawings(root)
    words = {icon.category: icon.concept for icon in icons}
    for icon in icons:
        base = {"category": icon.category, "instance": icon.instance, "split": split[icon.concept]}
        path = image_path("photo", icon.category, icon.instance)
        rows.append(base | {"modality": "photo", "style": "photo", "path": path})
        for skill in SKILLS:
            path = image_path("sketch", icon.category, f"{icon.instance}-{skill}")
            rows.append(base | {"modality": "sketch", "style": "warped", "path": path})
    for category, concept in words.items():
        for number in range(len(people.get(concept, ()))):
            name = f"person-{number:02d}"
            base = {"category": category, "instance": name, "split": split[concept]}
            rows.append(base | {"modality": "sketch", "style": "human", "path": image_path("human", category, name)})
    looks = root / SIGNATURE
    return Manifest.of(NAME, root, rows, words, sha256_file(looks)[:12] if looks.exists() else "", unpaired=("human",))


def open_benchmark(root: Path = ROOT) -> Manifest:
    """The benchmark whose pictures are on disk; pictures unlike the recorded ones are a data set with another hash.
    Raises UserError when pictures are missing, or are not those that were drawn.
    """
    listing, built = recorded(root), read_built(root)
    if built is None:
        raise UserError(f"{root / BUILT} is missing: the pictures are not drawn yet. Run: {BUILD}")
    try:
        contents = hash_contents(listing.root, listing.table["path"])
    except UserError as error:
        raise UserError(f"{error} Run: {BUILD} --force") from error
    if contents != built["contents"]:
        raise UserError(f"pictures in {root / 'images'} are not those that were drawn. Run: {BUILD} --force")
    return listing if built["recorded"] else replace(listing, fingerprint=contents[:12])


def read_built(root: Path = ROOT) -> dict | None:
    """What BUILT says, None when it is not there or is damaged."""
    try:
        built = json.loads((Path(root) / BUILT).read_text(encoding="utf-8"))
        return built if {"contents", "recorded", "key"} <= built.keys() else None
    except (OSError, ValueError, AttributeError):
        return None
