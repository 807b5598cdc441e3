"""Draws each icon of the corpus: flat, as its artist made it; as photos; and as line drawings by hands of all skills.

Photos and lines are made by the benchmark's own rules, of other icons: the web that taught CLIP holds photos and
drawings too. Icons that show no object, and those that cannot be taken apart, are kept flat only. Source: `ours`.
"""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from rich.progress import track

from dpclip.errors import UserError
from dpclip_prepare.clip.corpus import Taught, shows_object
from dpclip_prepare.draw.canvas import ART, SIDE, rendered, svg_document
from dpclip_prepare.draw.hands import FIVE, on_paper, sketch_of
from dpclip_prepare.draw.lighting import photo_of
from dpclip_prepare.draw.regions import Unusable, take_apart
from dpclip_prepare.draw.strokes import edges, trace

EACH = 3  # photos, and line drawings, of an icon


@dataclass(frozen=True)
class Renderings:
    """uint8 pictures of N icons, and of the M among them that give photos and lines: `drawn` numbers those, (M,)."""

    flat: np.ndarray  # (N, SIDE, SIDE, 4), straight alpha
    photos: np.ndarray  # (M, EACH, SIDE, SIDE, 3)
    lines: np.ndarray  # (M, EACH, SIDE, SIDE)
    drawn: np.ndarray


def render(corpus: Sequence[Taught], folder: Path, workers: int = os.cpu_count() or 1) -> Renderings:
    """All pictures, drawn once and kept in `folder`; icons that resvg refuses are blank."""
    names = {key: folder / f"{key}.npy" for key in Renderings.__dataclass_fields__}
    if not names["drawn"].exists():
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            drawings = list(track(pool.map(drawn, corpus, chunksize=64), "drawing the corpus", len(corpus)))
        whole = [number for number, drawing in enumerate(drawings) if drawing[1] is not None]
        np.save(names["flat"], np.stack([drawing[0] for drawing in drawings]))
        np.save(names["photos"], np.stack([drawings[number][1] for number in whole]))
        np.save(names["lines"], np.stack([drawings[number][2] for number in whole]))
        np.save(names["drawn"], np.array(whole))
    return Renderings(**{key: np.load(path, mmap_mode="r") for key, path in names.items()})


def drawn(taught: Taught) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """One icon flat (SIDE, SIDE, 4), as photos (EACH, SIDE, SIDE, 3) and as lines (EACH, SIDE, SIDE), uint8."""
    icon = taught.icon
    seed = hashlib.sha256(f"mini-clip/{icon.set}/{icon.name}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(seed[:16], "little"))
    try:
        rgba = rendered(svg_document(icon.body, icon.box), ART, icon.name)
    except UserError:
        return np.zeros((SIDE, SIDE, 4), np.uint8), None, None
    flat = bytes_of(rendered(svg_document(icon.body, icon.box), SIDE, icon.name))
    if not shows_object(taught):
        return flat, None, None
    try:
        parts = take_apart(rgba, icon.coloured)
        strokes = on_paper(trace(edges(parts.regions, parts.lines)))
        if not strokes:
            return flat, None, None
        photos = [photo_of(parts, rng) for _ in range(EACH)]
        lines = [sketch_of(strokes, int(skill), rng) for skill in rng.choice(list(FIVE), EACH, replace=False)]
    except Unusable:
        return flat, None, None
    return flat, bytes_of(np.stack(photos)), bytes_of(np.stack(lines))


def bytes_of(pixels: np.ndarray) -> np.ndarray:
    """Floats in [0, 1] as uint8."""
    return np.clip(np.rint(pixels * 255), 0, 255).astype(np.uint8)
