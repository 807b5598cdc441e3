"""The rivals are settings that exist, each with a source in the bibliography and a reading."""

import re

import pytest

from dpclip.config import preset
from dpclip.files import ROOT
from dpclip.method.rivals import PLAIN, RIVALS


@pytest.mark.parametrize("name", RIVALS)
def test_a_rival_is_documented_and_its_settings_exist(name):
    rival = RIVALS[name]
    keys = re.findall(r"^@\w+\{(\w+),", (ROOT / "book" / "references.bib").read_text(encoding="utf-8"), re.MULTILINE)
    assert rival.source in keys and len(rival.reading) > 40
    config = preset("paper").set(**rival.changes)
    assert not config.model.sees_support and not config.model.reads_words and not config.model.patch_matching


def test_a_rival_differs_from_plain_clip_only_in_what_it_names():
    """Batches, augmentation, support items left out and evaluation follow from fields that no rival touches."""
    touched = {name for rival in RIVALS.values() for name in rival.changes} - {*PLAIN, "method"}
    assert touched == {
        "margin",
        "hard_every",
        "shuffle_weight",
        "relative_weight",
        "text_weight",
    }
