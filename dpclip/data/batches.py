"""Which images meet: training batches of one category, support sets, test protocols; and whether they suffice.

Every choice is a function of (seed, epoch) or (seed, category), so that nothing depends on what ran before.
"""

from dataclasses import dataclass, replace

import numpy as np

from dpclip.config import DPCLIPConfig, RunConfig
from dpclip.data.manifest import Manifest
from dpclip.errors import UserError

PROTOCOLS = ("transductive", "held-out")
FOREIGN = ("random", "unmatched")  # kinds of support that are images of other categories


@dataclass(frozen=True)
class Batch:
    """Row numbers of one training step. All of one category; rows i belong together."""

    category: str
    sketch: np.ndarray  # (B,)
    positive: np.ndarray  # (B,) the photo each sketch was drawn from
    negative: np.ndarray  # (B,) another photo: of the category, or of other categories
    support: np.ndarray  # (S,) sketches first, then photos


@dataclass(frozen=True)
class TestSet:
    """One category's queries, its gallery, the place of each query's photo in the gallery, and its support."""

    __test__ = False  # not a test for pytest
    category: str
    queries: np.ndarray  # (Q,)
    gallery: np.ndarray  # (G,)
    target: np.ndarray  # (Q,) place in the gallery
    support: np.ndarray  # (S,) sketches first, then photos
    words: str  # the category that gives the words: its own, unless they are swapped


