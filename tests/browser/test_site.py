"""Every page of a built site in a real browser, from files: nothing is asked of the network, nothing fails, formulas
are set, axe-core finds no fault, a phone needs no sideways scrolling, the keyboard reaches what a mouse does.

`make pages` runs these tests on the site that `make site` built; DPCLIP_SITE names its folder.
"""

import os
from pathlib import Path

import pytest

from dpclip_book.builder.npm import package

SITE = Path(os.environ.get("DPCLIP_SITE", "")).resolve()
pytestmark = pytest.mark.skipif("DPCLIP_SITE" not in os.environ, reason="DPCLIP_SITE names no built site")
ALLOWED = {  # rule of axe-core -> why its finding is no fault here
    "empty-table-header": "the corner of a table heads neither its column nor its row",
}
QUIET = """async () => {
  if (window.MathJax?.startup?.promise) await MathJax.startup.promise;
  await document.fonts.ready;
}"""
FORMULAS = """() => [...document.querySelectorAll(".math")].filter(e => !e.querySelector("mjx-container, mjx-merror")
  && /\\\\\\(|\\\\\\[/.test(e.textContent)).map(e => e.textContent.slice(0, 60))"""
ERRORS = "() => document.querySelectorAll('mjx-merror').length"
AXE = "async () => (await axe.run(document, {preload: false, resultTypes: ['violations']})).violations"
WIDTH = "() => Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"
LAPTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


def pages() -> list[Path]:
    """All pages but the parts of the theme and redirections."""
    found = [path for path in sorted(SITE.rglob("*.html")) if path.relative_to(SITE).parts[0] != "_static"]
    return [path for path in found if 'http-equiv="Refresh"' not in path.read_text(encoding="utf-8")]


@pytest.fixture(scope="module", params=["light", "dark"])
def visits(request, browser):
    """What was found at each page in one colour scheme: page -> lists of faults by kind."""
    axe = (package("axe-core") / "axe.min.js").read_text(encoding="utf-8")
    context = browser.new_context(viewport=LAPTOP, color_scheme=request.param)
    seen = {path.relative_to(SITE).as_posix(): visit(context, path, axe, request.param) for path in pages()}
    context.close()
    assert len(seen) > 5, f"{SITE} holds too few pages to be the book"
    return seen


def visit(context, path: Path, axe: str, scheme: str) -> dict[str, list[str]]:
    page, requests, said, failed = context.new_page(), [], [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(path.as_uri())
    page.evaluate(QUIET)
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    formulas = page.evaluate(FORMULAS) + ["a formula has an error"] * page.evaluate(ERRORS)
    page.evaluate(axe)
    faults = [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in page.evaluate(AXE) if v["id"] not in ALLOWED]
    page.set_viewport_size(PHONE)
    width = page.evaluate(WIDTH)
    page.close()
    inside = (SITE.as_uri(), "data:", "blob:")
    return {
        "elsewhere": [url for url in requests if not url.startswith(inside)],
        "failed": failed,
        "said": said,
        "formulas": formulas,
        "axe": faults,
        "wide": [f"{width} px on a phone"] if width > PHONE["width"] else [],
    }


@pytest.mark.parametrize("kind", ["elsewhere", "failed", "said", "formulas", "axe", "wide"])
def test_no_page_has_a_fault(visits, kind):
    assert {name: found[kind] for name, found in visits.items() if found[kind]} == {}


def test_pages_name_no_server_of_cells():
    assert [path.name for path in pages() if "thebe" in path.read_text(encoding="utf-8").lower()] == []


def test_keyboard_skips_to_the_content_and_shows_the_focus(browser):
    page = browser.new_page(viewport=LAPTOP)
    page.goto((SITE / "book" / "how_to_read.html").as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main-content"
    page.keyboard.press("Enter")
    assert page.url.endswith("#main-content")
    reached, unseen = set(), []
    for _ in range(150):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            """() => { const e = document.activeElement, s = getComputedStyle(e);
            return [e === document.body ? "BODY" : e.className || e.tagName,
            s.outlineStyle !== "none" || s.boxShadow !== "none"]; }"""
        )
        if focused[0] == "BODY":
            break
        reached.add(focused[0])
        unseen += [] if focused[1] else [focused[0]]
    page.close()
    assert unseen == []
    assert len(reached) > 3


def test_search_finds_pages_without_a_network(browser):
    page, said = browser.new_page(), []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.goto((SITE / "search.html").as_uri() + "?q=gallery")
    page.wait_for_selector("#search-results li a")
    page.close()
    assert said == []


def test_colour_scheme_is_switched_by_key(browser):
    page = browser.new_page(viewport=LAPTOP, color_scheme="light")
    page.goto((SITE / "book" / "how_to_read.html").as_uri())
    page.locator(".theme-switch-button:visible").first.focus()
    themes = {page.evaluate("document.documentElement.dataset.theme")}
    for _ in range(3):
        page.keyboard.press("Enter")
        page.wait_for_function("document.activeElement.matches('.theme-switch-button')")
        themes.add(page.evaluate("document.documentElement.dataset.theme"))
    page.close()
    assert themes == {"light", "dark"}


def test_tables_are_sorted_by_key(browser):
    page = browser.new_page(viewport=LAPTOP)
    page.goto((SITE / "notebooks" / "09_category_level.html").as_uri())
    button = page.locator("table.book-table thead button").first
    button.focus()
    page.keyboard.press("Enter")
    assert button.locator("xpath=..").get_attribute("aria-sort") == "ascending"
    page.close()
