"""Records become tables. A cell is computed from records, never typed."""

import pandas as pd

from dpclip.lab.statistics import seed_interval

Rows = dict[str, list[dict]]  # row name -> its records, one a seed


def accuracy_table(rows: Rows, style: str) -> pd.DataFrame:
    """One row a method; Acc@1/5/10 in per cent under both protocols, mean and half-width of the 95 % interval over
    seeds.
    """
    table = {}
    for name, records in rows.items():
        cells = {}
        for protocol in ("held-out", "transductive"):
            for k in (1, 5, 10):
                values = [100 * r["metrics"]["fine-grained"][protocol][style][f"acc@{k}"] for r in records]
                cells[f"{protocol}, Acc@{k}"] = show(values)
        table[name] = cells
    return pd.DataFrame(table).T.rename_axis("method").reset_index()


def category_table(rows: Rows) -> pd.DataFrame:
    """One row a method; mAP@all (over the relevant photos, not interpolated) and P@10 in per cent, category given or
    predicted.
    """
    table = {}
    for name, records in rows.items():
        cells = {}
        for setting in ("oracle", "blind"):
            for metric, title in (("map@all", "mAP@all"), ("p@10", "P@10")):
                values = [100 * r["metrics"]["category-level"][setting][metric] for r in records]
                cells[f"{setting}, {title}"] = show(values)
        table[name] = cells
    return pd.DataFrame(table).T.rename_axis("method").reset_index()


def show(values: list[float]) -> str:
    """Mean and half-width, or the mean alone for one seed."""
    mean, half = seed_interval(values)
    return f"{mean:.1f}" if len(values) < 2 else f"{mean:.1f} ± {half:.1f}"
