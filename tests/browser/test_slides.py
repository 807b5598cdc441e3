"""Slides in a real browser, opened as from a USB stick: nothing from elsewhere, formulas set, figures there, by key."""

import pytest

from dpclip.data.files import ROOT
from dpclip.report.book import copy_mathjax
from dpclip.report.chapters import find_chapters
from dpclip.report.teach.slides import write_slides
from dpclip.report.web.npm import package


@pytest.fixture(scope="module")
def slides(tmp_path_factory):
    """The page of chapter 03, in a folder of its own."""
    folder = tmp_path_factory.mktemp("slides")
    copy_mathjax(folder / "mathjax")
    (path,) = write_slides(find_chapters("mini", ROOT, only=["03"]), folder, "mathjax")
    return path


@pytest.fixture
def shown(page, slides):
    """The opened page, and the addresses that it asked for."""
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(slides.as_uri())
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    page.evaluate("MathJax.startup.promise")
    return page, asked


def test_nothing_comes_from_elsewhere_and_nothing_fails(shown, slides):
    page, asked = shown
    assert len(asked) > 5 and all(url.startswith((slides.parent.as_uri(), "data:")) for url in asked)
    assert page.locator("mjx-container").count() > 10 and page.locator("mjx-merror").count() == 0


def test_every_slide_fits_and_figures_are_there(shown):
    page, _ = shown
    count = page.evaluate("Reveal.getTotalSlides()")
    assert count > 15
    pictures = page.evaluate("[...document.querySelectorAll('.slides img')].map(i => [i.naturalWidth, i.alt])")
    assert len(pictures) >= 5 and all(width > 100 and alt for width, alt in pictures)
    for _ in range(count):
        height, text = page.evaluate("(s => [s.scrollHeight, s.innerText])(Reveal.getCurrentSlide())")
        assert 0 < height <= 700 and text.strip(), text
        page.evaluate("Reveal.next()")
    assert page.evaluate("Reveal.isLastSlide()")


def test_keys_turn_the_slides_and_notes_hold_the_rest(shown):
    page, _ = shown
    for _ in range(3):
        page.keyboard.press("Space")
    assert page.evaluate("Reveal.getSlidePastCount()") == 3
    page.wait_for_function("location.hash.startsWith('#/')")  # the address follows a little later
    assert page.locator("aside.notes").count() > 8 and not page.locator("aside.notes").first.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_schemes_are_readable(browser, slides, scheme):
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto(slides.as_uri())
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    page.evaluate("Reveal.slide(1)")
    page.evaluate((package("axe-core") / "axe.min.js").read_text())
    found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa']})")["violations"]
    context.close()
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == []
