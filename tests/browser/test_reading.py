"""Hover, focus and tap show a definition; the cite box copies; all from a file, with nothing fetched."""

import pytest

from tests.dpclip_book.small_site import build

PAGES = {
    "index": "# A\n\nA {term}`query` and a {term}`gallery`, and $p_m$. [Plain](words.md)\n\n```{toctree}\nwords\n```\n",
    "words": "# B\n\n:::{glossary}\nquery\n  The sketch.\n\ngallery\n  The photos.\n:::\n",
}
BUBBLE = ".definition-bubble"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dpclip_book.ext.definitions.SYMBOL_PAGES", ("index",))
        extensions = ["sphinx_book_theme", "dpclip_book.ext.definitions", "dpclip_book.ext.page_foot"]
        return build(tmp_path_factory.mktemp("site"), PAGES, extensions, html_theme="sphinx_book_theme")


@pytest.fixture
def index(page, site):
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto((site / "index.html").as_uri())
    yield page
    assert all(url.startswith(("file:", "data:")) for url in requests)


def test_pointing_shows_a_definition_and_escape_closes_it(index):
    assert index.locator(BUBBLE).is_hidden()
    index.hover("a[data-definition] >> nth=0")
    assert index.locator(BUBBLE).inner_text() == "The sketch."
    index.keyboard.press("Escape")
    assert index.locator(BUBBLE).is_hidden()
    index.hover("a[data-definition] >> nth=1")
    assert index.locator(BUBBLE).inner_text() == "The photos."
    index.hover(BUBBLE)  # the pointer may move onto it
    index.wait_for_timeout(300)
    assert index.locator(BUBBLE).is_visible()
    index.hover("article h1")
    index.wait_for_selector(BUBBLE, state="hidden")


def test_the_tab_key_reaches_terms_and_symbols(index):
    index.focus("a[data-definition] >> nth=0")
    assert index.locator(BUBBLE).inner_text() == "The sketch."
    index.keyboard.press("Tab")
    assert index.locator(BUBBLE).inner_text() == "The photos."
    index.keyboard.press("Tab")
    assert "VisualPrompt" in index.locator(BUBBLE).inner_text() or "prompts" in index.locator(BUBBLE).inner_text()
    index.keyboard.press("Tab")
    index.wait_for_selector(BUBBLE, state="hidden")


def test_a_first_tap_shows_and_a_second_follows(browser, site):
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True)
    page = context.new_page()
    page.goto((site / "index.html").as_uri())
    page.tap("a[data-definition] >> nth=0")
    assert page.locator(BUBBLE).inner_text() == "The sketch."
    box = page.locator(BUBBLE).bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    page.tap("a[data-definition] >> nth=0")
    page.wait_for_url("**/words.html#term-query")
    context.close()


def test_the_cite_box_copies(index):
    index.click(".cite-page summary")
    for number in range(2):
        index.locator(".cite-page button.copybtn").nth(number).click()
        index.evaluate("document.body.append(Object.assign(document.createElement('textarea'), {id: 'pasted'}))")
        index.focus("#pasted")
        index.keyboard.press("Control+V")
        expected = index.locator(".cite-page pre").nth(number).inner_text().strip()
        assert index.input_value("#pasted").strip() == expected.replace("\xa0", " ")
        index.evaluate("document.getElementById('pasted').remove()")
