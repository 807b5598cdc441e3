import math

import numpy as np
import pandas as pd
import pytest

from dpclip.evaluation.intervals import Comparison, compare_queries, compare_runs, seed_interval

CONCEPTS, PHOTOS, SKETCHES = 40, 10, 4


def test_interval_by_hand():
    mean, half = seed_interval([0.1, 0.2, 0.3])
    assert mean == pytest.approx(0.2)
    assert half == pytest.approx(4.303 * 0.1 / math.sqrt(3), rel=1e-3)  # t with two degrees of freedom
    assert math.isnan(seed_interval([0.4])[1])


def test_a_clear_difference_and_a_lucky_one():
    noise = np.random.default_rng(0).integers(0, 2, 200)
    assert compare_queries(np.ones(200), noise).verdict == "better"
    assert compare_queries(noise, np.ones(200)).verdict == "worse"
    same = compare_queries(noise, noise[::-1])
    assert same.difference == 0 and same.verdict == "undecided"
    error = np.std(noise - noise[::-1].astype(float)) / math.sqrt(200)
    assert same.high == -same.low == pytest.approx(1.972 * error, rel=0.004)  # t with 199 degrees of freedom


def test_what_is_sure_of_a_difference():
    found = Comparison(0.02, 0.01)
    assert found.p_above(0) == pytest.approx(0.02275, abs=1e-4) and found.p_below(0.02) == pytest.approx(0.5)
    assert found.smallest_seen() == pytest.approx((1.960 + 0.842) * 0.01, rel=1e-3)
    assert Comparison(0.02, 0.01, 2).p_above(0) == pytest.approx(0.0918, abs=1e-4)  # t with two degrees of freedom
    assert Comparison(0.1, 0.0).p_above(0) == 0 and Comparison(0.0, 0.0).p_above(0) == 1


def drawn(random, seeds, shift=0.0, concept=0.0, photo=0.0, seed=0.0, answer=0.3) -> pd.DataFrame:
    """(Q, S) values with effects of these spreads; a tenth of the queries is not asked by each seed."""
    concepts, photos = np.arange(CONCEPTS).repeat(PHOTOS * SKETCHES), np.arange(CONCEPTS * PHOTOS).repeat(SKETCHES)
    queries = np.arange(len(photos))
    item = random.normal(0, concept, CONCEPTS)[concepts] + random.normal(0, photo, CONCEPTS * PHOTOS)[photos]
    values = shift + item[:, None] + random.normal(0, seed, seeds) + random.normal(0, answer, (len(queries), seeds))
    values[random.random(values.shape) < 0.1] = np.nan
    return pd.DataFrame(values, pd.MultiIndex.from_arrays([concepts, photos, queries]))


@pytest.mark.parametrize(
    "effects",
    [
        {"seeds": 1, "concept": 0.03},
        {"seeds": 3},
        {"seeds": 3, "concept": 0.03, "photo": 0.1},
        {"seeds": 5, "concept": 0.03, "photo": 0.1, "seed": 0.01},
    ],
)
def test_the_interval_holds_the_truth_as_often_as_it_says(effects):
    random, zero = np.random.default_rng(0), 0.0
    found = [compare_runs(values, values * zero) for values in (drawn(random, **effects) for _ in range(300))]
    assert 0.92 <= np.mean([c.low < 0 < c.high for c in found]) <= 0.99


def test_it_follows_the_formula_written_out():
    values = drawn(np.random.default_rng(1), 3, 0.1, 0.05, 0.1, 0.02)
    found, means = compare_runs(values, values * 0.0), values.mean()
    assert found.difference == pytest.approx(means.mean())
    variance = 0.0
    for keys, sign in ((("concept",), 1), (("seed",), 1), (("concept", "seed"), -1)):
        sums = {}
        for (concept, _, _), row in values.iterrows():
            for seed, value in row.dropna().items():
                key = tuple({"concept": concept, "seed": seed}[name] for name in keys)
                share = (value - means.mean()) / values[seed].count() / 3
                sums[key] = sums.get(key, 0.0) + share
        variance += sign * sum(part**2 for part in sums.values()) * len(sums) / (len(sums) - 1)
    assert found.error == pytest.approx(math.sqrt(variance))


def test_seeds_that_disagree_leave_the_question_open_however_many_queries_agree():
    random, shifts = np.random.default_rng(2), pd.Series([1.0, -0.6, 0.8])
    values = drawn(random, 3) + shifts
    assert values.mean().mean() > 0.3 and compare_runs(values, values * 0.0).verdict == "undecided"
    assert compare_runs(drawn(random, 3, 0.5), drawn(random, 3)).verdict == "better"
    assert compare_runs(drawn(random, 3), drawn(random, 3, 0.5)).verdict == "worse"
