"""A table's runs as commands: what `dpclip sweep` does in line and a workflow engine does elsewhere."""

from dataclasses import dataclass
from pathlib import Path

from dpclip.config import preset, settings_words
from dpclip.errors import UserError
from dpclip.runs.experiments import datasets, find_table, table_runs
from dpclip.runs.identity import Run, records_folder
from dpclip.runs.run import open_data


@dataclass(frozen=True)
class Job:
    """One run of a table. `words` are the arguments of `dpclip` that leave `record`."""

    row: str
    run: Run
    split: str
    record: Path
    words: list[str]


def jobs(
    table: str, preset_name: str, data: str = "", weights: str = "", records: str = "", seeds: int | None = None
) -> tuple[list[Job], list[str]]:
    """The runs of a table on all its data sets that are there, those of one run once; and for each data set that is not
    there, a line that says why.

    data     folder of the data; where the table has several data sets, with a folder of its name for each: a folder
             that holds one of them alone would be read as the others too
    weights  OpenAI's file, instead of a download
    records  where records go
    seeds    how many, if not as the table asks

    Raises UserError for an unknown table or preset, and when no data set is there.
    """
    split = find_table(table).split
    folder = records_folder(preset(preset_name), split, Path(records) if records else None)
    command = "train" if split == "unseen" else "evaluate"
    given = {"--data": data, "--weights": weights, "--records": records}
    places = [word for name, value in given.items() if value for word in (name, value)]
    found, absent, names = {}, [], datasets(table, preset_name)
    for dataset in names:
        config = preset(preset_name).set(dataset=dataset)
        try:
            manifest = open_data(config, Path(data) if data else None, alone=len(names) == 1)
        except UserError as error:
            absent.append(f"{dataset} is left out: {' '.join(str(error).split())}")
            continue
        for row, runs in table_runs(table, preset_name, manifest, seeds).items():
            for run in runs:
                words = [
                    command,
                    "--preset",
                    preset_name,
                    "--seed",
                    str(run.seed),
                    *settings_words(run.config),
                    *places,
                ]
                found.setdefault(run.name, Job(row, run, split, folder / f"{run.name}.json", words))
    if not found:
        raise UserError("\n".join(["no data set of this table is there:", *absent]))
    return list(found.values()), absent
