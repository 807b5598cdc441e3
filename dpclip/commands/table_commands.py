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
Format = StrEnum("Format", ["md", "csv", "json"])


def tables(
    number: Annotated[int, typer.Argument(help=KNOWN)],
    preset: Annotated[str, typer.Option(help=PRESET)] = "mini",
    format: Annotated[Format, typer.Option(help="Markdown with caption, or exact numbers.")] = Format.md,
) -> None:
    """Show a table of the book from its records. Nothing is trained: a row without records says what makes them."""
    typer.echo(show_table(number, preset, format), nl=False)


def show_table(number: int, preset: str, kind: Format) -> str:
    """A table as text. `md`: rounded, captions above. `csv` and `json`: exact. Raises UserError for another number."""
    from dpclip.tables.blocks import as_csv, as_json, as_markdown, table_blocks

    if number not in TABLES:
        raise UserError(f"there is no table {number} here. There is: {KNOWN}.")
    if number == 5:
        from dpclip.runs.count_cost import BACKBONES, read_costs
        from dpclip.tables.cost_table import COUNTED, cost_blocks, cost_table

        records = [read_costs(backbone) for backbone in BACKBONES]
        blocks, frame = [block for record in records for block in cost_blocks(record)], cost_table(records)
    else:
        blocks = table_blocks(str(number), preset)
    if kind is Format.md:
        return as_markdown(str(number), TABLES[number], blocks)
    if number != 5:
        return as_csv(blocks) if kind is Format.csv else as_json(str(number), blocks)
    rows = frame.astype(object).where(frame.notna(), None).to_dict(orient="records")
    exact = json.dumps({"table": 5, "caption": COUNTED, "rows": rows}, indent=1) + "\n"
    return frame.to_csv(index=False) if kind is Format.csv else exact
