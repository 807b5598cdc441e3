"""From parts to strokes: borders of regions and inner lines, thinned to one pixel and followed by a pen.

Source: `ours`; the thinning is Zhang and Suen's (1984).
"""

import numpy as np
from scipy.ndimage import binary_dilation, gaussian_filter1d

AROUND = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))  # clockwise from above
SPUR = 6  # pixels: a shorter stroke with a loose end is an artefact of thinning
BRIDGE = 4  # pixels: a shorter one between crossings is a part of the crossing
NEAR = 8  # pixels: a border this close to an inner line is that line


def _removable() -> np.ndarray:
    """Zhang and Suen's two tables: may a pixel with these eight neighbours (a bit each) go? (2, 256) bool."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1  # (256, 8), in the order of AROUND
    count = bits.sum(1)
    rises = ((bits == 0) & (np.roll(bits, -1, 1) == 1)).sum(1)
    up, right, down, left = bits[:, 0], bits[:, 2], bits[:, 4], bits[:, 6]
    common = (count >= 2) & (count <= 6) & (rises == 1)
    first = common & (up * right * down == 0) & (right * down * left == 0)
    second = common & (up * right * left == 0) & (up * down * left == 0)
    return np.stack([first, second])


REMOVABLE = _removable()


def skeleton(mask: np.ndarray) -> np.ndarray:
    """`mask` (H, W) thinned to lines one pixel wide."""
    padded = np.pad(mask, 1).astype(np.uint8)
    flat, width = padded.ravel(), padded.shape[1]
    offsets = np.array([y * width + x for y, x in AROUND])
    weights = (1 << np.arange(8)).astype(np.uint8)
    on = np.flatnonzero(flat)
    while True:
        before = len(on)
        for table in REMOVABLE:
            code = (flat[on[:, None] + offsets] * weights).sum(1, dtype=np.uint8)
            gone = table[code]
            flat[on[gone]] = 0
            on = on[~gone]
        if len(on) == before:
            return padded[1:-1, 1:-1].astype(bool)


def edges(regions: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """What a pen would draw: borders of `regions` and `lines`, (H, W) bool, one pixel wide."""
    found = np.zeros(regions.shape, dtype=bool)
    found[:, :-1] |= regions[:, :-1] != regions[:, 1:]
    found[:-1] |= regions[:-1] != regions[1:]
    if lines.any():
        found = (found & ~binary_dilation(lines, iterations=NEAR)) | lines
    return skeleton(binary_dilation(found, np.ones((3, 3), dtype=bool)))


def trace(edge: np.ndarray) -> list[np.ndarray]:
    """The strokes that cover a skeleton: smooth polylines, (P, 2) as x, y in pixels; closed ones end at their start."""
    paths, ends = _paths(edge)
    ys, xs = np.nonzero(edge)
    points = np.column_stack([xs, ys]) + 0.5
    strokes = []
    for path in paths:
        closed = path[0] == path[-1]
        loose = not closed and (ends[path[0]] or ends[path[-1]])
        if len(path) < (SPUR if loose else BRIDGE):
            continue
        line = points[path]
        if len(line) > 5:
            smooth = gaussian_filter1d(line[:-1] if closed else line, 1.3, axis=0, mode="wrap" if closed else "nearest")
            line = np.vstack([smooth, smooth[:1]]) if closed else np.vstack([line[:1], smooth[1:-1], line[-1:]])
        strokes.append(line)
    return strokes


def _paths(edge: np.ndarray) -> tuple[list[list[int]], np.ndarray]:
    """Walks from crossing to crossing over the pixels of a skeleton, then around what is left; pixels are numbered in
    reading order. Also tells which pixels are loose ends.
    """
    number = np.full(np.add(edge.shape, 2), -1)
    ys, xs = np.nonzero(edge)
    number[ys + 1, xs + 1] = np.arange(len(ys))
    near = np.stack([number[ys + 1 + y, xs + 1 + x] for y, x in AROUND], 1)  # (N, 8), -1 where there is none
    for corner in (1, 3, 5, 7):  # a diagonal step is none where two straight ones lead there
        near[(near[:, corner - 1] >= 0) | (near[:, (corner + 1) % 8] >= 0), corner] = -1
    degree = (near >= 0).sum(1)
    links = [[n for n in row if n >= 0] for row in near.tolist()]
    used: set[tuple[int, int]] = set()
    paths = []
    for start in [*np.flatnonzero((degree != 2) & (degree > 0)).tolist(), *np.flatnonzero(degree == 2).tolist()]:
        for step in links[start]:
            if (start, step) not in used:
                paths.append(_walk(start, step, links, used))
    return paths, degree == 1


def _walk(start: int, step: int, links: list[list[int]], used: set[tuple[int, int]]) -> list[int]:
    """One path: from `start` over `step` on to the next crossing, end, or back to the start."""
    path = [start, step]
    used.update([(start, step), (step, start)])
    while len(links[path[-1]]) == 2 and path[-1] != start:
        here, (one, two) = path[-1], links[path[-1]]
        onward = two if one == path[-2] else one
        if (here, onward) in used:
            break
        used.update([(here, onward), (onward, here)])
        path.append(onward)
    return path
