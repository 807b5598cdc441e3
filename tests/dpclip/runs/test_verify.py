"""A run made again: what counts as the same, and where."""

import copy
import json

import pytest

from dpclip.config import RunConfig
from dpclip.errors import UserError
from dpclip.runs.records import RECORDS, Run
from dpclip.runs.verify import choose, committed, compare_records, configurations, find, identical, remake


@pytest.fixture
def record():
    (path,) = (RECORDS / "smoke").glob("*.json")
    return json.loads(path.read_text())


@pytest.fixture
def again(record):
    return copy.deepcopy(record) | {"commit": "2" * 12}


def failing(record, again):
    return [line.name for line in compare_records(record, again) if not line.holds]


def test_on_the_same_machine_every_digit_counts(record, again):
    assert failing(record, again) == [] and identical(record, again)
    again["losses"][2] += 1e-5
    assert failing(record, again) == ["loss, step 3 of 1 to 4"] and not identical(record, again)


@pytest.mark.parametrize("name", ["hardware", "arithmetic", "torch"])
def test_elsewhere_rounding_is_allowed_and_more_is_not(record, again, name):
    again[name] = "another"
    again["losses"][2] += 5e-5
    values = again["metrics"]["fine-grained"]["held-out"]["warped"]
    values["acc@1"] += 2 / values["queries"]
    assert failing(record, again) == []
    again["losses"][2] += 1e-4
    values["acc@1"] += 2 / values["queries"]
    again["metrics"]["category-level"]["generic"]["map@all"] -= 0.03
    assert failing(record, again) == ["loss, step 3 of 1 to 4", "held-out, warped, acc@1", "generic, map@all"]


def test_later_losses_have_more_room(record, again):
    record["losses"] = again["losses"] = [0.1] * 300
    again |= {"torch": "another", "losses": [0.1] * 250 + [0.1005] * 50}
    assert failing(record, again) == []
    again["losses"] = [0.1] * 250 + [0.102] * 50
    assert failing(record, again) == ["loss, step 251 of 11 to 300"]


def test_another_number_of_steps_differs(record, again):
    again["losses"] = again["losses"][:-1]
    assert "steps" in failing(record, again)


def test_a_random_choice_is_a_trained_mini_run_and_can_be_repeated():
    names = [choose(seed)["run"] for seed in range(20)]
    assert names == [choose(seed)["run"] for seed in range(20)] and len(set(names)) > 5
    assert all(name.startswith("mini-") and find(name)["losses"] for name in names)


def test_committed_runs_are_found_by_name_and_by_path(record):
    (path,) = (RECORDS / "smoke").glob("*.json")
    assert path in committed() and find(path.stem) == find(str(path)) == json.loads(path.read_text())
    with pytest.raises(UserError, match="no record 'mini-0-0'.*records check"):
        find("mini-0-0")


def test_each_configuration_is_probed_once():
    chosen = configurations()
    assert len({(record["run"].rpartition("-")[0], record["split"]) for record in chosen}) == len(chosen)
    everything = {(path.stem.rpartition("-")[0], path.parent.name) for path in committed()}
    assert len(chosen) == len(everything)


def other_name(record):
    return Run(RunConfig.read(record["config"]), record["seed"], "0", record["weights_hash"]).name


def test_a_run_on_other_data_or_settings_is_not_made(record):
    with pytest.raises(UserError, match="its data or its backbone's weights"):
        remake(record | {"data_hash": "0", "run": other_name(record)})
    record["config"]["model"]["margin"] = 0.2
    with pytest.raises(UserError, match="its settings are not those"):
        remake(record)
    with pytest.raises(UserError, match="settings that this code does not know .*colour"):
        RunConfig.read({**record["config"], "colour": 1})
