"""Notebooks as they are kept: only the source where outputs do not count, no trace of the machine where they do."""

import copy
import re
import sys
from pathlib import Path

import nbformat

from dpclip.files import ROOT

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
WIDGET = "application/vnd.jupyter.widget-view+json"  # shows nothing without its kernel, and calls scripts from the web
# An absolute path of somebody's machine. Web addresses do not match: the slash must begin a word or follow `file://`.
ABSOLUTE_PATH = re.compile(
    r"(?:file://|(?<![\w.:/~\\]))(?:/(?:home|Users|root|tmp|private|var|opt|usr|mnt|srv|work|workspace|content|builds?)/|[A-Z]:\\)[\w.+@~\\/-]*"
)


def title(notebook: nbformat.NotebookNode) -> str:
    """The heading of its first cell."""
    return notebook.cells[0].source.splitlines()[0].removeprefix("# ")


def without_outputs(notebook: nbformat.NotebookNode) -> dict:
    """Only what a person wrote: type, source and tags of each cell."""
    return {"cells": [[cell.cell_type, cell.source, cell.metadata.get("tags", [])] for cell in notebook.cells]}


def clean(notebook: nbformat.NotebookNode, root: Path = ROOT) -> nbformat.NotebookNode:
    """A copy without papermill's metadata and injected cell, timings, widgets and absolute paths; cells counted from
    1.
    """
    notebook = copy.deepcopy(notebook)
    kept = {name: value for name, value in notebook.metadata.items() if name not in ("papermill", "widgets")}
    notebook.metadata = nbformat.from_dict({**kept, "kernelspec": KERNEL, "language_info": {"name": "python"}})
    notebook.cells = [cell for cell in notebook.cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    count = 0
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict(
            {k: v for k, v in cell.metadata.items() if k not in ("papermill", "execution")}
        )
        if cell.cell_type != "code":
            continue
        count += 1
        cell.execution_count = count
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = count
            output.get("data", {}).pop(WIDGET, None)
            _strip_output(output, root)
    return notebook


def absolute_paths(notebook: nbformat.NotebookNode) -> list[str]:
    """Every absolute path in the notebook's text, in order; images are not looked into."""
    texts = [cell.source for cell in notebook.cells]
    texts += [text for cell in notebook.cells for output in cell.get("outputs", []) for text in _texts(output).values()]
    return [match for text in texts for match in ABSOLUTE_PATH.findall(text)]


def _strip_output(output: nbformat.NotebookNode, root: Path) -> None:
    """Replace absolute paths in all text of one output, in place."""
    for where, text in _texts(output).items():
        holder, name = (output.data, where[5:]) if where.startswith("data:") else (output, where)
        if name == "traceback":
            holder[name] = strip_paths(text, root).split("\n")
        else:
            holder[name] = strip_paths(text, root)


def _texts(output: nbformat.NotebookNode) -> dict[str, str]:
    """The text parts of an output by name: stream text, "data:<mime>" that is text, traceback."""
    found = {"text": output.text} if "text" in output else {}
    for mime, content in output.get("data", {}).items():
        if isinstance(content, str) and (not mime.startswith("image/") or mime == "image/svg+xml"):
            found[f"data:{mime}"] = content
    if "traceback" in output:
        found["traceback"] = "\n".join(output.traceback)
    return found


def strip_paths(text: str, root: Path = ROOT) -> str:
    """Paths inside the project become relative to it; any other absolute path keeps only its last part: `…/file.py`."""
    for known in {str(root.resolve()), str(root)}:
        text = re.sub(rf"(?:file://)?{re.escape(known)}(?:/|(?![\w.-]))", "./", text)
    text = text.replace(sys.prefix, "…")

    def shorten(match: re.Match) -> str:
        return "…/" + re.split(r"[\\/]", match.group().rstrip("\\/"))[-1]

    return ABSOLUTE_PATH.sub(shorten, text)
