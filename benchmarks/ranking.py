"""Metrics mAP@200, mAP@all and P@200 of 300 queries over 12,000 photos, 600 of them relevant to each, from distances.

The rivals work query by query:

literal   the slow version of the tests, formula by formula in plain Python; it sorts anew for each metric
numpy     one sort and a few array operations a query, as retrieval code often has it; for information
"""

import numpy as np

from benchmarks.timing import Comparison, interleaved
from dpclip.evaluation.metrics import OURS, average_precision, hit_ranks, precision_at
from tests.dpclip.evaluation import reference_metrics

QUERIES, PHOTOS, RELEVANT, CUT = 300, 12_000, 600, 200
DEMAND = 50
REPEATS = 3
CHECKED = 10  # queries whose values are compared


def ranking() -> tuple[np.ndarray, np.ndarray]:
    """Distances (Q, G) and relevance (Q, G) bool; relevant photos are a little nearer."""
    random = np.random.default_rng(0)
    relevant = random.random((QUERIES, PHOTOS)).argsort(1) < RELEVANT
    return random.normal(size=relevant.shape) - 0.5 * relevant, relevant


def vectorised(distance: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """mAP@200, mAP@all, P@200: (3,)"""
    ranks = hit_ranks(distance, relevant)
    values = average_precision(ranks, CUT), average_precision(ranks), precision_at(ranks, CUT)
    return np.mean(values, axis=1)


def literal(distance: list[list[float]], relevant: list[list[bool]]) -> np.ndarray:
    values = [
        (
            reference_metrics.average_precision(d, r, CUT, OURS),
            reference_metrics.average_precision(d, r, None, OURS),
            reference_metrics.precision_at(d, r, CUT, reference_metrics.Denominator.K, OURS.ties),
        )
        for d, r in zip(distance, relevant, strict=True)
    ]
    return np.mean(values, axis=0)


def query_by_query(distance: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """The same (3,) on distances without ties, which it leaves as they fall."""
    values = []
    for d, r in zip(distance, relevant, strict=True):
        hits = r[d.argsort()]  # (G,)
        precision, count = hits.cumsum() / np.arange(1, len(hits) + 1) * hits, hits.sum()
        values.append((precision[:CUT].sum() / min(CUT, count), precision.sum() / count, hits[:CUT].mean()))
    return np.mean(values, axis=0)


def check_same_values(distance: np.ndarray, relevant: np.ndarray) -> None:
    """On a few queries, since the literal side takes long. Raises AssertionError when the values differ."""
    few = distance[:CHECKED], relevant[:CHECKED]
    expected = literal(*(array.tolist() for array in few))
    np.testing.assert_allclose(vectorised(*few), expected, rtol=1e-9)
    np.testing.assert_allclose(query_by_query(*few), expected, rtol=1e-9)


def compare() -> list[Comparison]:
    distance, relevant = ranking()
    check_same_values(distance, relevant)  # also the warm-up
    lists = distance.tolist(), relevant.tolist()
    sides = {
        "ours": lambda: vectorised(distance, relevant),
        "literal": lambda: literal(*lists),
        "numpy": lambda: query_by_query(distance, relevant),
    }
    seconds = interleaved(sides, REPEATS)
    return [
        Comparison("metrics", "literal, query by query", seconds["ours"], seconds["literal"], DEMAND),
        Comparison("metrics", "NumPy, query by query", seconds["ours"], seconds["numpy"]),
    ]
