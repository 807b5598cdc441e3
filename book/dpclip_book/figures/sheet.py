"""A sheet to draw on: boxes, arrows, words and pictures become one SVG element that takes the colours of its page.

Text is text in the page's font, ink is its colour, and the few tints are translucent or come from book.css, so one
drawing serves the light and the dark page. Lengths are in pixels at full width.
"""

import math
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

from dpclip.figures import panels

ART = Path(__file__).with_name("art")  # OpenMoji drawings, CC BY-SA 4.0
Point = tuple[float, float]
INK = "currentColor"
BLUE, RED = "var(--drawing-blue, #2a6f97)", "var(--drawing-red, #b5462f)"
FROZEN, TRAINED = "var(--drawing-frozen, #2a6f9729)", "var(--drawing-trained, #c8553d2e)"
PLAIN, PAPER, SKY = "none", "#ffffff", "#dbe7ea"
ON_CARD = (panels.BLUE, panels.RED, panels.GREEN, panels.PURPLE)  # windows over a picture, light in both schemes
WINDOWS = tuple(f"var(--drawing-window-{n}, {colour})" for n, colour in enumerate(ON_CARD, start=1))
LINE, TEXT, SMALL = 1.5, 14, 13  # width of a line; sizes of text
HEAD = 8  # length of an arrow's head


@dataclass(frozen=True)
class Drawing:
    """A finished sheet: `svg` is its text; a notebook shows it, and says `alt` where it cannot."""

    svg: str
    alt: str

    def _repr_html_(self) -> str:
        return f'<div class="drawing" tabindex="0">{self.svg}</div>'

    def __repr__(self) -> str:
        return self.alt


