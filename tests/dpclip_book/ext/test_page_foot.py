"""Each page says where it comes from and how to cite it."""

from dataclasses import replace

import pytest
import yaml
from bs4 import BeautifulSoup
from pybtex.database import parse_string

from dpclip.errors import UserError
from dpclip.files import ROOT
from dpclip_book.ext.page_foot import Source, bibtex, citation, provenance
from tests.dpclip_book.small_site import build

PAPER = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["references"][0]
SOURCE = Source("The book: a_b", "The authors", "0.1", PAPER, "abc", "2026-11-25")


def test_the_text_names_page_commit_and_date():
    assert citation("book/x", "One", SOURCE) == (
        "The authors. “One”, in: The book: a_b, version 0.1, abc, 2026-11-25. Page book/x."
    )
    assert citation("book/x", "One", replace(SOURCE, url="https://github.com/a/b")).endswith("https://github.com/a/b")


def test_the_bibtex_can_be_read():
    entries = parse_string(bibtex("notebooks/03_x_y", "A & B", SOURCE), "bibtex").entries
    page, paper = entries.values()
    assert page.fields["title"] == r"A \& B" and page.fields["year"] == "2026" and "url" not in page.fields
    assert str(page.persons["author"][0]) == "{The authors}"  # one name, not first and last
    assert [person.last_names[0] for person in paper.persons["author"]][:2] == ["Gao", "Jiao"]
    assert len(paper.persons["author"]) == len(PAPER["authors"])


def test_without_history_nothing_is_made_up():
    source = replace(SOURCE, commit="unknown", date="")
    assert "not known" in provenance(source)
    assert citation("x", "One", source) == "The authors. “One”, in: The book: a_b, version 0.1. Page x."
    assert "year" not in bibtex("x", "One", source).split("@article")[0]


def test_changed_code_is_told():
    assert "plus sign" in provenance(replace(SOURCE, commit="abc+")) and "plus sign" not in provenance(SOURCE)


def test_a_bad_citation_file_is_named(tmp_path):
    (tmp_path / "CITATION.cff").write_text("title: x\n")
    with pytest.raises(UserError, match="CITATION.cff cannot be read"):
        Source.read(tmp_path)


def test_every_page_gets_a_foot_and_keeps_its_own_provenance(tmp_path):
    pages = {
        "index": "# Prose\n\nWords.\n\n```{toctree}\nchapter\n```\n",
        "chapter": "# Chapter\n\nWords.\n\n```{div} provenance\nThis page was run.\n```\n",
    }
    site = build(tmp_path, pages, ["sphinx_design", "dpclip_book.ext.page_foot"], html_theme="basic")
    prose, chapter, search = (
        BeautifulSoup((site / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
        for name in ("index", "chapter", "search")
    )
    assert "built from" in prose.select_one(".provenance").get_text()
    assert [line.get_text().strip() for line in chapter.select(".provenance")] == ["This page was run."]
    for page, title in ((prose, "Prose"), (chapter, "Chapter")):
        text, tex = page.select(".cite-page pre")
        assert f"“{title}”" in text.get_text() and f"title = {{{title}}}" in tex.get_text()
    assert not search.select(".cite-page")
