"""`dpclip tables NUMBER`: the tables of the book, in the terminal or for other programs."""

import json
from enum import StrEnum
from typing import Annotated

import typer

from dpclip.errors import UserError

TABLES = {
    1: "fine-grained retrieval",
    2: "category-level retrieval",
    3: "modules on and off",
    4: "prompt design",
    5: "cost of each method",
}
KNOWN = "; ".join(f"{number}: {title}" for number, title in TABLES.items())
PRESET = "Tables 1 to 4: whose runs are shown beside published numbers and paper runs."
MEASURE = "Table 5: measure again, write the records (half an hour on two cores)."


class Format(StrEnum):
    md = "md"
    csv = "csv"
    json = "json"


def tables(
    number: Annotated[int, typer.Argument(help=KNOWN)],
    preset: Annotated[str, typer.Option(help=PRESET)] = "mini",
    format: Annotated[Format, typer.Option(help="Markdown with caption, or exact numbers.")] = Format.md,
    measure: Annotated[bool, typer.Option("--measure", help=MEASURE)] = False,
) -> None:
    """Show a table of the book from its records. Nothing is trained: a row without records says what makes them."""
    if number not in TABLES:
        raise UserError(f"there is no table {number} here. There is: {KNOWN}.")
    if measure and number != 5:
        raise UserError("--measure is for table 5; the runs of the others are made by `dpclip sweep`.")
    if measure:
        from dpclip.runs.cost import BACKBONES, cost_record, write_costs

        for backbone in BACKBONES:
            write_costs(cost_record(backbone))
    typer.echo(show_costs(format) if number == 5 else show_results(number, preset, format), nl=False)


def show_results(number: int, preset: str, kind: Format) -> str:
    """One of the tables of results as text."""
    from dpclip.tables.results import as_csv, as_json, as_markdown, table_blocks

    blocks = table_blocks(str(number), preset)
    if kind is Format.md:
        return as_markdown(str(number), TABLES[number], blocks)
    return as_csv(blocks) if kind is Format.csv else as_json(str(number), blocks)


def show_costs(kind: Format) -> str:
    """Table 5 as text. `md`: rounded by column, caption below. `csv` and `json`: exact."""
    from dpclip.runs.cost import BACKBONES, read_costs
    from dpclip.tables.costs import DECIMALS, cost_caption, cost_table

    records = [read_costs(backbone) for backbone in BACKBONES]
    frame, caption = cost_table(records), cost_caption(records)
    cells = frame.astype(object).where(frame.notna(), None)
    if kind is Format.csv:
        return frame.to_csv(index=False)
    if kind is Format.json:
        return json.dumps({"table": 5, "caption": caption, "rows": cells.to_dict(orient="records")}, indent=1) + "\n"
    digits = [f".{DECIMALS[name]}f" if name in DECIMALS else "" for name in frame.columns]
    return cells.to_markdown(index=False, floatfmt=digits, missingval="-") + f"\n\n{caption}\n"
