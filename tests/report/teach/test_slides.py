"""Decks follow their rule, and slides load nothing from elsewhere."""

import re

import nbformat
import pytest

from dpclip.errors import UserError
from dpclip.report.chapters import find_chapters
from dpclip.report.teach import slides
from dpclip.report.teach.deck import lead, make_deck
from dpclip.report.teach.plain import plain

from .chapter import make_chapter

TITLES = {"00_a": "The first"}


@pytest.mark.parametrize(
    "text, expected",
    [
        ("As {cite}`gao2024dpclip` say", "As say"),
        ("See {doc}`00_a` and {numref}`table-x`.", "See *The first* and the table."),
        (
            "Ok. {numref}`fig-x` shows {eq}`eq-y`, {ref}`the end <place>`.",
            "Ok. The figure shows the equation, the end.",
        ),
        ("At {glue:text}`low:.1f` it {glue:text}`gone`", "At 12.3 it …"),
        ("A fact [paper]{.mark .mark-paper}.", 'A fact <span class="mark">paper</span>.'),
        ("$$\na\n$$ (eq-a)", "$$\na\n$$"),
        (":::{admonition} Note\n:class: x\n\nwords\n:::\nafter", "\nafter"),
        ("```{glue:md} low\n:format: myst\n```", "12.34"),
    ],
)
def test_plain_markdown(text, expected):
    assert plain(text, TITLES, {"low": 12.34}) == expected


def test_a_lead_is_whole_sentences():
    assert lead("One. Two: three.") == "One. Two: three."
    assert lead("Word " * 100 + "end. More.") == "Word " * 100 + "end."
    assert lead(f"{'a' * 200}. {'B' * 200}.") == f"{'a' * 200}."


def test_a_slide_for_each_heading_and_figure_and_none_for_exercises():
    deck = make_deck(make_chapter(), TITLES)
    kinds = [(cell.metadata.slideshow.slide_type, cell.source.split("\n")[0][:16]) for cell in deck.cells]
    assert [kind for kind, _ in kinds] == ["slide", "slide", "notes", "subslide", "slide", "notes"]
    assert kinds[0][1] == "# A chapter" and kinds[1][1] == "## What and why" and kinds[4][1] == "## Summary"
    assert "It finds 12.3 of all. See the figure." in deck.cells[1].source and "$$\na = b\n$$" in deck.cells[1].source
    assert '<img alt="dots" src="data:image/png;base64,AAAA">' in deck.cells[3].source
    assert "exercise" not in nbformat.writes(deck).lower().replace("the exercise", "")


def test_pages_load_only_what_lies_beside_them(tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "book" / "_static").mkdir(parents=True)
    (tmp_path / "book" / "_static" / "book.css").write_text("")
    nbformat.write(make_chapter(), tmp_path / "notebooks" / "00_a.ipynb")
    npm = tmp_path / "npm"
    for name in (*(f"dist/{part}" for part in slides.REVEAL), "LICENSE"):
        (npm / name).parent.mkdir(parents=True, exist_ok=True)
        (npm / name).write_text("")
    monkeypatch.setattr(slides, "package", lambda name: npm)
    folder = tmp_path / "out"
    (page,) = slides.write_slides(find_chapters("mini", tmp_path), folder, "../mathjax", tmp_path)
    text = page.read_text()
    loaded = re.findall(r'<(?:script|link)[^>]*(?:src|href)="([^"]+)"', text)
    assert "../mathjax/tex-mml-chtml.js" in loaded and len(loaded) > 5
    assert 'class="anchor-link"' not in text  # they lead to where reveal.js has no place
    assert all((folder / name).is_file() for name in loaded if "mathjax" not in name)
    assert "http://" not in re.sub(r"http://www.w3.org\S+", "", text) and "<title>A chapter slides</title>" in text


def test_a_missing_package_is_told(tmp_path, monkeypatch):
    def refuse(name):
        raise UserError("npm could not install reveal.js")

    monkeypatch.setattr(slides, "package", refuse)
    with pytest.raises(UserError, match="reveal.js"):
        slides.write_slides([], tmp_path, "mathjax", tmp_path)
