"""The page Machine and versions: what ran each chapter, and the packages of this environment."""

import json
import re
from collections.abc import Sequence
from importlib.metadata import requires, version

import pandas as pd

from dpclip_book.chapters import Chapter
from dpclip_book.pages.markdown import numbered_table

PAGES = ("jupyter-book", "sphinx-book-theme", "papermill")  # of the packages that only the book needs
COLUMNS = ["Chapter", "Parameters", "Seed", "Seconds", "Memory, MB", "Commit", "Machine"]


def runs_table(chapters: Sequence[Chapter]) -> str:
    """A numbered Markdown table, one row a chapter: how its page was run; below it the machines, by letter. A chapter
    that was not run here shows the outputs stored with its notebook.
    """
    rows, machines = [], {}  # what a machine is -> its letter
    for chapter in chapters:
        link = f"[{chapter.name}](../notebooks/{chapter.source.name})"
        record = chapter.record
        if not record:
            rows.append([link, "stored outputs", seed(chapter, {}), "not run here", "", "", ""])
            continue
        machine = f"{record['hardware']}; Python {record['python']}, torch {record['torch']}"
        letter = machines.setdefault(machine, chr(ord("A") + len(machines)))
        parameters = ", ".join(f"`{name} = {json.dumps(value)}`" for name, value in record["parameters"].items())
        ran = [f"{record['seconds']:.0f}", str(record.get("peak_mb", "–")), f"`{record['commit']}`", letter]
        rows.append([link, parameters, seed(chapter, record["parameters"]), *ran])
    caption = (
        "The runs behind the pages of this copy of the book. Where a dash stands for the seed, the chapter has no run "
        "of its own, or its tables name their seeds."
    )
    table = numbered_table(pd.DataFrame(rows, columns=COLUMNS), caption, "table-runs").data
    return table + "".join(f"\n- Machine {letter}: {machine}" for machine, letter in machines.items()) + "\n"


def seed(chapter: Chapter, parameters: dict) -> str:
    """The chapter's parameter `seed`, or a dash."""
    if "seed" in parameters:
        return str(parameters["seed"])
    return str(chapter.parameters.get("seed", "–"))


def versions_table() -> str:
    """A numbered Markdown table: the packages that dpclip asks for, as installed here."""
    asked = [re.match(r"[\w.-]+", line)[0] for line in requires("dpclip") if "extra ==" not in line]
    rows = [(f"`{name}`", version(name)) for name in (*asked, *PAGES)]
    table = pd.DataFrame(rows, columns=["Package", "Version"])
    caption = "The main packages of the environment that built these pages; `constraints.txt` lists all."
    return numbered_table(table, caption, "table-versions").data
