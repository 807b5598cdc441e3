"""The embedded benchmark as the library reads it: its lists, its rows, and whether its pictures are those recorded.

Every object has one photo and a sketch by each hand of SKILLS (a sketch's file name ends with the skill); objects that
people drew for Quick, Draw! have human sketches too. data/dpclip_prepare draws the pictures. Source: `ours`.
"""

import csv
import json
import re
import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np

from dpclip.data.manifest import Manifest, hash_contents
from dpclip.errors import UserError
from dpclip.files import DATA, sha256_file

NAME = "openmoji-sbir"
ROOT = DATA / NAME
BUILD = "dpclip data build"
BUILT = "images/built.json"  # what was drawn: the hash of the pictures, and whether they are those recorded
SKILLS = (1, 2, 3, 4, 5)  # of the hands, 1 hurried to 5 practised


def read_csv(path: Path) -> list[dict]:
    """The rows of a CSV file as dicts of strings."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def objects(root: Path = ROOT) -> list[dict]:
    """The committed objects as dicts of codepoint, name, category, split and instance: the name in plain letters."""
    rows = read_csv(Path(root) / "objects.csv")
    for row in rows:
        plain = unicodedata.normalize("NFKD", row["name"]).encode("ascii", "ignore").decode().lower()
        row["instance"] = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")  # T-Rex -> t-rex
    return rows


def human_drawings(root: Path = ROOT) -> dict[str, np.ndarray]:
    """Code point -> (up to 20, 28, 28) uint8 ink, 0 = white paper, 15 = black. Raises UserError for a damaged file."""
    path = Path(root) / "human.npz"
    try:
        with np.load(path, allow_pickle=False) as file:
            return {code: file[code] for code in file.files}
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error}). In its folder: git checkout -- {path.name}") from error


def image_path(kind: str, item: dict, number: str = "") -> str:
    """Where an image of an object lies below the root; `number` tells its sketches apart."""
    return f"images/{kind}/{item['category']}/{item['instance']}{number}.png"


def recorded(root: Path = ROOT) -> Manifest:
    """Every image of the benchmark as the repository records it, whether it is built here or not."""
    root, rows = Path(root), []
    drawn = {code: len(ink) for code, ink in human_drawings(root).items()}
    for item in objects(root):
        base = {key: item[key] for key in ("category", "instance", "split")}
        rows.append(base | {"modality": "photo", "style": "photo", "path": image_path("photo", item)})
        hands = [f"-{skill}" for skill in SKILLS]
        people = [f"-{k:02d}" for k in range(1, drawn.get(item["codepoint"], 0) + 1)]
        for style, kind, numbers in (("warped", "sketch", hands), ("human", "human", people)):
            sketch = base | {"modality": "sketch", "style": style}
            rows += [sketch | {"path": image_path(kind, item, number)} for number in numbers]
    text = {row["category"]: row["words"] for row in read_csv(root / "categories.csv")}
    statistics = root / "statistics.json"
    return Manifest.of(NAME, root, rows, text, sha256_file(statistics)[:12] if statistics.exists() else "")


def open_benchmark(root: Path = ROOT) -> Manifest:
    """The benchmark whose pictures are on disk; pictures unlike the recorded ones are a data set with another hash.
    Raises UserError when pictures are missing, or are not those that were drawn.
    """
    listing, built = recorded(root), read_built(root)
    if built is None:
        raise UserError(f"{root / BUILT} is missing: the pictures are not drawn yet. Run: {BUILD}")
    missing = next((path for path in listing.table["path"] if not (listing.root / path).is_file()), None)
    if missing:
        raise UserError(f"{listing.root / missing} is missing. Run: {BUILD} --force")
    contents = hash_contents(listing.root, listing.table["path"])
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
