"""The drawings: words stay on the sheet, fit their boxes and do not lie over one another; numbers are the config's."""

import re
import xml.etree.ElementTree as ET
from functools import cache

import pytest
from matplotlib.textpath import TextPath

from dpclip.config import preset
from dpclip_book.figures import module_diagrams, overview_diagrams
from dpclip_book.figures.sheet import Sheet
from dpclip_book.pages.notation import Sizes

DRAWINGS = {
    draw.__name__: draw
    for draw in (
        overview_diagrams.draw_idea,
        overview_diagrams.draw_architecture,
        module_diagrams.draw_visual_prompt,
        module_diagrams.draw_scalings,
        module_diagrams.draw_windows,
    )
}
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


@pytest.mark.parametrize("name", DRAWINGS)
@pytest.mark.parametrize("size", ["paper", "mini"])
def test_words_fit(name, size):
    root = ET.fromstring(DRAWINGS[name](Sizes.of(preset(size))).svg)
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


def test_words_are_split_at_line_breaks_and_symbols_are_shifted():
    s = Sheet(100, 100, "a test")
    s.word(50, 50, "one $f_l^k$ two\nthree")
    first, second = ET.fromstring(s.drawing().svg).findall("svg:text", NAMESPACE)
    assert ["".join(line.itertext()) for line in (first, second)] == ["one flk two", "three"]
    pieces = [(p.text, p.get("font-style"), float(p.get("dy", 0))) for p in first]
    assert [text for text, *_ in pieces] == ["one ", "f", "l", "k", " two"]
    assert [style for _, style, _ in pieces] == [None, "italic", "italic", "italic", None]
    below = [dy for *_, dy in pieces]
    step = below[2]
    assert step > 0 and below == pytest.approx([0, 0, step, -2 * step, step])  # down, up past the line, and back


def test_numbers_come_from_the_configuration():
    words_at = {
        name: [DRAWINGS["draw_architecture"](Sizes.of(config)).svg, DRAWINGS["draw_windows"](Sizes.of(config)).svg]
        for name, config in {
            "paper": preset("paper"),
            "other": preset("mini").set(num_prompts=7, windows=9, window=3),
        }.items()
    }
    layers = {"paper": 12, "other": 6}
    for name, (architecture, windows) in words_at.items():
        text = re.sub(r"<[^>]+>", " ", architecture)
        assert f" {layers[name]} " in re.sub(r"\s+", " ", text) and f"copy of layer {layers[name]}" in re.sub(
            r"\s+", " ", text
        )
        assert ("7 learned tokens" in text) == (name == "other") and ("9 windows" in text) == (name == "other")
        assert ("3 by 3" in windows) == (name == "other")


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_takes_the_colours_of_its_page_and_speaks(name):
    drawing = DRAWINGS[name](Sizes.of(preset("paper")))
    root = ET.fromstring(drawing.svg)
    assert root.get("role") == "img" and root.get("aria-label") == drawing.alt and len(drawing.alt) > 80
    assert repr(drawing) == drawing.alt and drawing.svg in drawing._repr_html_()
    assert not [element for element in root.iter() if element.get("id")]  # twice on a page, it would be wrong
    own = [element for element in root if not element.tag.endswith("}svg")]  # pictures have colours of their own
    colours = {c for e in own for c in re.findall(r"(?:fill|stroke): ([^;]+)", e.get("style", ""))}
    fixed = {c for c in colours if not c.startswith("var(") and c not in ("currentColor", "none")}
    assert fixed <= {"#ffffff", "#dbe7ea", "#2a6f97", "#b5462f", "#43733f", "#8450c4"}  # cards, and lines on cards
