"""Verdicts on a page."""

from dpclip.evaluation.intervals import Comparison
from dpclip.runs.rows import TableRows
from dpclip.tables.costs import CostVerdict
from dpclip.tables.verdicts import Claim, Verdict
from dpclip_book.pages.result_tables import cost_verdict_table, summary, verdict_frame, verdict_table

CLAIM = Claim("a beats b", "a", "b", "paper")
GOOD = Verdict(CLAIM, Comparison(0.05, 0.01, 0.094), 5)
WAITING = Verdict(CLAIM, None, 0)
ROWS = TableRows("1", "mini", "openmoji-sbir", {"a": [], "b": []}, {"a": 2, "b": 2})


def test_a_verdict_is_shown_in_points_with_its_interval():
    row = verdict_frame([GOOD]).iloc[0]
    assert (row["difference"], row["interval"], row["seeds"], row["verdict"]) == (
        "+5.0",
        "[+1.0, +9.4]",
        5,
        "replicates",
    )
    assert row["said by"] == "paper" and "setting" not in row
    page = verdict_table([GOOD], ROWS, "warped", "x").data
    assert (
        "[paper]{.mark .mark-paper}" in page and "Mini runs, preset `mini`: verdicts by Acc@1, drawn sketches" in page
    )
    assert "dpclip sweep" not in page


def test_a_claim_that_waits_says_what_it_waits_for():
    page = verdict_table([GOOD, WAITING], ROWS, "warped", "x").data
    assert "| – | – | 0 | not run yet |" in page and "`dpclip sweep --preset mini --table 1`" in page
    assert summary([GOOD, WAITING]) == "1 not run yet, 1 replicates"
    assert "No claim has both" in verdict_table([], ROWS, "warped", "x").data


def test_cost_verdicts_state_their_line():
    page = cost_verdict_table({"mini": [CostVerdict("work", 0.123)]}, "x").data
    assert "below 50 %" in page and "| mini | work | 12.3 % | replicates |" in page
