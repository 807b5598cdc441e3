"""Failures: every rank meets its own query, and agreement is counted against what independent runs would show."""

import numpy as np
import pandas as pd
import pytest
import torch

from dpclip.data.store import ImageStore
from dpclip.errors import UserError
from dpclip.evaluation.evaluate import fine_grained, open_bench, rank_photos
from dpclip.method.model import DPCLIP, DPCLIPConfig
from dpclip_book.studies import failures
from dpclip_book.studies.answers import record_tests, recorded_queries
from tests.toy import make_toy


@pytest.fixture
def bench(tmp_path, tiny_backbone):
    torch.manual_seed(0)
    store = ImageStore(make_toy(tmp_path / "toy"), 56, tmp_path / "cache")
    return open_bench(DPCLIP(tiny_backbone, DPCLIPConfig(templates=1, rank=2)), store)


@pytest.fixture
def record(bench):
    """A record of the bench's model, of the first two seen categories."""
    found = {p: {"warped": fine_grained(bench, "seen", "warped", p, 3, 2)} for p in ("held-out", "transductive")}
    model = {"support": "both", "support_sketches": 1, "support_photos": 2}
    return {
        "run": "toy", "seed": 3, "split": "seen", "data_hash": bench.store.manifest.hash,
        "config": {"test_categories": 2, "model": model}, "metrics": {"fine-grained": found},
    }  # fmt: skip


@pytest.mark.parametrize("protocol", ["held-out", "transductive"])
def test_every_rank_of_a_record_meets_its_query(bench, record, protocol):
    manifest = bench.store.manifest
    table = recorded_queries(manifest, record, protocol, "warped")
    tests = record_tests(manifest, record, protocol, "warped")
    assert len(tests) == 2 and len(table) == sum(len(test.queries) for test in tests)
    assert (manifest.table["instance"][table["query"]].to_numpy() == manifest.table["instance"][table["photo"]]).all()
    of = {test.category: test for test in tests}
    for row in table.itertuples():  # one at a time, the slow way
        ranking = rank_photos(bench, bench.store[[row.query]][0], of[row.category], of[row.category].gallery)
        assert np.flatnonzero(ranking.rows == row.photo)[0] + 1 == row.rank
        assert row.failed == (row.rank > 1) and row.gallery == len(ranking.rows)
    found = failures.first_photos(bench, tests)
    pd.testing.assert_frame_equal(found.drop(columns="first"), table.drop(columns="seed"))
    assert (found["failed"] == (found["first"] != found["photo"])).all()


def test_a_record_of_other_data_is_refused(bench, record):
    with pytest.raises(UserError, match="other data"):
        recorded_queries(bench.store.manifest, record | {"data_hash": "0"}, "held-out", "warped")


def test_the_hardest_category_comes_first():
    queries = pd.DataFrame({"category": list("aabb"), "failed": [False, True, True, True], "gallery": [4, 4, 5, 5]})
    table = failures.by_category(queries)
    assert table["category"].tolist() == ["b", "a"] and table["failed"].tolist() == [1, 0.5]
    assert table["chance"].tolist() == pytest.approx([0.8, 0.75])


def test_failures_are_compared_on_the_same_queries_only():
    first = pd.DataFrame({"query": [7, 3], "failed": [True, False]})
    matrix = failures.failure_matrix([first, first.iloc[::-1], first.assign(failed=True)])
    assert matrix.loc[3].tolist() == [False, False, True] and matrix.loc[7].all()
    with pytest.raises(UserError, match="different queries"):
        failures.failure_matrix([first, first.head(1)])


def test_expected_counts_are_those_of_independent_runs():
    random = np.random.default_rng(0)
    category = np.repeat(["a", "b"], [300, 100])
    share = np.where(category == "a", 0.2, 0.9)[:, None]
    failed = random.random((400, 3)) < share
    expected = failures.expected_counts(failed, category)
    shuffled = np.zeros(4)
    for _ in range(300):
        mixed = failed.copy()
        for name in "ab":
            for run in range(3):
                mixed[category == name, run] = random.permutation(mixed[category == name, run])
        shuffled += np.bincount(mixed.sum(1), minlength=4) / 300
    assert expected.sum() == pytest.approx(400) and expected == pytest.approx(shuffled, abs=2)


def test_also_failed_is_a_share_of_the_first():
    first, second = np.array([1, 1, 1, 0], bool), np.array([1, 0, 0, 1], bool)
    assert failures.also_failed(first, second) == pytest.approx(1 / 3)
    assert failures.also_failed(second, first) == 0.5
    assert np.isnan(failures.also_failed(~(first | True), first))


def test_fail_together_is_the_mean_over_pairs_of_different_seeds():
    first, second = np.random.default_rng(0).random((2, 5, 3)) < 0.6
    pairs = [first[:, a] & second[:, b] for a in range(3) for b in range(3) if a != b]
    assert failures.fail_together(first, second) == pytest.approx(np.mean(pairs, axis=0))


def test_wrong_firsts_count_only_sketches_of_other_photos():
    found = pd.DataFrame(
        {"category": ["a"] * 5, "photo": [1, 1, 2, 2, 3], "first": [1, 2, 1, 1, 1], "rank": [1, 2, 3, 2, 2]}
    )
    table = failures.wrong_firsts(found)
    assert table.to_dict("list") == {"category": ["a", "a"], "photo": [1, 2], "wrong": [3, 1], "asked": [3, 3]}
    assert failures.worst_queries(found, ["b", "a"])["rank"].tolist() == [3]


def test_hands_are_read_off_the_sketches_and_photos_need_all():
    class Benchmark:
        table = pd.DataFrame({"path": ["sketch/cup/set-24-2.png", "sketch/cup/set-24-1.png", "sketch/cup/other-1.png"]})

    queries = {"query": [0, 1, 2, 1, 0], "photo": [7, 7, 8, 7, 7], "seed": [0, 0, 0, 1, 1]}
    queries = pd.DataFrame(queries).assign(category="cup", failed=[False, True, True, True, True])
    hands = failures.by_hand(Benchmark(), queries)
    assert hands.index.tolist() == [("cup", 0, 7), ("cup", 1, 7)] and set(hands.dtypes) == {np.dtype(bool)}
    assert hands.to_dict("list") == {1: [True, True], 2: [False, True]}


def test_rankings_of_chosen_queries(bench, record):
    tests = record_tests(bench.store.manifest, record, "held-out", "warped")
    chosen = failures.first_photos(bench, tests).iloc[[0, -1]]
    for ranking, row in zip(failures.rank_queries(bench, tests, chosen), chosen.itertuples(), strict=True):
        assert ranking.category == row.category and ranking.rows[0] == row.first
        assert ranking.rows[row.rank - 1] == row.photo
