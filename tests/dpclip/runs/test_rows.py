"""What a table's rows do about runs that are not there."""

from dataclasses import asdict

import pytest

from dpclip.config import TRIALS
from dpclip.data import benchmark
from dpclip.errors import UserError
from dpclip.runs import records, rows
from dpclip.runs.experiments import table_runs, table_seeds
from dpclip.runs.fingerprint import code_here
from dpclip.runs.rows import load_rows, makes_missing, rows_of


def write(run, folder, **changes):
    """A record of a run, with no metrics."""
    record = dict.fromkeys(records.NEEDED, "") | {"run": run.name, "seed": run.seed, "config": asdict(run.config)}
    record["code"] = code_here()
    records.write_record(record | changes, folder)


class Store:
    manifest = benchmark.recorded()


@pytest.fixture
def runs():
    return table_runs("1", "mini", benchmark.recorded())


def test_what_is_missing_is_said_with_its_command_and_not_made(runs, tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "ensure_rows", None)  # would train
    for run in [*runs["VPT"], *runs["DP-CLIP"][:2]]:
        write(run, tmp_path)
    found = rows_of("1", "mini", folder=tmp_path)
    assert list(found.records) == list(runs) and found.dataset == "openmoji-sbir"
    assert [r["seed"] for r in found.records["VPT"]] == [0, 1, 2, 3, 4] and found.records["LoRA"] == []
    assert found.missing["DP-CLIP"] == 3 and found.missing["LoRA"] == 5 and "VPT" not in found.missing
    assert found.command == "dpclip sweep --preset mini --table 1"


def test_a_stale_run_is_no_row_and_is_made_again_by_a_page(runs, tmp_path, monkeypatch):
    old, new = runs["VPT"][:2]
    write(old, tmp_path, code={"lab.train": "00000000"})
    write(new, tmp_path)
    assert [r["seed"] for r in rows_of("1", "mini", folder=tmp_path).records["VPT"]] == [1]
    asked = []
    monkeypatch.setattr(rows, "ensure_rows", lambda wanted, store, split: asked.append(wanted) or wanted)
    rows_of("1", "mini", Store(), folder=tmp_path)
    assert asked[0]["VPT"] == [old, new] and asked[0]["LoRA"] == []


def test_retrained_rows_have_one_seed_and_are_made(monkeypatch):
    monkeypatch.setenv("DPCLIP_RETRAIN", "1")
    asked = []
    monkeypatch.setattr(rows, "ensure_rows", lambda wanted, store, split: asked.append(wanted) or wanted)
    assert set(rows_of("1", "mini", Store()).seeds.values()) == {1} and all(asked[0].values())


def test_a_page_makes_what_it_lacks_but_not_the_hours_of_mini(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(rows, "ensure_rows", lambda wanted, store, split: made.append(wanted) or wanted)

    assert list(rows_of("3", "smoke", Store()).records) == list(table_seeds("3", "smoke", "openmoji-sbir"))
    assert len(made) == 1 and all(len(row) == 1 for row in made[0].values())
    rows_of("3", "mini", Store(), folder=tmp_path)
    assert not any(made[1].values())
    assert [name for name in ("smoke", "dry", "mini", "paper") if not makes_missing(name)] == ["mini"]


def test_without_the_data_a_record_is_known_by_its_settings_and_seed(tmp_path):
    (config, seed), *_ = table_seeds("3", "paper", "sketchy")["+V"]

    class Run:
        name = "paper-0123456789ab-0"

    Run.config, Run.seed = config, seed
    write(Run, tmp_path)
    found = load_rows("3", "paper", "sketchy", tmp_path)
    assert [r["run"] for r in found["+V"]] == [Run.name] and not found["+T"]
    assert rows_of("3", "paper", folder=tmp_path).command == "dpclip sweep --preset paper --table 3 --data FOLDER"
    Run.name = "paper-ba9876543210-0"
    write(Run, tmp_path)
    with pytest.raises(UserError, match="same settings and seed.*Keep those of one"):
        load_rows("3", "paper", "sketchy", tmp_path)


@pytest.mark.parametrize("preset", TRIALS)
def test_a_trial_has_the_first_two_rows_and_the_last(preset):
    assert list(table_seeds("3", preset, "sketchy")) == ["no module", "+V", "DP-CLIP"]
    assert list(table_seeds("1", preset, "sketchy")) == ["CLIP, untrained", "CLIP, norms tuned", "DP-CLIP"]
