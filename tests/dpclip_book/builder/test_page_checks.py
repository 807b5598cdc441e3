"""The page checks find each kind of fault, and find none in a good page."""

import pytest

from dpclip_book.builder.page_checks import FORMULAS, check_site

GOOD = """<html><head><link rel="stylesheet" href="a.css"></head><body id="top">
<img src="x.png" alt="A cat"> <a href="other.html#there">x</a> <a href="#top">y</a> <a href="https://example.org">z</a></body></html>"""


@pytest.fixture
def site(tmp_path):
    (tmp_path / "x.png").write_bytes(b"")
    (tmp_path / "a.css").write_text("")
    (tmp_path / "other.html").write_text('<p id="there">here</p>')
    (tmp_path / "index.html").write_text(GOOD)
    return tmp_path


def test_good_site_has_no_problems(site):
    assert check_site(site) == []


@pytest.mark.parametrize(
    ("addition", "problem"),
    [
        ('<img src="x.png">', "image x.png has no alt text"),
        ('<img src="x.png" alt=" ">', "image x.png has no alt text"),
        ('<img src="x.png" alt="../_images/x.png">', "image x.png has no alt text"),
        ('<figure><svg role="img" aria-label=""></svg></figure>', "a drawing has no aria-label"),
        ('<script src="https://example.org/a.js"></script>', "<script> loads https://example.org/a.js from elsewhere"),
        ('<link rel="stylesheet" href="//example.org/a.css">', "<link> loads //example.org/a.css from elsewhere"),
        ('<a href="gone.html">x</a>', "link gone.html leads to no file"),
        ('<a href="other.html#gone">x</a>', "link other.html#gone leads to no such place on that page"),
    ],
)
def test_each_fault_is_found(site, addition, problem):
    (site / "index.html").write_text(GOOD.replace("</body>", addition + "</body>"))
    assert check_site(site) == [f"index.html: {problem}"]


def test_a_heavy_page_is_found_with_what_it_loads(site):
    (site / "x.png").write_bytes(b"\0" * 2_000_000)
    (problem,) = check_site(site)
    assert problem.startswith("index.html: loads 2.00 MB, and 2 MB are the limit; the most: x.png 2.00 MB")


def test_the_parts_of_mathjax_count(site):
    for part in ("startup.js", *FORMULAS):
        (site / "mathjax" / part).parent.mkdir(parents=True, exist_ok=True)
        (site / "mathjax" / part).write_bytes(b"\0" * 400_000)
    (site / "index.html").write_text(GOOD.replace("</body>", '<script src="mathjax/startup.js"></script></body>'))
    (problem,) = check_site(site)
    assert "loads 2.40 MB" in problem
