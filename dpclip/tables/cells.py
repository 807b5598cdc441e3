"""Records become tables. A cell is computed from records, never typed."""

from dataclasses import dataclass

import pandas as pd

from dpclip.config import RunConfig
from dpclip.errors import UserError
from dpclip.evaluation.intervals import seed_interval
from dpclip.evaluation.metrics import OURS

Rows = dict[str, list[dict]]  # row name -> its records, one a seed, perhaps none
KEPT = {"last": "", "val": ", epoch best on validation", "test": ", epoch best on the tested categories"}
STYLES = {"warped": "drawn sketches", "human": "sketches by people"}
MARKED = {"blind": "blind", "generic": "generic", "oracle": "oracle (upper bound)"}


@dataclass(frozen=True)
class Column:
    """A number that every record holds, by its name there; shown in per cent. `setting`: of category-level retrieval,
    the way the prompts get their category (evaluate.py).
    """

    protocol: str
    sketches: str
    setting: str
    name: str

    @property
    def metric(self) -> str:
        """acc@1 -> Acc@1, map@all -> mAP@all, p@10 -> P@10"""
        return self.name.replace("map@", "mAP@") if self.name.startswith("map@") else self.name.capitalize()

    @property
    def title(self) -> str:
        return f"{MARKED.get(self.setting, self.protocol)}, {self.metric}"

    def values(self, records: list[dict]) -> list[float]:
        """In per cent, one a record."""
        found = [record["metrics"] for record in records]
        if self.setting:
            return [100 * metrics["category-level"][self.setting][self.name] for metrics in found]
        return [100 * metrics["fine-grained"][self.protocol][self.sketches][self.name] for metrics in found]


def accuracy_columns(style: str) -> list[Column]:
    """Acc@1/5/10 of a style of sketches under both protocols."""
    return [Column(protocol, style, "", f"acc@{k}") for protocol in ("held-out", "transductive") for k in (1, 5, 10)]


def category_columns(style: str, metrics: tuple[str, ...] = ("map@all", "p@10")) -> list[Column]:
    """Category-level metrics in each setting."""
    return [Column("held-out", style, setting, metric) for setting in MARKED for metric in metrics]


def row_title(name: str, records: list[dict]) -> str:
    """A row whose epoch was chosen by a score says by which."""
    return name + KEPT[RunConfig.read(records[0]["config"]).model.checkpoint]


def run_table(rows: Rows, columns: list[Column]) -> pd.DataFrame:
    """One row a method that has run: its number of seeds, and mean and half-width of the 95 % interval over seeds of
    each column.
    """
    return pd.DataFrame(
        {"method": row_title(name, records), "seeds": len(records)}
        | {column.title: mean_text(column.values(records)) for column in columns}
        for name, records in rows.items()
        if records
    )


def mean_text(values: list[float]) -> str:
    """Mean and half-width, or the mean alone for one seed."""
    mean, half = seed_interval(values)
    return f"{mean:.1f}" if len(values) < 2 else f"{mean:.1f} ± {half:.1f}"


def run_values(rows: Rows, columns: list[Column]) -> pd.DataFrame:
    """The same, exact, one row a number: method, seeds, what it is, value, half_width."""
    lines = []
    for name, records in rows.items():
        for column in columns if records else ():
            line = {"method": row_title(name, records), "seeds": len(records)}
            value, half = seed_interval(column.values(records))
            what = {key: getattr(column, key) for key in ("protocol", "sketches", "setting", "metric")}
            lines.append(line | what | {"value": value, "half_width": half})
    return pd.DataFrame(lines)


def convention(rows: Rows) -> str:
    """The convention of the rows' category-level numbers, for a caption; without a record, the one that a run would
    have. Raises UserError when they have several.
    """
    found = {r["metrics"]["category-level"]["convention"] for records in rows.values() for r in records}
    if len(found) > 1:
        raise UserError(f"the records follow several conventions ({'; '.join(sorted(found))}). Repeat the older runs.")
    return found.pop() if found else str(OURS)
