"""Numbers that others published, and how they were probably computed: data/published, described in its README."""

from pathlib import Path

import pandas as pd

from dpclip.data.files import DATA
from dpclip.errors import UserError

PUBLISHED = DATA / "published"


def read_published(name: str, folder: Path = PUBLISHED) -> pd.DataFrame:
    """The table "peers" or "conventions" as text, "" where nothing is known; values in per cent as floats.

    Raises UserError for a table that is not there.
    """
    path = folder / f"{name}.csv"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.csv"))) or "nothing"
        raise UserError(f"{path} is missing; {folder} holds {known}. Restore it: git checkout -- data/published.")
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    return table.astype({"value": float}) if "value" in table else table
