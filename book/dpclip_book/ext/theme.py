"""A Sphinx extension: what the theme and its companions write into pages, and readers are hindered by, is mended.

Named in _config.yml. Thebe, which runs cells on a server, names an address on the web in every page, twice; the search
button has another name than the text that is seen; the logo lies outside every landmark; roles in the bibliography are
outdated.
"""

import re

from sphinx.application import Sphinx
from sphinx.config import Config

THEBE = ("init_thebe_core", "update_thebe_context")  # functions of sphinx_thebe that write into pages


def without_thebe(app: Sphinx, config: Config) -> None:
    """Jupyter Book always loads sphinx_thebe; what it has connected is disconnected."""
    for listeners in list(app.events.listeners.values()):
        for listener in list(listeners):
            if listener.handler.__module__ == "sphinx_thebe" and listener.handler.__name__ in THEBE:
                app.disconnect(listener.id)


def mend_page(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    """No style sheet of Thebe; citations without the roles that ARIA has withdrawn, in a list without a wrong child."""
    context["css_files"] = [file for file in context["css_files"] if "thebe" not in str(file.filename)]
    if "body" in context:
        body = re.sub(r' role="doc-(biblioentry|backlink|biblioref)"', "", context["body"])
        body = body.replace('<div role="list" class="citation-list">', '<div class="citation-list">')
        context["body"] = body.replace(' aria-label="Toggle hidden content"', "")  # of a folded cell, which says more


def complete_single_page(app: Sphinx) -> None:
    """An extension names how it writes a node on a single page, and Sphinx then forgets how all others write theirs."""
    handlers = app.registry.translation_handlers
    if "singlehtml" in handlers:
        handlers["singlehtml"] = handlers.get("html", {}) | handlers["singlehtml"]


def setup(app: Sphinx) -> dict:
    app.connect("config-inited", without_thebe)
    app.connect("builder-inited", complete_single_page)
    app.connect("html-page-context", mend_page, priority=900)  # after all others
    return {"parallel_read_safe": True, "parallel_write_safe": True}
