"""Records become tables. A cell is computed from records, never typed."""

import pandas as pd

from dpclip.errors import UserError
from dpclip.lab.config import preset
from dpclip.lab.statistics import seed_interval

Rows = dict[str, list[dict]]  # row name -> its records, one a seed
KEPT = {"last": "", "val": ", epoch best on validation", "test": ", epoch best on the tested categories"}
TITLES = {"map@all": "mAP@all", "map@200": "mAP@200", "p@10": "P@10", "p@100": "P@100", "p@200": "P@200"}
STYLES = {"warped": "drawn sketches", "human": "sketches by people"}
MARKED = {"blind": "blind", "generic": "generic", "oracle": "oracle (upper bound)"}


def scope(preset_name: str) -> str:
    """For a caption: whose runs these are. Those with the mini CLIP are always called mini runs."""
    return "Mini runs" if preset(preset_name).backbone == "mini" else f"{preset_name.capitalize()} runs"


def accuracy_table(rows: Rows, style: str) -> pd.DataFrame:
    """One row a method; Acc@1/5/10 in per cent under both protocols, mean and half-width of the 95 % interval over
    seeds. A row whose epoch was chosen by a score says by which.
    """
    table = {}
    for name, records in rows.items():
        cells = {}
        for protocol in ("held-out", "transductive"):
            for k in (1, 5, 10):
                values = [100 * r["metrics"]["fine-grained"][protocol][style][f"acc@{k}"] for r in records]
                cells[f"{protocol}, Acc@{k}"] = show(values)
        table[name + KEPT[records[0]["config"]["model"]["checkpoint"]]] = cells
    return pd.DataFrame(table).T.rename_axis("method").reset_index()


def category_table(rows: Rows, metrics: tuple[str, ...] = ("map@all", "p@10")) -> pd.DataFrame:
    """One row a method; category-level metrics in per cent, by the way the prompts get their category (evaluate.py)."""
    table = {}
    for name, records in rows.items():
        cells = {}
        for setting, title in MARKED.items():
            for metric in metrics:
                values = [100 * r["metrics"]["category-level"][setting][metric] for r in records]
                cells[f"{title}, {TITLES[metric]}"] = show(values)
        table[name + KEPT[records[0]["config"]["model"]["checkpoint"]]] = cells
    return pd.DataFrame(table).T.rename_axis("method").reset_index()


def convention(rows: Rows) -> str:
    """The convention of the rows' category-level numbers, for a caption. Raises UserError when they have several."""
    found = {r["metrics"]["category-level"]["convention"] for records in rows.values() for r in records}
    if len(found) != 1:
        raise UserError(f"the records follow several conventions ({'; '.join(sorted(found))}). Repeat the older runs.")
    return found.pop()


def show(values: list[float]) -> str:
    """Mean and half-width, or the mean alone for one seed."""
    mean, half = seed_interval(values)
    return f"{mean:.1f}" if len(values) < 2 else f"{mean:.1f} ± {half:.1f}"
