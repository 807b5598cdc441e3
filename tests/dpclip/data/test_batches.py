import numpy as np
import pandas as pd
import pytest

from dpclip.config import DPCLIPConfig, preset
from dpclip.data.batches import check_trainable, test_sets, training_batches
from dpclip.data.manifest import Manifest
from dpclip.errors import UserError
from tests.toy import make_toy

KINDS = ("both", "sketch", "photo", "random", "unmatched")


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return make_toy(tmp_path_factory.mktemp("toy"))


def column(toy, name, rows):
    return toy.table[name].to_numpy()[rows]


def test_a_batch_is_of_one_seen_category_and_its_triplets_are_right(toy):
    batches = training_batches(toy, 4, 0, 0, DPCLIPConfig())
    assert len(batches) == 3 * (10 // 4)  # the incomplete last batch of a category is dropped
    for batch in batches:
        rows = np.concatenate([batch.sketch, batch.positive, batch.negative, batch.support])
        assert set(column(toy, "category", rows)) == {batch.category}
        assert set(column(toy, "split", rows)) == {"seen"}
        assert (column(toy, "instance", batch.sketch) == column(toy, "instance", batch.positive)).all()
        assert (column(toy, "instance", batch.positive) != column(toy, "instance", batch.negative)).all()
        assert column(toy, "modality", batch.support).tolist() == ["sketch", "photo", "photo"]
        assert batch.support.tolist() == [batch.sketch[0], *batch.positive[1:3]]


def test_an_epoch_repeats_and_the_next_one_differs(toy):
    def rows(epoch, seed=0):
        return np.concatenate([b.sketch for b in training_batches(toy, 4, seed, epoch, DPCLIPConfig())])

    assert (rows(0) == rows(0)).all()
    assert (rows(0) != rows(1)).any() and (rows(0) != rows(0, seed=1)).any()


def test_every_sketch_is_used_once_an_epoch(toy):
    rows = np.concatenate([b.sketch for b in training_batches(toy, 5, 0, 0, DPCLIPConfig())])
    assert sorted(rows) == toy.rows(split="seen", modality="sketch").tolist()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("where", ["training", "test"])
def test_the_kind_of_support(toy, kind, where):
    rule = DPCLIPConfig(support=kind)
    if where == "training":
        sets = training_batches(toy, 5, 0, 0, rule)
    else:
        sets = test_sets(toy, "unseen", "warped", "held-out", rule, 0)
    expected = {"sketch": ["sketch"], "photo": ["photo"] * 2}.get(kind, ["sketch", "photo", "photo"])
    for one in sets:
        assert column(toy, "modality", one.support).tolist() == expected
        own = column(toy, "category", one.support) == one.category
        assert not own.any() if kind in ("random", "unmatched") else own.all()
        if kind == "unmatched":
            assert len(set(column(toy, "category", one.support))) == 1


def test_held_out_items_leave_gallery_and_queries_whatever_the_kind(toy):
    for kind in KINDS:
        sets = test_sets(toy, "unseen", "warped", "held-out", DPCLIPConfig(support=kind), 3)
        plain = test_sets(toy, "unseen", "warped", "held-out", DPCLIPConfig(), 3)
        for one, reference in zip(sets, plain, strict=True):
            photos = set(reference.support[1:])
            given = set(column(toy, "instance", list(photos)))
            assert not photos & set(one.gallery) and len(one.gallery) == 5 - len(photos)
            assert not given & set(column(toy, "instance", one.queries))
            assert reference.support[0] not in one.queries
            lone = column(toy, "instance", reference.support[:1])[0] not in given  # the sketch's own photo stays
            assert len(one.queries) == 10 - 2 * len(photos) - lone


@pytest.mark.parametrize("protocol", ["held-out", "transductive"])
def test_targets_point_at_the_photo_of_the_query(toy, protocol):
    for one in test_sets(toy, "unseen", "warped", protocol, DPCLIPConfig(), 1):
        targets = one.gallery[one.target]
        assert (column(toy, "instance", targets) == column(toy, "instance", one.queries)).all()


def test_transductive_keeps_everything_and_takes_support_from_the_test_items(toy):
    for one in test_sets(toy, "unseen", "warped", "transductive", DPCLIPConfig(), 1):
        assert len(one.gallery) == 5 and len(one.queries) == 10
        assert set(one.support) <= set(one.gallery) | set(one.queries)


def test_bad_requests(toy, tmp_path):
    with pytest.raises(UserError, match="protocol 'inductive'.*transductive, held-out"):
        test_sets(toy, "unseen", "warped", "inductive", DPCLIPConfig(), 0)
    with pytest.raises(UserError, match="batch=N"):
        training_batches(toy, 64, 0, 0, DPCLIPConfig())
    with pytest.raises(UserError, match="'pear' has 3 photos"):
        test_sets(make_toy(tmp_path, instances=3), "unseen", "warped", "held-out", DPCLIPConfig(), 0)


def test_where_sketches_have_no_photo_of_their_own_they_are_dealt_one(tmp_path):
    toy = make_toy(tmp_path)
    rows = toy.table.assign(instance=toy.table["path"]).to_dict("records")
    unpaired = Manifest.of("toy", tmp_path, rows, toy.text, unpaired=("warped",))
    first, second = (training_batches(unpaired, 4, 0, epoch, DPCLIPConfig()) for epoch in (0, 1))
    category = unpaired.table["category"].to_numpy()
    for batch in first:
        assert set(category[[*batch.sketch, *batch.positive, *batch.negative]]) == {batch.category}
        assert (batch.positive != batch.negative).all()
    dealt = [
        dict(zip(np.r_[*(b.sketch for b in e)], np.r_[*(b.positive for b in e)], strict=True)) for e in (first, second)
    ]
    assert any(dealt[0][s] != dealt[1][s] for s in dealt[0].keys() & dealt[1].keys())  # anew every epoch
    for test in test_sets(unpaired, "unseen", "warped", "held-out", DPCLIPConfig(), 0):
        assert not set(test.support) & {*test.queries, *test.gallery} and len(test.support) == 3
        assert len(test.queries) == 9  # no sketch leaves with a photo that it does not show


def test_one_rule_of_support_in_training_and_tests():
    """Every place of a batch is alike, so all sets show a sketch with its own photo, or a photo twice, equally often:
    by chance, one in nineteen here, where a category has 20 sketches of 10 photos.
    """
    tiny = listing({"cat": "seen", "pear": "unseen"}, photos=10)

    def shares(sets):
        supports = [column(tiny, "instance", one.support) for one in sets]
        assert {len(support) for support in supports} == {3}
        own = np.mean([sketch in photos for sketch, *photos in map(list, supports)])
        return own, np.mean([one == two for _, one, two in map(list, supports)])

    config, seeds = DPCLIPConfig(), range(1500)
    found = [shares([training_batches(tiny, 10, seed, 0, config)[0] for seed in seeds])]
    for protocol in ("transductive", "held-out"):
        found.append(shares([test_sets(tiny, "unseen", "warped", protocol, config, seed)[0] for seed in seeds]))
    assert np.allclose(found, [2 / 19, 1 / 19], atol=0.03), found


# --- support of other categories ---


@pytest.mark.parametrize("kind", ["random", "unmatched"])
def test_other_categories_give_as_many_photos_as_are_asked_for(toy, kind):
    """Five of a category, though a batch of four sketches shows fewer: photos may coincide."""
    batches = training_batches(toy, 4, 0, 0, DPCLIPConfig(support=kind, support_photos=5))
    for batch in batches:
        assert column(toy, "modality", batch.support).tolist() == ["sketch"] + ["photo"] * 5
        assert batch.category not in column(toy, "category", batch.support)


def test_support_that_nobody_can_give_is_refused(toy):
    alone = listing({"cat": "seen", "dog": "seen", "pear": "unseen"})
    for kind in ("random", "unmatched"):
        with pytest.raises(UserError, match=f"support='{kind}': no category beside 'pear'"):
            test_sets(alone, "unseen", "warped", "held-out", DPCLIPConfig(support=kind), 0)
    with pytest.raises(UserError, match="support_sketches=8: a batch has 4 sketches"):
        training_batches(toy, 4, 0, 0, DPCLIPConfig(support_sketches=8))


def test_photos_that_nobody_drew_are_no_support_while_there_are_others():
    rows = listing({"cat": "seen", "pear": "unseen"}, photos=9).table
    drawn = rows[(rows["modality"] == "photo") | (rows["instance"] < "3")]  # three of nine
    few = Manifest.of("few", "nowhere", drawn, {"cat": "cat", "pear": "pear"})
    for seed in range(5):
        (test,) = test_sets(few, "unseen", "warped", "held-out", DPCLIPConfig(), seed)
        assert column(few, "modality", test.support).tolist() == ["sketch", "photo", "photo"]
        assert (column(few, "instance", test.support) < "3").all()
        assert len(test.queries) + 2 * len(set(test.support[1:])) in (5, 6)


# --- what can be trained ---


def listing(splits, photos=5, sketches=2, **few):
    """A manifest without files; `few`: category -> how many photos it has instead."""
    rows = [
        {"modality": "photo" if k < 0 else "sketch", "category": category, "instance": str(number)}
        | {"style": "photo" if k < 0 else "warped", "path": f"{category}/{number}/{k}", "split": split}
        for category, split in splits.items()
        for number in range(few.get(category, photos))
        for k in range(-1, sketches)
    ]
    return Manifest.of("tiny", "nowhere", rows, {category: category for category in splits})


SPLITS = {"cat": "seen", "dog": "seen", "hat": "val", "pear": "unseen", "saw": "unseen"}
CONFIG = preset("smoke").set(batch=4)


def test_what_suffices_is_let_through():
    tiny = listing(SPLITS, pear=4)
    for split in ("unseen", "val"):
        check_trainable(tiny, CONFIG, split)
    check_trainable(listing({"pear": "unseen", "saw": "unseen"}), CONFIG, trains=False)
    check_trainable(tiny, CONFIG.set(support="random", support_photos=2))
    check_trainable(
        listing(SPLITS, cat=3), CONFIG.set(visual_prompt="none", scaling="none")
    )  # photos of cats: no support


@pytest.mark.parametrize(
    ("tiny", "changes", "message"),
    [
        (listing(SPLITS, cat=1), {}, "'cat' has 1 photo: triplets need a second one"),
        (listing(SPLITS, cat=3), {}, "'cat' has 3 photos, but 2 for the support and two to tell apart"),
        (listing(SPLITS, pear=3), {}, "'pear' has 3 photos, but 2 for the support and two to tell apart"),
        (listing(SPLITS, hat=3), {"checkpoint": "val"}, "'hat' has 3 photos"),
        (listing({"cat": "seen", "pear": "unseen"}), {"checkpoint": "val"}, "no val category.*val_categories=N"),
        (listing({"pear": "unseen", "saw": "unseen"}), {}, "no category is seen, so nothing can train"),
        (listing(SPLITS), {"batch": 11}, "no seen category of tiny has 11 sketches.*batch=N"),
        (listing({"cat": "seen", "saw": "unseen"}), {"negatives": "category"}, "negatives='category'.*single seen"),
        (listing({"cat": "seen", "saw": "unseen"}), {"support": "random"}, "no category beside 'cat'"),
        (listing(SPLITS | {"saw": "seen"}), {"support": "unmatched"}, "no category beside 'pear'"),
        (listing(SPLITS), {"support_sketches": 5}, "support_sketches=5: a batch has 4 sketches"),
        (listing(SPLITS), {"joint": 5}, "joint=5: an epoch of tiny has 4 batches"),
        (listing(SPLITS), {"joint": 1000}, "joint=1000"),
    ],
)
def test_what_would_stop_a_run_is_said_before(tiny, changes, message):
    with pytest.raises(UserError, match=message):
        check_trainable(tiny, CONFIG.set(**changes))


def test_a_test_category_without_queries_is_said_before():
    rows = listing(SPLITS).table
    undrawn = rows[(rows["category"] != "saw") | (rows["modality"] == "photo") | (rows["instance"] < "2")]
    few = Manifest.of("few", "nowhere", undrawn, {category: category for category in SPLITS})
    with pytest.raises(UserError, match="'saw': no warped sketch is left to ask with, once 2 photos and"):
        check_trainable(few, CONFIG)


def test_a_style_that_some_categories_lack_is_let_through_and_one_without_queries_is_not():
    """Where people drew some objects only, as in the embedded benchmark."""
    rows = listing(SPLITS).table

    def drawn(chosen):
        extra = rows[chosen & (rows["modality"] == "sketch")]
        extra = extra.assign(style="human", path="human/" + extra["path"])
        return Manifest.of("tiny", "nowhere", pd.concat([rows, extra]), {category: category for category in SPLITS})

    check_trainable(drawn(rows["category"] == "pear"), CONFIG)
    with pytest.raises(UserError, match="'pear': no human sketch"):
        check_trainable(drawn(rows["category"] == "cat"), CONFIG)


def test_what_is_swapped_is_another_s_and_nothing_else_changes():
    manifest, model = listing(SPLITS), CONFIG.model
    own = test_sets(manifest, "unseen", "warped", "held-out", model, 3)
    by_name = {test.category: test for test in own}
    for what, same in (("support", "words"), ("words", "support")):
        found = test_sets(manifest, "unseen", "warped", "held-out", CONFIG.set(swapped=what).model, 3)
        assert [test.category for test in found] == list(by_name)
        for test in found:
            mine = by_name[test.category]
            (giver,) = (t for t in own if np.array_equal(getattr(t, what), getattr(test, what)))
            assert giver.category != test.category and np.array_equal(getattr(test, same), getattr(mine, same))
            assert np.array_equal(test.gallery, mine.gallery) and np.array_equal(test.queries, mine.queries)
    with pytest.raises(UserError, match="'pear' is tested alone"):
        alone = {**SPLITS, "saw": "seen"}
        test_sets(listing(alone), "unseen", "warped", "held-out", CONFIG.set(swapped="words").model, 3)
