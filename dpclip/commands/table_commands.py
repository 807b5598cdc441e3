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


class Format(StrEnum):
    md = "md"
    csv = "csv"
    json = "json"


def tables(
    number: Annotated[int, typer.Argument(help=KNOWN)],
    preset: Annotated[str, typer.Option(help=PRESET)] = "mini",
    format: Annotated[Format, typer.Option(help="Markdown with caption, or exact numbers.")] = Format.md,
) -> None:
    """Show a table of the book from its records. Nothing is trained: a row without records says what makes them."""
    if number not in TABLES:
        raise UserError(f"there is no table {number} here. There is: {KNOWN}.")
    typer.echo(show_costs(format) if number == 5 else show_results(number, preset, format), nl=False)


def show_results(number: int, preset: str, kind: Format) -> str:
    """One of the tables of results as text."""
    from dpclip.tables.results import as_csv, as_json, as_markdown, table_blocks

    blocks = table_blocks(str(number), preset)
    if kind is Format.md:
        return as_markdown(str(number), TABLES[number], blocks)
    return as_csv(blocks) if kind is Format.csv else as_json(str(number), blocks)


def show_costs(kind: Format) -> str:
    """Table 5 as text. `md`: rounded by column, captions above. `csv` and `json`: exact."""
    from dpclip.runs.cost import BACKBONES, read_costs
    from dpclip.tables.costs import COUNTED, cost_blocks, cost_table
    from dpclip.tables.results import as_markdown

    records = [read_costs(backbone) for backbone in BACKBONES]
    if kind is Format.md:
        return as_markdown("5", TABLES[5], [block for record in records for block in cost_blocks(record)])
    frame = cost_table(records)
    if kind is Format.csv:
        return frame.to_csv(index=False)
    rows = frame.astype(object).where(frame.notna(), None).to_dict(orient="records")
    return json.dumps({"table": 5, "caption": COUNTED, "rows": rows}, indent=1) + "\n"
