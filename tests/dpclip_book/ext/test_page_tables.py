"""Header cells of a built page say what they head."""

import pytest
from bs4 import BeautifulSoup
from docutils.core import publish_doctree
from sphinx.application import Sphinx

from dpclip_book.ext.page_tables import mark_row_headers, scope_headers

PAGE = """# Title

:::{table} A caption.
:name: one
:class: book-table

| row | n |
| :-- | --: |
| a | 1 |
:::

:::{table} Another.
:name: two

| row | n |
| :-- | --: |
| a | 1 |
:::
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The tables of a page that Sphinx builds with the extension."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "index.md").write_text(PAGE)
    settings = {"extensions": ["myst_parser", "dpclip_book.ext.page_tables"], "myst_enable_extensions": ["colon_fence"]}
    places = (folder, None, folder / "html", folder / "trees")
    Sphinx(*map(str, places[:1]), None, *map(str, places[2:]), "html", settings, status=None, warning=None).build()
    return BeautifulSoup((folder / "html" / "index.html").read_text(), "html.parser").find_all("table")


def test_row_headers_and_scopes(page):
    one, two = page
    assert one.caption.get_text().strip().startswith("A caption.")
    assert [th["scope"] for th in one.thead.find_all("th")] == ["col", "col"]
    assert one.tbody.tr.th["scope"] == "row" and one.tbody.tr.th.get_text() == "a"
    assert two.tbody.find("th") is None and [th["scope"] for th in two.thead.find_all("th")] == ["col", "col"]


def test_a_page_without_tables_stays_as_it_is():
    mark_row_headers(None, publish_doctree("Words."))
    context = {"body": "<p>Words.</p>"}
    scope_headers(None, "index", "page.html", context, None)
    assert context == {"body": "<p>Words.</p>"}
