"""Which records a table has, and what is done about runs that are not there."""

import re
import subprocess
import sys
from dataclasses import asdict

import pytest

from dpclip.config import TRIALS
from dpclip.data import benchmark
from dpclip.errors import UserError
from dpclip.files import ROOT
from dpclip.runs import records
from dpclip.runs.experiments import TABLES, table_runs, table_seeds
from dpclip.runs.records import Run
from dpclip.runs.table_records import rows_of


def write(run, folder, split="unseen", **changes):
    """A record of a run, with no metrics."""
    record = dict.fromkeys(records.NEEDED, "") | {"run": run.name, "seed": run.seed, "config": asdict(run.config)}
    record |= {"data_hash": run.data_hash, "weights_hash": run.weights_hash, "split": split, "probe": {}}
    record |= {"metrics": {"fine-grained": {}, "category-level": {}}}
    records.write_record(record | changes, folder)


@pytest.fixture
def runs():
    return table_runs("1", "mini", benchmark.recorded())


def test_what_is_missing_is_said_with_its_command_and_not_made(runs, tmp_path):
    for run in [*runs["VPT"], *runs["DP-CLIP"][:2]]:
        write(run, tmp_path)
    found = rows_of("1", "mini", folder=tmp_path)
    assert list(found.records) == list(runs) and found.dataset == "icon-sbir"
    assert [r["seed"] for r in found.records["VPT"]] == [0, 1, 2, 3, 4] and found.records["LoRA"] == []
    assert found.missing["DP-CLIP"] == 3 and found.missing["LoRA"] == 5 and "VPT" not in found.missing
    assert found.command == "dpclip sweep --preset mini --table 1"


@pytest.mark.parametrize("data_hash", ["", benchmark.recorded().hash])
def test_a_record_counts_with_its_data_its_weights_and_its_split(runs, tmp_path, data_hash):
    for number, other in enumerate(({"data_hash": "other"}, {"weights_hash": "other"}, {"split": "val"}, {})):
        run = runs["VPT"][number]
        write(run, tmp_path, **other)
    assert [r["seed"] for r in rows_of("1", "mini", folder=tmp_path, data_hash=data_hash).records["VPT"]] == [3]


def test_a_search_looks_among_the_records_of_validation(tmp_path):
    run = table_runs("rates", "mini", benchmark.recorded())["VPT"][0]
    write(run, tmp_path)
    assert not rows_of("rates", "mini", folder=tmp_path).records["VPT"]
    write(run, tmp_path / "validation", split="val")
    assert len(rows_of("rates", "mini", folder=tmp_path).records["VPT"]) == 1


def test_without_the_data_a_record_is_known_by_its_settings_and_seed(tmp_path):
    (config, seed), *_ = table_seeds("3", "paper", "sketchy")["+V"]
    run, again = (Run(config, seed, data, "openai") for data in ("one", "two"))
    write(run, tmp_path)
    found = rows_of("3", "paper", folder=tmp_path)
    assert [r["run"] for r in found.records["+V"]] == [run.name] and not found.records["+T"]
    assert found.command == "dpclip sweep --preset paper --table 3 --data FOLDER"
    write(again, tmp_path)
    with pytest.raises(UserError, match="same settings and seed.*Keep those of one"):
        rows_of("3", "paper", folder=tmp_path)


@pytest.mark.parametrize("preset", TRIALS)
def test_a_trial_has_the_first_two_rows_and_the_last(preset):
    assert list(table_seeds("3", preset, "sketchy")) == ["no module", "+V", "DP-CLIP"]
    assert list(table_seeds("1", preset, "sketchy")) == ["CLIP, untrained", "CLIP, norms tuned", "DP-CLIP"]


def test_every_committed_mini_record_is_found_by_a_table():
    """So none is lost by the way in which rows look for them."""
    shown = {
        record["run"]
        for table in TABLES
        for found in rows_of(table, "mini", folder=records.RECORDS).records.values()
        for record in found
    }
    assert {path.stem for path in records.RECORDS.glob("**/mini-*-*.json")} <= shown


def test_a_config_is_read_from_a_record_in_one_way():
    odd = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for folder in ("dpclip", "data/dpclip_prepare", "book/dpclip_book")
        for path in (ROOT / folder).rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if '["config"]' in re.sub(r'RunConfig\.read\(\w+(\[0\])?\["config"\]\)', "", line)
    ]
    assert not odd


def test_rows_need_no_torch():
    program = "import sys; from dpclip.runs.table_records import rows_of; rows_of('1', 'mini'); "
    program += "assert not {'torch', 'open_clip', 'matplotlib', 'scipy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
