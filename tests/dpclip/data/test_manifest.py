"""The manifest: sorting, row numbers, splits and identity."""

import pytest

from dpclip.data.manifest import Manifest
from dpclip.errors import UserError

ROWS = [
    {"modality": m, "category": c, "instance": i, "style": s, "path": f"{m}/{c}/{i}.png", "split": split}
    for c, split in (("cup", "unseen"), ("bird", "seen"))
    for i in ("two", "one")
    for m, s in (("sketch", "warped"), ("photo", "photo"))
]
TEXT = {"cup": "cup", "bird": "bird"}


def manifest(rows=ROWS, text=TEXT, fingerprint=""):
    return Manifest.of("toy", "somewhere", rows, text, fingerprint)


def test_rows_are_sorted_and_numbered_whatever_their_first_order():
    one, other = manifest(), manifest(ROWS[::-1])
    assert one.table.equals(other.table) and one.hash == other.hash
    assert list(one.table.index) == list(range(8))
    assert list(one.table["modality"]) == ["photo"] * 4 + ["sketch"] * 4


def test_rows_select_by_every_given_column():
    toy = manifest()
    found = toy.table.iloc[toy.rows(modality="sketch", split="unseen")]
    assert list(found["path"]) == ["sketch/cup/one.png", "sketch/cup/two.png"]
    assert toy.categories("seen") == ["bird"] and toy.categories("val") == []
    assert len(toy.rows(category="mug")) == 0
    with pytest.raises(KeyError, match="kind"):
        toy.rows(kind="photo")


def test_examples_are_the_wanted_categories_or_as_many_others():
    split = {"cup": "unseen", "bird": "seen", "hat": "unseen", "saw": "unseen"}
    rows = [{**ROWS[0], "category": c, "path": f"{c}.png", "split": split[c]} for c in split]
    toy = manifest(rows, {c: c for c in split})
    assert toy.examples(["saw", "cup"]) == ["saw", "cup"]
    assert toy.examples(["saw", "bird", "owl"]) == ["saw", "cup", "hat"]
    assert toy.examples(["bird"] * 9) == ["cup", "hat", "saw"]


def test_hash_changes_with_a_row_the_words_and_the_fingerprint():
    changed = [ROWS[0] | {"path": "elsewhere.png"}, *ROWS[1:]]
    hashes = {
        manifest().hash,
        manifest(changed).hash,
        manifest(text=TEXT | {"cup": "mug"}).hash,
        manifest(fingerprint="x").hash,
    }
    assert len(hashes) == 4 and all(len(value) == 12 for value in hashes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"split": "seen"}, "category 'cup' is in two splits"),
        ({"split": "test"}, "split 'test' is unknown"),
        ({"modality": "drawing"}, "modality 'drawing' is unknown"),
        ({"category": "mug"}, "category 'mug' has no words"),
        ({"path": "photo/cup/two.png"}, "listed twice"),
    ],
)
def test_a_broken_rule_is_named(change, message):
    with pytest.raises(UserError, match=message):
        manifest([ROWS[0] | change, *ROWS[1:]])
