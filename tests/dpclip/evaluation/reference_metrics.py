"""Retrieval metrics, slow and literal: one query, one photo at a time, each formula as it is written. For tests and
benchmarks.
"""

from dpclip.evaluation.metrics import Convention, Denominator, Ties


def ranked(distance: list[float], relevant: list[bool], ties: Ties) -> list[bool]:
    """Whether each photo of the ranking is relevant, nearest first."""

    def key(photo: int) -> tuple:
        tied = {Ties.AGAINST: relevant[photo], Ties.FOR: not relevant[photo], Ties.ORDER: photo}[ties]
        return distance[photo], tied

    return [relevant[photo] for photo in sorted(range(len(distance)), key=key)]


def precision(ranking: list[bool], rank: int) -> float:
    """The share of relevant photos among the first `rank`."""
    return sum(ranking[:rank]) / rank


def divisor(ranking: list[bool], k: int, denominator: Denominator) -> int:
    relevant, found = sum(ranking), sum(ranking[:k])
    return {
        Denominator.K: k,
        Denominator.MIN: min(k, relevant),
        Denominator.RELEVANT: relevant,
        Denominator.HITS: found,
    }[denominator]


def average_precision(distance: list[float], relevant: list[bool], k: int | None, convention: Convention) -> float:
    """AP@k of one query; k = None takes the whole gallery."""
    ranking = ranked(distance, relevant, convention.ties)
    k = len(ranking) if k is None else k
    hits = [rank for rank in range(1, min(k, len(ranking)) + 1) if ranking[rank - 1]]
    if not hits:
        return 0.0
    precisions = [precision(ranking, rank) for rank in hits]
    if convention.interpolated:
        precisions = [max(precisions[place:]) for place in range(len(hits))]
    return sum(precisions) / divisor(ranking, k, convention.denominator)


def precision_at(distance: list[float], relevant: list[bool], k: int, denominator: Denominator, ties: Ties) -> float:
    """P@k of one query."""
    ranking = ranked(distance, relevant, ties)
    return sum(ranking[:k]) / divisor(ranking, k, denominator)


def accuracy(distance: list[float], target: int, k: int) -> bool:
    """Whether fewer than k other photos are at most as far as the query's own."""
    return sum(d <= distance[target] for photo, d in enumerate(distance) if photo != target) < k
