"""Each convention by hand, against the literal reference on random rankings, and against two public libraries."""

import os
import subprocess
import sys
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score
from torchmetrics.functional.retrieval import (
    retrieval_average_precision,
    retrieval_precision,
    retrieval_reciprocal_rank,
)

from dpclip.errors import UserError
from dpclip.evaluation.metrics import (
    ABSENT,
    OURS,
    Convention,
    Denominator,
    Ties,
    accuracy,
    average_precision,
    hit_ranks,
    hit_ranks_by_label,
    precision_at,
    target_ranks,
)
from dpclip.files import ROOT

from . import reference_metrics as reference

CONVENTIONS = [Convention(*parts) for parts in product(Denominator, (False, True), Ties)]


# By hand


def test_ranks_of_own_photos():
    distance = np.array([[0.1, 0.2, 0.3], [0.5, 0.5, 0.1]])
    assert target_ranks(distance, np.array([0, 0])).tolist() == [1, 3]  # the tie counts against the method
    assert accuracy(np.array([1, 3]), 1) == 0.5
    assert accuracy(np.array([1, 3]), 3) == 1.0


def test_hits_of_queries_with_different_numbers_of_relevant_photos():
    distance = np.array([[0.4, 0.1, 0.3, 0.2], [0.4, 0.1, 0.3, 0.2]])
    relevant = np.array([[True, True, False, True], [False, False, True, False]])
    assert hit_ranks(distance, relevant).tolist() == [[1, 2, 4], [3, ABSENT, ABSENT]]


@pytest.mark.parametrize(("ties", "ranks"), [(Ties.AGAINST, [2, 5]), (Ties.ORDER, [1, 4]), (Ties.FOR, [1, 3])])
def test_ties(ties, ranks):
    distance, relevant = np.array([[1, 1, 5, 5, 5]]), np.array([[True, False, False, True, False]])
    assert hit_ranks(distance, relevant, ties).tolist() == [ranks]


def test_photos_at_infinite_distance_are_a_tie_like_any_other():
    distance, relevant = np.array([[np.inf, np.inf, 0.5]]), np.array([[True, False, False]])
    assert [hit_ranks(distance, relevant, t).item() for t in (Ties.AGAINST, Ties.ORDER, Ties.FOR)] == [3, 2, 2]


@pytest.mark.parametrize(
    ("denominator", "interpolated", "expected"),
    [
        (Denominator.K, False, (1 / 2 + 2 / 3) / 4),
        (Denominator.MIN, False, (1 / 2 + 2 / 3) / 3),
        (Denominator.RELEVANT, False, (1 / 2 + 2 / 3) / 3),
        (Denominator.HITS, False, (1 / 2 + 2 / 3) / 2),
        (Denominator.K, True, (2 / 3 + 2 / 3) / 4),
        (Denominator.HITS, True, 2 / 3),
    ],
)
def test_average_precision_at_four(denominator, interpolated, expected):
    ranks = np.array([[2, 3, 10]])  # R = 3, two hits among the first four
    assert average_precision(ranks, 4, Convention(denominator, interpolated)).item() == pytest.approx(expected)


def test_average_precision_when_k_is_smaller_than_the_number_of_relevant_photos():
    ranks = np.array([[1, 3, 5, 6]])  # R = 4
    values = {d: average_precision(ranks, 3, Convention(d)).item() for d in Denominator}
    hits = 1 + 2 / 3
    assert values == pytest.approx(
        {Denominator.K: hits / 3, Denominator.MIN: hits / 3, Denominator.RELEVANT: hits / 4, Denominator.HITS: hits / 2}
    )


def test_average_precision_of_the_whole_gallery_and_of_a_query_without_a_hit():
    ranks = np.array([[1, 3, ABSENT], [7, 8, 9]])
    assert average_precision(ranks).tolist() == pytest.approx([(1 + 2 / 3) / 2, (1 / 7 + 2 / 8 + 3 / 9) / 3])
    for denominator in Denominator:
        assert average_precision(ranks, 5, Convention(denominator))[1] == 0


