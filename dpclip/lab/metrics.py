"""Retrieval metrics from distances. Ties always count against the method.

Fine-grained: Acc@k, the share of queries whose own photo is among the k nearest of its category. Category-level:
average precision over the whole gallery (denominator: the number of relevant photos, not interpolated) and P@k
(denominator k). Section 12 lists the others.
"""

import numpy as np


def target_ranks(distance: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Rank, from 1, of each query's own photo: distance (Q, G), target (Q,) place in the gallery -> (Q,) int."""
    own = np.take_along_axis(distance, target[:, None], 1)
    return (distance <= own).sum(1)


def accuracy(ranks: np.ndarray, k: int) -> float:
    """Acc@k, in [0, 1]."""
    return float((ranks <= k).mean())


def ranked_relevance(distance: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Relevance (Q, G) bool in the order of the ranking, nearest first; within a tie the irrelevant photos come
    first.
    """
    order = np.lexsort((relevant, distance), axis=1)
    return np.take_along_axis(relevant, order, 1)


def mean_average_precision(ranked: np.ndarray) -> float:
    """mAP@all of ranked relevance (Q, G): precision at each relevant photo, averaged over the relevant ones, then
    over queries.
    """
    hits = ranked.cumsum(1)
    precision = hits / np.arange(1, ranked.shape[1] + 1)
    return float(((precision * ranked).sum(1) / ranked.sum(1)).mean())


def precision_at(ranked: np.ndarray, k: int) -> float:
    """P@k of ranked relevance (Q, G): the share of relevant photos among the first k."""
    return float(ranked[:, :k].sum(1).mean() / k)
