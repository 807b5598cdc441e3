"""Takes an icon apart: into coloured regions without outlines, and into the inner lines that are no region's border.

A coloured icon keeps its colours; its thin dark lines give way to what lies beside them. A monochrome one is a shape
with holes, or an outline: an outline's closed areas become regions, and the line itself goes to its neighbours. An
outline that encloses too little is refused: its photo would be its sketch. Source: `ours`.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy.ndimage import binary_dilation, distance_transform_edt, gaussian_filter, label, maximum_filter

from dpclip_prepare.draw.canvas import ART
from dpclip_prepare.draw.strokes import skeleton

GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)
PEN = 8.5  # pixels: a line no wider than twice this may be an outline
DARK, DARKER = 0.3, 0.6  # an outline is darker than DARK, or than DARKER times the lightest colour near it
LEAST_ENCLOSED = 0.2  # share of an outline icon that its closed areas must cover
THICK, SOLID = 8.0, 0.3  # a shape is no outline when this share of it is wider than twice THICK pixels
LEAST_REGION = 24  # pixels; smaller regions go to their neighbours
LEAST_STEP = 0.1  # difference of colour (of 1) across a border that is drawn
SQUARE = np.ones((3, 3), dtype=bool)


class Unusable(ValueError):
    """This icon gives no photo and sketch; the message is the reason, in words that can be counted."""


@dataclass(frozen=True)
class Parts:
    """An icon taken apart; all arrays are (ART, ART)."""

    regions: np.ndarray  # int, 0 = background
    colour: np.ndarray | None  # (ART, ART, 3) in [0, 1]; None: the photo chooses a colour for each region
    lines: np.ndarray  # bool, the one pixel wide middle of inner lines


def take_apart(rgba: np.ndarray, coloured: bool) -> Parts:
    """The parts of a rendered icon, (ART, ART, 4) in [0, 1]. Raises Unusable."""
    if (rgba[..., 3] > 0.5).mean() < 0.03:
        raise Unusable("nearly empty")
    parts = _coloured(rgba) if coloured else _monochrome(rgba[..., 3])
    if (parts.regions > 0).mean() < 0.05:
        raise Unusable("too little surface")
    return parts


def nearest(known: np.ndarray) -> tuple[np.ndarray, ...]:
    """For each pixel the index of the nearest one that is `known`."""
    return tuple(distance_transform_edt(~known, return_distances=False, return_indices=True))


def _connected(values: np.ndarray) -> np.ndarray:
    """Numbers connected areas of equal value from 1 on; 0 stays 0. Areas too small to matter join their neighbours."""
    areas, count = np.zeros(values.shape, dtype=int), 0
    for value in np.unique(values[values > 0]):
        found, more = label(values == value)
        areas[found > 0] = found[found > 0] + count
        count += more
    inside = areas > 0
    size = np.bincount(areas.ravel())
    kept = inside & (size >= max(LEAST_REGION, 0.0025 * inside.sum()))[areas]
    return np.where(inside, areas[nearest(kept)], 0) if kept.any() else areas


def _holes(shape: np.ndarray) -> np.ndarray:
    """Numbers the areas that `shape` encloses, from 1 on."""
    areas, count = label(~shape)
    size = np.bincount(areas.ravel(), minlength=count + 1)
    hole = size >= 20
    hole[0] = False
    hole[np.concatenate([areas[0], areas[-1], areas[:, 0], areas[:, -1]])] = False
    return np.where(hole[areas], areas, 0)


def _opened(shape: np.ndarray, radius: float) -> np.ndarray:
    """The parts of `shape` in which a disc of `radius` fits."""
    core = distance_transform_edt(shape) > radius
    return distance_transform_edt(~core) <= radius if core.any() else core


def _monochrome(alpha: np.ndarray) -> Parts:
    """Ink, the pale second tone of a duotone icon, and holes."""
    ink = alpha > 0.7
    pale = _opened((alpha > 0.12) & ~ink, 2.5) & ~ink
    if pale.sum() < 0.08 * (ink.sum() + pale.sum()):
        pale[:] = False
    holes = _holes(ink)
    if not ink.any():
        raise Unusable("nearly empty")
    if _opened(ink, THICK).sum() >= SOLID * ink.sum():
        areas = np.select([ink, holes > 0, pale], [1, holes + 2, holes.max() + 3])
        return Parts(_connected(areas), None, np.zeros_like(ink))
    middle = skeleton(ink)
    width = 2 * np.median(distance_transform_edt(ink)[middle])
    top = holes.max() + 1
    areas = np.where(pale, holes + top, holes)  # a pale part of a hole is a part of its own
    closed = areas > 0
    if closed.sum() <= LEAST_ENCLOSED * (closed | ink).sum():
        raise Unusable("outline without surfaces")
    reach = distance_transform_edt(~closed)
    areas = np.where(ink & (reach < 1.5 * width + 2), areas[nearest(closed)], areas)
    areas = np.where(ink & (areas == 0), 2 * top + 1, areas)  # an open line far from all areas is a part of its own
    return Parts(_connected(areas), None, middle)


def _coloured(rgba: np.ndarray) -> Parts:
    colour, inside = rgba[..., :3].copy(), rgba[..., 3] > 0.5
    lines = _without_outlines(colour, inside)
    regions = _connected(_quantised(colour, inside))
    return Parts(_merged(regions, colour), colour, lines)


def _without_outlines(colour: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Paints over thin dark lines, in place, with the colours beside them; returns the middle of these lines."""
    light = np.where(inside, colour @ GREY, 0)
    around = maximum_filter(light, int(2 * PEN) + 1)
    dark = inside & (light < np.maximum(DARK, DARKER * around))
    thin = dark & ~binary_dilation(_opened(dark, PEN), SQUARE)
    marks, count = label(thin, SQUARE)
    middle = skeleton(thin)
    long = np.bincount(marks[middle], minlength=count + 1) > 14
    long[0] = False
    thin, middle = thin & long[marks], middle & long[marks]
    ring = binary_dilation(thin, SQUARE, iterations=2) & inside
    known = inside & ~ring
    if thin.sum() < 0.004 * inside.sum():
        return np.zeros_like(inside)
    if known.sum() < LEAST_ENCLOSED * inside.sum():
        raise Unusable("outline without surfaces")
    reach = distance_transform_edt(~known)
    beside = ring & (reach < 14)
    colour[beside] = colour[nearest(known)][beside]
    colour[thin & (reach >= 14)] = 0.45  # a stick of its own: grey, so that no line of ink is left
    return middle