def test_precision_by_hand():
    ranks = np.array([[1, 3, ABSENT], [2, 7, 9]])
    assert precision_at(ranks, 4).tolist() == [0.5, 0.25]
    assert precision_at(ranks, 4, Denominator.MIN).tolist() == [1, 1 / 3]


def test_conventions_name_themselves():
    assert str(OURS) == "denominator min(k, R), not interpolated, ties against"
    assert str(Convention(Denominator.HITS, True, Ties.ORDER)) == "denominator hits, interpolated, ties as they come"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: average_precision(np.array([[1], [ABSENT]])), "query 1 has no relevant photo"),
        (lambda: precision_at(np.full((2, 0), ABSENT), 1), "query 0 has no relevant photo"),
        (lambda: average_precision(np.array([[1]]), 0), "k is 0"),
        (lambda: precision_at(np.array([[1]]), -1), "k is -1"),
        (lambda: precision_at(np.array([[1]]), 1, Denominator.HITS), "P@k over hits"),
        (lambda: precision_at(np.array([[1]]), 1, Denominator.RELEVANT), "P@k over R"),
        (lambda: average_precision(np.array([[1]]), None, Convention(Denominator.K)), "needs a k"),
        (lambda: target_ranks(np.array([[0.0], [np.nan]]), np.array([0, 0])), "query 1 has a distance"),
        (lambda: hit_ranks(np.array([[0.0, np.nan]]), np.array([[True, False]])), "query 0 has a distance"),
    ],
)
def test_what_means_nothing_is_refused(call, message):
    with pytest.raises(UserError, match=message):
        call()


# Against the literal reference


@st.composite
def rankings(draw):
    """Distances (Q, G) with many ties, and which photos are relevant, at least one a query."""
    queries, photos = draw(st.integers(1, 4)), draw(st.integers(1, 14))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    distance = rng.integers(0, draw(st.integers(1, 20)), (queries, photos)) / 8
    relevant = rng.random((queries, photos)) < rng.random((queries, 1))
    relevant[np.arange(queries), rng.integers(0, photos, queries)] = True
    return distance.astype(draw(st.sampled_from([np.float32, np.float64]))), relevant


@settings(max_examples=150, deadline=None)
@given(rankings(), st.one_of(st.none(), st.integers(1, 16)))
def test_all_conventions_agree_with_the_literal_reference(ranking, k):
    distance, relevant = ranking
    rows = list(zip(distance.tolist(), relevant.tolist(), strict=True))
    for convention in CONVENTIONS:
        ranks = hit_ranks(distance, relevant, convention.ties)
        if k is None and convention.denominator is Denominator.K:
            continue
        expected = [reference.average_precision(d, r, k, convention) for d, r in rows]
        assert average_precision(ranks, k, convention).tolist() == pytest.approx(expected)
        if k is not None and convention.denominator in (Denominator.K, Denominator.MIN):
            expected = [reference.precision_at(d, r, k, convention.denominator, convention.ties) for d, r in rows]
            assert precision_at(ranks, k, convention.denominator).tolist() == pytest.approx(expected)


@settings(max_examples=100, deadline=None)
@given(rankings(), st.integers(1, 16))
def test_accuracy_agrees_with_the_literal_reference_and_with_the_only_hit(ranking, k):
    distance, relevant = ranking
    target = relevant.argmax(1)
    ranks = target_ranks(distance, target)
    hits = [reference.accuracy(d, t, k) for d, t in zip(distance.tolist(), target.tolist(), strict=True)]
    assert accuracy(ranks, k) == pytest.approx(np.mean(hits))
    own = np.arange(distance.shape[1]) == target[:, None]
    assert hit_ranks(distance, own)[:, 0].tolist() == ranks.tolist()


