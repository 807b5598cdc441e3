"""The rows of a table with the records they have. Here, and nowhere else, it is decided what a page does about a
missing run: make it, or say that it is missing.
"""

import shlex
from dataclasses import dataclass
from pathlib import Path

from dpclip.config import RunConfig, preset
from dpclip.data import benchmark
from dpclip.data.store import ImageStore
from dpclip.errors import UserError
from dpclip.runs import records
from dpclip.runs.experiments import find_table, table_runs, table_seeds
from dpclip.runs.identity import make_run, records_folder, records_named
from dpclip.runs.run import ensure_rows


@dataclass(frozen=True)
class TableRows:
    """What there is of a table under a preset on a data set. `records`: row name -> its records, by seed, perhaps none;
    `seeds`: row name -> how many the table asks for.
    """

    table: str
    preset: str
    dataset: str
    records: dict[str, list[dict]]
    seeds: dict[str, int]

    @property
    def missing(self) -> dict[str, int]:
        """Row name -> how many of its records are not there, for rows that lack some."""
        left = {row: count - len(self.records[row]) for row, count in self.seeds.items()}
        return {row: count for row, count in left.items() if count > 0}

    @property
    def command(self) -> str:
        """What makes the missing records."""
        words = ["dpclip", "sweep", "--preset", self.preset, "--table", self.table]
        needs_data = preset(self.preset).dataset != benchmark.NAME
        return shlex.join(words) + (" --data FOLDER" if needs_data else "")


def makes_missing(preset_name: str) -> bool:
    """Whether a page trains the runs it lacks. Under `mini` it does not: its records come with the repository, and a
    table of them takes hours. The trial presets take seconds a run, and who asks for `paper` has the data for it.
    """
    return preset_name != "mini"


def rows_of(
    table: str, preset_name: str, store: ImageStore | None = None, dataset: str = "", folder: Path | None = None
) -> TableRows:
    """The rows of a table. With a `store`, which a page passes for its own preset, missing runs
    are made if the preset `makes_missing`; without one, records in `folder` (by default the preset's) are
    loaded and nothing is made.

    Raises UserError for an unknown table; MissingRun as `ensure_rows` does.
    """
    dataset = store.manifest.name if store else dataset or preset(preset_name).dataset
    split = find_table(table).split
    folder = folder or records_folder(preset(preset_name), split)
    if store:
        runs = table_runs(table, preset_name, store.manifest)
        there = {row: [r for r in seeds if (folder / f"{r.name}.json").exists()] for row, seeds in runs.items()}
        found = ensure_rows(runs if makes_missing(preset_name) else there, store, split)
    else:
        found = load_rows(table, preset_name, dataset, folder)
    seeds = {row: len(runs) for row, runs in table_seeds(table, preset_name, dataset).items()}
    if records_named() and split == "unseen":
        seeds = dict.fromkeys(seeds, 1)
    return TableRows(table, preset_name, dataset, found, seeds)


def load_rows(table: str, preset_name: str, dataset: str, folder: Path) -> dict[str, list[dict]]:
    """Row name -> the records that are there. Those of data that are not at hand are known by settings and seed; raises
    UserError when records of several states of the data fit.
    """
    embedded = benchmark.recorded() if dataset == benchmark.NAME else None
    known = {} if embedded else index_records(preset_name, folder)
    found: dict[str, list[dict]] = {}
    for row, runs in table_seeds(table, preset_name, dataset).items():
        for config, seed in runs:
            if embedded:
                record = records.read_record(make_run(config, seed, embedded).name, folder)
            else:
                record = known.get((config.key(), seed))
            found.setdefault(row, []).extend([record] if record else [])
    return found


def index_records(preset_name: str, folder: Path) -> dict[tuple[str, int], dict]:
    """(key of the settings, seed) -> the record. Raises UserError when two records of a folder share them."""
    found: dict[tuple[str, int], dict] = {}
    for path in sorted(folder.glob(f"{preset_name}-*.json")):
        record = records.read_record(path.stem, folder)
        place = RunConfig.read(record["config"]).key(), record["seed"]
        if place in found:
            raise UserError(
                f"{path} and {found[place]['run']}.json have the same settings and seed, so they ran on other data or "
                "weights. Keep those of one."
            )
        found[place] = record
    return found
