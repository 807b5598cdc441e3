"""How sure a number is: intervals over seeds, and paired bootstrap over queries."""

from dataclasses import dataclass

import numpy as np

DRAWS = 2000  # of a bootstrap


def seed_interval(values: list[float]) -> tuple[float, float]:
    """Mean and half-width of Student's 95 % interval over seeds; the half-width of a single value is NaN."""
    from scipy.special import stdtrit  # the quantile of Student's t; scipy.stats takes long to import

    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, float("nan")
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    return mean, float(stdtrit(len(values) - 1, 0.975) * error)


@dataclass(frozen=True)
class Comparison:
    """Mean difference of two methods on the same queries, with a 95 % bootstrap interval."""

    difference: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """better | worse | undecided, by whether the interval leaves zero out."""
        return "better" if self.low > 0 else "worse" if self.high < 0 else "undecided"


def hits(record: dict, protocol: str, style: str, k: int = 1) -> np.ndarray:
    """Whether each fine-grained query of a record found its photo among the first k: (Q,) of 0 and 1."""
    ranks = record["metrics"]["fine-grained"][protocol][style]["ranks"]
    return (np.concatenate([ranks[category] for category in sorted(ranks)]) <= k).astype(float)


def precisions(record: dict, setting: str) -> np.ndarray:
    """The average precision of each category-level query of a record: (Q,)."""
    return np.array(record["metrics"]["category-level"][setting]["ap"])


def compare_queries(ours: list[np.ndarray], theirs: list[np.ndarray]) -> Comparison:
    """Paired bootstrap over queries, seeds averaged: `ours` minus `theirs`, (Q,) values a seed, in the same order.
    Queries are drawn with replacement within each seed, whose held-out items are the same for all methods.
    """
    random = np.random.default_rng(0)
    differences = [a - b for a, b in zip(ours, theirs, strict=True)]
    drawn = [d[random.integers(0, len(d), (DRAWS, len(d)))].mean(1) for d in differences]
    low, high = np.quantile(np.mean(drawn, axis=0), [0.025, 0.975])
    return Comparison(float(np.mean([d.mean() for d in differences])), float(low), float(high))


def compare_seeds(ours: list[np.ndarray], theirs: list[np.ndarray]) -> Comparison:
    """Paired bootstrap over seeds and queries: `ours` minus `theirs`, (Q,) values a seed, in the same order. Each draw
    takes as many seeds as there are, with replacement, and within each as many queries. So what a seed changes (initial
    weights, batches, support) counts too. A handful of seeds drawn with replacement varies less than fresh ones would:
    with three the interval is somewhat too narrow, with one the seeds do not count at all. `ours`
    """
    random = np.random.default_rng(0)
    differences = [a - b for a, b in zip(ours, theirs, strict=True)]
    seeds = random.integers(len(differences), size=(DRAWS, len(differences)))
    means = np.empty(seeds.shape)
    for seed, difference in enumerate(differences):
        drawn = seeds == seed
        values, counts = np.unique(difference, return_counts=True)
        times = random.multinomial(len(difference), counts / len(difference), drawn.sum())  # (draws of this seed, V)
        means[drawn] = times @ values / len(difference)
    low, high = np.quantile(means.mean(1), [0.025, 0.975])
    return Comparison(float(np.mean([d.mean() for d in differences])), float(low), float(high))