class Sheet:
    """A blank sheet of `width` x `height`; the y axis points down. `alt` says in words what will be on it."""

    def __init__(self, width: float, height: float, alt: str):
        self.alt = alt
        self.root = ET.Element(
            "svg",
            {
                **{"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {width:g} {height:g}", "role": "img"},
                **{"aria-label": alt, "font-size": str(TEXT), "fill": INK},
            },
        )

    def drawing(self) -> Drawing:
        """What is on the sheet now."""
        return Drawing(ET.tostring(self.root, encoding="unicode"), self.alt)

    def _add(self, tag: str, style: str = "", parent: ET.Element | None = None, **attributes: object) -> ET.Element:
        named = {name.replace("_", "-"): _number(value) for name, value in attributes.items()}
        return ET.SubElement(self.root if parent is None else parent, tag, named | ({"style": style} if style else {}))

    def box(
        self, x: float, y: float, width: float, height: float, text: str = "", fill: str = PLAIN, size: float = TEXT
    ) -> None:
        """A box with its centre at (x, y) and words in it; a line break is "\\n"."""
        self.frame(x - width / 2, y - height / 2, width, height, fill=fill)
        self.word(x, y, text, size)

    def frame(
        self, x: float, y: float, width: float, height: float, colour: str = INK, fill: str = PLAIN,
        line: float = LINE, dashed: bool = False, radius: float = 5,
    ) -> None:  # fmt: skip
        """A box by its upper left corner, without words."""
        style = f"fill: {fill}; stroke: {colour}; stroke-width: {line:g}" + "; stroke-dasharray: 4 4" * dashed
        self._add("rect", style, x=x, y=y, width=width, height=height, rx=radius)

    def word(
        self, x: float, y: float, text: str, size: float = TEXT, colour: str = INK, anchor: str = "middle",
        bold: bool = False,
    ) -> None:  # fmt: skip
        """Words centred in height at y; lines are split at "\\n". Between dollars is a symbol: "$p_m$", "$f_l^k$"."""
        lines = text.split("\n") if text else []
        for number, line in enumerate(lines):
            if not line:
                continue
            middle = y + (number - (len(lines) - 1) / 2) * 1.25 * size
            element = self._add("text", f"fill: {colour}", x=x, y=middle + 0.35 * size, font_size=size)
            element.set("text-anchor", anchor)
            if bold:
                element.set("font-weight", "600")
            height = 0.0
            for piece, italic, shift in _pieces(line):
                wanted = round(-0.32 * size * shift, 2)
                span = self._add("tspan", parent=element, **({"dy": wanted - height} if wanted != height else {}))
                span.text, height = piece, wanted
                if italic:
                    span.set("font-style", "italic")
                if shift:
                    span.set("font-size", f"{0.72 * size:g}")

    def arrow(self, *points: Point, colour: str = INK, both: bool = False, line: float = LINE) -> None:
        """A line through all points with a head at the last one, and at the first one if `both`."""
        path = list(points)
        for end, before in ((-1, -2), (0, 1)) if both else ((-1, -2),):
            tip, tail = points[end], points[before]
            length = math.dist(tip, tail)
            step = ((tip[0] - tail[0]) / length, (tip[1] - tail[1]) / length)
            base = (tip[0] - HEAD * step[0], tip[1] - HEAD * step[1])
            side = (-0.42 * HEAD * step[1], 0.42 * HEAD * step[0])
            corners = (tip, (base[0] + side[0], base[1] + side[1]), (base[0] - side[0], base[1] - side[1]))
            self._add("polygon", f"fill: {colour}", points=_points(corners))
            path[end] = base
        self.line(*path, colour=colour, line=line)

    def line(self, *points: Point, colour: str = INK, line: float = LINE) -> None:
        """A line through all points."""
        style = f"fill: none; stroke: {colour}; stroke-width: {line:g}; stroke-linejoin: round"
        self._add("polyline", style, points=_points(points))

    def hop(self, x: float, top: float, over: float, bottom: float, colour: str = INK) -> None:
        """A vertical line from `top` to `bottom` that hops over a crossing line at height `over`."""
        path = f"M{x:g} {top:g}V{over - 6:g}a6 6 0 0 1 0 12V{bottom:g}"
        self._add("path", f"fill: none; stroke: {colour}; stroke-width: {LINE:g}", d=path)

    def plus(self, x: float, y: float) -> None:
        """A circle with a plus: two paths are added."""
        self._add("circle", f"fill: none; stroke: {INK}; stroke-width: {LINE:g}", cx=x, cy=y, r=9)
        self.line((x - 5, y), (x + 5, y))
        self.line((x, y - 5), (x, y + 5))

    def picture(self, x: float, y: float, side: float, codepoint: str, sketch: bool = False) -> None:
        """A card with its centre at (x, y): an OpenMoji drawing without its lines, the "photo", or its lines alone."""
        self.frame(x - side / 2, y - side / 2, side, side, fill=PAPER if sketch else SKY, line=1)
        art = ET.parse(ART / f"{codepoint}-{'sketch' if sketch else 'photo'}.svg").getroot()
        place = {"x": x - 0.46 * side, "y": y - 0.46 * side, "width": 0.92 * side, "height": 0.92 * side}
        # OpenMoji's own defaults are black, and the sheet's are not.
        inner = self._add("svg", viewBox=art.get("viewBox"), fill="#000000", **place)
        for element in list(art):
            inner.append(_bare(element))

    def key(self, x: float, y: float, gap: float = 100) -> None:
        """What the fills mean."""
        for number, (fill, text) in enumerate(((FROZEN, "CLIP’s"), (TRAINED, "new, trained"))):
            self.frame(x + gap * number, y - 7, 20, 14, fill=fill, radius=3)
            self.word(x + gap * number + 27, y, text, SMALL, anchor="start")


def _pieces(line: str) -> list[tuple[str, bool, int]]:
    """Text, whether it is a symbol, and -1 for a subscript, 1 for a superscript."""
    pieces = []
    for number, part in enumerate(line.split("$")):
        if number % 2 == 0:
            pieces.append((part, False, 0))
        else:
            for mark, braced, one, plain in re.findall(r"([_^])(?:\{([^}]*)\}|(.))|([^_^]+)", part):
                pieces.append((plain or braced or one, True, {"_": -1, "^": 1}.get(mark, 0)))
    return [piece for piece in pieces if piece[0]]


def _bare(element: ET.Element) -> ET.Element:
    """A copy without identifiers, which would be on the page twice, and without a namespace."""
    copy = ET.Element(element.tag.rpartition("}")[2], {k: v for k, v in element.attrib.items() if k != "id"})
    copy.extend(_bare(child) for child in element)
    return copy


def _points(points: tuple[Point, ...] | list[Point]) -> str:
    return " ".join(f"{x:.4g},{y:.4g}" for x, y in points)


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)
