"""Slides of all chapters: decks written by nbconvert as pages of reveal.js that need no network."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from nbconvert import SlidesExporter

from dpclip.data.files import ROOT, atomic_write_text
from dpclip.report.chapters import Chapter
from dpclip.report.teach.deck import make_deck, title
from dpclip.report.web.npm import package

REVEAL = ("reveal.css", "reveal.js", "theme/white.css", "theme/black.css", "plugin/notes.js")  # of reveal.js/dist
OWN = Path(__file__).with_name("slides.css")
# nbconvert's page of slides without its scripts and styles, which come from elsewhere, and with MathJax 3.
TEMPLATE = """{%- extends 'reveal/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block notebook_css -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}
<meta name="viewport" content="width=device-width, initial-scale=1">
<script>
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  window.MathJax = {
    tex: { inlineMath: [["$", "$"], ["\\\\(", "\\\\)"]] },
    chtml: { matchFontHeight: false },
  };
</script>
<script defer src="{{ resources.mathjax }}/tex-mml-chtml.js"></script>
{%- endblock -%}
{%- block body_header -%}
<link rel="stylesheet" href="reveal/dist/theme/black.css" media="(prefers-color-scheme: dark)">
<link rel="stylesheet" href="book.css">
<link rel="stylesheet" href="slides.css">
<body>
<main class="reveal"><div class="slides">
{%- endblock -%}
{%- block body_footer -%}</div></main></body>{%- endblock -%}
{%- block footer_js -%}
<script src="reveal/dist/reveal.js"></script>
<script src="reveal/dist/plugin/notes.js"></script>
<script>
  const shape = { width: 1120, height: 700, transition: "none", slideNumber: "c/t" };
  Reveal.initialize({ ...shape, hash: true, plugins: [RevealNotes] });
</script>
{%- endblock -%}"""


def write_slides(chapters: Sequence[Chapter], folder: Path, mathjax: str, root: Path = ROOT) -> list[Path]:
    """NN_name.slides.html of each chapter as it was last run, else as it is stored, and beside them what they load but
    MathJax, whose address from `folder` is `mathjax`. Returns the pages.

    Raises UserError when reveal.js is not there and cannot be fetched.
    """
    home = package("reveal.js")
    for name in REVEAL:
        copy(home / "dist" / name, folder / "reveal" / "dist" / name)
    copy(home / "LICENSE", folder / "reveal" / "LICENSE")
    copy(root / "book" / "_static" / "book.css", folder / "book.css")
    copy(OWN, folder / "slides.css")
    notebooks = {chapter: chapter.shown() for chapter in chapters}
    titles = {chapter.name: title(notebook) for chapter, notebook in notebooks.items()}
    settings = {"reveal_url_prefix": "reveal", "reveal_theme": "white", "exclude_anchor_links": True}
    exporter = SlidesExporter(raw_template=TEMPLATE, **settings)
    pages = []
    for chapter, notebook in notebooks.items():
        page, _ = exporter.from_notebook_node(make_deck(notebook, titles), {"mathjax": mathjax})
        pages.append(folder / f"{chapter.name}.slides.html")
        atomic_write_text(pages[-1], page)
    return pages


def copy(origin: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(origin, target)
