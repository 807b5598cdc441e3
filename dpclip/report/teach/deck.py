"""A chapter as a deck of slides. The rule: a slide for each heading, with its first sentences and its formulas; below
it a slide for each figure and each small table; the rest of the words are the speaker's notes. No exercises.
"""

import re
from collections.abc import Mapping

import nbformat
from nbformat.v4 import new_markdown_cell, new_notebook

from dpclip.report.teach.plain import glued, plain

BOOK = "DP-CLIP, executable"
LEAD = 330  # characters of running text on a slide
ROWS, COLUMNS = 9, 6  # of a table that can be read from the last row of a room
TABLE = re.compile(r"^:::\{table\} (?P<caption>.*)\n(?::.*\n)*\n(?P<rows>(?:\|.*\n?)+)", re.MULTILINE)


def make_deck(chapter: nbformat.NotebookNode, titles: Mapping[str, str]) -> nbformat.NotebookNode:
    """The deck of an executed chapter, as a notebook whose cells say which slide they are (`slideshow.slide_type`)."""
    values = glued(chapter)
    deck = new_notebook(metadata={**chapter.metadata, "title": title(chapter)})
    for cell in chapter.cells:
        if cell.cell_type == "code":
            deck.cells += [slide for output in cell.outputs for slide in output_slides(cell, output, titles, values)]
            continue
        for heading, body in sections(cell.source):
            if heading == "## Exercises":
                return deck
            deck.cells += section_slides(heading, plain(body, titles, values).strip())
    return deck


def title(chapter: nbformat.NotebookNode) -> str:
    return chapter.cells[0].source.splitlines()[0].removeprefix("# ")


def sections(text: str) -> list[tuple[str, str]]:
    """(heading line, text below it), in order; "" heads what comes before the first heading."""
    parts = re.split(r"^(#{1,3} .*)$", text, flags=re.MULTILINE)
    return [("", parts[0]), *zip(parts[1::2], parts[2::2], strict=True)]


def section_slides(heading: str, body: str) -> list[nbformat.NotebookNode]:
    """A slide with the heading, the lead and the formulas, and notes with all of the text; only notes without one."""
    notes = [markdown(body, "notes")] if body else []
    if not heading:
        return notes
    blocks = re.split(r"\n\s*\n", body)
    formulas = re.findall(r"^\$\$.*?^\$\$", body, flags=re.MULTILINE | re.DOTALL)
    lists = [block for block in blocks if block.startswith("- ")] if heading == "## Summary" else []
    first = next((block for block in blocks if re.match(r"[\w*\"<`$-]", block) and not block.startswith("$$")), "")
    if heading.startswith("# "):
        shown = [heading, f"*{BOOK}*", lead(first)]
    else:
        shown = [heading.replace("### ", "## "), *(lists or [lead(first)]), *formulas]
    return [markdown("\n\n".join(filter(None, shown)), "slide"), *notes]


def lead(block: str) -> str:
    """The first whole sentences of a paragraph, LEAD characters at most but one sentence at least; a list as it is."""
    if block.startswith("- "):
        return block
    sentences = re.split(r"(?<=[.?!:])\s+(?=[A-Z*`$<])", " ".join(block.split()))
    text = sentences[0]
    for sentence in sentences[1:]:
        if len(text) + len(sentence) >= LEAD:
            break
        text += f" {sentence}"
    return text.removesuffix(":") + "." if text.endswith(":") else text


def output_slides(cell, output, titles: Mapping[str, str], values: Mapping[str, object]) -> list[nbformat.NotebookNode]:
    """A slide below the last one for a figure or a small table that a cell shows; none for anything else."""
    data = output.get("data", {})
    settings = cell.metadata.get("mystnb", {})
    if "figure" in settings and ("image/png" in data or "text/html" in data):
        if "image/png" in data:
            shown = f'<img alt="{settings["image"]["alt"]}" src="data:image/png;base64,{data["image/png"].strip()}">'
        else:
            shown = " ".join(data["text/html"].split("\n"))  # a blank line would end the HTML
        return [markdown(f"{shown}\n\n{plain(settings['figure']['caption'], titles, values)}", "subslide")]
    table = TABLE.search(data.get("text/markdown", ""))
    if not table or table["rows"].count("\n") > ROWS + 2 or table["rows"].split("\n", 1)[0].count("|") > COLUMNS + 1:
        return []
    rows, caption = (plain(table[part], titles, values) for part in ("rows", "caption"))
    return [markdown(f"{rows.strip()}\n\n{caption}", "subslide")]


def markdown(text: str, kind: str) -> nbformat.NotebookNode:
    return new_markdown_cell(text, metadata={"slideshow": {"slide_type": kind}})
