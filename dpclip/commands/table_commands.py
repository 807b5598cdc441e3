"""`dpclip tables NUMBER`: the tables of the book, in the terminal or for other programs."""

import json
from enum import StrEnum
from typing import Annotated

import pandas as pd
import typer

from dpclip.errors import UserError

TABLES = {
    1: "fine-grained retrieval",
    2: "category-level retrieval",
    3: "modules on and off",
    4: "prompt design",
    5: "cost of each method",
}


class Format(StrEnum):
    md = "md"
    csv = "csv"
    json = "json"


def show(number: int, frame: pd.DataFrame, caption: str, decimals: dict[str, int], kind: Format) -> str:
    """The table of cost as text. `md`: rounded to `decimals` by column, caption below. `csv` and `json`: exact, a
    missing cell empty or null; json also holds the number and the caption.
    """
    cells = frame.astype(object).where(frame.notna(), None)
    if kind is Format.csv:
        return frame.to_csv(index=False)
    if kind is Format.json:
        rows = cells.to_dict(orient="records")
        return json.dumps({"table": number, "caption": caption, "rows": rows}, indent=1) + "\n"
    digits = [f".{decimals[name]}f" if name in decimals else "" for name in frame.columns]
    return cells.to_markdown(index=False, floatfmt=digits, missingval="-") + f"\n\n{caption}\n"


def show_results(number: int, preset: str, kind: Format) -> str:
    """One of the tables of results as text."""
    from dpclip.tables.results import as_csv, as_json, as_markdown, table_blocks

    blocks = table_blocks(str(number), preset)
    if kind is Format.md:
        return as_markdown(str(number), TABLES[number], blocks)
    return as_csv(blocks) if kind is Format.csv else as_json(str(number), blocks)


def tables(
    number: Annotated[int, typer.Argument(help="; ".join(f"{n}: {title}" for n, title in TABLES.items()))],
    preset: Annotated[
        str, typer.Option(help="Tables 1 to 4: whose runs are shown beside published numbers and paper runs.")
    ] = "mini",
    format: Annotated[Format, typer.Option(help="Markdown with caption, or exact numbers.")] = Format.md,
    measure: Annotated[
        bool,
        typer.Option("--measure", help="Table 5: measure again, write the records (half an hour on two cores)."),
    ] = False,
) -> None:
    """Show a table of the book from its records. Nothing is trained: a row without records says what makes them."""
    if number not in TABLES:
        known = "; ".join(f"{n}, {title}" for n, title in TABLES.items())
        raise UserError(f"there is no table {number} here. There is: {known}.")
    if number != 5:
        if measure:
            raise UserError("--measure is for table 5; the runs of the others are made by `dpclip sweep`.")
        typer.echo(show_results(number, preset, format), nl=False)
        return
    from dpclip.runs.cost import BACKBONES, cost_record, write_costs

    if measure:
        for backbone in BACKBONES:
            write_costs(cost_record(backbone))
    typer.echo(show_costs(format), nl=False)


def show_costs(kind: Format) -> str:
    """Table 5 as text."""
    from dpclip.runs.cost import BACKBONES, read_costs
    from dpclip.tables.costs import DECIMALS, cost_caption, cost_table

    records = [read_costs(backbone) for backbone in BACKBONES]
    return show(5, cost_table(records), cost_caption(records), DECIMALS, kind)
