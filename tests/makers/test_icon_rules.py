"""Which concept an icon's name means, and which icons count as alike."""

import numpy as np
import pytest

from dpclip.data.benchmark import Icon, read_icons
from makers import choosing, concepts, icon_sets


def icon(name, set_name="tabler"):
    return Icon("", set_name, name, "0 0 24 24", "", False)


@pytest.mark.parametrize(
    ("name", "concept"),
    [
        ("cat", "cat"),
        ("cat-face", "cat"),
        ("black-cat", "cat"),
        ("cat-02-bold", "cat"),
        ("fire-engine", "fire truck"),  # the longest phrase, and another name of it
        ("fish-with-bones", "fish"),  # the head noun stands before the preposition
        ("scissors", "scissors"),  # no singular
        ("hot-dog", "hot dog"),  # no dog
        ("paint-bucket", None),  # an interface's bucket
        ("police-car-light", None),  # no style of a police car
        ("mushroom-house", "house"),  # a house, no mushroom
        ("cat-user", None),
        ("bus-stop", None),
        ("calendar-star", None),
        ("tennis-racket-and-ball", None),  # two things
    ],
)
def test_an_icon_belongs_to_the_head_noun_of_its_name(name, concept):
    assert concepts.concept_of(icon(name), "tabler") == concept


@pytest.mark.parametrize(
    ("name", "family", "kept"),
    [
        ("mouse", "noto", True),
        ("mouse", "tabler", False),
        ("bug", "noto", False),
        ("bug", "tabler", True),
        ("bat", "game-icons", True),
        ("bat", "tabler", False),
    ],
)
def test_a_concept_has_one_sense(name, family, kept):
    assert (concepts.concept_of(icon(name), family) == name) is kept


def test_wrong_icons_are_out_in_all_their_styles_and_each_has_a_reason():
    wrong = concepts.rules()["wrong"]
    assert "mingcute:factory" in wrong and all(reason.strip() for reason in wrong.values())
    assert concepts.concept_of(icon("factory-line", "mingcute"), "mingcute") is None
    assert concepts.concept_of(icon("factory", "tabler"), "tabler") == "factory"
    assert {entry.partition(":")[0] for entry in wrong} <= set(icon_sets.families())


def test_all_styles_of_a_drawing_are_one_drawing_and_numbered_ones_are_several():
    styles = ("cat", "cat-bold", "cat-fill", "cat-bold-duotone", "cat-24-filled")
    assert {concepts.style_group(name) for name in styles[:4]} == {"cat"}
    assert concepts.style_group("cat-02-bold") == "cat-02" != concepts.style_group("cat-03-bold")
    assert {concepts.style_free(name) for name in styles} == {"cat"}


def test_licences_allow_the_book():
    rows = icon_sets.icon_sets()
    assert len(rows) == len({row["set"] for row in rows}) and all(len(row["sha256"]) == 64 for row in rows)
    assert {row["licence"] for row in rows} <= {
        "MIT", "ISC", "Apache-2.0", "CC0-1.0", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-4.0",
    }  # fmt: skip
    assert "icon-park" not in {row["set"] for row in rows}  # its black outline would be in the photo


@pytest.mark.parametrize("licence", ["GPL-2.0-or-later", "CC-BY-NC-4.0"])
def test_other_licences_are_refused(licence, monkeypatch):
    monkeypatch.setattr(icon_sets, "read_csv", lambda path: [{"set": "x", "licence": licence}])
    with pytest.raises(icon_sets.UserError, match="Remove the set"):
        icon_sets.icon_sets()


def look(name, values):
    flat = np.array(values + [0.0] * (choosing.CELLS**2 - len(values)), dtype=np.float32)
    return choosing.Look(icon(name), flat / np.linalg.norm(flat), False)


def test_the_second_of_two_alike_icons_goes_and_a_rendering_of_the_same_drawing_goes_earlier():
    one, alike, other = look("cat-1", [1.0]), look("cat-2", [1.0, 0.5]), look("cat-3", [1.0, 0.75])
    twin = look("cat-1-bold", [1.0, 0.75, 0.01])
    assert choosing._unlike([one, alike]) == [one]  # cosine 0.89
    assert choosing._unlike([one, other]) == [one, other]  # cosine 0.8
    assert choosing._unlike([one, twin]) == [one]  # the same, but one drawing


@pytest.mark.parametrize("concept", ["avocado", "balloon", "camel"])
def test_no_two_chosen_icons_of_a_concept_look_alike(concept):
    looks = [choosing.look_at(icon) for icon in read_icons() if icon.concept == concept]
    maps = np.stack([look.map for look in looks])
    likeness = maps @ maps.T - 2 * np.eye(len(maps))
    assert len(looks) >= choosing.LEAST and likeness.max() <= choosing.ALIKE + 1e-5


def test_a_slab_is_a_full_disc_or_a_full_rectangle_at_any_angle():
    y, x = np.mgrid[0:160, 0:160] - 80
    c, s = np.cos(0.5), np.sin(0.5)
    assert choosing._slab(x**2 + y**2 < 60**2)
    assert choosing._slab((abs(c * x + s * y) < 50) & (abs(c * y - s * x) < 30))
    assert not choosing._slab((x**2 + y**2 < 60**2) & ((x < 0) | (y < 0)))
