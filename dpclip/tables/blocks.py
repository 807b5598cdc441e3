"""The book's tables, as blocks. A block holds rows of one kind and becomes a numbered table of its own: what others
published, our paper runs and our mini runs never share a column. Layout `ours` (section 9).
"""

import json
from dataclasses import dataclass
from enum import StrEnum

import pandas as pd

from dpclip.config import preset
from dpclip.data.benchmark import NAME as EMBEDDED
from dpclip.data.sources import sources
from dpclip.runs.experiments import datasets
from dpclip.runs.table_records import TableRows, rows_of
from dpclip.tables import cells as shown
from dpclip.tables.cells import STYLES, Column
from dpclip.tables.published import computed, published_rows

EXACT = (
    *("kind", "preset", "dataset", "method", "metric", "value", "half_width", "seeds", "protocol", "sketches"),
    *("setting", "convention", "evidence", "source", "note"),
)
DASH = "–"  # not printed, or not known to us
RELEVANT = {  # data set -> the two metrics that are usual there
    "sketchy-ext": ("map@all", "p@100"),
    "tuberlin-ext": ("map@all", "p@100"),
    "quickdraw-ext": ("map@all", "p@200"),
}


class Kind(StrEnum):
    """Of rows; they never share a table. COST needs no run."""

    PUBLISHED = "published"
    PAPER = "paper run"
    MINI = "mini run"
    TRIAL = "trial run"
    COST = "measured"


@dataclass(frozen=True)
class Block:
    """`frame`: as shown, in text. `values`: the same exact, one number a row. `notes`: what stands below the table."""

    kind: Kind
    caption: str
    frame: pd.DataFrame
    values: pd.DataFrame
    notes: str = ""


def kind_of(preset_name: str) -> Kind:
    """A mini run is one with the mini CLIP, however small; `dry` is neither a mini run nor a paper run."""
    if preset(preset_name).backbone == "mini":
        return Kind.MINI
    return Kind.PAPER if preset_name == "paper" else Kind.TRIAL


def published_block(table: str, dataset: str = "") -> Block:
    """What others printed, and what we have of the paper: one row a method and source, metrics as columns. `dataset`:
    one of those of the table; "" for all, which must then have the same metrics.
    """
    rows = published_rows(table)
    rows = rows[rows["dataset"] == dataset] if dataset else rows
    metrics, level = list(dict.fromkeys(rows["metric"])), (rows["task"] == "category-level").any()
    lines = {}
    for row in rows.itertuples():
        line = lines.setdefault((row.method, row.venue), {"method": row.method, "venue": row.venue or DASH})
        line |= dict.fromkeys(metrics, DASH) if metrics[0] not in line else {}
        line[row.metric] = row.printed or DASH
        if level:
            line[f"{row.metric} computed"] = computed(row.method, row.metric)
        for name in ("evidence", "source", "note"):
            line[name] = line.get(name) or getattr(row, name)
    order = ["method", "venue", *metrics, *(f"{metric} computed" for metric in metrics), "evidence", "source", "note"]
    frame = pd.DataFrame(lines.values()).fillna(DASH)
    frame = frame[[name for name in order if name in frame]]
    where = dataset or ", ".join(rows["dataset"].unique())
    caption = f"Published numbers on {where}: {', '.join(metrics)} in per cent, as printed. {DASH}: not known to us."
    if level:
        caption += " Computed: what the method's released code divides by, where it was read; the print may differ."
    values = rows.assign(convention=[computed(r.method, r.metric) if level else "" for r in rows.itertuples()])
    return Block(Kind.PUBLISHED, caption, frame, values.drop(columns=["task", "venue", "printed"]))


def accuracy_block(rows: TableRows, style: str) -> Block:
    """Fine-grained results of our runs on one style of sketches."""
    caption = "Acc@k in per cent within the query's category, ties against the method, under both protocols"
    return _run_block(rows, shown.accuracy_columns(style), style, caption, "Acc@k, ties against")


def category_block(rows: TableRows, style: str) -> Block:
    """Category-level results of our runs."""
    said = shown.convention(rows.records)
    caption = f"per cent over all unseen photos, held-out; {said}; P@k over k"
    columns = shown.category_columns(style, RELEVANT.get(rows.dataset, ("map@all", "p@10")))
    return _run_block(rows, columns, style, caption, said)


