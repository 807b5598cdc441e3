"""What the page `try` ranks: of some unseen categories the context, the photos with their features, and sketches.

The protocol is `held-out`: the support's photos are not in the gallery, and neither its sketch nor theirs are offered.
"""

import base64
import gzip
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from dpclip.data.batches import TestSet
from dpclip.data.manifest import Manifest
from dpclip.data.store import ImageStore
from dpclip.evaluation.evaluate import Bench, category_test
from dpclip.method.model import Context
from dpclip_book.pages.tower import stacked
from dpclip_book.studies.rankings import in_turn

LARGEST = 32767  # of 16 bits: features of length 1 are kept in steps of 1 / LARGEST
EACH = 3  # of the categories that people drew, so that the page stays light
BY_PEOPLE = 8  # their sketches of a category
QUALITY = 85  # of the photos' WebP


@dataclass(frozen=True)
class Offer:
    """One category of the page."""

    test: TestSet
    context: Context
    sketches: list[tuple[int, str]]  # row number, and who drew it


def offers(bench: Bench) -> list[Offer]:
    tests = [category_test(bench.store, bench, name) for name in offered_categories(bench.store.manifest)]
    return [Offer(test, bench.context(test), offered_sketches(bench.store, test)) for test in tests]


def offered_categories(manifest: Manifest) -> list[str]:
    """Every third of the unseen categories that people drew, in sorted order; all unseen ones where nobody drew."""
    drawn = [manifest.table.iloc[manifest.rows(split="unseen", style=style)] for style in manifest.unpaired]
    return sorted({name for part in drawn for name in part["category"]})[::EACH] or manifest.categories("unseen")


def offered_sketches(store: ImageStore, test: TestSet) -> list[tuple[int, str]]:
    """Some sketches by people, which show no certain photo, and of each photo of the test one by a program, by each
    hand in turn.
    """
    manifest = store.manifest
    people = [row for style in manifest.unpaired for row in manifest.rows(style=style, category=test.category)]
    drawn = np.intersect1d(test.queries, in_turn(manifest))
    hands = [Path(path).stem.split("-")[-1] for path in manifest.table["path"][drawn]]
    found = [(int(row), "drawn by a person") for row in people[:BY_PEOPLE]]
    return found + [(int(row), f"drawn by a program, hand {hand}") for row, hand in zip(drawn, hands, strict=True)]


@torch.inference_mode()
def page_data(bench: Bench, found: list[Offer]) -> dict:
    """All of it, ready for JSON. Categories are described one by one; the numbers of all of them lie end to end, each
    kind in one packed array: "contexts" float32, prompts (M, K, D) then scales (M, 2, r) for each category; "features"
    int16 (photos, 1+W, E); "sketches" uint8 (sketches, S, S), the support's own after the others of its category.
    """
    contexts, features, sketches, categories = [], [], [], []
    for offer in found:
        prompts, scales = stacked(offer.context)
        contexts += [prompts.flatten(), scales.flatten()]
        levels = F.normalize(bench.encode(offer.test.gallery, offer.context).levels(), dim=-1)  # (G, 1+W, E)
        features.append(np.rint(levels.numpy(force=True) * LARGEST).astype("<i2"))
        shown = [row for row, _ in offer.sketches]
        hint = [int(row) for row in offer.test.support if not bench.store.is_photo[row]]
        sketches.append(bench.store.load(np.array(shown + hint)).numpy())
        categories.append(describe(bench.store, offer, len(hint)))
    return {
        "size": bench.store.size,
        "fusion": bench.model.config.fusion,
        "levels": list(levels.shape[1:]),
        "prompts": list(prompts.shape),
        "scales": list(scales.shape),
        "largest": LARGEST,
        "categories": categories,
        "contexts": packed(torch.cat(contexts).numpy(force=True).astype("<f4").tobytes()),
        "features": packed(np.concatenate(features).tobytes()),
        "sketches": packed(np.concatenate(sketches).tobytes()),
    }


def describe(store: ImageStore, offer: Offer, hints: int) -> dict:
    """A category's names and photos. `target` is the place of a sketch's photo in the gallery, None for one that has
    none; `hints` of its pictures in "sketches" belong to the support.
    """
    names, gallery, words = store.manifest.table["instance"], offer.test.gallery, store.manifest.text
    place = {names[row]: number for number, row in enumerate(gallery)}
    return {
        "name": offer.test.category,
        "words": words[offer.test.category],
        "photos": [{"name": readable(names[row]), "picture": webp(store, row)} for row in gallery],
        "sketches": [
            {"name": readable(names[row]), "by": by, "target": place.get(names[row]), "row": row}
            for row, by in offer.sketches
        ],
        "hints": hints,
        "support": [webp(store, row) for row in offer.test.support if store.is_photo[row]],
    }


def readable(instance: str) -> str:
    return instance.replace("-", " ")


def webp(store: ImageStore, row: int) -> str:
    """A picture as the model sees it, in an address that holds it."""
    pixels = store.load(np.array([row]))[0].expand(3, -1, -1).permute(1, 2, 0).numpy()
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "WEBP", quality=QUALITY, method=6)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def packed(content: bytes) -> str:
    """Bytes as text for a script: a page opened from a disk may not fetch files."""
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()