def support_places(config: DPCLIPConfig, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Which places of a shuffled batch of `size` sketches, each with its photo, give the support: sketches from the
    first, photos from the next. One rule for training and test; photos may coincide, and a sketch meets its own photo
    by chance only. Section 3 `code`; there the places are drawn once for a model, here the batch is.
    """
    own, theirs = config.support_counts
    return np.arange(own), (config.support_sketches + np.arange(theirs)) % size


def pairs(manifest: Manifest, category: str, style: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A category's sketches of one style, its photos, and the place of each sketch's photo among them. Sketches of an
    unpaired style are dealt the photos in turn; UserError when one of a paired style has no photo.
    """
    sketches, photos = manifest.rows(category=category, style=style), manifest.rows(category=category, modality="photo")
    if style in manifest.unpaired and len(photos):
        return sketches, photos, np.arange(len(sketches)) % len(photos)
    instances = manifest.table["instance"].to_numpy()
    place = {instance: number for number, instance in enumerate(instances[photos])}
    if lone := [row for row in sketches if instances[row] not in place]:
        what = f"no photo of {instances[lone[0]]!r} in {category!r}. Add it, or remove the sketch."
        raise UserError(f"{manifest.table['path'][lone[0]]}: {what}")
    return sketches, photos, np.array([place[i] for i in instances[sketches]], dtype=np.int64)


def training_batches(manifest: Manifest, size: int, seed: int, epoch: int, config: DPCLIPConfig) -> list[Batch]:
    """One epoch over the seen categories, shuffled; a category's last batch is dropped when not full. Section 7 `code`.
    The support of a batch comes from the batch itself; `random` and `unmatched` take it from other seen categories.
    Negatives are other photos of the category `code`, or, as `config` asks, photos of other seen categories `ours`.
    Raises UserError when no category fills a batch, one has a single photo, or nothing can lend images of others.
    """
    random = np.random.default_rng([seed, epoch])
    if config.support != "photo" and config.support_sketches > size:
        many = f"support_sketches={config.support_sketches}"
        raise UserError(f"{many}: a batch has {size} sketches. Lower it, or raise `batch`.")
    if config.negatives == "category" and len(manifest.categories("seen")) < 2:
        raise UserError(f"negatives='category': {manifest.name} has a single seen category. Choose 'instance'.")
    batches = []
    for category in manifest.categories("seen"):
        sketches, photos, place = pairs(manifest, category, manifest.styles[0])
        if not manifest.paired:
            place = random.permutation(len(photos))[place]
        if len(photos) < 2:
            raise UserError(f"category {category!r} has {len(photos)} photo: triplets need a second one. Leave it out.")
        order = random.permutation(len(sketches))
        if config.negatives == "category":
            foreign = np.setdiff1d(manifest.rows(split="seen", modality="photo"), photos)
            negative = foreign[random.integers(len(foreign), size=len(place))]
        else:
            negative = photos[(place + random.integers(1, len(photos), len(place))) % len(photos)]
        for start in range(0, len(order) - size + 1, size):
            i = order[start : start + size]
            positive, (own, theirs) = photos[place[i]], support_places(config, size)
            support = np.concatenate([sketches[i][own], positive[theirs]])
            batches.append(Batch(category, sketches[i], positive, negative[i], support))
    if not batches:
        raise UserError(f"no seen category of {manifest.name} has {size} sketches. Ask for fewer: --set batch=N.")
    return _foreign([batches[i] for i in random.permutation(len(batches))], config, random)


def _foreign(sets: list, config: DPCLIPConfig, random: np.random.Generator) -> list:
    """Batches or tests with the support of others where `config` asks for it: of one (unmatched), of any (random)."""
    if config.support not in FOREIGN:
        return sets
    size, found = sum(config.support_counts), []
    for one in sets:
        others = [s.support for s in sets if s.category != one.category and len(s.support) == size]
        if not others:
            sketches, photos = config.support_counts
            what = f"{sketches} sketches and {photos} photos. Ask for fewer, or choose support='both'."
            raise UserError(f"support={config.support!r}: no category beside {one.category!r} can give {what}")
        drawn = [others[random.integers(len(others))] for _ in range(size if config.support == "random" else 1)]
        support = drawn[0] if config.support == "unmatched" else np.array([each[n] for n, each in enumerate(drawn)])
        found.append(replace(one, support=support))
    return found


def _swapped(tests: list[TestSet], what: str, random: np.random.Generator) -> list[TestSet]:
    """Each test with the support or the words of another, all going round; as they are for "none". Raises UserError
    for a single one, which has no other.
    """
    if what == "none":
        return tests
    if len(tests) < 2:
        raise UserError(f"swapped={what!r}: {tests[0].category!r} is tested alone, so no other category gives any.")
    order = random.permutation(len(tests))
    pairs = sorted(zip(order, np.roll(order, 1), strict=True))  # of each test's place the giver's
    if what == "words":
        return [replace(tests[place], words=tests[giver].category) for place, giver in pairs]
    return [replace(tests[place], support=tests[giver].support) for place, giver in pairs]


def test_sets(
    manifest: Manifest, split: str, style: str, protocol: str, config: DPCLIPConfig, seed: int, limit: int = 0
) -> list[TestSet]:
    """The test of each category of `split`; there may be no queries of the sketch `style`.

    transductive  support: from the shuffled queries, as from a batch (support_places); nothing is removed `code`
    held-out      support: the same from the sketches of the style that trains; its photos leave the gallery, its
                  sketches, and those whose photo has left, the queries `ours`
    Removal does not depend on `config.support`, so numbers of all methods compare. `limit` keeps the first that
    have queries.
    Raises UserError for an unknown protocol and for a category too small to give a support away.
    """
    if protocol not in PROTOCOLS:
        raise UserError(f"protocol {protocol!r} is unknown. Choose one of {', '.join(PROTOCOLS)}.")
    categories, tests = manifest.categories(split), []
    if limit:
        categories = sorted(categories, key=lambda name: not len(manifest.rows(category=name, style=style)))[:limit]
    for number, category in enumerate(categories):
        random = np.random.default_rng([seed, number])
        sketches, photos, place = pairs(manifest, category, style)
        needed = max(config.support_photos, 1)
        if len(photos) < needed + 2:
            need = f"{needed} for the support and two to tell apart are needed"
            raise UserError(f"category {category!r} has {len(photos)} photos, but {need}. Leave the category out.")
        if protocol == "held-out":
            drawn, _, drawn_place = pairs(manifest, category, manifest.styles[0])
            given, shown = _drawn_support(config, drawn_place, len(photos), random)
            support = _support(config, drawn[given], photos[shown])
            kept = np.setdiff1d(np.arange(len(photos)), shown[:needed])
            asked = ~np.isin(place, shown[:needed]) & ~np.isin(sketches, drawn[given])
            if style in manifest.unpaired:  # they show no photo that could have left
                asked = ~np.isin(sketches, drawn[given])
                place = kept[np.arange(len(sketches)) % len(kept)]
            sketches, place, photos = sketches[asked], np.searchsorted(kept, place[asked]), photos[kept]
        else:
            given, shown = _drawn_support(config, place, len(photos), random)
            support = _support(config, sketches[given], photos[shown])
        tests.append(TestSet(category, sketches, photos, place, support, category))
    random = np.random.default_rng([seed, len(tests)])
    return _swapped(_foreign(tests, config, random), config.swapped, random)


def _drawn_support(config: DPCLIPConfig, place: np.ndarray, photos: int, random: np.random.Generator) -> tuple:
    """Of sketches with the places of their photos, those of the support, and the places of its photos, one at least."""
    order = random.permutation(len(place))
    own, theirs = config.support_sketches, max(config.support_photos, 1)
    shown = place[order[own : own + theirs]]
    others = random.permutation(np.setdiff1d(np.arange(photos), shown))  # where sketches are few
    return order[:own], np.concatenate([shown, others])[:theirs]


def _support(config: DPCLIPConfig, sketches: np.ndarray, photos: np.ndarray) -> np.ndarray:
    own, theirs = config.support_counts
    return np.concatenate([sketches[:own], photos[:theirs]]).astype(np.int64)


def check_trainable(manifest: Manifest, config: RunConfig, split: str = "unseen", trains: bool = True) -> None:
    """Raise UserError for what would stop a run that is tested on `split`: an epoch without a step, a category without
    the photos or queries for a test, a support that nobody can give. `trains`: whether anything is to train.
    """
    model, tested = config.model, {split: config.test_categories}
    if trains:
        if not manifest.categories("seen"):
            raise UserError(f"{manifest.name}: no category is seen, so nothing can train. List fewer as unseen.")
        batches = len(training_batches(manifest, config.batch, 0, 0, model))
        if batches < config.joint:
            raise UserError(f"joint={config.joint}: an epoch of {manifest.name} has {batches} batches. Lower `joint`.")
        if model.checkpoint == "val":
            tested["val"] = config.test_categories
        if model.sees_support or model.reads_words:  # category-level tests take the mean of their prompts
            tested["seen"] = 0
    for part, limit in tested.items():
        if not manifest.categories(part):
            raise UserError(f"{manifest.name} has no {part} category. Hold some seen ones out: --set val_categories=N.")
        styles = (manifest.paired if part == split else []) or manifest.styles[:1]
        for number, style in enumerate(styles):
            # held-out asks for more than transductive does
            tests = test_sets(manifest, part, style, "held-out", model, 0, limit)
            lone = [test.category for test in tests if not len(test.queries)]
            if lone and (len(lone) == len(tests) or (number == 0 and part != "seen")):
                once = f"once {max(model.support_photos, 1)} photos and their sketches are its support"
                what = f"no {style} sketch is left to ask with, {once}. Add some to the others."
                raise UserError(f"category {lone[0]!r}: {what}")


test_sets.__test__ = False
