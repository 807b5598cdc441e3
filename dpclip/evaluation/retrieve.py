"""Ranking the photos of a category for one sketch, with any run."""

from dataclasses import dataclass

import numpy as np
import torch

from dpclip.data.batches import SupportRule, TestSet, test_sets
from dpclip.data.manifest import Manifest
from dpclip.data.store import ImageStore
from dpclip.errors import UserError
from dpclip.evaluation.evaluate import Bench, support_rule


@dataclass(frozen=True)
class Ranking:
    """Photos of a category in the order of their distance to a sketch."""

    sketch: torch.Tensor  # (3, S, S) in [0, 1]
    rows: np.ndarray  # (G,) row numbers of the photos, nearest first
    distance: np.ndarray  # (G,) ascending
    category: str


def category_test(store: ImageStore, bench: Bench, category: str, protocol: str = "held-out", seed: int = 0) -> TestSet:
    """The test set of one category of any split, as `find_test` does."""
    return find_test(store.manifest, support_rule(bench.model), category, protocol, seed)


def find_test(
    manifest: Manifest, rule: SupportRule, category: str, protocol: str = "transductive", seed: int = 0
) -> TestSet:
    """The test set of one category of any split. Raises UserError for a category that does not exist, or is too small;
    no model is needed for it.
    """
    splits = manifest.table.loc[manifest.rows(category=category), "split"]
    if splits.empty:
        known = ", ".join(sorted(manifest.table["category"].unique()))
        raise UserError(f"category {category!r} is not in {manifest.name}. Choose one of {known}.")
    tests = test_sets(manifest, splits.iloc[0], manifest.styles[0], protocol, rule, seed)
    return next(test for test in tests if test.category == category)


@torch.inference_mode()
def rank_photos(bench: Bench, sketch: torch.Tensor, test: TestSet, gallery: np.ndarray) -> Ranking:
    """Rank the photos with row numbers `gallery` for a sketch (3, S, S) in [0, 1], prompted for the test's category."""
    context = bench.context(test)
    query = bench.model.encode(bench.model.normalise(sketch[None].to(bench.store.device)), context)
    distance = bench.model.distance(query, bench.encode(gallery, context))[0].numpy(force=True)
    order = np.argsort(distance, kind="stable")
    return Ranking(sketch, gallery[order], distance[order], test.category)
