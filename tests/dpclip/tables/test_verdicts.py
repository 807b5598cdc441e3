"""Verdicts are computed from records: which rows, which queries, which word."""

import numpy as np
import pytest

from dpclip.evaluation.intervals import Comparison
from dpclip.runs.experiments import table_seeds
from dpclip.tables.verdicts import CLAIMS, Claim, Verdict, claims_of, judge

RANDOM = np.random.default_rng(0)


def records(share, seeds=4, queries=200, ap=0.5):
    """Runs whose share of queries is at rank 1, exactly; the others at rank 2."""
    ranks = {"cup": [1] * int(share * queries) + [2] * (queries - int(share * queries))}
    return [
        {
            "seed": seed,
            "metrics": {
                "fine-grained": {"held-out": {"warped": {"ranks": {"cup": list(RANDOM.permutation(ranks["cup"]))}}}},
                "category-level": {s: {"ap": [ap] * queries} for s in ("blind", "generic")},
            },
        }
        for seed in range(seeds)
    ]


def words(table, rows):
    return {verdict.claim.text: verdict.word for verdict in judge(table, rows, "warped")}


@pytest.mark.parametrize("table", CLAIMS)
@pytest.mark.parametrize("preset", ["mini", "paper"])
def test_every_claim_has_its_rows(table, preset):
    rows = table_seeds(table, preset, "sketchy")
    claims = claims_of(table, rows)
    assert set(CLAIMS[table]) <= set(claims) and len(claims) == len(set(claims))
    assert {claim.evidence for claim in claims} <= {"paper", "derived", "ours"}
    ranks = [row for row in rows if row.startswith("side-way, r = ")]
    assert [claim.better for claim in claims if claim.better in ranks] == ranks


def test_each_word():
    rows = {
        "DP-CLIP": records(0.6),
        "CLIP, untrained": records(0.2),
        "CLIP, norms tuned": records(0.6),
        "CLIP-AT": records(0.9),
    }
    assert words("1", rows) == {
        "the full model beats the state of the art": "does not",
        "the full model beats CLIP as it is": "replicates",
        "the full model beats CLIP with tuned norms": "undecided at this scale",
    }


def test_what_has_not_run_and_a_single_seed_decide_nothing():
    rows = {"DP-CLIP": records(0.9, seeds=1), "CLIP, untrained": records(0.1), "CLIP-AT": []}
    first, second = judge("1", rows, "warped")
    assert (first.word, first.seeds, first.comparison) == ("not run yet", 0, None)
    assert (second.word, second.seeds) == ("undecided at this scale", 1) and second.comparison.low > 0


def test_seeds_are_paired_by_their_number():
    rows = {"DP-CLIP": records(0.9)[2:], "CLIP, untrained": records(0.1, seeds=3)}
    (verdict,) = judge("1", rows, "warped")
    assert verdict.seeds == 1  # seed 2 alone is in both


def test_category_level_claims_compare_precision():
    rows = {"DP-CLIP": records(0.1, ap=0.7), "CLIP, untrained": records(0.9, ap=0.5)}
    found = judge("2", rows, "warped")
    assert [v.claim.setting for v in found] == ["blind", "generic"]
    assert all(v.word == "replicates" and v.comparison.difference == pytest.approx(0.2) for v in found)


def test_a_verdict_follows_its_interval():
    claim = Claim("a beats b", "a", "b")
    for low, high, word in ((0.1, 0.2, "replicates"), (-0.2, -0.1, "does not"), (-0.1, 0.1, "undecided at this scale")):
        assert Verdict(claim, Comparison(0.0, low, high), 5).word == word
