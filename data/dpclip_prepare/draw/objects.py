"""Which emoji are objects of the benchmark, and which categories are held out: the rules behind objects.csv.

A category is a Unicode CLDR subgroup, an instance an emoji. The rules look at drawings and counts only, never at a
result. Run it again, after `npm pack openmoji@17.0.0`, with `write_objects(Path("package/data/openmoji.json"))`.
Source: `ours`.
"""

import csv
import io
import json
from pathlib import Path

import numpy as np
from scipy.ndimage import distance_transform_edt

from dpclip.data.benchmark import ROOT, read_csv
from dpclip.files import atomic_write_text
from dpclip_prepare.draw.drawing import rasterise
from dpclip_prepare.draw.svg import outlines_svg, read_drawing, surfaces

SMALLEST = 9  # objects that a held-out category must have: chance is high in a smaller gallery
LEAST_SURFACE = 0.015  # share of the frame that surfaces must cover beside the outlines; else the photo is an outline
LEAST_NEAR = (
    0.6  # share of the outlines that must have a surface within NEAR pixels; else the photo shows half the object
)
NEAR = 8
MOST_ALIKE = 0.9  # overlap of two outline drawings (intersection over union) above which no sketch can tell them apart


def split_rule(categories: list[dict]) -> dict[str, str]:
    """The split "third" of each category, from dicts of category, group and count.

    Within each Unicode group, the categories of SMALLEST objects or more stand in order of size (largest first, then
    by name). Every third of them, from the second on, is unseen (2, 5, 8, ...); 4, 10, 16, ... are for validation;
    all others are seen. So each group and each size gives some, and the largest category of a group is always trained
    on.
    """
    splits = {}
    for group in sorted({row["group"] for row in categories}):
        members = sorted(
            (row for row in categories if row["group"] == group), key=lambda r: (-r["count"], r["category"])
        )
        large = [row["category"] for row in members if row["count"] >= SMALLEST]
        for row in members:
            place = large.index(row["category"]) + 1 if row["category"] in large else 1
            splits[row["category"]] = "unseen" if place % 3 == 2 else "val" if place % 6 == 4 else "seen"
    return splits


def csv_text(rows: list[dict]) -> str:
    """Rows (dicts with the same keys) as CSV text."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def choose(entries: list[dict], categories: list[str]) -> list[dict]:
    """The objects among OpenMoji's entries: single code points of `categories` that are visible and unlike others."""
    chosen, drawn = [], {category: [] for category in categories}
    for entry in sorted(entries, key=lambda entry: entry["hexcode"].zfill(6)):
        code, category = entry["hexcode"], entry["subgroups"]
        if category not in drawn or "-" in code or entry["group"].startswith("extras-"):
            continue
        drawing = read_drawing(code)
        lines = rasterise(outlines_svg(drawing))[..., 3] > 0.5
        if _photo_shows(lines, rasterise(surfaces(drawing))[..., 3] > 0.5) and all(
            _overlap(lines, other) <= MOST_ALIKE for other in drawn[category]
        ):
            drawn[category].append(lines)
            chosen.append({"codepoint": code, "name": entry["annotation"], "category": category})
    return chosen


def _photo_shows(lines: np.ndarray, surface: np.ndarray) -> bool:
    """Whether the surfaces alone still show the object that the outlines draw; masks (SIZE, SIZE)."""
    near = distance_transform_edt(~surface) <= NEAR
    return bool((surface & ~lines).mean() >= LEAST_SURFACE and near[lines].mean() >= LEAST_NEAR)


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / max((one | other).sum(), 1))


def write_objects(openmoji_json: Path, folder: Path = ROOT) -> None:
    """Write objects.csv, and the split column of categories.csv, from the npm package's openmoji.json."""
    categories = read_csv(folder / "categories.csv")
    objects = choose(json.loads(openmoji_json.read_text(encoding="utf-8")), [row["category"] for row in categories])
    counts = [row | {"count": sum(o["category"] == row["category"] for o in objects)} for row in categories]
    splits = split_rule(counts)
    objects = [
        row | {"split": splits[row["category"]]} for row in sorted(objects, key=lambda o: (o["category"], o["name"]))
    ]
    atomic_write_text(folder / "objects.csv", csv_text(objects))
    atomic_write_text(
        folder / "categories.csv", csv_text([row | {"split": splits[row["category"]]} for row in categories])
    )
