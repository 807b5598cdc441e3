"""How many bytes a page loads when it opens: itself, and the styles, scripts and pictures that it names."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup

LIMIT = 2_000_000  # bytes
FORMULAS = ("core.js", "input/tex.js", "output/chtml.js", "output/chtml/fonts/tex.js", "a11y/assistive-mml.js")


def too_heavy(page: BeautifulSoup, path: Path, html: Path) -> list[str]:
    """A problem when the page weighs more than LIMIT, it names the heaviest parts."""
    parts = {path: path.stat().st_size} | {file: file.stat().st_size for file in loaded(page, path)}
    total = sum(parts.values())
    if total <= LIMIT:
        return []
    heaviest = sorted(parts, key=parts.get, reverse=True)[:3]
    words = ", ".join(f"{file.name} {parts[file] / 1e6:.2f} MB" for file in heaviest)
    return [f"loads {total / 1e6:.2f} MB, and {LIMIT / 1e6:.0f} MB are the limit; the most: {words}"]


def loaded(page: BeautifulSoup, path: Path) -> set[Path]:
    """The files beside the page that a browser loads at once. MathJax loads its parts by itself, so they are added."""
    tags = page.select("link[rel=stylesheet], link[rel=preload], link[rel=icon], script[src], img[src]")
    addresses = [tag.get("href") or tag.get("src") for tag in tags]
    addresses = [unquote(urlsplit(address).path) for address in addresses if not re.match(r"[a-z]+:|//", address)]
    files = {(path.parent / address).resolve() for address in addresses}
    for file in [file for file in files if file.parts[-2:] == ("mathjax", "startup.js")]:
        files |= {file.parent / part for part in FORMULAS}
    return {file for file in files if file.is_file()}
