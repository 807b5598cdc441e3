"""Chooses the benchmark's icons among all candidates and writes icons.jsonl.xz. The rules look at drawings and names
only, never at a model's result; TWINS, TRIED and the least enclosed share of an outline
were set by the counts they give.

Of a concept's icons, those named by it alone come first, and of one drawing in several styles one comes before all
others; within that, the order is that of a hash. An icon is taken unless it cannot be drawn, is blank, in pieces or on
a tile, or looks like one already taken. Source: `ours`.
"""

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import distance_transform_edt, gaussian_filter, label

from dpclip.data.benchmark import Icon
from dpclip.errors import UserError
from dpclip_prepare.draw.canvas import ART, rendered, svg_document
from dpclip_prepare.draw.regions import Unusable, take_apart
from dpclip_prepare.draw.strokes import edges
from makers.concepts import concept_of, is_exact, style_group
from makers.icon_sets import all_icons, families

LEAST, MOST = 12, 36  # icons of a concept
TRIED = 80  # candidates of a concept that are looked at
ALIKE = 0.85  # cosine of two blurred edge maps from which no sketch tells two icons apart
TWINS = 0.75  # the same for two renderings of one drawing
CELLS = 32  # side of a blurred edge map
FILLED = 0.78  # share of the frame that the longer side of an icon takes up
SLAB = 0.9  # share of its box, or of the disc around it, that a slab fills
COMMON = 0.4  # a slab is a tile behind the object where fewer of a concept's icons are slabs


@dataclass(frozen=True)
class Look:
    """What the rules need to know of one drawing."""

    icon: Icon
    map: np.ndarray  # (CELLS * CELLS,) blurred edges, zero mean and unit length
    slab: bool


def candidates(folder: Path) -> dict[str, list[Icon]]:
    """Concept -> its icons in the order in which they are tried; concepts with too few are left out."""
    found, renderings = defaultdict(list), Counter()
    for icon in sorted(all_icons(folder), key=lambda icon: _hash(icon.set, icon.name)):
        concept = concept_of(icon, families()[icon.set])
        if concept:
            renderings[_drawing(icon)] += 1
            rank = renderings[_drawing(icon)], not is_exact(icon, concept)
            found[concept].append((rank, replace(icon, concept=concept)))
    ranked = {concept: sorted(icons, key=lambda entry: entry[0]) for concept, icons in sorted(found.items())}
    return {concept: [icon for _, icon in icons[:TRIED]] for concept, icons in ranked.items() if len(icons) >= LEAST}


def choose(folder: Path, say=print) -> tuple[list[Icon], Counter]:
    """The chosen icons, and how many candidates each rule dropped."""
    dropped, taken = Counter(), []
    for concept, icons in candidates(folder).items():
        looks = []
        for icon in icons:
            try:
                looks.append(look_at(_fitted(icon)))
            except Unusable as reason:
                dropped[str(reason)] += 1
        if sum(look.slab for look in looks) < COMMON * len(looks):
            dropped["on a tile"] += sum(look.slab for look in looks)
            looks = [look for look in looks if not look.slab]
        kept = _unlike(looks)
        dropped["alike"] += len(looks) - len(kept)
        say(f"{concept}: {len(icons)} tried, {len(looks)} usable, {len(kept)} unlike")
        taken += kept[:MOST]
    single = _unlike(taken)
    dropped["alike, of two concepts"] = len(taken) - len(single)
    by_concept = defaultdict(list)
    for look in single:
        by_concept[look.icon.concept].append(look.icon)
    return [icon for icons in by_concept.values() if len(icons) >= LEAST for icon in icons], dropped


def look_at(icon: Icon) -> Look:
    """Looks at an icon that fits its frame. Raises Unusable."""
    parts = take_apart(_drawn(icon, ART), icon.coloured)
    inside, edge = parts.regions > 0, edges(parts.regions, parts.lines)
    pieces, _ = label(inside)
    if np.bincount(pieces[inside]).max() < 0.55 * inside.sum():
        raise Unusable("in pieces")
    slab = _slab(inside)
    if slab and (edge & (distance_transform_edt(inside) > 6)).sum() < 40:
        raise Unusable("blank slab")
    if edge.sum() < 60:
        raise Unusable("too few lines")
    soft = Image.fromarray(gaussian_filter(edge.astype(np.float32), 4.5)).resize((CELLS, CELLS), Image.Resampling.BOX)
    flat = np.asarray(soft).ravel() - np.asarray(soft).mean()
    return Look(icon, flat / np.linalg.norm(flat), slab)


def _hash(*words: str) -> str:
    return hashlib.sha256("/".join(words).encode()).hexdigest()


def _drawn(icon: Icon, side: int) -> np.ndarray:
    try:
        return rendered(svg_document(icon.body, icon.box), side, f"{icon.set}:{icon.name}")
    except UserError as error:
        raise Unusable("resvg cannot draw it") from error


def _fitted(icon: Icon, side: int = 96) -> Icon:
    """The icon with a view box in which what is drawn stands in the middle and takes up FILLED of the frame."""
    x, y, width, height = map(float, icon.box.split())
    frame = max(width, height)
    x, y = x - (frame - width) / 2, y - (frame - height) / 2
    ys, xs = np.nonzero(_drawn(replace(icon, box=f"{x} {y} {frame} {frame}"), side)[..., 3] > 0.2)
    if not len(xs):
        raise Unusable("nearly empty")
    unit = frame / side
    low, high = np.array([xs.min(), ys.min()]), np.array([xs.max() + 1, ys.max() + 1])
    new = (high - low).max() * unit / FILLED
    corner = np.array([x, y]) + (low + high) / 2 * unit - new / 2
    return replace(icon, box=f"{corner[0]:.4g} {corner[1]:.4g} {new:.4g} {new:.4g}")


def _slab(inside: np.ndarray) -> bool:
    """Whether a silhouette is a full disc or, at some angle, a full rectangle."""
    ys, xs = np.nonzero(inside)
    reach = np.hypot(xs - xs.mean(), ys - ys.mean()).max() + 0.5
    boxes = []
    for angle in np.deg2rad(np.arange(0, 90, 7.5)):
        along, across = xs * np.cos(angle) + ys * np.sin(angle), ys * np.cos(angle) - xs * np.sin(angle)
        boxes.append((np.ptp(along) + 1) * (np.ptp(across) + 1))
    return bool(len(xs) > SLAB * min(min(boxes), np.pi * reach**2))


def _drawing(icon: Icon) -> tuple[str, str]:
    """What all renderings of one drawing share: a family of sets, and the name without its style."""
    return families()[icon.set], style_group(icon.name)


def _unlike(looks: list[Look]) -> list[Look]:
    """Those that look like none before them."""
    kept, drawings = [], defaultdict(list)
    maps = np.zeros((len(looks), CELLS * CELLS), dtype=np.float32)
    for look in looks:
        likeness, twins = maps[: len(kept)] @ look.map, drawings[_drawing(look.icon)]
        if not kept or likeness.max() <= ALIKE and likeness[twins].max(initial=0) <= TWINS:
            maps[len(kept)] = look.map
            twins.append(len(kept))
            kept.append(look)
    return kept