def _quantised(colour: np.ndarray, inside: np.ndarray, count: int = 9) -> np.ndarray:
    """The colours as at most `count` - 1 values from 1 on, 0 outside."""
    pixels = np.where(inside[..., None], colour, 0)
    image = Image.fromarray((pixels * 255).astype(np.uint8))
    few = np.asarray(image.quantize(count, Image.Quantize.MEDIANCUT, kmeans=1, dither=Image.Dither.NONE)).astype(int)
    return np.where(inside, few + 1, 0)


def _merged(regions: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """Regions between which no step of colour can be seen become one."""
    soft = gaussian_filter(colour, (0.8, 0.8, 0))
    count = regions.max() + 1
    total, borders = np.zeros(count * count), np.zeros(count * count)
    for axis in (0, 1):
        one, two = (regions.take(range(a, ART - 1 + a), axis) for a in (0, 1))
        low, high = (soft.take(np.clip(np.arange(ART - 1) + a, 0, ART - 1), axis) for a in (-2, 3))
        edge = (one != two) & (one > 0) & (two > 0)
        pair = np.minimum(one, two)[edge] * count + np.maximum(one, two)[edge]
        total += np.bincount(pair, np.abs(low - high)[edge] @ (GREY + 1 / 3), count * count)  # brightness counts double
        borders += np.bincount(pair, minlength=count * count)
    name = np.arange(count)
    for pair in np.flatnonzero(borders):
        if total[pair] / borders[pair] < 2 * LEAST_STEP:
            one, two = name[pair // count], name[pair % count]
            name[name == two] = one
    return name[regions]
