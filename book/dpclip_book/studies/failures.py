"""What fails: a record's queries one by one, whether runs fail at the same ones, and what was found instead. `ours`

A query fails when its photo is not the first.
"""

import numpy as np
import pandas as pd
import torch

from dpclip.data.batches import TestSet
from dpclip.data.manifest import Manifest
from dpclip.errors import UserError
from dpclip.evaluation import metrics
from dpclip.evaluation.evaluate import Bench, Ranking, rank_photos
from dpclip_book.studies.answers import query_table


@torch.inference_mode()
def first_photos(bench: Bench, tests: list[TestSet]) -> pd.DataFrame:
    """`query_table` of a model, with one column more: `first`, the row number of the nearest photo."""
    ranks, first = {}, []
    for test in tests:
        distance = bench.distances(test.queries, test.gallery, bench.context(test))  # (Q, G)
        ranks[test.category] = metrics.target_ranks(distance, test.target).tolist()
        first.append(test.gallery[distance.argmin(1)])
    return query_table(tests, ranks).assign(first=np.concatenate(first))


def by_category(queries: pd.DataFrame) -> pd.DataFrame:
    """Of several records' queries: `failed` and `chance` of failing, as shares, and `photos` in the gallery; one row a
    category, the hardest first.
    """
    queries = queries.assign(chance=1 - 1 / queries["gallery"])
    table = queries.groupby("category").agg(
        failed=("failed", "mean"), chance=("chance", "mean"), photos=("gallery", "mean"), queries=("failed", "size")
    )
    return table.sort_values("failed", ascending=False, kind="stable").reset_index()


def failure_matrix(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Query row -> one column of `failed` a table. Raises UserError unless all tables ask the same queries."""
    columns = {number: table.set_index("query")["failed"] for number, table in enumerate(tables)}
    if any(set(column.index) != set(columns[0].index) for column in columns.values()):
        raise UserError("these records ask different queries. Compare records of one protocol, style and data set.")
    return pd.DataFrame(columns)


def expected_counts(failed: np.ndarray, category: np.ndarray) -> np.ndarray:
    """How many of Q queries would fail in 0, 1, ..., S of S runs, if within a category each run failed at random ones:
    failed (Q, S) of bool, category (Q,) -> (S+1,), its sum is Q.
    """
    expected = np.zeros(failed.shape[1] + 1)
    for name in np.unique(category):
        counts = np.ones(1)
        for share in failed[category == name].mean(0):  # a run's share of failures in the category
            counts = np.convolve(counts, [1 - share, share])
        expected += counts * (category == name).sum()
    return expected


def also_failed(first: np.ndarray, second: np.ndarray) -> float:
    """Of the queries at which one run fails, the share at which another does too: (Q,), (Q,) of bool. NaN for none."""
    return float(second[first].mean()) if first.any() else float("nan")


def fail_together(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Two methods, S seeds each, (Q, S) of bool -> of the pairs of runs with different seeds, the share in which both
    fail at a query (Q,). A method can be paired with itself.
    """
    first, second = first.astype(float), second.astype(float)
    pairs = first.sum(1) * second.sum(1) - (first * second).sum(1)
    return pairs / (first.shape[1] * (first.shape[1] - 1))


def wrong_firsts(found: pd.DataFrame) -> pd.DataFrame:
    """From `first_photos`: how often each photo stands first for a sketch of another one, most often first. Columns:
    `category`, `photo`, `wrong`, `asked` (sketches of other photos of its category).
    """
    wrong = found[found["first"] != found["photo"]].groupby(["category", "first"]).size()
    table = wrong.rename("wrong").reset_index().rename(columns={"first": "photo"})
    own = found.groupby("photo").size()
    asked = table["category"].map(found.groupby("category").size()) - table["photo"].map(own).fillna(0)
    return table.assign(asked=asked.astype(int)).sort_values("wrong", ascending=False, kind="stable", ignore_index=True)


def worst_queries(found: pd.DataFrame, categories: list[str]) -> pd.DataFrame:
    """The query of each category whose photo is furthest down, in the order of `categories`."""
    worst = found.loc[found.groupby("category")["rank"].idxmax()].set_index("category")
    return worst.loc[[c for c in categories if c in worst.index]].reset_index()


def rank_queries(bench: Bench, tests: list[TestSet], queries: pd.DataFrame) -> list[Ranking]:
    """The whole ranking of each of some rows of `first_photos`."""
    of = {test.category: test for test in tests}
    return [
        rank_photos(bench, bench.store[[row.query]][0], of[row.category], of[row.category].gallery)
        for row in queries.itertuples()
    ]


def by_hand(manifest: Manifest, queries: pd.DataFrame) -> pd.DataFrame:
    """Whether the sketch by each hand fails, from queries of the embedded benchmark, where a file name ends with the
    skill of the hand: one row a category, seed and photo, one column a skill. Photos that lack a sketch are left out.
    """
    skill = manifest.table["path"].iloc[queries["query"]].str.extract(r"-(\d)\.\w+$")[0].astype(int).to_numpy()
    rows = queries.assign(skill=skill).pivot(index=["category", "seed", "photo"], columns="skill", values="failed")
    return rows.dropna().astype(bool)
