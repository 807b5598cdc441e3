"""A Sphinx extension: a page carries the definitions of the glossary terms and symbols on it, for hover and focus.

Each link made by {term} gets `aria-describedby`, the id of its definition at the foot of the page, so that a screen
reader knows it without a script; book/_static/definitions.js shows it to the others. Symbols are marked on the pages of
SYMBOL_PAGES, where letters mean what the notation table says.
"""

import html
import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from dpclip.config import preset
from dpclip_book.pages.notation import Sizes, letters, symbols

SYMBOL_PAGES = (
    "book/method",
    "notebooks/03_visual_prompting",
    "notebooks/04_textual_prompting",
    "notebooks/05_patch_matching",
    "notebooks/13_heatmaps",
)
NOT_UNIQUE = ("w",)  # a window's side, but a weight in the loss
TERM = re.compile(r"<a class=\"reference internal\" href=\"[^\"]*#(term-[^\"]+)\"(?= title=|>)")
SYMBOL = re.compile(r'<span class="math notranslate nohighlight">(?=\\\(([^<]*?)\\\)</span>)')


def term_definitions(env: BuildEnvironment) -> dict[str, str]:
    """Anchor of a glossary term -> its definition as plain text."""
    pages = {page for _, _, kind, page, *_ in env.get_domain("std").get_objects() if kind == "term"}
    found = {}
    for page in sorted(pages):
        for item in env.get_doctree(page).findall(nodes.definition_list_item):
            text = " ".join(part.astext() for part in item.findall(nodes.definition)).replace("\n", " ")
            for term in item.findall(nodes.term):
                found |= dict.fromkeys(term["ids"], text)
    return found


def symbol_definitions() -> dict[str, str]:
    """TeX of a symbol, as a page writes it -> meaning, name in the code and shape."""
    sizes = Sizes.of(preset("paper"))
    found = {symbol[1:-1]: f"{meaning}; {number} at ViT-B/32" for symbol, meaning, number in letters(sizes)}
    for symbol, what, code, shape, _ in symbols(sizes):
        tex = re.match(r"\$(.+?)\$", symbol).group(1)
        found[tex] = f"{what}; {code}, shape {shape}"
    return {tex: text for tex, text in found.items() if tex not in NOT_UNIQUE}


def collect(app: Sphinx, env: BuildEnvironment) -> None:
    """After all pages are read, before the first is written."""
    app.term_texts = term_definitions(env)
    app.symbol_texts = symbol_definitions()


def describe(app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None) -> None:
    """Mark terms and symbols of a page's body and add the definitions it needs."""
    if doctree is not None:
        context["body"] = with_definitions(
            context["body"], app.term_texts, app.symbol_texts if page in SYMBOL_PAGES else {}
        )


def with_definitions(body: str, terms: dict[str, str], signs: dict[str, str]) -> str:
    """The body of a page in which each known term and symbol is described by an element at its end.

    Symbols within tables are left alone: the notation table explains them itself.
    """
    used: dict[str, str] = {}

    def mark(identity: str, text: str) -> str:
        name = f"definition-{identity}"
        used[name] = text
        return f'data-definition="{name}" aria-describedby="{name}"'

    def term(match: re.Match) -> str:
        if match[1] not in terms:
            return match[0]
        return f"{match[0]} {mark(match[1], terms[match[1]])}"

    def sign(match: re.Match) -> str:
        tex = html.unescape(match[1]).strip()
        if tex not in signs:
            return match[0]
        identity = f"symbol-{list(signs).index(tex)}"
        focus = "" if f"definition-{identity}" in used else ' tabindex="0"'  # the tab key stops at a first mention
        return f"{match[0][:-1]} {mark(identity, signs[tex])}{focus}>"

    body = TERM.sub(term, body)
    tables = re.split(r"(<table.*?</table>)", body, flags=re.DOTALL)
    body = "".join(part if part.startswith("<table") else SYMBOL.sub(sign, part) for part in tables)
    texts = "".join(f'<p id="{name}" role="tooltip">{html.escape(text)}</p>' for name, text in used.items())
    return f'{body}<div class="definitions" hidden>{texts}</div>' if texts else body


def setup(app: Sphinx) -> dict:
    app.connect("env-updated", collect)
    app.connect("html-page-context", describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
