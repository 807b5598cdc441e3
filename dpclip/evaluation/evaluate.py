"""Ranking photos for sketches with any model, and testing it: fine-grained within the category, and category-level over
all photos. Each photo is encoded once for a category's prompts, never for a query.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from dpclip.config import RunConfig
from dpclip.data.batches import TestSet, test_sets
from dpclip.data.store import ImageStore
from dpclip.errors import UserError
from dpclip.evaluation import metrics
from dpclip.evaluation.text_features import text_table
from dpclip.method.interface import Context, Features, Method

CUTS = (1, 5, 10)
P_CUTS, CHUNK = (10, 100, 200), 64  # of P@k; images encoded at once
SETTINGS = ("blind", "generic", "oracle")
BLIND = "support"  # how `blind` names a sketch's category: text | support; the more often right on validation
NO_PROMPTS = Context([], [])
UNTESTED = {setting: {"ap": []} for setting in SETTINGS} | {"predicted": {}, "convention": str(metrics.OURS)}


@dataclass(frozen=True)
class Bench:
    """A model with the pictures and the words it is tested on."""

    model: Method
    store: ImageStore
    words: dict[str, torch.Tensor | None]  # category -> text feature (E,), None for a model without words

    def tests(self, split: str, style: str, protocol: str, seed: int, limit: int = 0) -> list[TestSet]:
        """`test_sets` of its data, with the support that its model asks for."""
        return test_sets(self.store.manifest, split, style, protocol, self.model.config, seed, limit)

    @torch.inference_mode()
    def context(self, test: TestSet) -> Context:
        """Prompts and scales of the test's category, from its support images and its name."""
        support = self.model.normalise(self.store[test.support]) if len(test.support) else None
        return self.model.context(support, self.words[test.words])

    @torch.inference_mode()
    def encode(self, rows: np.ndarray, context: Context) -> Features:
        """Features of images by row number, in chunks."""
        chunks = [rows[i : i + CHUNK] for i in range(0, len(rows), CHUNK)]
        return Features.cat([self.model.encode(self.model.normalise(self.store[chunk]), context) for chunk in chunks])

    def distances(self, queries: np.ndarray, gallery: np.ndarray, context: Context) -> np.ndarray:
        """(Q, G) retrieval distances."""
        return self.model.distance(self.encode(queries, context), self.encode(gallery, context)).numpy(force=True)


def open_bench(model: Method, store: ImageStore) -> Bench:
    """A bench with the text features of all categories of the store's manifest, kept beside its pictures."""
    return Bench(model.eval(), store, text_table(model, store.manifest.text, store.cache))


def category_test(
    store: ImageStore, asked: Bench | RunConfig, category: str, protocol: str = "held-out", seed: int = 0
) -> TestSet:
    """The test set of one category of any split; the settings of a run are enough, where its model is not made yet.
    Raises UserError for a category that does not exist, or is too small.
    """
    manifest, config = store.manifest, getattr(asked.model, "config", asked.model)
    splits = manifest.table.loc[manifest.rows(category=category), "split"]
    if splits.empty:
        known = ", ".join(sorted(manifest.table["category"].unique()))
        raise UserError(f"category {category!r} is not in {manifest.name}. Choose one of {known}.")
    tests = test_sets(manifest, splits.iloc[0], manifest.styles[0], protocol, config, seed)
    return next(test for test in tests if test.category == category)


@dataclass(frozen=True)
class Ranking:
    """Photos of a category in the order of their distance to a sketch."""

    sketch: torch.Tensor  # (3, S, S) in [0, 1]
    rows: np.ndarray  # (G,) row numbers of the photos, nearest first
    distance: np.ndarray  # (G,) ascending
    category: str


@torch.inference_mode()
def rank_photos(bench: Bench, sketch: torch.Tensor, test: TestSet, gallery: np.ndarray) -> Ranking:
    """Rank the photos with row numbers `gallery` for a sketch (3, S, S) in [0, 1], prompted for the test's category."""
    context = bench.context(test)
    query = bench.model.encode(bench.model.normalise(sketch[None].to(bench.store.device)), context)
    distance = bench.model.distance(query, bench.encode(gallery, context))[0].numpy(force=True)
    order = np.argsort(distance, kind="stable")
    return Ranking(sketch, gallery[order], distance[order], test.category)


