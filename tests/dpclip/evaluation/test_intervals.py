import math

import numpy as np
import pytest

from dpclip.evaluation.intervals import compare_queries, compare_seeds, hits, precisions, seed_interval


def record(ranks):
    """Ranks by category, and the average precision 1 / rank."""
    return {
        "metrics": {
            "fine-grained": {"held-out": {"warped": {"ranks": {"cup": list(ranks)}}}},
            "category-level": {"blind": {"ap": [1 / rank for rank in ranks]}},
        }
    }


def first(ranks):
    return hits(record(ranks), "held-out", "warped")


def test_interval_by_hand():
    mean, half = seed_interval([0.1, 0.2, 0.3])
    assert mean == pytest.approx(0.2)
    assert half == pytest.approx(4.303 * 0.1 / math.sqrt(3), rel=1e-3)  # t with two degrees of freedom
    assert math.isnan(seed_interval([0.4])[1])


def test_a_clear_difference_and_a_lucky_one():
    random = np.random.default_rng(0)
    noise = random.integers(1, 5, 200)
    good, bad = first(np.ones(200)), first(noise)
    assert compare_queries([good], [bad]).verdict == "better"
    assert compare_queries([bad], [good]).verdict == "worse"
    same = compare_queries([bad], [first(random.permutation(noise))])
    assert same.difference == 0 and same.verdict == "undecided" and same.low < 0 < same.high


def test_what_is_compared():
    assert first([1, 3, 1, 2]).tolist() == [1, 0, 1, 0]
    assert hits(record([1, 3, 1, 2]), "held-out", "warped", k=2).tolist() == [1, 0, 1, 1]
    assert precisions(record([1, 4]), "blind").tolist() == [1, 0.25]


def seeds_of(shifts, queries=400):
    """One (Q,) array a seed, of values that lie around the seed's shift."""
    random = np.random.default_rng(1)
    return [random.normal(shift, 1, queries) for shift in shifts]


def test_seeds_that_disagree_leave_the_question_open_however_many_queries_agree():
    disagreeing, zero = seeds_of([1.0, -0.6, 0.8]), [np.zeros(400)] * 3
    assert compare_queries(disagreeing, zero).verdict == "better"  # queries alone
    assert compare_seeds(disagreeing, zero).verdict == "undecided"
    assert compare_seeds(seeds_of([0.5, 0.6, 0.7]), zero).verdict == "better"
    assert compare_seeds(zero, seeds_of([0.5, 0.6, 0.7])).verdict == "worse"


def test_the_interval_over_seeds_and_queries_has_the_width_it_should():
    one = compare_seeds(seeds_of([0.0]), [np.zeros(400)])
    assert one.high - one.low == pytest.approx(2 * 1.96 / math.sqrt(400), rel=0.1)  # one seed: queries alone
    shifts = np.linspace(-1, 1, 20)
    many = compare_seeds(seeds_of(shifts), [np.zeros(400)] * 20)
    spread = math.sqrt((shifts.var() + 2 / 400) / 20)  # of the mean: seeds, queries seen in them, queries drawn again
    assert many.high - many.low == pytest.approx(2 * 1.96 * spread, rel=0.1)
    assert many.low < many.difference < many.high


def test_seeds_must_be_pairs():
    with pytest.raises(ValueError):
        compare_seeds(seeds_of([0.0]), [])
