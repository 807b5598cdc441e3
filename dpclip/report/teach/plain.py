"""The Markdown of a chapter without what only Jupyter Book understands, for slides."""

import ast
import re
from collections.abc import Mapping

import nbformat

KINDS = {"fig-": "the figure", "table-": "the table", "eq-": "the equation"}  # of a label, by its beginning
GLUE = "application/papermill.record/"


def glued(notebook: nbformat.NotebookNode) -> dict[str, object]:
    """Name -> value of what the notebook's cells have glued: numbers, words, Markdown."""
    found = {}
    for output in (output for cell in notebook.cells for output in cell.get("outputs", [])):
        name = output.get("metadata", {}).get("scrapbook", {}).get("name")
        if name:
            text = output.data.get(f"{GLUE}text/markdown")
            found[name] = text if text is not None else ast.literal_eval(output.data[f"{GLUE}text/plain"])
    return found


def plain(text: str, titles: Mapping[str, str], values: Mapping[str, object]) -> str:
    """`text` as common Markdown. `titles`: page -> its title; `values`: what `{glue}` shows."""

    def role(match: re.Match) -> str:
        name, content = match.groups()
        shown = re.match(r"(.*?)\s*<[^>]+>$", content)
        if shown:
            return shown[1]
        if name.startswith("cite"):
            return ""
        if name == "doc":
            return f"*{titles.get(content.removeprefix('../'), content)}*"
        if name.startswith("glue"):
            key, _, form = content.partition(":")
            return format(values[key], form) if key in values else "…"
        return next((words for start, words in KINDS.items() if content.startswith(start)), "the exercise")

    text = re.sub(r"^```\{glue:md\} (\S+)\n.*?^```$", lambda m: str(values.get(m[1], "")), text, flags=re.M | re.S)
    text = re.sub(r"^(:{3,}|`{3,})\{.*?^\1$", "", text, flags=re.M | re.S)
    text = re.sub(r"\s*\{([\w:]+)\}`([^`]*)`", lambda m: f" {role(m)}" if role(m) else "", text)
    text = re.sub(r"(^|[.!?] )the (?=figure|table|equation|exercise)", r"\1The ", text, flags=re.M)
    text = re.sub(r"\[([^]]*)\]\{\.mark[^}]*\}", r'<span class="mark">\1</span>', text)
    text = re.sub(r"\$\$ \([\w-]+\)", "$$", text)
    return re.sub(r"^\([\w-]+\)=\n", "", text, flags=re.M)
