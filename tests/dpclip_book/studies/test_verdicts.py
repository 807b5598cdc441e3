"""Verdicts are computed from records: which rows, which queries, which word."""

from dataclasses import asdict
from itertools import product

import numpy as np
import pytest

from dpclip.config import preset
from dpclip.data.batches import test_sets as tests_of
from dpclip.data.manifest import Manifest
from dpclip.evaluation.intervals import Comparison
from dpclip.runs.experiments import table_seeds
from dpclip_book.studies.verdicts import MODEST, Claim, Verdict, claims_of, holm, judge, judge_cost, read_claims

MINI = preset("mini")
FULL, NORMS, PLAIN = "DP-CLIP", "CLIP, norms tuned", "CLIP, untrained"


def make_listing(categories=20, photos=12, hands=3) -> Manifest:
    """A benchmark of unseen categories, and no pictures."""
    rows = []
    for category, photo, hand in product(range(categories), range(photos), range(hands + 1)):
        names = {"category": f"thing{category:02d}", "instance": f"{photo:02d}", "split": "unseen"}
        kind = {"modality": "sketch", "style": "warped"} if hand else {"modality": "photo", "style": "photo"}
        rows.append(names | kind | {"path": f"{category}/{photo}-{hand}.png"})
    return Manifest.of("listing", "listing", rows, {f"thing{n:02d}": f"thing {n}" for n in range(categories)})


def make_record(manifest, seed, share, ap=0.5) -> dict:
    """A run that has found `share` of the photos, here or there."""
    random = np.random.default_rng([seed, int(1000 * share)])
    fine = {}
    for protocol in ("held-out", "transductive"):
        tests = tests_of(manifest, "unseen", "warped", protocol, MINI.model, seed)
        ranks = {t.category: (2 - (random.random(len(t.queries)) < share)).tolist() for t in tests}
        fine[protocol] = {"warped": {"ranks": ranks}}
    held = tests_of(manifest, "unseen", "warped", "held-out", MINI.model, seed)
    level = {s: {"ap": [ap] * sum(len(t.queries) for t in held)} for s in ("blind", "generic")}
    return {
        "run": "a run", "seed": seed, "config": asdict(MINI), "split": "unseen", "data_hash": manifest.hash,
        "metrics": {"fine-grained": fine, "category-level": level},
    }  # fmt: skip


LISTING = make_listing()


def records(share, seeds=(0, 1, 2, 3), ap=0.5):
    return [make_record(LISTING, seed, share, ap) for seed in seeds]


@pytest.mark.parametrize("table", ["1", "2", "3", "4"])
@pytest.mark.parametrize("preset", ["mini", "paper"])
def test_every_claim_has_its_rows(table, preset):
    rows = table_seeds(table, preset, "sketchy")
    claims = claims_of(table, rows)
    assert {claim for claim in read_claims() if claim.table == table} <= set(claims) and len(claims) == len(set(claims))
    assert {claim.evidence for claim in claims} <= {"paper", "derived", "ours"}
    ranks = [row for row in rows if row.startswith("side-way, r = ")]
    assert [claim.better for claim in claims if claim.better in ranks] == ranks


def test_each_word():
    rows = {FULL: records(0.5), PLAIN: records(0.2), NORMS: records(0.9)}
    words = {v.claim.text: v.word for v in judge({"1": rows}, LISTING)}
    assert words == {
        "the full model beats CLIP as it is": "replicates",
        "the full model beats CLIP with tuned norms": "does not",
        "the full model beats CLIP with tuned norms, the support being tested too": "does not",
    }
    first, *_ = judge({"1": rows}, LISTING)
    assert first.comparison.difference == pytest.approx(0.3, abs=0.03) and 0 < first.smallest < 0.1


def test_no_gain_is_a_finding_and_a_small_one_that_is_not_sure_is_none():
    assert judge({"1": {FULL: records(0.5), PLAIN: records(0.5)}}, LISTING)[0].word == "does not"  # the same answers
    assert judge({"1": {FULL: records(0.501), PLAIN: records(0.5)}}, LISTING)[0].word == "undecided at this scale"


def test_what_has_not_run_and_a_single_seed_decide_nothing():
    rows = {FULL: records(0.9, [0]), PLAIN: records(0.1), "CLIP-AT": []}
    first, second = judge({"1": rows}, LISTING)
    assert (first.word, first.seeds, first.comparison) == ("not run yet", 0, None)
    assert (second.word, second.seeds) == ("undecided at this scale", 1) and second.comparison.low > 0


def test_seeds_are_paired_by_their_number():
    (verdict,) = judge({"1": {FULL: records(0.9, [2, 3]), PLAIN: records(0.1, [0, 1, 2])}}, LISTING)
    assert verdict.seeds == 1  # seed 2 alone is in both


def test_category_level_claims_compare_precision():
    found = judge({"2": {FULL: records(0.1, ap=0.7), PLAIN: records(0.9, ap=0.5)}}, LISTING)
    assert [v.claim.setting for v in found] == ["blind", "generic"]
    assert all(v.word == "replicates" and v.comparison.difference == pytest.approx(0.2) for v in found)


def test_more_claims_ask_for_more():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0] and holm([]) == []
    rows = {FULL: records(0.55), PLAIN: records(0.5)}
    alone = judge({"1": rows}, LISTING)[0]
    among = judge({"1": rows | {NORMS: records(0.55), "VPT": records(0.56), "LoRA": records(0.57)}}, LISTING)
    among = next(v for v in among if v.claim == alone.claim)
    assert among.comparison == alone.comparison and among.gain > alone.gain and among.smallest > alone.smallest


def test_the_word_follows_what_is_sure():
    claim, found = Claim("1", "a beats b", "a", "b"), Comparison(0.0, 0.01)
    for gain, none, word in (
        (0.01, 0.5, "replicates"),
        (0.01, 0.01, "replicates"),
        (0.5, 0.01, "does not"),
        (0.5, 0.5, "undecided at this scale"),
    ):
        assert Verdict(claim, found, 5, gain, none).word == word
        assert Verdict(claim, found, 1, gain, none).word == "undecided at this scale"


def test_cost_is_judged_against_clip():
    clip = {"image_flops": 100, "query_flops": 100, "parameters": 100, "trained_clip": 0, "trained_new": 0}
    full = {"image_flops": 120, "query_flops": 160, "parameters": 150, "trained_clip": 10, "trained_new": 45}
    image, query, trained = judge_cost({"costs": {"CLIP, untrained": clip, "DP-CLIP": full}})
    assert (image.share, query.share, trained.share) == pytest.approx((0.2, 0.6, 0.55)) and MODEST == 0.5
    assert [v.word for v in (image, query, trained)] == ["replicates", "does not", "does not"]
