"""Splits by author, by file and by rule; validation; spellings and words."""

import pytest

from dpclip.data.sources import READERS, open_dataset, sources
from dpclip.data.splits import assign, authors, canonical, category_words, closest, known_categories, unseen_categories
from dpclip.errors import UserError
from dpclip_prepare.check.where import where

KNOWN = known_categories("sketchy")


def test_lists_have_the_published_sizes_and_fit_their_datasets():
    sizes = {author: len(set(unseen)) for name in READERS for author, unseen in authors(name).items()}
    assert sizes == {"yelamarthi": 21, "shen": 25, "sake": 30, "doodle2search": 30}
    assert len(KNOWN) == 125 and len(known_categories("quickdraw-ext")) == 110
    assert all(set(authors("sketchy")[author]) <= set(KNOWN) for author in ("yelamarthi", "shen"))


@pytest.mark.parametrize("number", ["1", "split 2", "split1"])
def test_a_split_has_no_number(number):
    with pytest.raises(UserError, match="A number is not enough.*yelamarthi, shen"):
        unseen_categories("sketchy", number, KNOWN)


def test_a_split_from_a_file(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("# mine\nCow\n\nhot air balloon\n")
    assert unseen_categories("sketchy", str(path), KNOWN) == ["cow", "hot-air_balloon"]
    path.write_text("giraff\n")
    with pytest.raises(UserError, match="'giraff' is no category.*'giraffe'"):
        unseen_categories("sketchy", str(path), KNOWN)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="one category a line"):
        unseen_categories("sketchy", str(path), KNOWN)


def test_both_sides_need_a_category():
    with pytest.raises(UserError, match="1 of 1 categories are unseen"):
        unseen_categories("sketchy", "shen", ["cup"])
    with pytest.raises(UserError, match="0 of 2 categories are unseen"):
        unseen_categories("sketchy", "shen", ["cat", "dog"])


def test_every_fifth_category_without_a_list():
    letters = list("abcdefghijkl")
    assert unseen_categories("folder", "", letters) == ["e", "j"]
    assert unseen_categories("folder", "", letters[:3]) == ["c"]


def test_validation_categories_are_evenly_spaced_seen_ones():
    sides = assign(list("abcdefgh"), ["d", "h"], 2)
    assert [c for c, side in sides.items() if side == "val"] == ["b", "f"]  # second and fifth of a b c e f g
    assert [c for c, side in sides.items() if side == "unseen"] == ["d", "h"]
    for wrong in (-1, 6):
        with pytest.raises(UserError, match="choose 0 to 5"):
            assign(list("abcdefgh"), ["d", "h"], wrong)


@pytest.mark.parametrize("name", ["car_(sedan)", "car_sedan", "Car (sedan)", "CAR-SEDAN"])
def test_spellings_of_a_category(name):
    assert canonical([name], KNOWN) == {name: "car_(sedan)"}


def test_no_two_categories_are_spellings_of_each_other():
    for name in ("sketchy", "quickdraw-ext"):
        assert len(set(canonical(known_categories(name), known_categories(name)).values())) == len(
            known_categories(name)
        )
    assert canonical(["The Eiffel Tower", "crocodile"], known_categories("quickdraw-ext")) == {
        "The Eiffel Tower": "eiffel tower",
        "crocodile": "crocodilian",
    }


def test_near_names_and_words():
    assert closest("rhinocerous", KNOWN) == "rhinoceros" and closest("qqq", KNOWN) is None
    assert category_words("alarm_clock") == "alarm clock" and category_words("car (sedan)") == "car sedan"
    assert category_words("jack-o-lantern") == "jack-o-lantern" and category_words("teddy-bear") == "teddy bear"
    assert all("_" not in category_words(c) for c in KNOWN)


@pytest.mark.parametrize("name", READERS)
def test_where_tells_source_terms_layout_and_splits(name):
    text = where(name)
    for heading in ("Where", "Terms", "Layout", f"dpclip data check {name}"):
        assert heading in text
    assert ("Splits, by author" in text) == (name != "folder")
    assert name == "folder" or "check the terms at the source" in text.replace("\n  ", " ").lower()


def test_names_are_the_same_everywhere():
    assert set(sources()) == set(READERS)
    with pytest.raises(UserError, match="'skechy' is unknown"):
        where("skechy")
    with pytest.raises(UserError, match="one fixed split"):
        open_dataset("icon-sbir", unseen="shen")
