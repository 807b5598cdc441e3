"""`dpclip tables NUMBER`: the tables of the book, in the terminal or for other programs."""

import json
from enum import StrEnum
from typing import Annotated

import typer

from dpclip.errors import UserError

TITLES = {
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


def tables(
    number: Annotated[int, typer.Argument(help="; ".join(f"{n}: {title}" for n, title in TITLES.items()))],
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
    if number not in TITLES:
        known = "; ".join(f"{n}, {title}" for n, title in TITLES.items())
        raise UserError(f"there is no table {number} here. There is: {known}.")
    if number != 5 and measure:
        raise UserError("--measure is for table 5; the runs of the others are made by `dpclip sweep`.")
    typer.echo(costs_text(format, measure) if number == 5 else results_text(number, preset, format), nl=False)


def results_text(number: int, preset: str, kind: Format) -> str:
    """One of the tables of results as text."""
    from dpclip.tables.results import as_csv, as_json, as_markdown, table_blocks

    blocks = table_blocks(str(number), preset)
    if kind is Format.md:
        return as_markdown(str(number), TITLES[number], blocks)
    return as_csv(blocks) if kind is Format.csv else as_json(str(number), blocks)


def costs_text(kind: Format, measure: bool) -> str:
    """Table 5 as text. `md`: rounded, caption below. `csv` and `json`: exact, a missing cell empty or null; json also
    holds the number and the caption. `measure`: its records are made first.
    """
    from dpclip.runs.cost import BACKBONES, cost_record, read_costs, write_costs
    from dpclip.tables.costs import DECIMALS, cost_caption, cost_table

    for backbone in BACKBONES if measure else ():
        write_costs(cost_record(backbone))
    records = [read_costs(backbone) for backbone in BACKBONES]
    frame, caption = cost_table(records), cost_caption(records)
    cells = frame.astype(object).where(frame.notna(), None)
    if kind is Format.csv:
        return frame.to_csv(index=False)
    if kind is Format.json:
        return json.dumps({"table": 5, "caption": caption, "rows": cells.to_dict(orient="records")}, indent=1) + "\n"
    digits = [f".{DECIMALS[name]}f" if name in DECIMALS else "" for name in frame.columns]
    return cells.to_markdown(index=False, floatfmt=digits, missingval="-") + f"\n\n{caption}\n"
