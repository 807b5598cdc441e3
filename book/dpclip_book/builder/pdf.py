"""The whole book as one PDF, without TeX: Jupyter Book makes one page of it, and a headless Chromium prints that.

It is printed twice: the second time with the pages of the chapters in the table of contents.
"""

import io
import shutil
from importlib.metadata import version
from pathlib import Path

from bs4 import BeautifulSoup
from pypdf import PdfReader

from dpclip.errors import UserError
from dpclip.files import atomic_write_bytes

NAME = "dp-clip.pdf"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ENOUGH = 600_000  # milliseconds that a printing may take
READY = """async () => {
  document.querySelectorAll("details").forEach(details => details.open = true);
  if (window.MathJax?.startup?.promise) await MathJax.startup.promise;
  await document.fonts.ready;
  await Promise.all([...document.images].map(image => image.decode().catch(() => null)));
}"""


def find_browser() -> str:
    """The path of a Chromium. Raises UserError where there is none."""
    found = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if found is None:
        raise UserError(
            "the PDF is printed by Chromium, and none is here. Install the package chromium "
            "(`apt-get install chromium`), or Google Chrome; then repeat the command."
        )
    return found


def prepare(single: Path) -> tuple[Path, dict[str, str]]:
    """Make the page that is printed out of Jupyter Book's folder `single`: each chapter begins a page, and links stay
    on it. Returns its path and the chapters, anchor -> title, in reading order.
    """
    text = (single / "book" / "index.html").read_text(encoding="utf-8")
    page = BeautifulSoup(text, "html.parser")
    chapters = {}
    for mark in page.select('span[id^="document-"]'):
        section = mark.find_next("section")
        heading = section.find(["h1", "h2", "h3"])
        for link in heading.select(".headerlink"):
            link.decompose()
        section["class"] = [*section.get("class", []), "chapter-start"]
        chapters[mark["id"]] = heading.get_text().strip()
    for link in page.select('a[href^="book/index.html#"]'):
        link["href"] = link["href"].removeprefix("book/index.html")
    target = single / "print.html"  # beside _static, which the page names so
    target.write_text(str(page), encoding="utf-8")
    return target, chapters


def front(title: str, authors: str, chapters: dict[str, str], pages: dict[str, int]) -> str:
    """HTML of the title page and the table of contents; a chapter without a known page has none."""
    lines = [
        f'<li><a href="#{anchor}">{name}</a> <span>{pages.get(name, "")}</span></li>'
        for anchor, name in chapters.items()
    ]
    contents = f'<h2>Contents</h2><ol class="list-unstyled">{"".join(lines)}</ol>'
    about = f"{authors}<br>Version {version('dpclip')}"
    return f'<div class="front"><p class="title">{title}</p><p>{about}</p></div><div class="front">{contents}</div>'


def print_book(single: Path, target: Path, title: str, authors: str) -> int:
    """Print Jupyter Book's single page to `target`; returns how many pages. Raises UserError without a Chromium."""
    browser = find_browser()
    from playwright.sync_api import sync_playwright

    page_file, chapters = prepare(single)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        page = chromium.new_page(color_scheme="light")
        page.set_default_timeout(ENOUGH)
        page.goto(page_file.as_uri())
        page.evaluate(READY)
        page.evaluate("document.querySelector('article').insertAdjacentHTML('beforebegin', '<div id=front></div>')")
        pages: dict[str, int] = {}
        for _ in range(2):
            html = front(title, authors, chapters, pages)
            page.evaluate("html => { document.getElementById('front').innerHTML = html }", html)
            content = page.pdf(prefer_css_page_size=True, print_background=True, outline=True, tagged=True)
            reader = PdfReader(io.BytesIO(content))
            pages = chapter_pages(reader)
        chromium.close()
    atomic_write_bytes(target, content)
    return len(reader.pages)


def chapter_pages(reader: PdfReader) -> dict[str, int]:
    """Title of a heading in the PDF's outline -> its page, from 1; of several with one title, the first."""
    pages: dict[str, int] = {}

    def walk(entries: list) -> None:
        for entry in entries:
            if isinstance(entry, list):
                walk(entry)
            else:
                pages.setdefault(" ".join(entry.title.split()), reader.get_destination_page_number(entry) + 1)

    walk(reader.outline)
    return pages
