"""Ranking the photos of a category for one sketch, with any run."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from dpclip.data.batches import TestSet, test_sets
from dpclip.data.images import read_image
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
    """The test set of one category of any split. Raises UserError for a category that does not exist."""
    manifest = store.manifest
    splits = manifest.table.loc[manifest.rows(category=category), "split"]
    if splits.empty:
        known = ", ".join(sorted(manifest.table["category"].unique()))
        raise UserError(f"category {category!r} is not in {manifest.name}. Choose one of {known}.")
    tests = test_sets(manifest, splits.iloc[0], manifest.styles[0], protocol, support_rule(bench.model), seed)
    return next(test for test in tests if test.category == category)


@torch.inference_mode()
def rank_photos(bench: Bench, sketch: torch.Tensor, test: TestSet, gallery: np.ndarray) -> Ranking:
    """Rank the photos with row numbers `gallery` for a sketch (3, S, S) in [0, 1], prompted for the test's category."""
    context = bench.context(test)
    query = bench.model.encode(bench.model.normalise(sketch[None].to(bench.store.device)), context)
    distance = bench.model.distance(query, bench.encode(gallery, context))[0].numpy(force=True)
    order = np.argsort(distance, kind="stable")
    return Ranking(sketch, gallery[order], distance[order], test.category)


def rank_file(bench: Bench, path: Path, category: str) -> Ranking:
    """Rank all photos of a category for a sketch on disk, with two of them and a sketch as support (`transductive`)."""
    test = category_test(bench.store, bench, category, "transductive")
    sketch = torch.from_numpy(read_image(path, bench.store.size).copy()).float() / 255
    return rank_photos(bench, sketch, test, test.gallery)
