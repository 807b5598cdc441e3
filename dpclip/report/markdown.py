"""Tables as numbered, searchable tables of a page, not as pictures."""

import pandas as pd
from IPython.display import Markdown


def numbered_table(frame: pd.DataFrame, caption: str, name: str, digits: int = 2) -> Markdown:
    """A data frame as the output of a cell: a `table` directive that pages number and refer to by `name`.

    The index is left out; floats get `digits` decimals, whole numbers none.
    """

    def cell(value: object) -> str:
        return f"{value:.{digits}f}" if isinstance(value, float) else str(value).replace("|", "\\|")

    sides = ["--:" if pd.api.types.is_numeric_dtype(kind) else ":--" for kind in frame.dtypes]
    rows = [list(map(str, frame.columns)), sides] + [[cell(v) for v in row] for row in frame.itertuples(index=False)]
    body = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return Markdown(f":::{{table}} {caption}\n:name: {name}\n\n{body}\n:::\n")
