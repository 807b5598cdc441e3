"""A small Sphinx site with our extensions, built in a second, for tests."""

from pathlib import Path

from sphinx.application import Sphinx

from dpclip.files import ROOT


def build(folder: Path, pages: dict[str, str], extensions: list[str], **settings: object) -> Path:
    """Build Markdown `pages` with styles and scripts of the book. Returns the folder of the site."""
    for name, text in pages.items():
        (folder / f"{name}.md").parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    settings = {
        "extensions": ["myst_parser", "sphinx_copybutton", *extensions],
        "myst_enable_extensions": ["colon_fence", "dollarmath", "attrs_inline"],
        "html_static_path": [str(ROOT / "book" / "_static")],
        "html_css_files": ["book.css"],
        "html_js_files": ["definitions.js"],
        "mathjax_path": "none.js",
        **settings,
    }
    site = folder / "html"
    Sphinx(str(folder), None, str(site), str(folder / "trees"), "html", settings, status=None, warning=None).build()
    return site
