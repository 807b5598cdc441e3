import errno
import json
import os

import pytest

from dpclip.errors import UserError
from dpclip.runs.records import NEEDED, read_record, write_record


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
