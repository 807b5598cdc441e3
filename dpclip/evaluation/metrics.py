"""Retrieval metrics. Two numbers called mAP@k can differ widely on the same ranking (section 12), so everything that
papers do differently is a value here: what a sum is divided by, whether precision is interpolated, who wins a tie.
Which of them this book uses is `ours`; by default a tie counts against the method.

A ranking is kept as the ranks of its relevant photos, all that these metrics depend on: `hit_ranks` finds them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from dpclip.errors import UserError

ABSENT = np.iinfo(np.int32).max  # fills the rows of queries with fewer relevant photos: a rank nobody reaches


class Denominator(StrEnum):
    """What a sum over the first k ranks is divided by. R: the query's relevant photos in the gallery."""

    K = "k"
    MIN = "min(k, R)"
    RELEVANT = "R"
    HITS = "hits"  # relevant photos among the first k; never punishes what is missing


class Ties(StrEnum):
    """Which photos come first among those at the same distance."""

    AGAINST = "against"  # the irrelevant ones
    ORDER = "as they come"  # the order of the gallery, as a stable sort leaves it
    FOR = "for"  # the relevant ones


@dataclass(frozen=True)
class Convention:
    """How an average precision is meant; the defaults are `ours`."""

    denominator: Denominator = Denominator.MIN
    interpolated: bool = False  # precision at a hit: the largest at it or at any later hit among the first k (VOC)
    ties: Ties = Ties.AGAINST  # settled by `hit_ranks`

    def __str__(self) -> str:
        precision = "interpolated" if self.interpolated else "not interpolated"
        return f"denominator {self.denominator}, {precision}, ties {self.ties}"


OURS = Convention()


def target_ranks(distance: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Rank, from 1, of each query's own photo, ties against it: distance (Q, G), target (Q,) place in the gallery ->
    (Q,) int. Raises UserError for a distance that is not a number.
    """
    check_numbers(distance)
    return (distance <= np.take_along_axis(distance, target[:, None], 1)).sum(1)


def accuracy(ranks: np.ndarray, k: int) -> float:
    """Acc@k, in [0, 1]: the share of queries whose own photo has a rank of at most k."""
    return float((ranks <= k).mean())


def hit_ranks(distance: np.ndarray, relevant: np.ndarray, ties: Ties = Ties.AGAINST) -> np.ndarray:
    """Ranks, from 1 and ascending, of each query's relevant photos: distance (Q, G), relevant (Q, G) bool ->
    (Q, Rmax) int32, filled up with ABSENT. Raises UserError for a distance that is not a number.
    """
    check_numbers(distance)
    count = relevant.sum(1)[:, None]  # (Q, 1)
    present = np.arange(count.max(initial=0)) < count  # (Q, Rmax)
    ranks = np.full(present.shape, ABSENT, dtype=np.int32)
    if ties is Ties.ORDER:
        ranked = np.take_along_axis(relevant, distance.argsort(1, kind="stable"), 1)  # (Q, G), nearest first
        ranks[present] = ranked.nonzero()[1] + 1
        return ranks
    import torch  # here, since tables need only the names above

    others = np.sort(np.where(relevant, np.inf, distance), axis=1)  # (Q, G)
    hits = np.full(present.shape, np.inf, dtype=others.dtype)
    hits[present] = distance[relevant]
    hits.sort(1)
    ahead = torch.searchsorted(torch.from_numpy(others), torch.from_numpy(hits), right=ties is Ties.AGAINST).numpy()
    ahead = np.minimum(ahead, relevant.shape[1] - count)  # the photos blanked out in `others` are not ahead
    ranks[present] = (ahead + np.arange(1, hits.shape[1] + 1))[present]
    return ranks


def hit_ranks_by_label(
    distances: Callable[[np.ndarray], np.ndarray], labels: np.ndarray, gallery_labels: np.ndarray, chunk: int = 256
) -> np.ndarray:
    """`hit_ranks` where a photo is relevant when its label is the query's, `chunk` queries at a time: labels (Q,) and
    (G,) -> (Q, Rmax). `distances(rows)` gives the (len(rows), G) distances of some queries. Memory: a few arrays
    (chunk, G), and the result, 4 bytes for each relevant photo of each query.
    """
    sizes = dict(zip(*np.unique(gallery_labels, return_counts=True), strict=True))
    ranks = np.full((len(labels), max(sizes.get(label, 0) for label in labels)), ABSENT, dtype=np.int32)
    for start in range(0, len(labels), chunk):
        rows = np.arange(start, min(start + chunk, len(labels)))
        found = hit_ranks(distances(rows), labels[rows, None] == gallery_labels)
        ranks[rows, : found.shape[1]] = found
    return ranks


def average_precision(ranks: np.ndarray, k: int | None = None, convention: Convention = OURS) -> np.ndarray:
    """AP@k of each query, or AP over the whole gallery for k = None: ranks (Q, Rmax) of `hit_ranks` -> (Q,) in [0, 1].
    The sum, over the relevant photos of rank r <= k, of the share of relevant photos among the first r; divided by the
    convention's denominator. `convention.ties` must have been given to `hit_ranks`. A query without a hit scores 0.
    Raises UserError for a query without relevant photos, for k < 1, and for the denominator k without a k.
    """
    relevant = relevant_count(ranks, k)
    if k is None and convention.denominator is Denominator.K:
        raise UserError("the denominator k needs a k. Give one, or choose another denominator.")
    found = ranks < ABSENT if k is None else ranks <= k  # (Q, Rmax)
    precision = np.where(found, np.arange(1, ranks.shape[1] + 1) / ranks, 0)
    if convention.interpolated:
        precision = np.maximum.accumulate(precision[:, ::-1], 1)[:, ::-1]
    divisors = {
        Denominator.K: k,
        Denominator.MIN: relevant if k is None else np.minimum(relevant, k),
        Denominator.RELEVANT: relevant,
        Denominator.HITS: np.maximum(found.sum(1), 1),
    }
    return precision.sum(1) / divisors[convention.denominator]


def precision_at(ranks: np.ndarray, k: int, denominator: Denominator = Denominator.K) -> np.ndarray:
    """P@k of each query: its relevant photos among the first k, over k or over min(k, R): ranks (Q, Rmax) -> (Q,).
    Raises UserError for a query without relevant photos, for k < 1, and for another denominator.
    """
    relevant = relevant_count(ranks, k)
    if denominator not in (Denominator.K, Denominator.MIN):
        raise UserError(f"P@k over {denominator} is no precision. Choose {Denominator.K} or {Denominator.MIN}.")
    return (ranks <= k).sum(1) / (k if denominator is Denominator.K else np.minimum(relevant, k))


def relevant_count(ranks: np.ndarray, k: int | None) -> np.ndarray:
    """R of each query: (Q, Rmax) -> (Q,). Raises UserError for a query without relevant photos, and for k < 1."""
    if k is not None and k < 1:
        raise UserError(f"k is {k}. It counts ranks from 1; use k >= 1.")
    count = (ranks < ABSENT).sum(1)
    if (count == 0).any():
        raise UserError(f"query {count.argmin()} has no relevant photo in the gallery. Leave it out.")
    return count


def check_numbers(distance: np.ndarray) -> None:
    """Raise UserError for NaN, which loses every comparison: a broken model would be first everywhere."""
    if (broken := np.isnan(distance).any(1)).any():
        raise UserError(f"query {broken.argmax()} has a distance that is not a number. Check the features.")
