"""The sketch of an object: its outlines, redrawn by a hand of a given skill.

A person who draws from a photo misjudges proportions (affine and slow warp of the whole), misplaces parts (each
stroke shifts and turns a little), trembles (wobble along the stroke), rounds corners, forgets details, lifts the pen
too early, shoots past the end, and traces a line twice. All of it happens to the strokes themselves, before they
become pixels. Source: `ours`.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from dpclip_prepare.draw.drawing import CANVAS, rasterise
from dpclip_prepare.draw.svg import Shape

SPACING = 0.8  # distance between the points of a stroke, in canvas units
MARGIN = 5.0  # white border that the drawing keeps


@dataclass(frozen=True)
class Hand:
    """How far a hand strays. Lengths in canvas units (the drawing is about 50 of them wide), chances per stroke."""

    stretch: float  # spread of the logarithm of width and height
    turn: float  # spread of the rotation of the whole, degrees
    warp: float  # spread of the slow displacement of the whole
    misplace: float  # spread of a stroke's own shift; its own turn and size follow
    wobble: float  # spread of the tremble along a stroke
    rounding: float  # length over which a corner melts
    forget: float  # chance that a short stroke is missing
    lift: float  # chance that a long stroke has a gap
    overshoot: float  # spread of what is added or missing at a stroke's ends
    retrace: float  # chance that a stroke is drawn twice


# skill 1 (a hurried child) to skill 5 (a practised hand); a sketch's file name ends with it
HANDS = {
    1: Hand(0.12, 7.0, 2.2, 1.1, 0.48, 1.8, 0.24, 0.12, 1.4, 0.03),
    2: Hand(0.10, 5.5, 1.8, 0.9, 0.38, 1.4, 0.19, 0.11, 1.1, 0.06),
    3: Hand(0.08, 4.5, 1.4, 0.7, 0.29, 1.0, 0.14, 0.10, 0.9, 0.10),
    4: Hand(0.06, 3.5, 1.0, 0.45, 0.20, 0.6, 0.09, 0.08, 0.6, 0.20),
    5: Hand(0.03, 2.0, 0.6, 0.2, 0.12, 0.3, 0.03, 0.06, 0.3, 0.14),
}


def sketch(shapes: list[Shape], skill: int, rng: np.random.Generator) -> np.ndarray:
    """Black strokes on white, (SIZE, SIZE) floats in [0, 1], drawn by the hand of `skill` (1..5)."""
    return ink(sketch_svg(shapes, HANDS[skill], rng))


def ink(svg: str) -> np.ndarray:
    """An SVG of black strokes as grey levels on white, (SIZE, SIZE)."""
    return 1 - rasterise(svg)[..., 3]


def sketch_svg(shapes: list[Shape], hand: Hand, rng: np.random.Generator) -> str:
    """The redrawn outlines as SVG text."""
    place = _frame(shapes, hand, rng)
    pen = rng.uniform(1.1, 2.6)
    marks = []
    strokes = [line for shape in shapes if not shape.filled for line in _split_at_corners(shape.lines, hand, rng)]
    longest = max([_length(stroke) for stroke in strokes], default=0.0)
    for stroke in strokes:
        length = _length(stroke)
        forget = hand.forget * np.clip(1.3 - length / 14, 0.12, 1)  # small details go first
        if length < longest and rng.random() < forget:
            continue
        for _ in range(1 + (rng.random() < hand.retrace)):
            for piece in _lifted(_redrawn(stroke, hand, rng), hand, rng):
                marks.append(_follow(place(piece), pen, rng))
    for shape in shapes:
        if shape.filled and (not strokes or rng.random() >= hand.forget / 2):
            shift = rng.normal(0, hand.misplace, 2)
            lines = [place(_trembling(_resampled(line), hand, rng) + shift) for line in shape.lines]
            marks.append(
                f'<path d="{"".join(map(_data, lines))}Z" fill="#000" fill-rule="evenodd" stroke-width="0.6"/>'
            )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {CANVAS:g} {CANVAS:g}"><g fill="none" stroke="#000" '
        f'stroke-linecap="round" stroke-linejoin="round">{"".join(marks)}</g></svg>'
    )


def _frame(shapes: list[Shape], hand: Hand, rng: np.random.Generator):
    """The map of the whole drawing onto the paper: stretched, turned, slowly warped, fitted in. (P, 2) -> (P, 2)."""
    points = np.vstack([line for shape in shapes for line in shape.lines])
    middle = (points.min(0) + points.max(0)) / 2
    angle, shear = np.deg2rad(rng.normal(0, hand.turn)), rng.normal(0, hand.stretch)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.array([[1, shear], [0, 1]]) @ np.diag(np.exp(rng.normal(0, hand.stretch, 2)))
    waves = rng.normal(0, 2 * np.pi / 60, (8, 2))  # slow waves: about one across the drawing
    phase, strength = rng.uniform(0, 2 * np.pi, 8), rng.normal(0, hand.warp / 2, (8, 2))  # 8 waves of variance 1/2 each

    def warp(line: np.ndarray) -> np.ndarray:
        straight = (line - middle) @ matrix.T
        return straight + np.sin(straight @ waves.T + phase) @ strength

    low, high = warp(points).min(0), warp(points).max(0)
    fit = (CANVAS - 2 * MARGIN) / np.max(high - low) * rng.uniform(0.74, 1.0)
    return lambda line: CANVAS / 2 + (warp(line) - (low + high) / 2) * fit


def _split_at_corners(lines: list[np.ndarray], hand: Hand, rng: np.random.Generator) -> list[np.ndarray]:
    """Subpaths as the strokes of a pen, which may be lifted where the line turns sharply."""
    strokes = []
    for line in lines:
        line = line[np.r_[True, np.abs(np.diff(line, axis=0)).sum(1) > 1e-6]]
        if len(line) < 2:
            continue
        steps = np.diff(line, axis=0)
        heading = np.arctan2(steps[:, 1], steps[:, 0])
        turns = np.abs((np.diff(heading) + np.pi) % (2 * np.pi) - np.pi)  # (P-2,)
        corners = [i + 1 for i in np.flatnonzero(turns > np.deg2rad(50)) if rng.random() < 0.65]
        for start, end in zip([0, *corners], [*corners, len(line) - 1], strict=True):
            strokes.append(_resampled(line[start : end + 1]))
    return strokes


def _length(line: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())


def _resampled(line: np.ndarray) -> np.ndarray:
    """The same polyline with points SPACING apart."""
    along = np.r_[0, np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))]
    stops = np.linspace(0, along[-1], max(3, int(np.ceil(along[-1] / SPACING)) + 1))
    return np.column_stack([np.interp(stops, along, line[:, 0]), np.interp(stops, along, line[:, 1])])


def _redrawn(stroke: np.ndarray, hand: Hand, rng: np.random.Generator) -> np.ndarray:
    """One stroke with rounded corners, trembling, ends too long or too short, and a little out of place."""
    if hand.rounding and len(stroke) > 4:
        stroke = gaussian_filter1d(stroke, hand.rounding / SPACING, axis=0, mode="nearest")
    stroke = _trembling(_with_loose_ends(stroke, hand, rng), hand, rng)
    middle = stroke.mean(0)
    angle, size = rng.normal(0, 0.06 * hand.misplace), np.exp(rng.normal(0, 0.07 * hand.misplace))
    turn = size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    reach = min(1.0, 0.4 + _length(stroke) / 30)  # a small part cannot miss by more than its size
    return middle + (stroke - middle) @ turn.T + rng.normal(0, hand.misplace * reach, 2)


def _with_loose_ends(stroke: np.ndarray, hand: Hand, rng: np.random.Generator) -> np.ndarray:
    """Each end goes on along its direction, or stops early."""
    limit = 0.2 * _length(stroke)
    for _ in range(2):
        extra = float(np.clip(rng.normal(0, hand.overshoot), -limit, limit))
        cut = int(-extra / SPACING)
        if extra > 0:
            direction = stroke[-1] - stroke[-3]
            direction = direction / (np.linalg.norm(direction) + 1e-9)
            stroke = np.vstack([stroke, stroke[-1] + direction * extra])
        elif 0 < cut < len(stroke) - 3:
            stroke = stroke[:-cut]
        stroke = stroke[::-1]
    return stroke


def _trembling(line: np.ndarray, hand: Hand, rng: np.random.Generator) -> np.ndarray:
    """Two trembles: a slow one, some 9 units long, and a quick one a third as strong."""
    for length, share in ((9.0, 1.0), (2.5, 0.33)):
        sigma = length / 2 / SPACING
        noise = gaussian_filter1d(rng.standard_normal((len(line), 2)), sigma, axis=0, mode="wrap")
        line = line + hand.wobble * share * noise * np.sqrt(2 * np.sqrt(np.pi) * min(sigma, len(line) / 4))
    return line


def _lifted(stroke: np.ndarray, hand: Hand, rng: np.random.Generator) -> list[np.ndarray]:
    """The stroke, or its two parts around a gap where the pen left the paper."""
    if len(stroke) < 14 / SPACING or rng.random() >= hand.lift:
        return [stroke]
    gap = int(rng.uniform(2, 7) / SPACING)
    start = int(rng.integers(4, len(stroke) - gap - 3))
    return [stroke[:start], stroke[start + gap :]]


def _data(line: np.ndarray) -> str:
    return "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in line)


def _follow(line: np.ndarray, pen: float, rng: np.random.Generator) -> str:
    """The marks of one stroke: pieces of a few units, each pressed a little differently."""
    marks, chunk, pressure = [], 9, rng.normal(0, 0.12)
    for start in range(0, len(line) - 1, chunk):
        pressure = 0.7 * pressure + rng.normal(0, 0.08)
        width = pen * float(np.clip(1 + pressure, 0.6, 1.5))
        marks.append(f'<path d="{_data(line[start : start + chunk + 1])}" stroke-width="{width:.2f}"/>')
    return "".join(marks)
