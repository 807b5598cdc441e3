import math

import numpy as np
import pytest

from dpclip.lab.statistics import compare, hits, precisions, seed_interval


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
    assert compare([good], [bad]).verdict == "better"
    assert compare([bad], [good]).verdict == "worse"
    same = compare([bad], [first(random.permutation(noise))])
    assert same.difference == 0 and same.verdict == "undecided" and same.low < 0 < same.high


def test_what_is_compared():
    assert first([1, 3, 1, 2]).tolist() == [1, 0, 1, 0]
    assert hits(record([1, 3, 1, 2]), "held-out", "warped", k=2).tolist() == [1, 0, 1, 1]
    assert precisions(record([1, 4]), "blind").tolist() == [1, 0.25]
