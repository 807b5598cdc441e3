"""A table's runs as jobs: `dpclip sweep` makes them one after the other, a workflow engine (workflow/) elsewhere."""

import shlex
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from dpclip.config import preset, settings_words
from dpclip.errors import UserError
from dpclip.files import show_time
from dpclip.runs.experiments import RESULTS, TABLES, datasets, find_table, table_runs
from dpclip.runs.records import Run, records_folder
from dpclip.runs.run import ensure, open_data, open_store


@dataclass(frozen=True)
class Job:
    """One run of a table. `words` are the arguments of `dpclip` that leave `record`."""

    row: str
    run: Run
    split: str
    record: Path
    words: list[str]

    def __str__(self) -> str:
        done = " (done)" if self.record.exists() else ""
        return f"{self.row}, {self.record.name}{done}: {shlex.join(self.words)}"


def jobs(
    table: str, preset_name: str, data: str = "", weights: str = "", records: str = "", seeds: int | None = None
) -> tuple[list[Job], list[str]]:
    """The runs of a table, or of RESULTS, all tables of unseen categories, each once, on all their data sets that are
    there; and for each data set that is not there, a line that says why. `data`, `weights`, `records` as in the command
    line; where there are several data sets, `data` holds a folder of its name for each: one of them alone would be read
    as the others too. `seeds`: how many, if not as the table asks. Raises UserError for an unknown table or preset, and
    when no data set is there.
    """
    tables = [name for name, other in TABLES.items() if other.split == "unseen"] if table == RESULTS else [table]
    wanted = [(name, dataset) for name in tables for dataset in datasets(name, preset_name)]
    given = {"--data": data, "--weights": weights, "--records": records}
    places = [word for name, value in given.items() if value for word in (name, value)]
    names = dict.fromkeys(dataset for _, dataset in wanted)
    manifests, absent, found = {}, [], {}
    for dataset in names:
        config = preset(preset_name).set(dataset=dataset)
        try:
            manifests[dataset] = open_data(config, Path(data) if data else None, alone=len(names) == 1)
        except UserError as error:
            if len(names) == 1:
                raise
            absent.append(f"{dataset} is left out: {' '.join(str(error).split())}")
    if not manifests:
        raise UserError("\n".join(["no data set of this table is there:", *absent]))
    for name, dataset in wanted:
        if dataset not in manifests:
            continue
        split = find_table(name).split
        for row, runs in table_runs(name, preset_name, manifests[dataset], seeds).items():
            for run in runs:
                folder = records_folder(run.config, split, Path(records) if records else None)
                words = ["train" if split == "unseen" else "evaluate", "--preset", preset_name]
                words += ["--seed", str(run.seed), *settings_words(run.config), *places]
                found.setdefault(run.name, Job(row, run, split, folder / f"{run.name}.json", words))
    return list(found.values()), absent


def make_records(found: list[Job], data: Path | None = None, records: Path | None = None) -> None:
    """Make the runs that have no record, one after the other. Before each a line: which it is, how many are left, and
    for how long if they take as long as those made by this call.
    """
    console, stores, begun = Console(highlight=False, markup=False, soft_wrap=True), {}, time.perf_counter()
    missing = [job for job in found if not job.record.exists()]
    for made, job in enumerate(missing):
        left = len(missing) - made
        each = (time.perf_counter() - begun) / max(made, 1)
        about = f", about {show_time(left * each)}" if made else ""
        console.print(f"{len(found) - left} of {len(found)} runs done, {left} left{about}. Next: {job}")
        dataset = job.run.config.dataset
        stores[dataset] = stores.get(dataset) or open_store(job.run.config, data)
        ensure(job.run, stores[dataset], records, split=job.split)
    console.print(f"{len(found)} of {len(found)} runs done")
