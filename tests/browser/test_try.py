"""The page that ranks photos finds the same ones as Python: from a disk, from a server, for drawings too.

On a small page around what the site loads, with the run of the preset smoke: its weights say little, but they have the
same shapes and go the same way.
"""

import base64
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch

from dpclip.data.images import read_image
from dpclip.evaluation.evaluate import category_test, open_bench, rank_photos
from dpclip.runs.run import ensure_model, open_run
from dpclip_book.pages.try_data import BY_PEOPLE, offered_categories
from dpclip_book.pages.try_page import PAGE, PICTURE, ensure_parts

SKETCHES = 5  # a category
TIE = 2e-4  # two distances nearer than this may swap: weights of 16 bits move each by less than half of it
PATIENCE = 120_000  # milliseconds that a step may take on a busy machine
READY = "#try-controls:not([hidden])"


@pytest.fixture(scope="module")
def bench():
    run, store = open_run("smoke")
    return open_bench(ensure_model(run, store).model, store)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The page's file, in a folder laid out as the site is."""
    made, folder = ensure_parts("smoke"), tmp_path_factory.mktemp("site")
    shutil.copytree(made, folder / "try", ignore=shutil.ignore_patterns(PAGE, PICTURE))
    (folder / "book").mkdir()
    body = (made / PAGE).read_text(encoding="utf-8")
    (folder / "book" / "try.html").write_text(f'<!doctype html><meta charset="utf-8">{body}', encoding="utf-8")
    return folder / "book" / "try.html"


@pytest.fixture(scope="module")
def opened(browser, site):
    """The page from a disk, for several tests: it loads its model once."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(site.as_uri())
    page.wait_for_selector(READY, timeout=PATIENCE)
    yield page
    context.close()


def ranked(page) -> list[int]:
    """Places of the photos in the gallery, as the page has just ranked them."""
    return page.eval_on_selector_all("#try-ranking li", "items => items.map(item => Number(item.dataset.photo))")


def wait(page, act) -> list[int]:
    """Do something that makes the page rank, and see the result."""
    before = page.evaluate("document.getElementById('try-result').dataset.query ?? ''")
    act()
    wanted = "before => (document.getElementById('try-result').dataset.query ?? '') !== before"
    page.wait_for_function(wanted, arg=before, timeout=PATIENCE)
    return ranked(page)


def agrees(found: list[int], distance: np.ndarray) -> bool:
    """Whether the first five are Python's, which has these distances (G,), but for ties."""
    wanted = np.sort(distance)[:5]
    return bool((np.abs(distance[found[:5]] - wanted) < TIE).all())


def test_the_first_five_are_those_of_python_for_fifty_sketches_and_nothing_else_is_asked_for(page, site, bench):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(site.as_uri())
    page.wait_for_selector(READY, timeout=PATIENCE)
    wrong, by = [], set()
    categories = offered_categories(bench.store.manifest)
    for number, category in enumerate(categories):
        page.select_option("#try-category", index=number)
        test = category_test(bench.store, bench, category)
        context = bench.context(test)
        offered = page.locator("[name=try-sketch]")
        for place in np.linspace(0, offered.count() - 1, SKETCHES).astype(int):
            sketch = offered.nth(int(place))
            row = int(sketch.get_attribute("value"))
            by.add(bench.store.manifest.table["style"][row])
            found = wait(page, sketch.check)
            assert len(found) == len(test.gallery)
            if not agrees(found, bench.distances(np.array([row]), test.gallery, context)[0]):
                wrong.append((category, row))
    assert not wrong and by == {"warped", "human"} and SKETCHES * len(categories) >= 50
    root = site.parents[1].as_uri()
    assert [url for url in asked if not url.startswith((root, "data:", "blob:"))] == []


