"""Which images meet: training batches of one category, support sets, and the test protocols.

Every choice is a function of (seed, epoch) or (seed, category), never of a running generator: what a step sees does
not depend on what ran before it.
"""

from dataclasses import dataclass, replace

import numpy as np

from dpclip.data.manifest import Manifest
from dpclip.errors import UserError


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


@dataclass(frozen=True)
class SupportRule:
    """How a support set is chosen: `kind` both | sketch | photo | random | unmatched, and how many of each modality."""

    kind: str = "both"
    sketches: int = 1
    photos: int = 2

    def trim(self, sketches: np.ndarray, photos: np.ndarray) -> np.ndarray:
        """The chosen sketches, then the chosen photos, as `kind` asks."""
        parts = [
            [] if self.kind == "photo" else sketches[: self.sketches],
            [] if self.kind == "sketch" else photos[: self.photos],
        ]
        return np.concatenate([np.asarray(part, dtype=np.int64) for part in parts])


def pairs(manifest: Manifest, category: str, style: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A category's sketches of one style, its photos, and the place of each sketch's photo among them. Where sketches
    have no photo of their own, they are dealt the category's photos in turn.

    Raises UserError when a sketch of a paired dataset has no photo.
    """
    sketches, photos = manifest.rows(category=category, style=style), manifest.rows(category=category, modality="photo")
    if not manifest.paired and len(photos):
        return sketches, photos, np.arange(len(sketches)) % len(photos)
    instances = manifest.table["instance"].to_numpy()
    place = {instance: number for number, instance in enumerate(instances[photos])}
    for row in sketches:
        if instances[row] not in place:
            raise UserError(
                f"{manifest.table['path'][row]}: no photo of {instances[row]!r} in {category!r}. "
                "Add it, or remove the sketch."
            )
    return sketches, photos, np.array([place[i] for i in instances[sketches]], dtype=np.int64)


def training_batches(
    manifest: Manifest, size: int, seed: int, epoch: int, rule: SupportRule, negatives: str = "instance"
) -> list[Batch]:
    """One epoch over the seen categories, shuffled; the last batch of a category is dropped when it is not full.
    Section 7 `code`.

    The support of a batch comes from the batch itself; `random` and `unmatched` take it from other seen categories.
    `negatives`: "instance", other photos of the category `code`, or "category", photos of other seen categories `ours`.
    Raises UserError when no category fills a batch or a category has a single photo.
    """
    random = np.random.default_rng([seed, epoch])
    batches = []
    for category in manifest.categories("seen"):
        sketches, photos, place = pairs(manifest, category, manifest.styles[0])
        if not manifest.paired:
            place = random.permutation(len(photos))[place]
        if len(photos) < 2:
            raise UserError(
                f"category {category!r} has {len(photos)} photo: triplets need a second one. Leave the category out."
            )
        order = random.permutation(len(sketches))
        if negatives == "category":
            foreign = np.setdiff1d(manifest.rows(split="seen", modality="photo"), photos)
            negative = foreign[random.integers(len(foreign), size=len(place))]
        else:
            negative = photos[(place + random.integers(1, len(photos), len(place))) % len(photos)]
        for start in range(0, len(order) - size + 1, size):
            i = order[start : start + size]
            positive = photos[place[i]]
            support = rule.trim(sketches[i], np.array(list(dict.fromkeys(positive[::-1].tolist()))))
            batches.append(Batch(category, sketches[i], positive, negative[i], support))
    if not batches:
        raise UserError(
            f"no seen category of {manifest.name} has {size} sketches. Lower the batch size: --set batch=N."
        )
    batches = [batches[i] for i in random.permutation(len(batches))]
    if rule.kind not in ("random", "unmatched"):
        return batches
    donors = [_donor(batch.category, batches, rule, random) for batch in batches]
    return [replace(batch, support=support) for batch, support in zip(batches, donors, strict=True)]


def _donor(category: str, batches: list, rule: SupportRule, random: np.random.Generator) -> np.ndarray:
    """A support set of the same size from one other category (unmatched), or each image from any other one (random)."""
    others = [b for b in batches if b.category != category]
    if rule.kind == "unmatched":
        return others[random.integers(len(others))].support
    return np.array([others[random.integers(len(others))].support[n] for n in range(rule.sketches + rule.photos)])


def test_sets(
    manifest: Manifest, split: str, style: str, protocol: str, rule: SupportRule, seed: int, limit: int = 0
) -> list[TestSet]:
    """The test of each category of `split`, with queries of one sketch `style`; categories without queries are left
    out.

    transductive  support: the first of the category's shuffled queries, and the photos of its next ones; nothing is
    removed `code`
    held-out      support: photos of two instances and a sketch of theirs, of the style that trains; those instances
    leave gallery and queries `ours`
    Removal does not depend on `rule.kind`, so numbers of all methods compare. `limit` keeps the first categories only.
    Raises UserError for an unknown protocol and for a category too small to give a support away.
    """
    if protocol not in PROTOCOLS:
        raise UserError(f"protocol {protocol!r} is unknown. Choose one of {', '.join(PROTOCOLS)}.")
    tests = []
    for number, category in enumerate(manifest.categories(split)[: limit or None]):
        random = np.random.default_rng([seed, number])
        sketches, photos, place = pairs(manifest, category, style)
        needed = max(rule.photos, 1)
        if len(photos) < needed + 2:
            raise UserError(
                f"category {category!r} has {len(photos)} photos, but {needed} for the support and two to tell apart "
                "are needed. Leave the category out."
            )
        if protocol == "held-out":
            given = random.permutation(len(photos))[:needed]
            drawn, _, drawn_place = pairs(manifest, category, manifest.styles[0])
            own = drawn[np.isin(drawn_place, given)]
            support = rule.trim(own[random.permutation(len(own))], photos[given])
            kept = np.setdiff1d(np.arange(len(photos)), given)
            asked = ~np.isin(place, given)
            sketches, place, photos = sketches[asked], np.searchsorted(kept, place[asked]), photos[kept]
        else:
            order = random.permutation(len(sketches))
            first = dict.fromkeys(photos[place[order]].tolist())
            rest = dict.fromkeys(photos[random.permutation(len(photos))].tolist())
            support = rule.trim(sketches[order], np.array(list(first | rest)))
        if len(sketches):
            tests.append(TestSet(category, sketches, photos, place, support))
    if rule.kind in ("random", "unmatched"):
        random = np.random.default_rng([seed, len(tests)])
        donors = [_donor(test.category, tests, rule, random) for test in tests]
        tests = [replace(test, support=support) for test, support in zip(tests, donors, strict=True)]
    return tests


PROTOCOLS = ("transductive", "held-out")
test_sets.__test__ = False
