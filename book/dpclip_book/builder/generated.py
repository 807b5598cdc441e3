"""The parts of prose pages that are computed when the book is staged: Markdown that pages include."""

from collections.abc import Sequence
from pathlib import Path

from dpclip.files import ROOT
from dpclip_book.chapters import Chapter
from dpclip_book.pages import decisions, findings, paper_map
from dpclip_book.pages.machine_page import runs_table, versions_table
from dpclip_book.pages.notation import notation_tables
from dpclip_book.teach.class_pages import chapters_table, sizes_table


def write_generated(book: Path, chapters: Sequence[Chapter]) -> None:
    """Fill the staged folder `book` with _*.md. Raises UserError when the decisions are not in order."""
    parts = {
        "_notation": notation_tables(),
        "_findings": findings.findings_page(),
        "_decisions": decisions.decisions_page(decisions.read_decisions()),
        "_paper_map": paper_map.map_page(paper_map.read_map()),
        "_runs": runs_table(chapters),
        "_versions": versions_table(),
        "_class_chapters": chapters_table(chapters),
        "_class_sizes": sizes_table(),
        "_changelog": (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
        "_contributing": (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"),
    }
    for name, text in parts.items():
        (book / f"{name}.md").write_text(text, encoding="utf-8")