def test_the_true_photo_and_the_time_are_shown(opened):
    page = opened
    page.select_option("#try-category", index=0)
    sketch = page.locator("[name=try-sketch]").nth(BY_PEOPLE + 3)
    found = wait(page, sketch.check)
    name = sketch.get_attribute("aria-label").split(",")[0]
    (true,) = page.locator("#try-ranking .try-true").all()
    assert "the true photo" in true.inner_text() and name in true.inner_text()
    place = found.index(int(true.get_attribute("data-photo"))) + 1
    assert f"the true photo is number {place}" in page.inner_text("#try-status") and " ms" in page.inner_text(
        "#try-status"
    )
    wait(page, lambda: page.select_option("#try-category", index=1))  # the same sketch among other photos
    assert page.locator("#try-ranking .try-true").count() == 0
    wait(page, page.locator("[name=try-sketch]").first.check)  # a person's, of no certain photo
    assert page.locator("#try-ranking .try-true").count() == 0 and "true photo" not in page.inner_text("#try-status")


def test_a_drawing_is_ranked_as_python_ranks_the_picture_of_it(opened, bench, tmp_path):
    page = opened
    page.select_option("#try-category", index=0)
    page.locator("#try-paper").scroll_into_view_if_needed()
    box = page.locator("#try-paper").bounding_box()

    def line(*points):
        for number, (x, y) in enumerate(points):
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=3)
            if number == 0:
                page.mouse.down()
        page.mouse.up()

    wait(page, lambda: line((0.2, 0.5), (0.5, 0.2), (0.8, 0.5), (0.5, 0.8), (0.2, 0.5)))
    found = wait(page, lambda: line((0.8, 0.5), (0.95, 0.4)))
    address = page.evaluate("document.getElementById('try-paper').toDataURL()")
    (tmp_path / "drawing.png").write_bytes(base64.b64decode(address.split(",")[1]))
    pixels = read_image(tmp_path / "drawing.png", bench.store.size)
    seen = page.evaluate(f"Array.from(greyLevels(document.getElementById('try-paper'), {bench.store.size}))")
    assert np.abs(np.array(seen).reshape(pixels[0].shape) - pixels[0].astype(int)).max() <= 1  # its sums are rounded so
    assert pixels.min() == 0

    test = category_test(bench.store, bench, offered_categories(bench.store.manifest)[0])
    ranking = rank_photos(bench, torch.from_numpy(pixels.copy()).float() / 255, test, test.gallery)
    order = np.searchsorted(test.gallery, ranking.rows)
    assert agrees(found, ranking.distance[np.argsort(order)])

    wait(page, lambda: page.click("#try-undo"))
    page.click("#try-undo")
    assert page.is_disabled("#try-undo") and page.is_disabled("#try-clear")
    assert page.evaluate("Math.min(...greyLevels(document.getElementById('try-paper'), 112))") == 255


def test_keys_alone_pick_a_sketch(opened):
    page = opened
    page.select_option("#try-category", index=1)  # no sketch of it is picked yet
    page.focus("#try-width")
    page.keyboard.press("Tab")
    wait(page, lambda: page.keyboard.press("Space"))
    first = page.locator("[name=try-sketch]:checked").get_attribute("value")
    wait(page, lambda: page.keyboard.press("ArrowRight"))
    assert page.locator("[name=try-sketch]:checked").get_attribute("value") != first


def test_it_works_from_a_server(page, site):
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site.parents[1]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        host = f"http://127.0.0.1:{server.server_port}/"
        page.goto(f"{host}book/try.html")
        page.wait_for_selector(READY, timeout=PATIENCE)
        assert len(wait(page, page.locator("[name=try-sketch]").first.check)) > 5
        assert [url for url in asked if not url.startswith((host, "data:", "blob:"))] == []
    finally:
        server.shutdown()
        server.server_close()


def test_without_scripts_there_is_a_note(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.as_uri())
    assert "scripts are off" in page.inner_text("noscript") and not page.is_visible("#try-controls")
    context.close()
