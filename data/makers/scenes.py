"""A study beside Icon-SBIR: scenes of two objects. `PYTHONPATH=data python -m makers.scenes FOLDER [--shown PART]`.

The photo shows the named object and one of another concept, on one background in one light; the sketch shows the named
one only. A tower that encodes a photo before it meets the sketch can know from the category's hint alone which of the
two is asked for. FOLDER becomes a data set of one's own (`--set dataset=folder --data FOLDER`), places.csv names place
and concept of both objects of every photo. `--shown`: only the other object, the place of the named one as a
plain disc, or a background, for probes of shortcuts. The colour of a background follows what stands before it, so that
of `--shown` is not the scene's own: a probe of the background itself needs more than this. Source: `ours`.
"""

import argparse
import csv
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image
from rich.progress import track

from dpclip.data.benchmark import ROOT, SKILLS, Icon, image_path, read_icons, split_by_name
from dpclip.data.splits import UNSEEN
from dpclip_prepare.draw.canvas import ART, png_of, rendered, seeded_for, svg_document
from dpclip_prepare.draw.lighting import photo_of
from dpclip_prepare.draw.regions import Parts, take_apart

SHOWN = ("both", "other", "place", "background")
SIZES = (0.6, 0.68)  # side of an object's frame, of the picture's
COLUMNS = ("photo", "concept", "x", "y", "side", "other", "other_x", "other_y", "other_side", "in_front")


def parts_of(icon: Icon, rng: np.random.Generator) -> Parts:
    """The icon taken apart; a monochrome one with colours of its own."""
    parts = take_apart(rendered(svg_document(icon.body, icon.box), ART, icon.name), icon.coloured)
    if parts.colour is not None:
        return parts
    palette = rng.uniform(0.1, 0.95, (parts.regions.max() + 1, 3))
    return replace(parts, colour=palette[parts.regions])


def placed(parts: Parts, x: int, y: int, side: int) -> Parts:
    """The object in a frame of `side` pixels at (x, y) of the canvas."""
    regions, colour = np.zeros((ART, ART), dtype=int), np.full((ART, ART, 3), 0.5)
    frame = slice(y, y + side), slice(x, x + side)
    nearest = np.arange(side) * ART // side
    regions[frame] = parts.regions[np.ix_(nearest, nearest)]
    small = Image.fromarray((parts.colour * 255).astype(np.uint8)).resize((side, side), Image.Resampling.BOX)
    colour[frame] = np.asarray(small) / 255
    return Parts(regions, colour, np.zeros_like(regions, dtype=bool))


def before(front: Parts, back: Parts) -> Parts:
    """Both objects in one canvas."""
    here = front.regions > 0
    regions = np.where(here, front.regions, np.where(back.regions > 0, back.regions + front.regions.max(), 0))
    return Parts(regions, np.where(here[..., None], front.colour, back.colour), front.lines)


def draw_scene(job: tuple[Icon, Icon], folder: Path, shown: str) -> list:
    """Writes the photo of `job`, the named icon and the other one; its line of places.csv."""
    named, other = job
    rng = seeded_for(named.concept, named.instance, "scene")
    sides = [round(ART * rng.uniform(*SIZES)) for _ in job]
    left, top = rng.random(2) < 0.5
    spots = []
    for side, first in zip(sides, (True, False), strict=True):
        free = ART - side
        slack = rng.integers(0, ART // 16, 2)
        spots.append(
            [int(abs(far * free - slip)) for far, slip in zip((left == first, top == first), slack, strict=True)]
        )
    own, second = (placed(parts_of(icon, rng), *spot, side) for icon, spot, side in zip(job, spots, sides, strict=True))
    in_front = rng.random() < 0.5
    scene = before(own, second) if in_front else before(second, own)
    if shown == "other":
        scene = second
    elif shown == "place":
        up, across = np.mgrid[0:ART, 0:ART]
        disc = np.hypot(up - spots[0][1] - sides[0] / 2, across - spots[0][0] - sides[0] / 2) < sides[0] / 2
        scene = Parts(disc.astype(int), np.full((ART, ART, 3), 0.5), np.zeros_like(disc))
    elif shown == "background":
        scene = Parts(np.zeros((ART, ART), int) + (np.indices((ART, ART)).sum(0) == 0), scene.colour, own.lines)
    path = folder / "photo" / named.category / f"{named.instance}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png_of(photo_of(scene, rng)))
    shares = [[round(value / ART, 3) for value in (*spot, side)] for spot, side in zip(spots, sides, strict=True)]
    return [f"{named.category}/{named.instance}", named.concept, *shares[0], other.concept, *shares[1], int(in_front)]


def others_of(icons: list[Icon]) -> list[tuple[Icon, Icon]]:
    """Each icon with one of another concept of the same split: what shares a scene with a seen concept is seen."""
    split = split_by_name({icon.concept for icon in icons})
    jobs = []
    for icon in icons:
        rest = [
            other for other in icons if split[other.concept] == split[icon.concept] and other.concept != icon.concept
        ]
        jobs.append((icon, rest[seeded_for(icon.concept, icon.instance, "other").integers(len(rest))]))
    return jobs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shown", choices=SHOWN, default="both")
    chosen = parser.parse_args()
    folder, icons = chosen.folder, read_icons()
    folder.mkdir(parents=True)
    jobs = others_of(icons)
    draw = partial(draw_scene, folder=folder, shown=chosen.shown)
    with ProcessPoolExecutor(min(os.cpu_count() or 1, 8), mp_context=get_context("spawn")) as pool:
        lines = list(track(pool.map(draw, jobs, chunksize=16), "drawing scenes", len(jobs)))
    with open(folder / "places.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *lines])
    for icon in icons:
        for skill in SKILLS:
            sketch = folder / "sketch" / icon.category / f"{icon.instance}-{skill}.png"
            sketch.parent.mkdir(parents=True, exist_ok=True)
            sketch.symlink_to(ROOT / image_path("sketch", icon.category, f"{icon.instance}-{skill}"))
    split = split_by_name({icon.concept for icon in icons})
    unseen = sorted({icon.category for icon in icons if split[icon.concept] == "unseen"})
    (folder / UNSEEN).write_text("\n".join(unseen) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
