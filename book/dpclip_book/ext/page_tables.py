"""A Sphinx extension: tables of class "book-table" get row headers, and every header cell says what it is a header of.

Named in _config.yml. Screen readers read a cell with its headers; Sphinx writes header cells without a scope.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx

CLASS = "book-table"


def mark_row_headers(app: Sphinx, doctree: nodes.document) -> None:
    """The first column of a book table holds headers."""
    for table in doctree.findall(nodes.table):
        if CLASS in table["classes"]:
            next(iter(table.findall(nodes.colspec)))["stub"] = 1


def scope_headers(app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None) -> None:
    """`scope` on the header cells of a page's body; a corner cell, which is both, heads its column."""
    if "body" in context:
        body = re.sub(r'<th class="head', '<th scope="col" class="head', context["body"])
        context["body"] = re.sub(r'<th class="stub', '<th scope="row" class="stub', body)


def setup(app: Sphinx) -> dict:
    app.connect("doctree-read", mark_row_headers)
    app.connect("html-page-context", scope_headers)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
