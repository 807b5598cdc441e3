import numpy as np
import pytest

from dpclip.data.batches import SupportRule, test_sets, training_batches
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
    batches = training_batches(toy, 4, 0, 0, SupportRule())
    assert len(batches) == 3 * (10 // 4)  # the incomplete last batch of a category is dropped
    for batch in batches:
        rows = np.concatenate([batch.sketch, batch.positive, batch.negative, batch.support])
        assert set(column(toy, "category", rows)) == {batch.category}
        assert set(column(toy, "split", rows)) == {"seen"}
        assert (column(toy, "instance", batch.sketch) == column(toy, "instance", batch.positive)).all()
        assert (column(toy, "instance", batch.positive) != column(toy, "instance", batch.negative)).all()
        assert column(toy, "modality", batch.support).tolist() == ["sketch", "photo", "photo"]
        assert len(set(batch.support)) == 3


def test_an_epoch_repeats_and_the_next_one_differs(toy):
    def rows(epoch, seed=0):
        return np.concatenate([b.sketch for b in training_batches(toy, 4, seed, epoch, SupportRule())])

    assert (rows(0) == rows(0)).all()
    assert (rows(0) != rows(1)).any() and (rows(0) != rows(0, seed=1)).any()


def test_every_sketch_is_used_once_an_epoch(toy):
    rows = np.concatenate([b.sketch for b in training_batches(toy, 5, 0, 0, SupportRule())])
    assert sorted(rows) == toy.rows(split="seen", modality="sketch").tolist()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("where", ["training", "test"])
def test_the_kind_of_support(toy, kind, where):
    rule = SupportRule(kind)
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
        sets = test_sets(toy, "unseen", "warped", "held-out", SupportRule(kind), 3)
        plain = test_sets(toy, "unseen", "warped", "held-out", SupportRule(), 3)
        for one, reference in zip(sets, plain, strict=True):
            given = set(column(toy, "instance", reference.support))
            assert len(given) == 2
            assert not given & set(column(toy, "instance", one.gallery))
            assert not given & set(column(toy, "instance", one.queries))
            assert len(one.gallery) == 3 and len(one.queries) == 6


@pytest.mark.parametrize("protocol", ["held-out", "transductive"])
def test_targets_point_at_the_photo_of_the_query(toy, protocol):
    for one in test_sets(toy, "unseen", "warped", protocol, SupportRule(), 1):
        targets = one.gallery[one.target]
        assert (column(toy, "instance", targets) == column(toy, "instance", one.queries)).all()


def test_transductive_keeps_everything_and_takes_support_from_the_test_items(toy):
    for one in test_sets(toy, "unseen", "warped", "transductive", SupportRule(), 1):
        assert len(one.gallery) == 5 and len(one.queries) == 10
        assert set(one.support) <= set(one.gallery) | set(one.queries)


def test_bad_requests(toy, tmp_path):
    with pytest.raises(UserError, match="protocol 'inductive'.*transductive, held-out"):
        test_sets(toy, "unseen", "warped", "inductive", SupportRule(), 0)
    with pytest.raises(UserError, match="batch=N"):
        training_batches(toy, 64, 0, 0, SupportRule())
    with pytest.raises(UserError, match="'pear' has 3 photos"):
        test_sets(make_toy(tmp_path, instances=3), "unseen", "warped", "held-out", SupportRule(), 0)


def test_where_sketches_have_no_photo_of_their_own_they_are_dealt_one(tmp_path):
    toy = make_toy(tmp_path)
    rows = toy.table.assign(instance=toy.table["path"]).to_dict("records")
    unpaired = Manifest.of("toy", tmp_path, rows, toy.text, paired=False)
    first, second = (training_batches(unpaired, 4, 0, epoch, SupportRule()) for epoch in (0, 1))
    category = unpaired.table["category"].to_numpy()
    for batch in first:
        assert set(category[[*batch.sketch, *batch.positive, *batch.negative]]) == {batch.category}
        assert (batch.positive != batch.negative).all()
    dealt = [
        dict(zip(np.r_[*(b.sketch for b in e)], np.r_[*(b.positive for b in e)], strict=True)) for e in (first, second)
    ]
    assert any(dealt[0][s] != dealt[1][s] for s in dealt[0].keys() & dealt[1].keys())  # anew every epoch
    for test in test_sets(unpaired, "unseen", "warped", "held-out", SupportRule(), 0):
        assert not set(test.support) & {*test.queries, *test.gallery} and len(test.support) == 3
