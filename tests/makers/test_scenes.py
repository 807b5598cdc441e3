"""Scenes of two objects: whose they are, where they are, and what is left when one is taken away."""

import numpy as np
import pytest

from dpclip.data.benchmark import read_icons, split_by_name
from dpclip.data.images import read_image
from dpclip_prepare.draw.canvas import SIDE
from makers.scenes import COLUMNS, SHOWN, draw_scene, others_of

SOME = read_icons()[::200]


@pytest.fixture(scope="module")
def jobs():
    return others_of(SOME)


def test_who_shares_a_scene_is_of_another_concept_and_of_the_same_split(jobs):
    split = split_by_name({icon.concept for icon in SOME})
    for named, other in jobs:
        assert named.concept != other.concept and split[named.concept] == split[other.concept]


def test_both_objects_lie_within_the_picture_at_different_places(jobs, tmp_path):
    for job in jobs[:6]:
        line = dict(zip(COLUMNS, draw_scene(job, tmp_path, "both"), strict=True))
        for way in ("", "other_"):
            side, corner = line[f"{way}side"], (line[f"{way}x"], line[f"{way}y"])
            assert 0.55 < side < 0.75 and all(0 <= low and low + side <= 1.001 for low in corner)
        assert abs(line["x"] - line["other_x"]) + abs(line["y"] - line["other_y"]) > 0.3


def test_a_scene_is_drawn_alike_again_and_every_part_shown_is_another_picture(jobs, tmp_path):
    named, _ = jobs[3]
    shown = {}
    for part in SHOWN:
        draw_scene(jobs[3], tmp_path / part, part)
        shown[part] = read_image(tmp_path / part / "photo" / named.category / f"{named.instance}.png", SIDE)
    again = tmp_path / "again"
    draw_scene(jobs[3], again, "both")
    assert (read_image(again / "photo" / named.category / f"{named.instance}.png", SIDE) == shown["both"]).all()
    assert all((shown["both"] != shown[part]).any() for part in SHOWN[1:])
    assert (
        np.abs(np.diff(shown["background"].astype(int), axis=2)).mean()
        < np.abs(np.diff(shown["both"].astype(int), axis=2)).mean()
    )
