"""The sketch of an icon: its strokes, redrawn by a hand of a given skill.

A person who draws from a photo misjudges proportions (affine and slow warp of the whole), misplaces parts (each
stroke shifts and turns a little), trembles (wobble along the stroke), rounds corners, forgets details, lifts the pen
too early, shoots past the end, and traces a line twice. All of it happens to the strokes themselves, before they
become pixels. Source: `ours`.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter1d

from dpclip_prepare.draw.canvas import ART, SIDE, SKETCHED

SPACING = 1.0  # distance between the points of a stroke, in units of the paper
MARGIN = 5.0  # white border that the drawing keeps
CORNER = 50  # degrees of turn within CORNER_REACH points at which a pen may be lifted
CORNER_REACH = 3
FINE = 3  # strokes are inked this many times larger, then shrunk


@dataclass(frozen=True)
class Skill:
    """How far a hand strays. Lengths in units of the paper (a drawing is about 55 wide), chances per stroke."""

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
FIVE = {
    1: Skill(0.12, 7.0, 2.2, 1.1, 0.48, 1.8, 0.24, 0.12, 1.4, 0.03),
    2: Skill(0.10, 5.5, 1.8, 0.9, 0.38, 1.4, 0.19, 0.11, 1.1, 0.06),
    3: Skill(0.08, 4.5, 1.4, 0.7, 0.29, 1.0, 0.14, 0.10, 0.9, 0.10),
    4: Skill(0.06, 3.5, 1.0, 0.45, 0.20, 0.6, 0.09, 0.08, 0.6, 0.20),
    5: Skill(0.03, 2.0, 0.6, 0.2, 0.12, 0.3, 0.03, 0.06, 0.3, 0.14),
}


def on_paper(strokes: list[np.ndarray]) -> list[np.ndarray]:
    """Strokes in pixels of ART as points SPACING apart in units of the paper, (P, 2) each."""
    return [_resampled(line * (SKETCHED / ART)) for line in strokes]


def sketch_of(lines: list[np.ndarray], skill: int, rng: np.random.Generator) -> np.ndarray:
    """Black strokes on white, (SIDE, SIDE) floats in [0, 1], drawn by the hand of `skill`; `lines` as `on_paper` gives
    them.
    """
    hand = FIVE[skill]
    place = _placing(lines, hand, rng)
    pen = rng.uniform(1.1, 2.6)
    strokes = [stroke for line in lines for stroke in _lifted_at_corners(line, rng)]
    longest, pieces = max(map(len, strokes)), []
    for stroke in strokes:
        forget = hand.forget * np.clip(1.3 - len(stroke) * SPACING / 14, 0.12, 1)  # small details go first
        if len(stroke) < longest and rng.random() < forget:
            continue
        for _ in range(1 + (rng.random() < hand.retrace)):
            pieces += _with_gap(_redrawn(stroke, hand, rng), hand, rng)
    ends = np.cumsum([len(piece) for piece in pieces])
    points = place(_trembling(np.vstack(pieces), hand, rng)) * (FINE * SIDE / SKETCHED)
    paper = Image.new("L", (FINE * SIDE, FINE * SIDE), 255)
    for piece in np.split(points, ends[:-1]):
        _ink(ImageDraw.Draw(paper), piece, pen * FINE * SIDE / SKETCHED, rng)
    return np.asarray(paper.reduce(FINE), dtype=np.float32) / 255


def _placing(lines: list[np.ndarray], hand: Skill, rng: np.random.Generator):
    """The map of the whole drawing onto the paper: stretched, turned, slowly warped, fitted in. (P, 2) -> (P, 2)."""
    points = np.vstack(lines)
    middle = (points.min(0) + points.max(0)) / 2
    angle, shear = np.deg2rad(rng.normal(0, hand.turn)), rng.normal(0, hand.stretch)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.array([[1, shear], [0, 1]]) @ np.diag(np.exp(rng.normal(0, hand.stretch, 2)))
    waves = rng.normal(0, 2 * np.pi / 60, (8, 2))  # slow waves: about one across the drawing
    phase, strength = rng.uniform(0, 2 * np.pi, 8), rng.normal(0, hand.warp / 2, (8, 2))  # 8 waves of variance 1/2 each

    def warp(line: np.ndarray) -> np.ndarray:
        straight = (line - middle) @ matrix.T
        return straight + np.sin(straight @ waves.T + phase) @ strength

    warped = warp(points)
    low, high = warped.min(0), warped.max(0)
    fit = (SKETCHED - 2 * MARGIN) / np.max(high - low) * rng.uniform(0.74, 1.0)
    return lambda line: SKETCHED / 2 + (warp(line) - (low + high) / 2) * fit


def _lifted_at_corners(line: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """A stroke in parts: the pen may be lifted where the line turns sharply."""
    if len(line) < 4 * CORNER_REACH:
        return [line]
    ahead = np.arctan2(*(line[CORNER_REACH:] - line[:-CORNER_REACH]).T[::-1])  # heading over CORNER_REACH points
    turn = np.abs((ahead[CORNER_REACH:] - ahead[:-CORNER_REACH] + np.pi) % (2 * np.pi) - np.pi)
    peak = (turn > np.deg2rad(CORNER)) & (turn >= np.r_[0, turn[:-1]]) & (turn > np.r_[turn[1:], 0])
    corners = np.flatnonzero(peak) + CORNER_REACH
    corners = corners[rng.random(len(corners)) < 0.65].tolist()
    return [line[a : b + 1] for a, b in zip([0, *corners], [*corners, len(line) - 1], strict=True)]


def _resampled(line: np.ndarray) -> np.ndarray:
    """The same polyline with points SPACING apart."""
    along = np.r_[0, np.cumsum(np.hypot(*np.diff(line, axis=0).T))]
    stops = np.linspace(0, along[-1], max(3, int(np.ceil(along[-1] / SPACING)) + 1))
    return np.column_stack([np.interp(stops, along, line[:, 0]), np.interp(stops, along, line[:, 1])])


def _redrawn(stroke: np.ndarray, hand: Skill, rng: np.random.Generator) -> np.ndarray:
    """One stroke with rounded corners, ends too long or too short, and a little out of place."""
    if len(stroke) > 4:
        stroke = gaussian_filter1d(stroke, hand.rounding / SPACING, axis=0, mode="nearest")
    stroke = _with_loose_ends(stroke, hand, rng)
    middle = stroke.mean(0)
    angle, size = rng.normal(0, 0.06 * hand.misplace), np.exp(rng.normal(0, 0.07 * hand.misplace))
    turn = size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    reach = min(1.0, 0.4 + len(stroke) * SPACING / 30)  # a small part cannot miss by more than its size
    return middle + (stroke - middle) @ turn.T + rng.normal(0, hand.misplace * reach, 2)


def _with_loose_ends(stroke: np.ndarray, hand: Skill, rng: np.random.Generator) -> np.ndarray:
    """Each end goes on along its direction, or stops early."""
    limit = 0.2 * len(stroke) * SPACING
    for _ in range(2):
        extra = float(np.clip(rng.normal(0, hand.overshoot), -limit, limit))
        cut = int(-extra / SPACING)
        if extra > 0:
            direction = stroke[-1] - stroke[-3]
            stroke = np.vstack([stroke, stroke[-1] + direction * (extra / (np.hypot(*direction) + 1e-9))])
        elif 0 < cut < len(stroke) - 3:
            stroke = stroke[:-cut]
        stroke = stroke[::-1]
    return stroke


def _trembling(points: np.ndarray, hand: Skill, rng: np.random.Generator) -> np.ndarray:
    """Two trembles along all strokes: a slow one, some 9 units long, and a quick one a third as strong."""
    for length, share in ((9.0, 1.0), (2.5, 0.33)):
        sigma = length / 2 / SPACING
        noise = gaussian_filter1d(rng.standard_normal(points.shape), sigma, axis=0, mode="wrap")
        points = points + hand.wobble * share * noise * np.sqrt(2 * np.sqrt(np.pi) * sigma)
    return points


def _with_gap(stroke: np.ndarray, hand: Skill, rng: np.random.Generator) -> list[np.ndarray]:
    """The stroke, or its two parts around a gap where the pen left the paper."""
    if len(stroke) < 14 / SPACING or rng.random() >= hand.lift:
        return [stroke]
    gap = int(rng.uniform(2, 7) / SPACING)
    start = int(rng.integers(4, len(stroke) - gap - 3))
    return [stroke[:start], stroke[start + gap :]]


def _ink(paper: ImageDraw.ImageDraw, line: np.ndarray, pen: float, rng: np.random.Generator) -> None:
    """Draws one stroke in pieces of a few units, each pressed a little differently, with round ends."""
    chunk, pressure = 8, rng.normal(0, 0.12)
    points = [tuple(point) for point in line.tolist()]
    for start in range(0, len(points) - 1, chunk):
        pressure = 0.7 * pressure + rng.normal(0, 0.08)
        width = pen * min(max(1 + pressure, 0.6), 1.5)
        piece = points[start : start + chunk + 1]
        paper.line(piece, fill=0, width=round(width))
        for x, y in (piece[0], piece[len(piece) // 2], piece[-1]):
            paper.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=0)
