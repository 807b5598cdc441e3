"""Stand-ins for the real datasets: all their exact names, with tiny pictures that are hard links of one another.

`python -m tests.stand_in FOLDER` makes the small Sketchy that the preset `dry` runs on.
"""

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from dpclip.files import DATA

LAYOUTS = {  # sides of the circulated layouts of Sketchy
    "official": ("photo/tx_000000000000", "sketch/tx_000000000000"),
    "nested": ("256x256/photo/tx_000000000000", "256x256/sketch/tx_000000000000"),
    "flat": ("photo", "sketch"),
    "basic": ("photo_basic", "sketch"),
}

DRY = ["airplane", "apple", "ape", "bat", "cabin", "cow", "door", "giraffe"]  # three seen, five unseen categories


def make_sketchy(
    root: Path,
    layout: str = "official",
    categories: list[str] | None = None,
    per_category: int | None = None,
    per_photo: int | None = None,
    spelling: dict[str, str] | None = None,
    size: int = 32,
) -> Path:
    """Sketchy's tree below `root`: every published name, or those of some `categories`, of the first `per_category`
    photos of each and of the first `per_photo` sketches of a photo. `spelling`: category -> name of its folders.

    A category has one picture of coloured noise as its photos, and its outline-like grey as its sketches.
    """
    names = pd.read_csv(DATA / "sketchy" / "names.tsv.gz", sep="\t", dtype=str)
    for number, (category, rows) in enumerate(names.groupby("category")):
        if categories is not None and category not in categories:
            continue
        rows = rows.iloc[:per_category]
        folder = (spelling or {}).get(category, category)
        photo, sketch = (Path(root, side, folder) for side in LAYOUTS[layout])
        sketches = [
            f"{name}-{k}.png"
            for name, ks in zip(rows["photo_id"], rows["sketch_numbers"], strict=True)
            for k in ks.split(",")[:per_photo]
        ]
        pixels = np.random.default_rng(number).integers(0, 256, (size, size, 3), dtype=np.uint8)
        link_all(photo, [f"{name}.jpg" for name in rows["photo_id"]], Image.fromarray(pixels))
        link_all(sketch, sketches, Image.fromarray(np.where(pixels.mean(2) > 110, 255, 0).astype(np.uint8)))
    return Path(root)


def link_all(folder: Path, names: list[str], picture: Image.Image) -> None:
    """`picture` under every one of `names` in `folder`: one file and its hard links."""
    folder.mkdir(parents=True, exist_ok=True)
    picture.save(folder / names[0])
    for name in names[1:]:
        os.link(folder / names[0], folder / name)


if __name__ == "__main__":
    shutil.rmtree(sys.argv[1], ignore_errors=True)
    make_sketchy(Path(sys.argv[1]), "flat", DRY, per_category=7, per_photo=2)
