"""A table's runs as commands: what `dpclip sweep` does in line and a workflow engine does elsewhere."""

from dataclasses import dataclass
from pathlib import Path

from dpclip.lab.config import preset, settings
from dpclip.lab.experiments import Run, open_data, records_folder, table_runs


@dataclass(frozen=True)
class Job:
    """One run of a table. `words` are the arguments of `dpclip` that leave `record`."""

    row: str
    run: Run
    split: str
    record: Path
    words: list[str]


def jobs(table: str, preset_name: str, data: str = "", records: str = "") -> list[Job]:
    """The runs of a table, those of one run once. `data`: folder of the data set; `records`: where records go.

    Raises UserError for an unknown table or preset and for a data set that is not there.
    """
    rows, split = table_runs(table, preset_name, open_data(preset(preset_name), data or None))
    folder = Path(records) if records else records_folder(preset_name, split)
    command = "train" if split == "unseen" else "evaluate"
    places = [word for name, value in (("--data", data), ("--records", records)) if value for word in (name, value)]
    found = {}
    for row, runs in rows.items():
        for run in runs:
            words = [command, "--preset", preset_name, "--seed", str(run.seed), *settings(run.config), *places]
            found.setdefault(run.name, Job(row, run, split, folder / f"{run.name}.json", words))
    return list(found.values())
