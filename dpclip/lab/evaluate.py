"""Testing a model on categories: fine-grained within the category, and category-level over all photos.

Each photo is encoded once for a category's prompts, never for a query.
"""

from dataclasses import dataclass

import numpy as np
import torch

from dpclip.data.batches import SupportRule, TestSet, test_sets
from dpclip.data.images import ImageStore
from dpclip.lab import metrics
from dpclip.method.model import DPCLIP, Context, Features

CUTS = (1, 5, 10)
LABELS = ("oracle", "blind")


@dataclass(frozen=True)
class Bench:
    """A model with the pictures and the words it is tested on."""

    model: DPCLIP
    store: ImageStore
    words: dict[str, torch.Tensor]  # category -> text feature (E,)

    @torch.inference_mode()
    def context(self, test: TestSet) -> Context:
        """Prompts and scales of the test's category, from its support images and its name."""
        support = self.model.normalise(self.store[test.support]) if len(test.support) else None
        return self.model.context(support, self.words[test.category])

    @torch.inference_mode()
    def encode(self, rows: np.ndarray, context: Context, batch: int = 64) -> Features:
        """Features of images by row number, in chunks."""
        chunks = [rows[i : i + batch] for i in range(0, len(rows), batch)]
        return Features.cat([self.model.encode(self.model.normalise(self.store[chunk]), context) for chunk in chunks])

    def distances(self, queries: np.ndarray, gallery: np.ndarray, context: Context) -> np.ndarray:
        """(Q, G) retrieval distances."""
        return self.model.distance(self.encode(queries, context), self.encode(gallery, context)).numpy(force=True)


def open_bench(model: DPCLIP, store: ImageStore) -> Bench:
    """A bench with the text features of all categories of the store's manifest."""
    text = store.manifest.text
    words = {c: model.backbone.text_feature(w, model.config.templates) for c, w in text.items()}
    return Bench(model.eval(), store, words)


def support_rule(model: DPCLIP) -> SupportRule:
    config = model.config
    return SupportRule(config.support, config.support_sketches, config.support_photos)


def fine_grained(bench: Bench, split: str, style: str, protocol: str, seed: int, limit: int = 0) -> dict:
    """Acc@1/5/10 over all queries of a split, the rank of each, and how many photos they choose from.

    Returns {"acc@1": ..., "acc@5": ..., "acc@10": ..., "chance@1": ..., "queries": n, "ranks": {category: [...]}}.
    """
    ranks, chance = {}, []
    for test in test_sets(bench.store.manifest, split, style, protocol, support_rule(bench.model), seed, limit):
        distance = bench.distances(test.queries, test.gallery, bench.context(test))
        ranks[test.category] = metrics.target_ranks(distance, test.target)
        chance += [1 / len(test.gallery)] * len(test.queries)
    every = np.concatenate(list(ranks.values()))
    result = {f"acc@{k}": metrics.accuracy(every, k) for k in CUTS}
    return result | {
        "chance@1": float(np.mean(chance)),
        "queries": len(every),
        "ranks": {c: r.tolist() for c, r in ranks.items()},
    }


def predict_category(bench: Bench, rows: np.ndarray, names: list[str]) -> np.ndarray:
    """Place in `names` of the category whose words are nearest to each sketch, seen by the tower without prompts:
    (Q,).
    """
    features = torch.nn.functional.normalize(bench.encode(rows, Context([], [])).global_feature, dim=-1)
    texts = torch.nn.functional.normalize(torch.stack([bench.words[name] for name in names]), dim=-1)
    return (features @ texts.T).argmax(1).numpy(force=True)


def category_level(bench: Bench, split: str, style: str, protocol: str, seed: int, limit: int = 0) -> dict:
    """mAP@all and P@10 over all photos of a split; a photo is relevant when its category is the query's.

    The prompts need a category. `oracle` gives the query's own (an upper bound); `blind` predicts it from the sketch.
    Returns {"oracle": {...}, "blind": {...}}, the latter with the share of right predictions.
    """
    tests = test_sets(bench.store.manifest, split, style, protocol, support_rule(bench.model), seed, limit)
    names = [test.category for test in tests]
    gallery, queries = (np.concatenate([getattr(t, part) for t in tests]) for part in ("gallery", "queries"))
    gallery_label, label = (
        np.repeat(np.arange(len(tests)), [len(getattr(t, part)) for t in tests]) for part in ("gallery", "queries")
    )
    relevant = label[:, None] == gallery_label
    given = {"oracle": label, "blind": predict_category(bench, queries, names)}
    distance = {setting: np.empty(relevant.shape, dtype=np.float32) for setting in given}
    for number, test in enumerate(tests):
        context = bench.context(test)
        photos = bench.encode(gallery, context)
        for setting, assigned in given.items():
            mine = np.flatnonzero(assigned == number)
            if len(mine):
                sketches = bench.encode(queries[mine], context)
                distance[setting][mine] = bench.model.distance(sketches, photos).numpy(force=True)
    result = {}
    for setting in LABELS:
        ranked = metrics.ranked_relevance(distance[setting], relevant)
        result[setting] = {"map@all": metrics.mean_average_precision(ranked), "p@10": metrics.precision_at(ranked, 10)}
    result["blind"]["predicted"] = float((given["blind"] == label).mean())
    return result
