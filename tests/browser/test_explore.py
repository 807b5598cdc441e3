"""The page "Explore the results" as a reader uses it: filters, keys, the address, and no scripts."""

import io
import re

import pytest
from PIL import Image

from dpclip_book.pages import explore
from dpclip_book.studies.rankings import rankings_path, read_rankings

STATUS = re.compile(r"(\d+) of (\d+) queries\.(?: (.+): (.+) ranks its photo (\d+)\.)?")
CHOSEN = "[role=option][aria-selected=true]"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The page alone, without the theme, and with one white pixel for each sheet."""
    source = tmp_path_factory.mktemp("explore")
    (source / "book" / "figures").mkdir(parents=True)
    pixel = io.BytesIO()
    Image.new("L", (1, 1), "white").save(pixel, "WEBP")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(explore, "sheet", lambda *_: pixel.getvalue())
        explore.write_explorer(source)
    controls = re.search(r"```\{raw\} html\n(.*?)```", (source / "book" / "_explore.md").read_text(), re.S)[1]
    path = source / "extra" / "book" / "explore.html"
    path.parent.mkdir()
    path.write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Explore</title><body>{controls}'
        '<div class="explore-static">a table</div>',
        encoding="utf-8",
    )
    return path


@pytest.fixture
def opened(page, site):
    """The page, opened; anything but a file that it asks for, and any error, fails the test."""
    wrong = []
    page.on("request", lambda request: request.url.startswith("file:") or wrong.append(request.url))
    page.on("requestfailed", lambda request: wrong.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(site.as_uri())
    yield page
    assert wrong == []


@pytest.fixture(scope="module")
def recorded():
    """Protocol -> row -> the ranks of all queries, in the order of the file."""
    content = read_rankings(rankings_path("mini"))
    ranks = {}
    for test in content["tests"]:
        for name, row in content["rows"].items():
            own = ranks.setdefault(test["protocol"], {}).setdefault(name, [])
            own += test["found"][row["run"]]["ranks"]
    return ranks


def status(page):
    kept, total, _, method, rank = STATUS.fullmatch(page.locator("#explore-status").inner_text()).groups()
    return int(kept), int(total), method, rank and int(rank)


def choose(page, **values):
    for name, value in values.items():
        page.locator(f"select[name={name}]").select_option(value)


def test_ranks_and_accuracies_are_those_of_the_records(opened, recorded):
    for protocol, rows in recorded.items():
        choose(opened, protocol=protocol)
        for name, ranks in rows.items():
            choose(opened, method=name)
            shown = opened.locator("[role=option] > span:last-child").all_inner_texts()
            assert [int(rank) for rank in shown] == ranks
            line = opened.locator("#explore-table tr.chosen")
            assert line.locator("th").inner_text() == name
            assert line.locator(".explore-count").inner_text() == f"{ranks.count(1)} of {len(ranks)}"
            if ranks[0] <= 10:
                assert line.locator("li").nth(ranks[0] - 1).get_attribute("class") == "true"


def test_filters_change_the_list(opened, recorded):
    rows = recorded["held-out"]
    first, second = list(rows)[:2]
    choose(opened, method=first, other=second, which="won")
    pairs = list(zip(rows[first], rows[second], strict=True))
    assert status(opened)[0] == sum(a == 1 < b for a, b in pairs) == opened.locator("[role=option]").count()
    choose(opened, which="lost")
    assert status(opened)[0] == sum(b == 1 < a for a, b in pairs)
    choose(opened, which="none")
    assert status(opened)[0] == sum(min(ranks) > 1 for ranks in zip(*rows.values(), strict=True))
    choose(opened, which="all", sort="worst")
    shown = opened.locator("[role=option] > span:last-child").all_inner_texts()
    assert [int(rank) for rank in shown] == sorted(rows[first], reverse=True)
    choose(opened, category="guitar", sketches="hand-2")
    labels = [option.get_attribute("aria-label") for option in opened.locator("[role=option]").all()]
    assert labels and all(", guitar, drawn by hand 2: rank" in label for label in labels)


def test_keys_choose_queries_and_methods(opened):
    listbox = opened.get_by_role("listbox", name="Queries")
    listbox.focus()
    for key, place in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", -1), ("Home", 0)):
        opened.keyboard.press(key)
        options = opened.locator(CHOSEN).all()
        assert len(options) == 1 and listbox.get_attribute("aria-activedescendant") == options[0].get_attribute("id")
        count = opened.locator("[role=option]").count()
        assert options[0].get_attribute("id") == f"query-{place % count}"
    opened.locator("select[name=method]").focus()
    before = status(opened)[2]
    opened.keyboard.press("Home")
    opened.keyboard.press("ArrowDown") if status(opened)[2] == before else None
    assert status(opened)[2] != before


def test_boxes_choose_the_row_with_these_modules(opened):
    known = opened.locator("select[name=method] option").all_inner_texts()
    if not {"+V +patch", "DP-CLIP"} <= set(known):
        pytest.skip("rows of table 3 are not recorded yet")
    choose(opened, method="DP-CLIP")
    opened.get_by_label("T", exact=True).uncheck()
    assert status(opened)[2] == "+V +patch"


def test_the_address_restores_what_is_shown(opened, browser, site):
    method = opened.locator("select[name=method] option").first.inner_text()
    choose(opened, sketches="hand-1", method=method, which="missed", sort="worst")
    opened.get_by_role("button", name="Next").click()
    opened.get_by_role("button", name="Next").click()
    said = opened.locator("#explore-status").inner_text()
    assert "#" in opened.url and "query=" in opened.url and "sketches=hand-1" in opened.url
    other = browser.new_page()
    other.goto(opened.url)
    assert other.locator("#explore-status").inner_text() == said
    assert other.locator(CHOSEN).get_attribute("id") == "query-2"
    other.goto(f"{site.as_uri()}#method=nobody&category=guitar")  # the fragment alone; nonsense is passed over
    assert other.locator("select[name=category]").input_value() == "guitar"
    other.close()


def test_reset_and_an_empty_list(opened):
    choose(opened, which="found", sort="worst")
    opened.get_by_role("button", name="Reset").click()
    assert "#" not in opened.url and opened.locator("select[name=which]").input_value() == "all"
    names = opened.locator("select[name=method] option").all_inner_texts()
    choose(opened, method=names[0], other=names[0], which="won")
    assert status(opened)[0] == 0 and opened.locator("#explore-table li").count() == 0


def test_a_phone_scrolls_in_one_direction(opened):
    opened.set_viewport_size({"width": 390, "height": 800})
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_scripts_the_table_and_the_picture_stay(browser, site):
    for scripts in (True, False):
        context = browser.new_context(java_script_enabled=scripts)
        page = context.new_page()
        page.goto(site.as_uri())
        assert page.locator("#explore").is_visible() == scripts
        assert page.locator(".explore-static").is_visible() != scripts
        context.close()
