"""Draws each icon of the corpus: flat, as its artist made it; as photos; and as line drawings by hands of all skills.

Photos and lines are made by the benchmark's own rules, of other icons: the web that taught CLIP holds photos and
drawings too. They take long, so they are packed into one small file, which can travel to a faster machine; flat ones
are drawn when they are needed. Icons whose label is no concept, and those that cannot be taken apart, are flat only.
"""

import hashlib
import io
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image
from rich.progress import track

from dpclip.data.benchmark import Icon
from dpclip.errors import UserError
from dpclip.files import atomic_write_bytes
from dpclip_prepare.clip.corpus import Taught
from dpclip_prepare.draw.canvas import ART, SIDE, rendered, svg_document
from dpclip_prepare.draw.hands import FIVE, on_paper, sketch_of
from dpclip_prepare.draw.lighting import photo_of
from dpclip_prepare.draw.regions import Unusable, take_apart
from dpclip_prepare.draw.strokes import edges, trace

EACH = 2  # photos, and line drawings, of an icon
QUALITY = 50  # of a photo as WebP
GREYS = 3  # of a line drawing


@dataclass(frozen=True)
class Renderings:
    """uint8 pictures of N icons, and of the M among them that give photos and lines: `drawn` numbers those, (M,)."""

    flat: np.ndarray  # (N, SIDE, SIDE, 4), straight alpha
    photos: np.ndarray  # (M, EACH, SIDE, SIDE, 3)
    lines: np.ndarray  # (M, EACH, SIDE, SIDE)
    drawn: np.ndarray


def render(corpus: Sequence[Taught], packed: Path, workers: int = os.cpu_count() or 1) -> Renderings:
    """All pictures; photos and lines from the file `packed`, which is made if it is not there."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        if not packed.exists():
            drawings = pool.map(drawn, corpus, chunksize=64)
            pack(list(track(drawings, "drawing photos and lines", len(corpus))), packed)
        flats = pool.map(flat, [taught.icon for taught in corpus], chunksize=512)
        flats = np.stack(list(track(flats, "drawing flat icons", len(corpus))))
        with np.load(packed) as file:
            pictures = np.split(file["bytes"], file["ends"][:-1])
            numbers = file["drawn"]
        opened = list(pool.map(opened_picture, [picture.tobytes() for picture in pictures], chunksize=512))
    half = len(opened) // 2
    photos, lines = (np.stack(part).reshape(-1, EACH, *part[0].shape) for part in (opened[:half], opened[half:]))
    return Renderings(flats, photos, lines, numbers)


def pack(drawings: Sequence[tuple[list[bytes], list[bytes]] | None], path: Path) -> None:
    """Write one file of all photos, then all lines, of the icons that give some."""
    kept = [number for number, drawing in enumerate(drawings) if drawing]
    pictures = [picture for kind in (0, 1) for number in kept for picture in drawings[number][kind]]
    buffer, ends = io.BytesIO(), np.cumsum([len(picture) for picture in pictures])
    np.savez(buffer, bytes=np.frombuffer(b"".join(pictures), np.uint8), ends=ends, drawn=np.array(kept))
    atomic_write_bytes(path, buffer.getvalue())


def opened_picture(content: bytes) -> np.ndarray:
    """A packed photo (SIDE, SIDE, 3) or line drawing (SIDE, SIDE), uint8."""
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB" if image.format == "WEBP" else "L"))


def flat(icon: Icon) -> np.ndarray:
    """The icon as it is, (SIDE, SIDE, 4) uint8, straight alpha; blank where resvg refuses it."""
    try:
        return bytes_of(_square(rendered(svg_document(icon.body, icon.box), SIDE, icon.name), SIDE))
    except UserError:
        return np.zeros((SIDE, SIDE, 4), np.uint8)


def drawn(taught: Taught) -> tuple[list[bytes], list[bytes]] | None:
    """EACH photos as WebP and EACH line drawings as PNG; None where there are none."""
    if not taught.concept:
        return None
    icon = taught.icon
    seed = hashlib.sha256(f"mini-clip/{icon.set}/{icon.name}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(seed[:16], "little"))
    try:
        parts = take_apart(_square(rendered(svg_document(icon.body, icon.box), ART, icon.name), ART), icon.coloured)
        strokes = on_paper(trace(edges(parts.regions, parts.lines)))
    except (UserError, Unusable):
        return None
    if not strokes:
        return None
    photos = [Image.fromarray(bytes_of(photo_of(parts, rng))) for _ in range(EACH)]
    skills = rng.choice(list(FIVE), EACH, replace=False)
    lines = [Image.fromarray(bytes_of(sketch_of(strokes, int(skill), rng))).quantize(GREYS) for skill in skills]
    return [_saved(photo, "WEBP") for photo in photos], [_saved(line, "PNG") for line in lines]


def _saved(image: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **({"quality": QUALITY, "method": 6} if kind == "WEBP" else {"optimize": True}))
    return buffer.getvalue()


def _square(pixels: np.ndarray, side: int) -> np.ndarray:
    """A rendering that resvg made a pixel too small or too large in one direction, at its size."""
    pixels = pixels[:side, :side]
    return np.pad(pixels, ((0, side - pixels.shape[0]), (0, side - pixels.shape[1]), (0, 0)))


def bytes_of(pixels: np.ndarray) -> np.ndarray:
    """Floats in [0, 1] as uint8."""
    return np.clip(np.rint(pixels * 255), 0, 255).astype(np.uint8)
