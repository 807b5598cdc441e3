"""The results in the repository were made by the code in the repository, or by code that gives the same numbers."""

import pytest

from dpclip.runs.records import RECORDS, read_record
from dpclip.runs.staleness import Validity, validity


@pytest.mark.parametrize("run", sorted(path.stem for path in RECORDS.glob("*-*-*.json")))
def test_no_result_is_stale(run):
    found = validity(read_record(run))
    cure = "`dpclip records confirm` if no number changed, else make it again with `dpclip sweep`"
    assert found.state != "stale", f"{', '.join(found.changed)} changed since {run} was made: {cure}"
    assert found != Validity("unknown"), f"nobody knows which code made {run}: make it again with `dpclip sweep`"