def fine_grained(bench: Bench, split: str, style: str, protocol: str, seed: int, limit: int = 0) -> dict:
    """Over all queries of a split, with the rank of each query's photo and what guessing scores (chance@1):
    {"acc@1": ..., "acc@5": ..., "acc@10": ..., "chance@1": ..., "queries": n, "ranks": {category: [...]}}.
    """
    ranks, chance = {}, []
    for test in bench.tests(split, style, protocol, seed, limit):
        if not len(test.queries):
            continue
        distance = bench.distances(test.queries, test.gallery, bench.context(test))
        ranks[test.category] = metrics.target_ranks(distance, test.target)
        chance += [1 / len(test.gallery)] * len(test.queries)
    every = np.concatenate(list(ranks.values()))
    result = {f"acc@{k}": metrics.accuracy(every, k) for k in CUTS}
    result |= {"chance@1": float(np.mean(chance)), "queries": len(every)}
    return result | {"ranks": {category: own.tolist() for category, own in ranks.items()}}


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
    tests = bench.tests("seen", bench.store.manifest.styles[0], protocol, seed)
    contexts = [bench.context(test) for test in tests]
    parts = ([c.prompts for c in contexts], [c.scales for c in contexts])  # of each category a list over the layers
    return Context(*([torch.stack(layer).mean(0) for layer in zip(*part, strict=True)] for part in parts))


def category_level(bench: Bench, split: str, style: str, protocol: str, seed: int, limit: int = 0) -> dict:
    """mAP and P@k over all photos of a split; a photo is relevant when its category is the query's. With
    `generalised` in the model's config the gallery holds the seen photos too, which are relevant to no query.

    The prompts want a category, and the query's own is not given away:
    blind    the one predicted from the sketch, by the words or by the support images (BLIND)
    generic  none: the mean of the seen categories' prompts and scales
    oracle   the query's own; an upper bound, not a result
    Returns {setting: {"map@all": ..., "map@200": ..., "p@10": ..., "ap": [one a query]}, "predicted": {"text": share of
    right predictions, "support": ...}, "convention": ...}. Where no prompt depends on the category, the three settings
    are one and nothing is predicted. P@k needs k photos, and everything a second category to be told from.
    """
    model = bench.model
    tests = bench.tests(split, style, protocol, seed, limit)
    if len(tests) < 2:
        return UNTESTED
    rows = [test.gallery for test in tests], [test.queries for test in tests]  # of each category
    gallery, queries = map(np.concatenate, rows)
    gallery_label, label = (np.repeat(np.arange(len(tests)), [len(r) for r in every]) for every in rows)
    if model.config.generalised:
        seen = bench.store.manifest.rows(split="seen", modality="photo")
        gallery, gallery_label = np.append(gallery, seen), np.append(gallery_label, np.full(len(seen), -1))
    predicted = {}
    if model.uses_category:
        plain = bench.encode(queries, NO_PROMPTS).global_feature
        predicted = {"support": name_by_support(bench, plain, tests)}
        if model.on_backbone:
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
            lambda part, s=sketches, p=photos: model.distance(s[part], p).numpy(force=True), label[rows], gallery_label
        )
        found = {"map@200": metrics.average_precision(ranks, 200), "map@all": metrics.average_precision(ranks)}
        found |= {f"p@{k}": metrics.precision_at(ranks, k) for k in P_CUTS if k <= len(gallery)}
        for setting, places in asked.items():
            mine = places[rows] == number
            for name, value in found.items():
                values[setting].setdefault(name, np.zeros(len(queries)))[rows[mine]] = value[mine]
    result = {setting: {name: float(v.mean()) for name, v in found.items()} for setting, found in values.items()}
    for setting, found in values.items():
        result[setting]["ap"] = found["map@all"].round(4).tolist()
    shares = {way: float((places == label).mean()) for way, places in predicted.items()}
    return result | {"predicted": shares, "convention": str(metrics.OURS)}
