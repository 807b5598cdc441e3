"""A record is current, stale, or of unknown origin; a change that was confirmed makes none stale."""

import pytest

from dpclip.lab import staleness
from dpclip.lab.staleness import Validity, add_confirmation, validity

NOW = {"lab.train": "t2", "method.losses": "l1", "lab.words": "w1"}


@pytest.fixture(autouse=True)
def now(monkeypatch):
    monkeypatch.setattr(staleness, "code_here", lambda _: NOW)


@pytest.fixture
def confirmed(tmp_path):
    return tmp_path / "confirmed.json"


def record(**changes):
    return {"run": "mini-abc-0", "commit": "1" * 12, "config": {}, "code": {**NOW, **changes}}


def test_made_by_this_code(confirmed):
    assert validity(record(), confirmed) == Validity("current")


def test_made_by_other_code(confirmed):
    assert validity(record(**{"method.losses": "l0", "lab.train": "t1"}), confirmed) == Validity(
        "stale", ("lab.train", "method.losses")
    )


def test_a_module_that_came_or_went(confirmed):
    old = record(**{"lab.gone": "g"})
    del old["code"]["lab.words"]
    assert validity(old, confirmed) == Validity("stale", ("lab.gone", "lab.words"))


def test_without_a_list_of_modules_the_commit_tells(confirmed, monkeypatch):
    old = {"run": "mini-abc-0", "commit": "abc", "config": {}}
    monkeypatch.setattr(staleness, "code_at", lambda commit, _: {"abc": {**NOW, "lab.train": "t0"}}.get(commit))
    assert validity(old, confirmed) == Validity("stale", ("lab.train",))
    assert validity({**old, "commit": "abc+"}, confirmed) == Validity("unknown")


def test_a_confirmed_change_speaks_for_all_records(confirmed):
    old = record(**{"lab.train": "t0", "method.losses": "l0"})
    add_confirmation({"modules": {"lab.train": ["t0", "t1"]}, "run": "x", "why": "moved"}, confirmed)
    add_confirmation({"modules": {"lab.train": ["t1", "t2"]}, "run": "x", "why": "moved"}, confirmed)
    assert validity(old, confirmed) == Validity("stale", ("method.losses",))
    add_confirmation({"modules": {"method.losses": ["l0", "l1"]}, "run": "x", "why": "renamed"}, confirmed)
    assert validity(old, confirmed) == Validity("confirmed", ("lab.train", "method.losses"))
    assert validity(record(**{"lab.train": "t9"}), confirmed).state == "stale"


def test_there_and_back_again_ends(confirmed):
    add_confirmation({"modules": {"lab.train": ["t0", "t1"], "lab.words": [None, "w1"]}}, confirmed)
    add_confirmation({"modules": {"lab.train": ["t1", "t0"]}}, confirmed)
    old = record(**{"lab.train": "t0"})
    del old["code"]["lab.words"]
    assert validity(old, confirmed) == Validity("stale", ("lab.train",))
