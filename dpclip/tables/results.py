"""The blocks of the book's tables 1 to 4, and the same as text for other programs."""

import json

import pandas as pd

from dpclip.data.benchmark import NAME as EMBEDDED
from dpclip.runs.experiments import datasets
from dpclip.runs.rows import TableRows, rows_of
from dpclip.tables.published import published_rows
from dpclip.tables.result_blocks import Block, Kind, accuracy_block, category_block, published_block

EXACT = (
    *("kind", "preset", "dataset", "method", "metric", "value", "half_width", "seeds", "protocol", "sketches"),
    *("setting", "convention", "evidence", "source", "note", "command"),
)


def table_blocks(table: str, preset_name: str) -> list[Block]:
    """What is published, our paper runs, and the preset's runs if it is another. Records are loaded, none is made."""
    runs = [
        block
        for name in dict.fromkeys(["paper", preset_name])
        for dataset in datasets(table, name)
        for block in run_blocks(rows_of(table, name, dataset))
    ]
    return published_blocks(table) + runs


def published_blocks(table: str) -> list[Block]:
    """One block a data set: metrics and conventions differ between them."""
    return [published_block(table, dataset) for dataset in published_rows(table)["dataset"].unique()]


def run_blocks(rows: TableRows) -> list[Block]:
    """Of category-level retrieval one block, with the sketches that train; else one a style of sketches."""
    styles = ("warped", "human") if rows.dataset == EMBEDDED else ("human",)
    if rows.table == "2":
        return [category_block(rows, styles[0])]
    return [accuracy_block(rows, style) for style in styles]


def as_markdown(table: str, title: str, blocks: list[Block]) -> str:
    """Blocks with their captions under headings of their kinds, our runs first. A row that has not run has no line: the
    notes name it, and what makes it.
    """
    parts, shown = [f"# Table {table}: {title}"], []
    for block in blocks:
        frame = block.frame[block.frame["seeds"] > 0] if "seeds" in block.frame else block.frame
        shown.append((block.kind is Kind.PUBLISHED, frame.empty, block, frame))
    for *_, block, frame in sorted(shown, key=lambda entry: entry[:2]):
        parts += [f"## {block.kind.capitalize()}{'s' * block.kind.endswith('run')}"]
        parts += [block.caption, frame.to_markdown(index=False, disable_numparse=True)] if len(frame) else []
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
        read.append({"kind": block.kind, "caption": block.caption, "rows": rows})
    return json.dumps({"table": int(table), "blocks": read}, indent=1) + "\n"


def exact(block: Block) -> pd.DataFrame:
    """A block's exact numbers with the columns EXACT."""
    return block.values.assign(kind=block.kind).reindex(columns=EXACT).astype({"seeds": "Int64"})
