"""Numbers that others published, and how they were probably computed: data/published, described in its README."""

from functools import cache
from pathlib import Path

import pandas as pd

from dpclip.errors import UserError
from dpclip.files import DATA

PUBLISHED = DATA / "published"
OWN = "arXiv 2404.18695"  # the venue of DP-CLIP's own rows
TASKS = {"1": "fine-grained", "2": "category-level"}  # tables that hold the peers' numbers of a task


def read_published(name: str, folder: Path = PUBLISHED) -> pd.DataFrame:
    """The table "peers", "paper", "conventions" or "sources" as text, "" where nothing is known; values in per cent as
    floats, NaN where blank. Raises UserError for a table that is not there.
    """
    table = _read(name, folder)
    return table.assign(value=pd.to_numeric(table["value"])) if "value" in table else table.copy()


@cache
def _read(name: str, folder: Path = PUBLISHED) -> pd.DataFrame:
    path = folder / f"{name}.csv"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.csv"))) or "nothing"
        raise UserError(f"{path} is missing; {folder} holds {known}. Restore it: git checkout -- data/published.")
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def published_rows(table: str) -> pd.DataFrame:
    """What is published for one of the book's tables "1" to "4": the peers' rows, then the paper's own. `value` is a
    number or NaN, `printed` the same with the digits that were printed.
    """
    peers, paper = _read("peers"), _read("paper")
    peers = peers[(peers["task"] == TASKS.get(table)) & (peers["venue"] != OWN)]
    rows = pd.concat([peers, paper[paper["table"] == table].drop(columns="table")], ignore_index=True)
    return rows.assign(printed=rows["value"], value=pd.to_numeric(rows["value"]))


def computed(method: str, metric: str) -> str:
    """How the released code of a method computes a metric, in words: "R, interpolated"; "unknown" where none was read.
    Several ways are all named.
    """
    known = read_published("conventions")
    known = known[(known["method"] == method) & (known["metric"] == metric)]
    ways = [
        row.denominator + {"yes": ", interpolated", "no": ", not interpolated"}.get(row.interpolated, "")
        for row in known.itertuples()
    ]
    return " or ".join(dict.fromkeys(ways)) or "unknown"
