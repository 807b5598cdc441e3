"""The rows of a table with the records they have; nothing is made, and no model is needed."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from dpclip.config import RunConfig, preset
from dpclip.data import benchmark
from dpclip.errors import UserError
from dpclip.runs.experiments import find_table, table_seeds
from dpclip.runs.records import read_record, records_folder, records_named, weights_hash


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


def rows_of(
    table: str, preset_name: str, dataset: str = "", folder: Path | None = None, data_hash: str = ""
) -> TableRows:
    """The rows of a table with their records in `folder`, or where the preset's lie (records.records_folder), of the
    data with this hash where one is known. Raises UserError for an unknown table.
    """
    dataset = dataset or preset(preset_name).dataset
    split, asked = find_table(table).split, table_seeds(table, preset_name, dataset)
    place = records_folder(preset(preset_name).set(dataset=dataset), split, folder)
    data_hash = data_hash or (benchmark.recorded().hash if dataset == benchmark.NAME else "")
    known = index_records(preset_name, place, split, data_hash)
    found = {
        row: [known[config.key(), seed] for config, seed in runs if (config.key(), seed) in known]
        for row, runs in asked.items()
    }
    seeds = {row: 1 if one_seed(split) else len(runs) for row, runs in asked.items()}
    return TableRows(table, preset_name, dataset, found, seeds)


def one_seed(split: str) -> bool:
    """Whether one seed is all that is asked for: of results made again, in a folder of their own."""
    return records_named() is not None and split == "unseen"


def index_records(preset_name: str, folder: Path, split: str, data_hash: str = "") -> dict[tuple[str, int], dict]:
    """(key of the settings, seed) -> the record, of a preset's runs tested on `split`, of the backbone's weights that
    are here and of the data with this hash, if one is known. Raises UserError when two records share settings and seed,
    so that it cannot be told which is meant.
    """
    found: dict[tuple[str, int], dict] = {}
    for path in sorted(folder.glob(f"{preset_name}-*.json")):
        record = read_record(path.stem, folder)
        config = RunConfig.read(record["config"])
        here = (split, weights_hash(config), data_hash or record["data_hash"])
        if here != (record["split"], record["weights_hash"], record["data_hash"]):
            continue
        place = config.key(), record["seed"]
        if place in found:
            raise UserError(
                f"{path} and {found[place]['run']}.json have the same settings and seed, so they ran on other data. "
                "Keep those of one."
            )
        found[place] = record
    return found
