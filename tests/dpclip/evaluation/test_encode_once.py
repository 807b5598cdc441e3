"""Evaluation passes each picture through the tower once for a category, never once for a query: counted, not timed."""

from collections import Counter

import numpy as np
import pytest

from dpclip.data.store import ImageStore
from dpclip.evaluation import evaluate
from dpclip.evaluation.evaluate import category_level, fine_grained, open_bench
from dpclip.method.model import DPCLIP, DPCLIPConfig
from tests.toy import make_toy

NO_CATEGORY = {
    "no prompts": dict(visual_prompt="none", scaling="none"),
    "generic": dict(visual_prompt="generic", scaling="unscaled"),
}


@pytest.fixture
def make_bench(tmp_path, make_tiny):
    store = ImageStore(make_toy(tmp_path / "toy"), 56, tmp_path / "cache")
    return lambda **changes: open_bench(DPCLIP(make_tiny(), DPCLIPConfig(templates=1, rank=2, **changes)), store)


def unseen_tests(bench, protocol):
    return bench.tests("unseen", "warped", protocol, 0)


def rows_of(bench):
    """A function that tells the row numbers of pictures (B, 3, S, S) as the model gets them."""
    every = bench.model.normalise(bench.store[np.arange(len(bench.store.manifest.table))])
    number = {image.numpy().tobytes(): row for row, image in enumerate(every)}
    assert len(number) == len(every)
    return lambda images: [number[image.numpy().tobytes()] for image in images]


@pytest.fixture
def embedded(monkeypatch):
    """embedded(bench) -> how often each row enters the backbone from now on."""

    def watch(bench) -> Counter:
        seen, embed, rows = Counter(), bench.model.backbone.embed, rows_of(bench)
        monkeypatch.setattr(bench.model.backbone, "embed", lambda x: seen.update(rows(x)) or embed(x))
        return seen

    return watch


@pytest.fixture
def encoded(monkeypatch):
    """encoded(bench) -> the context and the rows of every call of `encode` from now on."""

    def watch(bench) -> list:
        seen, encode, rows = [], bench.model.encode, rows_of(bench)
        monkeypatch.setattr(bench.model, "encode", lambda x, c: seen.append((c, rows(x))) or encode(x, c))
        return seen

    return watch


@pytest.mark.parametrize("protocol", ["held-out", "transductive"])
def test_fine_grained_encodes_queries_gallery_and_support_once_a_category(make_bench, embedded, protocol):
    bench = make_bench()
    seen = embedded(bench)
    fine_grained(bench, "unseen", "warped", protocol, 0)
    tests = unseen_tests(bench, protocol)
    assert seen == Counter(row for t in tests for rows in (t.queries, t.gallery, t.support) for row in rows)


@pytest.mark.parametrize("kind", NO_CATEGORY)
def test_category_level_encodes_every_picture_once_when_prompts_need_no_category(make_bench, embedded, kind):
    bench = make_bench(**NO_CATEGORY[kind])
    seen = embedded(bench)
    category_level(bench, "unseen", "warped", "held-out", 0)
    tests = unseen_tests(bench, "held-out")
    assert seen == Counter(row for t in tests for rows in (t.queries, t.gallery) for row in rows)


def test_category_level_encodes_the_gallery_once_a_context_and_queries_where_they_are_asked(
    make_bench, encoded, monkeypatch
):
    bench = make_bench()
    tests = unseen_tests(bench, "held-out")
    count = [len(test.queries) for test in tests]
    blind = np.arange(sum(count)) % len(tests)  # half of them right
    for way in ("name_by_text", "name_by_support"):
        monkeypatch.setattr(evaluate, way, lambda *_: blind)
    seen = encoded(bench)
    category_level(bench, "unseen", "warped", "held-out", 0)

    by_context: dict[int, Counter] = {}
    for context, rows in seen:
        by_context.setdefault(id(context), Counter()).update(rows)
    queries, gallery = (np.concatenate([getattr(t, part) for t in tests]) for part in ("queries", "gallery"))
    label = np.repeat(np.arange(len(tests)), count)
    asked = [queries[(label == number) | (blind == number)] for number in range(len(tests))]  # oracle, blind
    expected = [Counter([*rows, *gallery]) for rows in [*asked, queries]]  # the last one: generic
    assert list(by_context.values()) == [Counter(queries), *expected]  # first without prompts, to name the categories
