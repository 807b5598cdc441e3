"""The page Machine and versions: what ran each chapter, and the packages of this environment."""

import json
import re
from collections.abc import Sequence
from importlib.metadata import requires, version

import pandas as pd
import papermill

from dpclip.report.chapters import Chapter
from dpclip.report.markdown import numbered_table

PAGES = ("jupyter-book", "sphinx-book-theme", "papermill")  # of the packages that only the book needs
COLUMNS = ["Chapter", "Parameters", "Seeds", "Seconds", "Commit", "Machine"]


def runs_table(chapters: Sequence[Chapter]) -> str:
    """A numbered Markdown table: one row a chapter, how its page was run. A chapter that was not run here shows the
    outputs stored with its notebook.
    """
    rows = []
    for chapter in chapters:
        link = f"[{chapter.name}](../notebooks/{chapter.source.name})"
        record = chapter.record
        if not record:
            rows.append([link, "stored outputs", seeds(chapter, {}), "not run here", "", ""])
            continue
        parameters = ", ".join(f"`{name} = {json.dumps(value)}`" for name, value in record["parameters"].items())
        machine = f"{record['hardware']}; Python {record['python']}, torch {record['torch']}"
        ran = [f"{record['seconds']:.0f}", f"`{record['commit']}`", machine]
        rows.append([link, parameters, seeds(chapter, record["parameters"]), *ran])
    table = pd.DataFrame(rows, columns=COLUMNS)
    return numbered_table(table, "The runs behind the pages of this copy of the book.", "table-runs").data


def seeds(chapter: Chapter, parameters: dict) -> str:
    """The chapter's parameter `seed`; without one, its runs say."""
    if "seed" in parameters:
        return str(parameters["seed"])
    known = papermill.inspect_notebook(str(chapter.source)) if chapter.source.is_file() else {}
    return known["seed"]["default"] if "seed" in known else "in its tables"


def versions_table() -> str:
    """A numbered Markdown table: the packages that dpclip asks for, as installed here."""
    asked = [re.match(r"[\w.-]+", line)[0] for line in requires("dpclip") if "extra ==" not in line]
    rows = [(f"`{name}`", version(name)) for name in (*asked, *PAGES)]
    table = pd.DataFrame(rows, columns=["Package", "Version"])
    caption = "The main packages of the environment that built these pages; `constraints.txt` lists all."
    return numbered_table(table, caption, "table-versions").data
