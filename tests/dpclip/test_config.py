import hashlib
import json

import pytest

from dpclip.config import PRESETS, parse_settings, preset
from dpclip.errors import UserError


def test_presets_share_the_code_and_differ_in_size():
    assert set(PRESETS) == {"smoke", "dry", "mini", "paper"}
    paper = preset("paper")
    assert (paper.epochs, paper.batch, paper.clip_rate, paper.new_rate) == (60, 64, 1e-6, 1e-5)
    assert (paper.model.rank, paper.model.margin, paper.model.local_weight, paper.model.fusion) == (16, 0.15, 0.1, 0.2)
    assert (paper.model.trainable, paper.model.normalisation) == ("norms+embeddings", "imagenet")


def test_an_unknown_preset_or_field_names_the_cure():
    with pytest.raises(UserError, match="unknown preset 'huge'.*smoke, dry, mini, paper"):
        preset("huge")
    with pytest.raises(UserError, match="unknown config field 'epoch'. Did you mean 'epochs'"):
        preset("mini").set(epoch=3)
    with pytest.raises(UserError, match="visual_prompt='deeep'.*shallow"):
        preset("mini").set(visual_prompt="deeep")
    with pytest.raises(UserError, match="batch=1"):
        preset("mini").set(batch=1)


def test_settings_are_parsed_to_the_types_of_their_fields():
    assert parse_settings(["rank=4", "patch_matching=false", "new_rate=1e-4"]) == {
        "rank": 4,
        "patch_matching": False,
        "new_rate": 1e-4,
    }
    with pytest.raises(UserError, match="'four' is not of type int"):
        parse_settings(["rank=four"])
    with pytest.raises(UserError, match="field=value"):
        parse_settings(["rank"])


def test_the_key_changes_with_any_setting():
    mini = preset("mini")
    assert mini.key() == preset("mini").key()
    assert len({mini.key(), mini.set(rank=4).key(), mini.set(batch=8).key()}) == 3


def test_the_key_names_what_was_changed_so_that_a_new_switch_keeps_old_records():
    def key(**changed):
        return hashlib.sha256(json.dumps(changed, sort_keys=True).encode()).hexdigest()[:16]

    assert preset("paper").key() == key(model={})
    assert preset("paper").set(rank=4, batch=8).key() == key(batch=8, model={"rank": 4})
