"""Verdicts on a page."""

import pytest

from dpclip.data import benchmark
from dpclip.evaluation.intervals import Comparison
from dpclip.runs.experiments import table_runs
from dpclip.runs.table_records import TableRows
from dpclip.tables.cells import accuracy_columns
from dpclip_book.pages import result_tables
from dpclip_book.pages.result_tables import (
    cost_verdict_table,
    in_words,
    make_rows,
    summary,
    verdict_frame,
    verdict_table,
)
from dpclip_book.studies.verdicts import Claim, CostVerdict, Verdict
from tests.dpclip.runs.test_table_records import write

CLAIM = Claim("1", "a beats b", "a", "b", "paper")
GOOD = Verdict(CLAIM, Comparison(0.05, 0.02), 5, 0.001, 1.0, 0.07)
WAITING = Verdict(CLAIM)
ROWS = TableRows("1", "mini", "icon-sbir", {"a": [], "b": []}, {"a": 2, "b": 2})


def test_a_verdict_is_shown_in_points_with_its_interval():
    row = verdict_frame([GOOD]).iloc[0]
    assert (row["difference"], row["interval"], row["seeds"], row["verdict"]) == (
        "+5.0",
        "[+1.1, +8.9]",
        5,
        "replicates",
    )
    assert row["said by"] == "paper" and "setting" not in row
    page = verdict_table([GOOD], ROWS, "x").data
    assert "[paper]{.mark .mark-paper}" in page and "Mini runs, preset `mini`: verdicts by Acc@1 within" in page
    assert "dpclip sweep" not in page


def test_a_claim_that_waits_says_what_it_waits_for():
    page = verdict_table([GOOD, WAITING], ROWS, "x").data
    assert "not run yet |" not in page and "*Not judged yet, for want of runs: a beats b.* *Not run yet: every" in page
    assert "`dpclip sweep --preset mini --table 1`" in page
    assert summary([GOOD, WAITING]) == "1 not run yet, 1 replicates"
    assert "No claim has both" in verdict_table([], ROWS, "x").data


def test_a_sentence_has_the_means_and_names_what_has_not_run():
    records = [{"metrics": {"fine-grained": {"held-out": {"warped": {"acc@1": share}}}}} for share in (0.35, 0.36)]
    rows = TableRows("1", "mini", "icon-sbir", {"a": records, "b": []}, {"a": 2, "b": 2})
    words = in_words(rows, accuracy_columns("warped")[0], ["a", "b", "left out"])
    assert words == "Mini runs, held-out, Acc@1: a 35.5 %; b not run yet; left out not run yet"


def test_cost_verdicts_state_their_line():
    page = cost_verdict_table({"mini": [CostVerdict("work", 0.123)]}, "x").data
    assert "below 50 %" in page and "| mini | work | 12.3 % | replicates |" in page


# --- the runs of a page ---


class Store:
    manifest = benchmark.recorded()


@pytest.fixture
def runs():
    return table_runs("1", "mini", benchmark.recorded())


@pytest.fixture
def asked(monkeypatch):
    """What a page wanted to be made: (rows, folder) of each call."""
    found = []
    monkeypatch.setattr(result_tables, "ensure_rows", lambda wanted, _, __, folder: found.append((wanted, folder)))
    return found


def test_a_page_looks_in_the_folder_that_is_given(runs, tmp_path, monkeypatch, asked):
    """Not in the one that is usual, where records of the same runs lie."""
    monkeypatch.setattr("dpclip.runs.records.RECORDS", tmp_path / "usual")
    write(runs["VPT"][0], tmp_path / "usual", commit="usual")
    write(runs["LoRA"][0], tmp_path / "usual", commit="usual")
    write(runs["VPT"][0], tmp_path / "given", commit="given")
    found = make_rows("1", "mini", Store(), folder=tmp_path / "given").records
    assert [r["commit"] for r in found["VPT"]] == ["given"] and found["LoRA"] == []
    make_rows("3", "smoke", Store(), folder=tmp_path / "given")
    assert asked[0][1] == tmp_path / "given"


def test_records_made_again_have_one_seed(runs, tmp_path, monkeypatch, asked):
    monkeypatch.setenv("DPCLIP_RECORDS", str(tmp_path))
    write(runs["VPT"][0], tmp_path)
    found = make_rows("1", "mini", Store())
    assert set(found.seeds.values()) == {1} and "VPT" not in found.missing and found.missing["LoRA"] == 1
    make_rows("1", "paper", Store())
    assert all(len(row) == 1 for row in asked[0][0].values())


def test_a_page_makes_what_it_lacks_but_not_the_hours_of_mini(tmp_path, asked):
    assert list(make_rows("3", "smoke", Store(), folder=tmp_path).records) == ["no module", "+V", "DP-CLIP"]
    make_rows("3", "mini", Store(), folder=tmp_path)
    assert len(asked) == 1 and all(len(row) == 1 for row in asked[0][0].values())
