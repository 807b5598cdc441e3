"""A Sphinx extension: every page ends with where it comes from and how to cite it.

Chapters carry the provenance of their run already (builder/site.py); prose gets the commit and its date, never the time
of the build, so the same commit gives the same page. The buttons that copy are those of sphinx-copybutton,
which works from a file.
"""

import html
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml
from docutils import nodes
from sphinx.application import Sphinx

from dpclip.errors import UserError
from dpclip.files import ROOT
from dpclip.runs.machine import commit

NO_HISTORY = "unknown"  # what dpclip.runs.machine.commit says outside a git checkout


@dataclass(frozen=True)
class Source:
    """What all pages share: the book by its CITATION.cff, the paper it explains, the commit and its date."""

    title: str
    author: str
    version: str
    paper: dict  # the first reference of CITATION.cff
    commit: str
    date: str  # 2026-11-25, of the commit; empty without a history
    url: str = ""  # of the repository, when it has a public home

    @classmethod
    def read(cls, root: Path = ROOT, url: str = "") -> "Source":
        """Raises UserError when CITATION.cff lacks a field that a citation needs."""
        path = root / "CITATION.cff"
        try:
            book = yaml.safe_load(path.read_text(encoding="utf-8"))
            author = " and ".join(person["name"] for person in book["authors"])
            known = book["title"], author, str(book["version"]), book["references"][0]
        except (FileNotFoundError, KeyError, TypeError, IndexError, yaml.YAMLError) as error:
            raise UserError(
                f"{path} cannot be read as a citation ({error!r}). It needs title, version, authors with a name, and "
                "the paper as its first reference."
            ) from error
        return cls(*known, commit(), commit_date(), url)

    @property
    def state(self) -> str:
        """Which state of the book, in words."""
        return f"version {self.version}" if self.commit == NO_HISTORY else f"version {self.version}, {self.commit}"


def commit_date() -> str:
    """The day of the last commit, e.g. 2026-11-25; empty outside a git checkout."""
    try:
        words = ["git", "log", "-1", "--format=%cs"]
        return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def provenance(source: Source) -> str:
    """The line of a prose page."""
    if source.commit == NO_HISTORY:
        words = "This page was built from a copy without its history, so its commit is not known."
    else:
        words = f"This page was built from commit <code>{source.commit}</code> of {source.date}."
        if source.commit.endswith("+"):
            words += " The plus sign says that code had changed since."
    return f'<div class="provenance docutils"><p>{words}</p></div>'


def citation(page: str, title: str, source: Source) -> str:
    """The text by which a page is cited."""
    date = f", {source.date}" if source.date else ""
    where = f" {source.url}" if source.url else ""
    part = "" if title == source.title else f"“{title}”, in: "
    return f"{source.author}. {part}{source.title}, {source.state}{date}. Page {page}.{where}"


def bibtex(page: str, title: str, source: Source) -> str:
    """The same for LaTeX, and the paper's own entry."""
    names = " and ".join(f"{person['family-names']}, {person['given-names']}" for person in source.paper["authors"])
    number = source.paper["identifiers"][0]["value"]
    year = source.date[:4]
    fields = {
        "author": f"{{{source.author}}}",
        "title": _tex(title),
        "howpublished": f"In: {_tex(source.title)}, page {_tex(page)}",
        "note": _tex(source.state),
        "year": year,
        "url": source.url,
    }
    paper = {
        "author": names,
        "title": source.paper["title"],
        "journal": f"arXiv preprint {number}",
        "year": str(source.paper["year"]),
    }
    key = "dpclipbook_" + re.sub(r"\W+", "_", page.rpartition("/")[2])
    return f"{_entry('misc', key, fields)}\n{_entry('article', 'gao2024dpclip', paper)}"


def _entry(kind: str, key: str, fields: dict[str, str]) -> str:
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"])


def _tex(text: str) -> str:
    return re.sub(r"([&%$#_])", r"\\\1", text)


def cite_box(page: str, title: str, source: Source) -> str:
    """A box that opens: text and BibTeX, each with a button that copies."""

    def block(name: str, text: str) -> str:
        code = f'<div class="highlight"><pre tabindex="0">{html.escape(text)}</pre></div>'
        return f'<p>{name}</p><div class="highlight-none notranslate">{code}</div>'

    inside = block("As text", citation(page, title, source)) + block(
        "BibTeX, with the paper", bibtex(page, title, source)
    )
    return f'<details class="cite-page"><summary>Cite this page</summary>{inside}</details>'


def add_foot(app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None) -> None:
    """Pages that a person wrote, not the index or the search page."""
    if doctree is None:
        return
    title = app.env.titles[page].astext()
    where = "" if 'class="provenance' in context["body"] else provenance(app.book_source)
    context["body"] += where + cite_box(page, title, app.book_source)


def read_source(app: Sphinx) -> None:
    app.book_source = Source.read(url=app.config.html_theme_options.get("repository_url", ""))


def setup(app: Sphinx) -> dict:
    app.connect("builder-inited", read_source)
    app.connect("html-page-context", add_foot)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
