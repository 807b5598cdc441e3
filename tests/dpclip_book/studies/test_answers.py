"""A record's numbers meet the queries they belong to."""

import pytest

from dpclip.config import preset
from dpclip.data.batches import test_sets as tests_of
from dpclip.errors import UserError
from dpclip_book.studies.answers import hits, precisions
from tests.dpclip_book.studies.test_verdicts import make_listing, make_record


def test_what_is_compared():
    manifest = make_listing()
    record = make_record(manifest, seed=2, share=0.5)
    found = hits(manifest, record, "held-out", "warped")
    tests = tests_of(manifest, "unseen", "warped", "held-out", preset("mini").model, 2)
    ranks = record["metrics"]["fine-grained"]["held-out"]["warped"]["ranks"]
    for test in tests:
        for query, target, rank in zip(test.queries, test.target, ranks[test.category], strict=True):
            assert found[test.category, test.gallery[target], query] == (rank == 1)
    assert len(found) == sum(len(test.queries) for test in tests) and found.index.is_unique
    assert precisions(manifest, record, "blind").tolist() == record["metrics"]["category-level"]["blind"]["ap"]


def test_a_record_of_other_data_is_refused():
    manifest = make_listing()
    record = make_record(manifest, seed=0, share=0.5) | {"data_hash": "0"}
    with pytest.raises(UserError, match="other data"):
        hits(manifest, record, "held-out", "warped")
