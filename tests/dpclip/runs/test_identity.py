"""Which run is meant: a name for settings, data, weights and seed; and where its record lies."""

import json
import subprocess
import sys

import pytest

from dpclip.config import preset
from dpclip.errors import UserError
from dpclip.runs import identity
from dpclip.runs.identity import Run, find_record, records_folder
from dpclip.runs.records import NEEDED, RECORDS, write_record

RUN = Run(preset("smoke"), 0, "data", "weights")


def test_a_seed_out_of_range_is_refused():
    for seed in (-1, 2**32, 10**20):
        with pytest.raises(UserError, match=f"seed {seed}: choose a whole number"):
            Run(preset("smoke"), seed, "data", "weights")


def test_results_go_to_the_repository_and_private_ones_do_not(monkeypatch):
    monkeypatch.delenv(identity.RECORDS_VARIABLE, raising=False)
    assert records_folder(preset("mini")) == RECORDS
    assert records_folder(preset("mini"), "val") == RECORDS / "validation"
    for config in (preset("smoke"), preset("mini").set(dataset="folder")):
        assert records_folder(config) == identity.PRIVATE


def test_another_folder_can_be_named(monkeypatch, tmp_path):
    monkeypatch.setenv(identity.RECORDS_VARIABLE, str(tmp_path / "made"))
    assert records_folder(preset("mini")) == tmp_path / "made"
    assert records_folder(preset("mini"), folder=tmp_path / "own") == tmp_path / "own"


def test_a_record_of_validation_is_not_shown_as_a_result(tmp_path):
    """Both commands were given one folder: each finds its own record in it."""
    content = dict.fromkeys(NEEDED, 0) | {"run": RUN.name, "config": {}, "probe": {}}
    content["metrics"] = {"fine-grained": {}, "category-level": {}}
    write_record(content | {"split": "val"}, records_folder(RUN.config, "val", tmp_path))
    assert find_record(RUN, folder=tmp_path) is None
    assert find_record(RUN, "val", tmp_path)["split"] == "val"


@pytest.mark.parametrize("content", ["3", "[]", '{"run": 1}', "{", json.dumps(dict.fromkeys(NEEDED, 1))])
def test_a_file_that_is_no_record_is_named(tmp_path, content):
    path = tmp_path / f"{RUN.name}.json"
    path.write_text(content)
    with pytest.raises(UserError, match=f"{path.name}.*Delete it and repeat the run"):
        find_record(RUN, folder=tmp_path)


def test_naming_a_run_needs_no_torch():
    program = "import sys; import dpclip.runs.identity; assert not {'torch', 'open_clip', 'scipy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