@settings(max_examples=50, deadline=None)
@given(rankings(), st.integers(1, 3), st.sampled_from(["label {}", 7]))
def test_ranks_by_label_in_chunks_are_the_ranks(ranking, chunk, name):
    distance, _ = ranking
    rng = np.random.default_rng(distance.size)
    query, gallery = rng.integers(0, 3, distance.shape[0]), rng.integers(0, 3, distance.shape[1])
    names = np.array([name.format(n) if isinstance(name, str) else name * n for n in range(3)])
    asked = []
    found = hit_ranks_by_label(lambda rows: asked.append(rows) or distance[rows], names[query], names[gallery], chunk)
    expected = hit_ranks(distance, query[:, None] == gallery)
    assert found.tolist() == expected.tolist()
    assert np.concatenate(asked).tolist() == list(range(len(query))) and max(map(len, asked)) <= chunk


# Against scikit-learn and torchmetrics, where they agree


@st.composite
def untied(draw):
    """`rankings` in which no two photos of a query are equally far."""
    distance, relevant = draw(rankings())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng.permuted(np.tile(np.arange(distance.shape[1]) / 16, (len(distance), 1)), axis=1), relevant


@settings(max_examples=50, deadline=None)
@given(untied())
def test_average_precision_agrees_with_scikit_learn_without_ties(ranking):
    distance, relevant = ranking
    expected = [average_precision_score(r, -d) for r, d in zip(relevant, distance, strict=True)]
    assert average_precision(hit_ranks(distance, relevant)).tolist() == pytest.approx(expected)


@settings(max_examples=50, deadline=None)
@given(untied(), st.integers(1, 14))
def test_torchmetrics_agrees_when_its_scores_are_above_zero(ranking, k):
    distance, relevant = ranking
    ranks = hit_ranks(distance, relevant)
    rows = [(torch.from_numpy(2 - d), torch.from_numpy(r)) for d, r in zip(distance, relevant, strict=True)]
    over_hits = average_precision(ranks, k, Convention(Denominator.HITS))
    assert average_precision(ranks).tolist() == pytest.approx(
        [retrieval_average_precision(*row).item() for row in rows]
    )
    assert over_hits.tolist() == pytest.approx([retrieval_average_precision(*row, top_k=k).item() for row in rows])
    assert precision_at(ranks, k).tolist() == pytest.approx([retrieval_precision(*row, top_k=k).item() for row in rows])
    assert (1 / ranks[:, 0]).tolist() == pytest.approx([retrieval_reciprocal_rank(*row).item() for row in rows])


def test_torchmetrics_finds_nothing_in_negated_distances():
    distance, relevant = np.array([[0.1, 0.2, 0.3]]), np.array([[True, False, True]])
    assert average_precision(hit_ranks(distance, relevant)).item() == pytest.approx((1 + 2 / 3) / 2)
    assert retrieval_average_precision(torch.tensor(-distance[0]), torch.tensor(relevant[0])) == 0


# At size

AT_SIZE = """
import numpy as np
from dpclip.evaluation.metrics import average_precision, hit_ranks_by_label
from dpclip.runs.machine import peak_memory_mb

def peak(queries):
    found = hit_ranks_by_label(lambda rows: 1 - sketches[rows] @ gallery.T, label[:queries], gallery_label)
    assert found.shape == (queries, np.bincount(gallery_label).max()) and (average_precision(found, 200) >= 0).all()
    return peak_memory_mb()

rng = np.random.default_rng(0)
sketches, gallery = (rng.standard_normal((n, 512), dtype=np.float32) for n in (512, 85_000))
label, gallery_label = (rng.integers(0, 125, n) for n in (512, 85_000))
print(peak(256), peak(512))
"""


def test_memory_at_85000_photos_does_not_grow_with_the_queries():
    """256 queries fill one chunk. From there a query adds its features and its row of the result: at 512 dimensions
    and 850 relevant photos 6 KB, so 15,000 queries add less than 100 MB to what one chunk needs.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", AT_SIZE]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=True)
    chunk, more = map(int, done.stdout.split())  # MiB
    assert chunk < 1400
    assert more - chunk < 60  # one distance matrix of a chunk alone is 83