def _run_block(rows: TableRows, columns: list[Column], style: str, caption: str, said: str) -> Block:
    counts = sorted({len(found) for found in rows.records.values() if found} or set(rows.seeds.values()))
    seeds = " or ".join(map(str, counts)) + (" seeds" if counts != [1] else " seed")
    interval = "" if counts == [1] else ", mean ± half-width of the 95 % interval over seeds"
    where = f"on {data_title(rows.dataset)}, {STYLES.get(style, 'sketches')}, unseen categories"
    caption = f"{kind_of(rows.preset).capitalize()}s, preset `{rows.preset}`, {where}: {caption}; {seeds}{interval}."
    values = shown.run_values(rows.records, columns).assign(dataset=rows.dataset, preset=rows.preset, convention=said)
    return Block(kind_of(rows.preset), caption, shown.run_table(rows.records, columns), values, missing_note(rows))


def data_title(dataset: str) -> str:
    """A data set and whose list of unseen categories, for a caption."""
    unseen = "" if dataset == EMBEDDED else sources()[dataset]["unseen"]
    return "the embedded benchmark" if dataset == EMBEDDED else f"`{dataset}`" + (f" ({unseen})" if unseen else "")


def missing_note(rows: TableRows) -> str:
    """Which rows lack runs, and the one command that makes them; "" where none does."""
    if not rows.missing:
        return ""
    there = {row: len(rows.records[row]) for row in rows.missing}
    names = [f"{row} ({count} of {rows.seeds[row]} seeds)" if count else row for row, count in there.items()]
    which = "; ".join(names) if any(rows.records.values()) else "every row"
    return f"*Not run yet: {which}.* What makes the missing runs: `{rows.command}`."


def table_blocks(table: str, preset_name: str) -> list[Block]:
    """What is published, our paper runs, and the preset's runs if it is another. Records are loaded, none is made."""
    runs = [
        run_block(rows_of(table, name, dataset))
        for name in dict.fromkeys(["paper", preset_name])
        for dataset in datasets(table, name)
    ]
    return published_blocks(table) + runs


def published_blocks(table: str) -> list[Block]:
    """One block a data set: metrics and conventions differ between them."""
    return [published_block(table, dataset) for dataset in published_rows(table)["dataset"].unique()]


def run_block(rows: TableRows) -> Block:
    """Category-level retrieval with what people drew; fine-grained retrieval with the sketches that train."""
    if rows.table == "2":
        return category_block(rows, "human")
    return accuracy_block(rows, "warped" if rows.dataset == EMBEDDED else "human")


def as_markdown(table: str, title: str, blocks: list[Block]) -> str:
    """Blocks with their captions under headings of their kinds, our runs first. A row that has not run has no line: the
    notes name it, and what makes it.
    """
    parts = [f"# Table {table}: {title}"]
    for block in sorted(blocks, key=lambda block: (block.kind is Kind.PUBLISHED, block.frame.empty)):
        parts += [f"## {block.kind.capitalize()}{'s' * block.kind.endswith('run')}"]
        parts += (
            [block.caption, block.frame.to_markdown(index=False, disable_numparse=True)] if len(block.frame) else []
        )
        parts += [block.notes] if block.notes else []
    return "\n\n".join(dict.fromkeys(parts)) + "\n"  # a heading or a note of several blocks once


def as_csv(blocks: list[Block]) -> str:
    """All blocks in one file, one number a line; the column `kind` keeps them apart."""
    return pd.concat([exact(block) for block in blocks]).to_csv(index=False)


def as_json(table: str, blocks: list[Block]) -> str:
    """The exact numbers block by block, with captions; what is not there is null."""
    read = []
    for block in blocks:
        frame = exact(block).dropna(axis=1, how="all")
        rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
        read.append({"kind": block.kind, "caption": block.caption, "rows": rows, "notes": block.notes})
    return json.dumps({"table": int(table), "blocks": read}, indent=1) + "\n"


def exact(block: Block) -> pd.DataFrame:
    """A block's exact numbers with the columns EXACT."""
    return block.values.assign(kind=block.kind).reindex(columns=EXACT).astype({"seeds": "Int64"})
