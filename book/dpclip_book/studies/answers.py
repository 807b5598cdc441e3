"""What a record says of each query. Records hold numbers in the order of `test_sets`, which tells whose they are."""

import pandas as pd

from dpclip.config import RunConfig
from dpclip.data.batches import TestSet, test_sets
from dpclip.data.manifest import Manifest
from dpclip.errors import UserError


def record_tests(manifest: Manifest, record: dict, protocol: str, style: str) -> list[TestSet]:
    """The test sets that the record's ranks belong to. Raises UserError when it was made on other data."""
    if record["data_hash"] != manifest.hash:
        raise UserError(f"the record of {record['run']} was made on other data than {manifest.name}. Repeat the run.")
    config = RunConfig.read(record["config"])
    return test_sets(
        manifest, record["split"], style, protocol, config.model, record["seed"], limit=config.test_categories
    )


def query_table(tests: list[TestSet], ranks: dict[str, list[int]]) -> pd.DataFrame:
    """One row a query: `category`, row numbers of `query` and of its `photo`, `rank`, `gallery` (size), `failed`."""
    parts = [
        pd.DataFrame({
            "category": test.category, "query": test.queries, "photo": test.gallery[test.target],
            "rank": ranks[test.category], "gallery": len(test.gallery),
        })
        for test in tests if len(test.queries)
    ]  # fmt: skip
    table = pd.concat(parts, ignore_index=True)
    return table.assign(failed=table["rank"] > 1)


def recorded_queries(manifest: Manifest, record: dict, protocol: str, style: str) -> pd.DataFrame:
    """`query_table` of a record's fine-grained ranks, with its `seed`."""
    ranks = record["metrics"]["fine-grained"][protocol][style]["ranks"]
    return query_table(record_tests(manifest, record, protocol, style), ranks).assign(seed=record["seed"])


def hits(manifest: Manifest, record: dict, protocol: str, style: str) -> pd.Series:
    """1 where a fine-grained query of a record found its photo first, else 0; by (category, photo, query)."""
    table = recorded_queries(manifest, record, protocol, style)
    return (~table["failed"]).astype(float).set_axis(pd.MultiIndex.from_frame(table[["category", "photo", "query"]]))


def precisions(manifest: Manifest, record: dict, setting: str) -> pd.Series:
    """The average precision of each category-level query of a record, by (category, photo, query)."""
    tests = record_tests(manifest, record, "held-out", (manifest.unpaired or manifest.styles)[0])
    found = query_table(tests, {test.category: [0] * len(test.queries) for test in tests})
    index = pd.MultiIndex.from_frame(found[["category", "photo", "query"]])
    return pd.Series(record["metrics"]["category-level"][setting]["ap"], index)
