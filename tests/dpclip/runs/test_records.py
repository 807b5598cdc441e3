"""Which run is meant, where its record lies, and that a record is whole."""

import errno
import json
import os
import subprocess
import sys

import pytest

from dpclip.config import preset
from dpclip.errors import UserError
from dpclip.runs import records
from dpclip.runs.records import NEEDED, RECORDS, Run, find_record, read_record, records_folder, write_record

RUN = Run(preset("smoke"), 0, "data", "weights")


def test_a_seed_out_of_range_is_refused():
    for seed in (-1, 2**32, 10**20):
        with pytest.raises(UserError, match=f"seed {seed}: choose a whole number"):
            Run(preset("smoke"), seed, "data", "weights")


def test_results_go_to_the_repository_and_private_ones_do_not(monkeypatch):
    monkeypatch.delenv(records.RECORDS_VARIABLE, raising=False)
    assert records_folder(preset("mini")) == RECORDS
    assert records_folder(preset("mini"), "val") == RECORDS / "validation"
    for config in (preset("smoke"), preset("mini").set(dataset="folder")):
        assert records_folder(config) == records.PRIVATE


def test_another_folder_can_be_named(monkeypatch, tmp_path):
    monkeypatch.setenv(records.RECORDS_VARIABLE, str(tmp_path / "made"))
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
    program = "import sys; import dpclip.runs.records; assert not {'torch', 'open_clip', 'scipy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.fixture
def record():
    metrics = {"fine-grained": {}, "category-level": {}}
    return dict.fromkeys(NEEDED, 1) | {
        "run": "mini-abc-0",
        "split": "val",
        "config": {},
        "probe": {},
        "metrics": metrics,
    }


def test_written_and_read_back(record, tmp_path):
    write_record(record, tmp_path)
    assert read_record("mini-abc-0", tmp_path) == record
    assert read_record("mini-abc-1", tmp_path) is None


def test_a_full_disk_keeps_the_old_record_and_leaves_no_part(record, tmp_path, monkeypatch):
    write_record(record, tmp_path)

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="mini-abc-0.json: No space left on device.*nothing was changed"):
        write_record({**record, "seconds": 2}, tmp_path)
    assert read_record("mini-abc-0", tmp_path) == record
    assert [path.name for path in tmp_path.iterdir()] == ["mini-abc-0.json"]


def test_an_incomplete_record_is_not_written(record, tmp_path):
    del record["metrics"]
    with pytest.raises(UserError, match="lacks metrics"):
        write_record(record, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_damaged_record_is_named(record, tmp_path):
    (tmp_path / "mini-abc-0.json").write_text(json.dumps(record)[:-20])
    with pytest.raises(UserError, match="mini-abc-0.json is damaged.*Delete it"):
        read_record("mini-abc-0", tmp_path)


def test_a_folder_that_cannot_be_made(record, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write .*writable folder"):
        write_record(record, tmp_path / "file" / "records")
