"""What the embedded benchmark holds: its objects, and every image as a row of a Manifest. Source: `ours`."""

import hashlib
from pathlib import Path

from dpclip.data.files import DATA, sha256_file
from dpclip.data.human import human_drawings
from dpclip.data.manifest import Manifest
from dpclip.data.openmoji_objects import instance_name, read_csv
from dpclip.data.sketching import HANDS

NAME = "openmoji-sbir"
ROOT = DATA / NAME


def objects(root: Path = ROOT) -> list[dict]:
    """The committed objects as dicts of codepoint, name, category, split and instance (the name as a file name)."""
    return [row | {"instance": instance_name(row["name"])} for row in read_csv(Path(root) / "objects.csv")]


def manifest(root: Path = ROOT) -> Manifest:
    """Every image of the benchmark as a Manifest, whether it is built yet or not."""
    root = Path(root)
    drawn = {code: len(ink) for code, ink in human_drawings(root).items()}
    rows = []
    for item in objects(root):
        base = {key: item[key] for key in ("category", "instance", "split")}
        rows.append(base | {"modality": "photo", "style": "photo", "path": image_path("photo", item)})
        rows += [
            base | {"modality": "sketch", "style": "warped", "path": image_path("sketch", item, f"-{k}")} for k in HANDS
        ]
        numbers = range(1, drawn.get(item["codepoint"], 0) + 1)
        rows += [
            base | {"modality": "sketch", "style": "human", "path": image_path("human", item, f"-{k:02d}")}
            for k in numbers
        ]
    text = {row["category"]: row["words"] for row in read_csv(root / "categories.csv")}
    statistics = root / "statistics.json"
    return Manifest.of(NAME, root, rows, text, sha256_file(statistics)[:12] if statistics.exists() else "")


def image_path(kind: str, item: dict, number: str = "") -> str:
    """Where an image of an object lies below the root; `number` tells its sketches apart."""
    return f"images/{kind}/{item['category']}/{item['instance']}{number}.png"


def table_hash(listing: Manifest) -> str:
    """Hash of the list of images alone, 12 hexadecimal digits."""
    return hashlib.sha256(listing.table.to_csv().encode()).hexdigest()[:12]
