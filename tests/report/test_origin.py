"""What a caption says of the code behind its runs."""

import pytest

from dpclip.lab.runs import RETRAIN_VARIABLE
from dpclip.lab.staleness import Validity
from dpclip.report import origin
from dpclip.report.origin import origin_note


@pytest.fixture(autouse=True)
def states(monkeypatch):
    monkeypatch.delenv(RETRAIN_VARIABLE, raising=False)
    monkeypatch.setattr(origin, "validity", lambda record: record)


def test_nothing_where_nothing_is_to_be_said():
    assert origin_note([Validity("current"), Validity("confirmed", ("lab.train",))]) == ""


def test_other_code_is_named():
    stale = [Validity("stale", ("lab.train",)), Validity("stale", ("data.augment", "lab.train"))]
    note = origin_note([*stale, Validity("current"), Validity("unknown")])
    assert note.startswith("2 of 4 runs were made before a change of `data.augment`, `lab.train`.")
    assert note.endswith("Which code made 1 of 4 runs is not known.")


def test_runs_made_here_say_so(monkeypatch):
    monkeypatch.setenv(RETRAIN_VARIABLE, "1")
    assert origin_note([Validity("current")]) == "These runs were made on this machine, with one seed each."
    assert origin_note([]) == ""
