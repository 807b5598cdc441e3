import math

import numpy as np
import pytest

from dpclip.lab.statistics import compare, seed_interval


def record(ranks):
    return {"metrics": {"fine-grained": {"held-out": {"warped": {"ranks": {"cup": list(ranks)}}}}}}


def test_interval_by_hand():
    mean, half = seed_interval([0.1, 0.2, 0.3])
    assert mean == pytest.approx(0.2)
    assert half == pytest.approx(4.303 * 0.1 / math.sqrt(3), rel=1e-3)  # t with two degrees of freedom
    assert math.isnan(seed_interval([0.4])[1])


def test_a_clear_difference_and_a_lucky_one():
    random = np.random.default_rng(0)
    noise = random.integers(1, 5, 200)
    good, bad = record(np.ones(200)), record(noise)
    assert compare([good], [bad], "held-out", "warped").verdict == "better"
    assert compare([bad], [good], "held-out", "warped").verdict == "worse"
    same = compare([bad], [record(random.permutation(noise))], "held-out", "warped")
    assert same.difference == 0 and same.verdict == "undecided" and same.low < 0 < same.high
