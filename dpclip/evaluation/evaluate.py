"""Testing a model on categories: fine-grained within the category, and category-level over all photos.

Each photo is encoded once for a category's prompts, never for a query.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from dpclip.config import DPCLIPConfig
from dpclip.data.batches import SupportRule, TestSet, test_sets
from dpclip.data.store import ImageStore
from dpclip.evaluation import metrics
from dpclip.evaluation.text_features import text_table
from dpclip.method.interface import Context, Features, Method

CUTS = (1, 5, 10)
P_CUTS, MAP_CUTS = (10, 100, 200), (200,)
SETTINGS = ("blind", "generic", "oracle")
BLIND = "support"  # how `blind` names a sketch's category: text | support; the more often right on validation
NO_PROMPTS = Context([], [])


@dataclass(frozen=True)
class Bench:
    """A model with the pictures and the words it is tested on."""

    model: Method
    store: ImageStore
    words: dict[str, torch.Tensor | None]  # category -> text feature (E,), None for a model without words

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


def open_bench(model: Method, store: ImageStore) -> Bench:
    """A bench with the text features of all categories of the store's manifest, kept beside its pictures."""
    words = text_table(model, store.manifest.text, store.cache)
    return Bench(model.eval(), store, words)


def support_rule(model: Method | DPCLIPConfig) -> SupportRule:
    """How a model, or one with these settings, has its support chosen."""
    config = getattr(model, "config", model)
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


def name_by_text(bench: Bench, sketches: torch.Tensor, tests: list[TestSet]) -> np.ndarray:
    """Place in `tests` of the category whose words are nearest to each sketch (Q, E), encoded without prompts: (Q,)."""
    return _nearest(sketches, torch.stack([bench.words[test.category] for test in tests]))


def name_by_support(bench: Bench, sketches: torch.Tensor, tests: list[TestSet]) -> np.ndarray:
    """Place in `tests` of the category whose support images are nearest, in the mean, to each sketch (Q, E): (Q,)."""
    supports = [F.normalize(bench.encode(test.support, NO_PROMPTS).global_feature, dim=-1).mean(0) for test in tests]
    return _nearest(sketches, torch.stack(supports))


def _nearest(sketches: torch.Tensor, centres: torch.Tensor) -> np.ndarray:
    cosine = F.normalize(sketches, dim=-1) @ F.normalize(centres, dim=-1).T  # (Q, C)
    return cosine.argmax(1).numpy(force=True)


def generic_context(bench: Bench, protocol: str, seed: int) -> Context:
    """Prompts and scales of no category: the mean over the seen categories. `ours`"""
    manifest = bench.store.manifest
    tests = test_sets(manifest, "seen", manifest.styles[0], protocol, support_rule(bench.model), seed)
    contexts = [bench.context(test) for test in tests]
    mean = [
        [torch.stack(layer).mean(0) for layer in zip(*(getattr(c, part) for c in contexts), strict=True)]
        for part in ("prompts", "scales")
    ]
    return Context(*mean)


def category_level(bench: Bench, split: str, style: str, protocol: str, seed: int, limit: int = 0) -> dict:
    """mAP and P@k over all photos of a split; a photo is relevant when its category is the query's.

    The prompts want a category, and the query's own is not given away:
    blind    the one predicted from the sketch, by the words or by the support images (BLIND)
    generic  none: the mean of the seen categories' prompts and scales
    oracle   the query's own; an upper bound, not a result
    Returns {setting: {"map@all": ..., "map@200": ..., "p@10": ..., "ap": [one a query]}, "predicted": {"text": share of
    right predictions, "support": ...}, "convention": ...}. For a model whose prompts do not depend on the category the
    three settings are one, and nothing is predicted. P@k is left out when there are fewer than k photos, and everything
    when there is one category, in which every photo would be relevant.
    """
    tests = test_sets(bench.store.manifest, split, style, protocol, support_rule(bench.model), seed, limit)
    if len(tests) < 2:
        return {setting: {"ap": []} for setting in SETTINGS} | {"predicted": {}, "convention": str(metrics.OURS)}
    gallery, queries = (np.concatenate([getattr(t, part) for t in tests]) for part in ("gallery", "queries"))
    gallery_label, label = (
        np.repeat(np.arange(len(tests)), [len(getattr(t, part)) for t in tests]) for part in ("gallery", "queries")
    )
    predicted = {}
    if bench.model.uses_category:
        plain = bench.encode(queries, NO_PROMPTS).global_feature
        predicted = {"support": name_by_support(bench, plain, tests)}
        if bench.model.on_backbone:
            predicted["text"] = name_by_text(bench, plain, tests)
        contexts = [bench.context(test) for test in tests] + [generic_context(bench, protocol, seed)]
        asked = {"blind": predicted[BLIND], "generic": np.full(len(queries), len(tests)), "oracle": label}
    else:
        contexts, asked = [bench.context(tests[0])], {setting: np.zeros(len(queries), int) for setting in SETTINGS}

    values = {setting: {} for setting in SETTINGS}
    for number, context in enumerate(contexts):
        rows = np.flatnonzero(np.any([places == number for places in asked.values()], axis=0))
        if not len(rows):
            continue
        sketches, photos = bench.encode(queries[rows], context), bench.encode(gallery, context)
        ranks = metrics.hit_ranks_by_label(
            lambda chunk, s=sketches, p=photos: bench.model.distance(s[chunk], p).numpy(force=True),
            label[rows],
            gallery_label,
        )
        found = {f"map@{k}": metrics.average_precision(ranks, k) for k in MAP_CUTS}
        found["map@all"] = metrics.average_precision(ranks)
        found |= {f"p@{k}": metrics.precision_at(ranks, k) for k in P_CUTS if k <= len(gallery)}
        for setting, places in asked.items():
            mine = places[rows] == number
            for name, value in found.items():
                values[setting].setdefault(name, np.zeros(len(queries)))[rows[mine]] = value[mine]
    result = {
        setting: {name: float(value.mean()) for name, value in every.items()}
        | {"ap": every["map@all"].round(4).tolist()}
        for setting, every in values.items()
    }
    shares = {way: float((places == label).mean()) for way, places in predicted.items()}
    return result | {"predicted": shares, "convention": str(metrics.OURS)}
