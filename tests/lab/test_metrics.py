import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score

from dpclip.lab.metrics import accuracy, mean_average_precision, precision_at, ranked_relevance, target_ranks


def test_ranks_by_hand():
    distance = np.array([[0.1, 0.2, 0.3], [0.5, 0.5, 0.1]])
    assert target_ranks(distance, np.array([0, 0])).tolist() == [1, 3]  # the tie counts against the method
    assert accuracy(np.array([1, 3]), 1) == 0.5
    assert accuracy(np.array([1, 3]), 3) == 1.0


def test_average_precision_by_hand():
    ranked = np.array([[True, False, True, False]])
    assert mean_average_precision(ranked) == pytest.approx((1 + 2 / 3) / 2)
    assert precision_at(ranked, 2) == 0.5


def test_a_tie_puts_the_irrelevant_photo_first():
    ranked = ranked_relevance(np.zeros((1, 3)), np.array([[True, False, True]]))
    assert ranked.tolist() == [[False, True, True]]


@settings(max_examples=50, deadline=None)
@given(arrays(np.float64, (4, 12), elements=st.floats(0, 1), unique=True), st.integers(0, 2**12 - 2))
def test_average_precision_agrees_with_scikit_learn_without_ties(distance, bits):
    relevant = np.array([[bool(bits >> i & 1) for i in range(12)]] * 4)
    relevant[:, 0] = True
    expected = np.mean([average_precision_score(r, -d) for r, d in zip(relevant, distance, strict=True)])
    assert mean_average_precision(ranked_relevance(distance, relevant)) == pytest.approx(expected)
