"""Check the built pages: links lead somewhere, figures have alt text, nothing comes from elsewhere, none is heavy."""

import re
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

from bs4 import BeautifulSoup

# Attributes a browser loads by itself when the page opens. A link that a reader clicks may lead to the web.
LOADED = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "link": "href",
}
LOADING_RELATIONS = {"stylesheet", "preload", "prefetch", "icon", "shortcut", "preconnect", "manifest", "modulepreload"}
LIMIT = 2_000_000  # bytes
FORMULAS = ("core.js", "input/tex.js", "output/chtml.js", "output/chtml/fonts/tex.js", "a11y/assistive-mml.js")


def check_site(html: Path) -> list[str]:
    """Problems of all pages under `html`, each naming page and place; empty when all is well."""
    files = [path for path in sorted(html.rglob("*.html")) if path.relative_to(html).parts[0] != "_static"]
    pages = {path: BeautifulSoup(path.read_bytes(), "html.parser") for path in files}
    ids = {path: {tag["id"] for tag in page.find_all(id=True)} for path, page in pages.items()}
    problems = []
    for path, page in pages.items():
        found = missing_alt(page) + external_resources(page) + broken_links(page, path, html, ids)
        found += too_heavy(page, path, html)
        problems += [f"{path.relative_to(html)}: {problem}" for problem in found]
    return problems


def missing_alt(page: BeautifulSoup) -> list[str]:
    """Images whose alt text is absent, empty, or only the file name that Sphinx puts there when nobody wrote one; and
    drawings without an aria-label.
    """
    problems = []
    for image in page.find_all("img"):
        alt, src = (image.get("alt") or "").strip(), image.get("src", "")
        if not alt or alt == src or Path(alt).name == Path(src).name:
            problems.append(f"image {src[:80]} has no alt text")
    for drawing in page.select("figure svg[role=img]"):
        if not drawing.get("aria-label", "").strip():
            problems.append("a drawing has no aria-label")
    return problems


def external_resources(page: BeautifulSoup) -> list[str]:
    """Scripts, styles, images and frames that a browser would fetch from another host."""
    problems = []
    for name, attribute in LOADED.items():
        for tag in page.find_all(name):
            address = tag.get(attribute, "")
            if name == "link" and not LOADING_RELATIONS & set(tag.get("rel", [])):
                continue
            if address.startswith("//") or urlsplit(address).scheme in ("http", "https"):
                problems.append(f"<{name}> loads {address} from elsewhere")
    return problems


def broken_links(page: BeautifulSoup, path: Path, html: Path, ids: dict[Path, set]) -> list[str]:
    """Relative links to a file or an anchor that does not exist."""
    problems = []
    for tag in page.find_all(["a", "link", "img", "script"]):
        address = tag.get("href") or tag.get("src") or ""
        target, fragment = urldefrag(address)
        parts = urlsplit(target)
        if parts.scheme or target.startswith("//") or not address or address == "#":
            continue
        file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if file.is_dir():
            file /= "index.html"
        if not file.is_file():
            problems.append(f"link {address} leads to no file")
        elif fragment and file in ids and unquote(fragment) not in ids[file]:
            problems.append(f"link {address} leads to no such place on that page")
    return problems


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
