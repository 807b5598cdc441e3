"""How sure a number is: intervals over seeds, and paired comparisons over queries that have things in common."""

from dataclasses import dataclass
from math import inf

import numpy as np
import pandas as pd

LEVEL = 0.025  # of a one-sided test: an interval holds 95 %


def student(share: float, freedom: float = inf) -> float:
    """Quantile of Student's t, of the normal distribution without `freedom`."""
    from scipy.special import ndtri, stdtrit  # scipy.stats takes long to import

    return float(ndtri(share) if np.isinf(freedom) else stdtrit(freedom, share))


def seed_interval(values: list[float]) -> tuple[float, float]:
    """Mean and half-width of Student's 95 % interval over seeds; the half-width of a single value is NaN."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, float("nan")
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    return mean, float(student(1 - LEVEL, len(values) - 1) * error)


@dataclass(frozen=True)
class Comparison:
    """Mean difference of two methods on the same queries, its standard error, and the degrees of `freedom` with which
    that is known.
    """

    difference: float
    error: float
    freedom: float = inf

    @property
    def low(self) -> float:
        """Lower end of the 95 % interval."""
        return self.difference - student(1 - LEVEL, self.freedom) * self.error

    @property
    def high(self) -> float:
        return self.difference + student(1 - LEVEL, self.freedom) * self.error

    @property
    def verdict(self) -> str:
        """better | worse | undecided, by whether the interval leaves zero out."""
        return "better" if self.low > 0 else "worse" if self.high < 0 else "undecided"

    def p_above(self, bound: float) -> float:
        """One-sided p-value for a difference of more than `bound`."""
        from scipy.special import ndtr, stdtr

        if self.error == 0:
            return float(self.difference <= bound)
        far = (bound - self.difference) / self.error
        return float(ndtr(far) if np.isinf(self.freedom) else stdtr(self.freedom, far))

    def p_below(self, bound: float) -> float:
        """One-sided p-value for a difference of less than `bound`."""
        return Comparison(-self.difference, self.error, self.freedom).p_above(-bound)

    def smallest_seen(self, level: float = LEVEL, power: float = 0.8) -> float:
        """The smallest true difference that a one-sided test of this level finds above zero with this power."""
        return (student(1 - level, self.freedom) + student(power, self.freedom)) * self.error


def compare_queries(ours: np.ndarray, theirs: np.ndarray) -> Comparison:
    """Paired, of queries that have nothing in common: `ours` minus `theirs`, (Q,) each, in the same order."""
    difference = np.asarray(ours, float) - np.asarray(theirs, float)
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    return Comparison(float(difference.mean()), float(error), len(difference) - 1)


def compare_runs(ours: pd.DataFrame, theirs: pd.DataFrame) -> Comparison:
    """`ours` minus `theirs`: one row a query, by (category, ...), one column a seed, NaN where a seed did not ask the
    query; the same for both.

    Standard error of the mean for other concepts, with their photos and sketches, and for other seeds: variance over
    concepts plus variance over seeds, less what both hold (two-way clustering: Cameron, Gelbach and Miller, 2011);
    degrees of freedom by Satterthwaite. To draw photos and sketches once more inside a concept would count their noise
    twice. One seed does not count. `ours`
    """
    values = ours - theirs
    means = values.mean()  # (S,)
    share = (values - means.mean()) / values.count() / len(means)  # of each answer in the mean; they sum to zero
    share = share.groupby(level=0).sum()  # (C, S)
    concepts, seeds, both = (_variance(parts) for parts in (share.sum(axis=1), share.sum(), share.stack()))
    seeds = max(seeds - both, 0.0)
    freedom = inf
    if spread := concepts**2 / max(len(share) - 1, 1) + seeds**2 / max(len(means) - 1, 1):
        freedom = (concepts + seeds) ** 2 / spread
    return Comparison(float(means.mean()), float(np.sqrt(concepts + seeds)), freedom)


def _variance(sums: pd.Series) -> float:
    """Of a mean, from the independent parts that its deviations add up to; 0 for a single part."""
    return float((sums**2).sum() * len(sums) / (len(sums) - 1)) if len(sums) > 1 else 0.0
