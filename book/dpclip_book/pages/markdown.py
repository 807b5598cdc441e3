"""Tables as numbered, searchable tables of a page, not as pictures."""

import re

import pandas as pd
from IPython.display import Markdown

# 1.5, 12,500, 1.5e-02, 1.5 ± 0.2, [-0.5, +0.2], 12 %, +1.5 [+0.5, +2.5]
NUMBER = re.compile(r"\[?[+-]?\d[\d.]*(,\d{3})*(e[+-]\d+)?( ± \S+|, \S+\]| %| \[\S+, \S+\])?")
ABSENT = ("–", "not run", "not run yet", "")


def numbered_table(
    frame: pd.DataFrame, caption: str, name: str, digits: int = 2, classes: str = "", notes: str = ""
) -> Markdown:
    """A data frame as the output of a cell: a `table` directive that pages number and refer to by `name`.

    The index is left out; floats get `digits` decimals, whole numbers none. `classes`: of the table in the page;
    "book-table" makes it sortable, with its first column as row headers. `notes`: a paragraph below it.
    """

    def cell(value: object) -> str:
        return f"{value:.{digits}f}" if isinstance(value, float) else str(value).replace("|", "\\|")

    sides = ["--:" if holds_numbers(frame[column]) else ":--" for column in frame]
    rows = [list(map(str, frame.columns)), sides] + [[cell(v) for v in row] for row in frame.itertuples(index=False)]
    body = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    options = f":name: {name}\n" + (f":class: {classes}\n" if classes else "")
    return Markdown(f":::{{table}} {caption}\n{options}\n{body}\n:::\n" + (f"\n{notes}\n" if notes else ""))


def holds_numbers(column: pd.Series) -> bool:
    """Whether a column is of numbers, or of text that is numbers with their intervals."""
    if pd.api.types.is_numeric_dtype(column):
        return True
    cells = [str(value) for value in column if str(value) not in ABSENT]
    return bool(cells) and all(NUMBER.fullmatch(cell) for cell in cells)
