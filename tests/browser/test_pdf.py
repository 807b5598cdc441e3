"""A small book is printed: chapters begin pages, and the table of contents and the links name them."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from pypdf import PdfReader

from dpclip.errors import UserError
from dpclip_book.builder import pdf

PAGE = """<html><body><article><section id="book"><h1>Book</h1>
<p>See <a href="book/index.html#there">there</a>.</p>
<span id="document-a"></span>
<section id="a"><h2>First chapter<a class="headerlink" href="#a">#</a></h2><p>x</p></section>
<span id="document-b"></span><section id="b"><h2>Second chapter</h2><p id="there">y</p></section>
</section></article><style>.front, .chapter-start { break-before: page }</style></body></html>"""


@pytest.fixture
def single(tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "index.html").write_text(PAGE)
    return tmp_path


def test_chapters_are_found_and_links_stay_on_the_page(single):
    page, chapters = pdf.prepare(single)
    assert chapters == {"document-a": "First chapter", "document-b": "Second chapter"}
    text = page.read_text()
    assert 'href="#there"' in text and text.count("chapter-start") == 3


def test_the_book_is_printed_with_its_contents(single, browser):
    with ThreadPoolExecutor(1) as thread:  # another browser than that of the fixture
        pages = thread.submit(pdf.print_book, single, single / "x.pdf", "The title", "Some authors").result()
    reader = PdfReader(single / "x.pdf")
    texts = [" ".join(page.extract_text().split()) for page in reader.pages]
    assert pages == len(texts) >= 4
    assert any("The title" in text and "Some authors" in text for text in texts)
    (contents,) = [text for text in texts if "Contents" in text]
    for name in ("First chapter", "Second chapter"):
        place = next(n for n, text in enumerate(texts, 1) if text.startswith(name))
        assert f"{name} {place}" in contents
    assert sum(len(page.get("/Annots") or []) for page in reader.pages) >= 3


def test_without_a_browser_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(pdf.shutil, "which", lambda name: None)
    with pytest.raises(UserError, match="apt-get install chromium"):
        pdf.find_browser()
