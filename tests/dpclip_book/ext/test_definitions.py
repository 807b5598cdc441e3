"""Terms and symbols of a built page are described by their definitions."""

import pytest
from bs4 import BeautifulSoup

from dpclip_book.ext.definitions import NOT_UNIQUE, SYMBOL_PAGES, symbol_definitions, with_definitions
from dpclip_book.pages.notation import Sizes, letters, symbols
from tests.dpclip_book.small_site import build

PAGES = {
    "index": "# A\n\nA {term}`query` and the {term}`queries <query>` with $p_m$ and $p_m$ and $z$.\n\n"
    "```{toctree}\nwords\n```\n",
    "words": "# B\n\n:::{glossary}\nquery\n  The *sketch* & more.\n\nother\n  Not used.\n:::\n",
}


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dpclip_book.ext.definitions.SYMBOL_PAGES", ("index",))
        site = build(tmp_path_factory.mktemp("site"), PAGES, ["dpclip_book.ext.definitions"])
    return BeautifulSoup((site / "index.html").read_text(encoding="utf-8"), "html.parser")


def test_every_mention_of_a_term_has_its_definition(page):
    links = page.select("a[data-definition]")
    assert [link.get_text() for link in links] == ["query", "queries"]
    for link in links:
        assert page.find(id=link["aria-describedby"]).get_text() == "The sketch & more."
    assert page.select_one(".definitions").has_attr("hidden")
    assert "Not used" not in page.get_text()


def test_symbols_are_described_and_the_tab_key_stops_once(page):
    first, second = page.select("span[data-definition]")
    assert "VisualPrompt" not in first.get_text() and "(M, K, D)" in page.find(id=first["aria-describedby"]).get_text()
    assert first["tabindex"] == "0" and not second.has_attr("tabindex")
    assert "z" not in symbol_definitions()


def test_symbols_in_tables_are_left_alone():
    sign = r'<span class="math notranslate nohighlight">\(p_m\)</span>'
    body = with_definitions(f"<table><td>{sign}</td></table>{sign}", {}, {"p_m": "a < b"})
    assert body.startswith(f"<table><td>{sign}</td></table><span") and "a &lt; b" in body


def test_all_symbols_of_the_notation_are_known_but_the_ambiguous():
    from dpclip.config import preset

    sizes = Sizes.of(preset("paper"))
    assert len(symbol_definitions()) == len(letters(sizes)) + len(symbols(sizes)) - len(NOT_UNIQUE)


def test_the_pages_of_symbols_exist():
    from dpclip.files import ROOT

    assert all(list(ROOT.glob(f"{page}.*")) for page in SYMBOL_PAGES)
