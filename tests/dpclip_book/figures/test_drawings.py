"""The drawings: words stay on the sheet, fit their boxes and do not lie over one another; colours are the page's."""

import re
import xml.etree.ElementTree as ET
from functools import cache

import pytest
from matplotlib.textpath import TextPath

from dpclip.files import ROOT
from dpclip_book.figures import look_inside

DRAWINGS = sorted((ROOT / "book" / "figures").glob("*.svg"))
NAMESPACE = {"svg": "http://www.w3.org/2000/svg"}


@cache
def width_of(text: str, size: float) -> float:
    """In DejaVu Sans, which is wider than the fonts of most pages."""
    return TextPath((0, 0), text, size=size).get_extents().width


def words(root: ET.Element) -> list[tuple[str, float, float, float, float]]:
    """(text, left, right, top, bottom) of every line of text."""
    lines = []
    for element in root.findall("svg:text", NAMESPACE):
        text, size, x, y = "".join(element.itertext()), *(float(element.get(n)) for n in ("font-size", "x", "y"))
        width = width_of(text.replace("$", ""), size)
        left = {"start": x, "middle": x - width / 2, "end": x - width}[element.get("text-anchor")]
        lines.append((text, left, left + width, y - 0.75 * size, y + 0.2 * size))
    return lines


@pytest.mark.parametrize("path", DRAWINGS, ids=lambda path: path.stem)
def test_words_fit(path):
    root = ET.parse(path).getroot()
    _, _, width, height = map(float, root.get("viewBox").split())
    boxes = [
        [float(rect.get(n)) for n in ("x", "y", "width", "height")] for rect in root.findall("svg:rect", NAMESPACE)
    ]
    lines = words(root)
    assert len(lines) > 5
    for text, left, right, top, bottom in lines:
        assert 0 <= left and right <= width and 0 <= top and bottom <= height, text
        middle = ((left + right) / 2, (top + bottom) / 2)
        for x, y, w, h in boxes:
            if x < middle[0] < x + w and y < middle[1] < y + h:
                assert x <= left and right <= x + w, f"{text!r} is wider than its box"
    for number, (text, left, right, top, bottom) in enumerate(lines):
        for other, left2, right2, top2, bottom2 in lines[:number]:
            apart = right <= left2 or right2 <= left or bottom <= top2 or bottom2 <= top
            assert apart, f"{text!r} lies over {other!r}"


@pytest.mark.parametrize("path", DRAWINGS, ids=lambda path: path.stem)
def test_a_drawing_takes_the_colours_of_its_page_and_speaks(path):
    root = ET.parse(path).getroot()
    assert root.get("role") == "img" and len(root.get("aria-label")) > 80
    assert f'aria-label="{root.get("aria-label")}"' in look_inside.drawing(path.stem).data
    assert not [element for element in root.iter() if element.get("id")]  # twice on a page, it would be wrong
    own = [element for element in root if not element.tag.endswith("}svg")]  # pictures have colours of their own
    colours = {c for e in own for c in re.findall(r"(?:fill|stroke): ([^;]+)", e.get("style", ""))}
    fixed = {c for c in colours if not c.startswith("var(") and c not in ("currentColor", "none")}
    assert fixed <= {"#ffffff", "#dbe7ea", "#2a6f97", "#b5462f", "#43733f", "#8450c4"}  # cards, and lines on cards
