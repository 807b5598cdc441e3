"""Pre-training on a made-up corpus of a few icons: repeatable, resumable, and shipped in a form that loads."""

import io
import json
import math
import tarfile

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from open_clip import SimpleTokenizer
from safetensors.torch import load_file

from dpclip.errors import UserError
from dpclip.method.backbone import load_backbone
from dpclip_prepare.clip import icons
from dpclip_prepare.clip import pretrain as lab
from dpclip_prepare.clip.corpus import Corpus
from dpclip_prepare.clip.icon_views import random_views
from dpclip_prepare.clip.pretrain import PretrainConfig, contrast, pretrain
from dpclip_prepare.clip.ship import ship
from dpclip_prepare.clip.vocabulary import learn_merges, write_merges

NAMES = ["red apple", "green pear", "black cat", "old house", "fast car", "tall tree"]


@pytest.fixture
def corpus(monkeypatch):
    """Six groups with a coloured and a monochrome icon each; one coloured icon is held out."""
    random = np.random.default_rng(0)
    rows = [
        ("noto" if c else "tabler", n, n, "animals" if c else "", c, k)
        for k, n in enumerate(NAMES)
        for c in (True, False)
    ]
    table = pd.DataFrame(rows, columns=["set", "name", "group", "topic", "colour", "row"])
    colour = random.integers(0, 256, (6, icons.SIZE, icons.SIZE, 4), dtype=np.uint8)
    mono = random.integers(0, 256, (6, icons.SIZE, icons.SIZE), dtype=np.uint8)
    made = Corpus(table, colour, mono, np.array([0]))
    monkeypatch.setattr(lab, "open_corpus", lambda folder: made)
    monkeypatch.setattr(
        lab, "teach", lambda pictures, rows, count: random.standard_normal((len(rows), count)).astype("f4")
    )
    small = {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8}
    text = {"context_length": 12, "width": 32, "heads": 2, "layers": 1}
    monkeypatch.setattr(
        lab,
        "model_config",
        lambda size: {
            "embed_dim": 16,
            "quick_gelu": True,
            "vision_cfg": small,
            "text_cfg": {**text, "vocab_size": size},
        },
    )
    return made


CONFIG = PretrainConfig(steps=6, batch=4, warm_up=2, components=8)


def test_an_interrupted_run_ends_with_the_same_weights(corpus, tmp_path, monkeypatch):
    (tmp_path / "whole").mkdir()
    (tmp_path / "cut").mkdir()
    features = np.random.default_rng(1).standard_normal((12, 8)).astype("f4")
    monkeypatch.setattr(lab, "teach", lambda *_: features)
    pretrain(CONFIG, tmp_path / "whole", every=2)

    saved = lab.save_state

    def killed(path, step, *rest):
        saved(path, step, *rest)
        if step == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(lab, "save_state", killed)
    with pytest.raises(KeyboardInterrupt):
        pretrain(CONFIG, tmp_path / "cut", every=2)
    monkeypatch.setattr(lab, "save_state", saved)
    pretrain(CONFIG, tmp_path / "cut", every=2)
    whole, cut = (load_file(tmp_path / name / "state.safetensors") for name in ("whole", "cut"))
    assert all(torch.equal(whole[name], cut[name]) for name in whole if name.startswith("model."))


def test_what_is_shipped_loads_as_a_backbone(corpus, tmp_path):
    work, target = tmp_path / "work", tmp_path / "shipped"
    work.mkdir()
    target.mkdir()
    (target / "icon_sets.csv").write_text("set\n")
    description, report = pretrain(CONFIG, work)
    ship(work, description, report, target)
    assert json.loads((target / "manifest.json").read_text())["pretraining"]["naming of held-out icons"]["names"] == 1
    backbone = load_backbone("mini", str(target))
    assert backbone.width == 32 and backbone.text_feature("cat", 1).shape == (16,)
    with pytest.raises(UserError, match="state.safetensors is missing"):
        ship(tmp_path / "nowhere", description, report, target)


def test_held_out_icons_are_never_drawn(corpus):
    random = np.random.default_rng(0)
    rows = {int(r) for _ in range(50) for r in corpus.draw_pairs(corpus.draw_groups(4, random), random).flat}
    assert 0 not in rows and len(rows) == 11


def test_contrast_of_lists_that_agree_and_of_lists_that_say_nothing():
    assert contrast(torch.eye(4), torch.eye(4), 0.01).item() == pytest.approx(0, abs=1e-6)
    same = F.normalize(torch.ones(4, 4), dim=-1)
    assert contrast(same, same, 0.1).item() == pytest.approx(math.log(4))


def test_the_learning_rate_warms_up_and_decays():
    config = PretrainConfig(steps=100, warm_up=10, learning_rate=1.0)
    assert config.rate(0) == pytest.approx(0.1)
    assert config.rate(50) == 1.0
    assert config.rate(99) == pytest.approx(1 / 25)


@pytest.mark.parametrize(
    "name, words",
    [("red-apple", "red apple"), ("apple-fill", "apple"), ("cat-24-filled", "cat"), ("home-outline-rounded", "home")],
)
def test_style_words_leave_the_name(name, words):
    assert icons.group_words(name) == words


def test_a_package_is_read_without_flags_skin_tones_and_hidden_icons(tmp_path):
    body = '<path fill="currentColor" d="M2 2h12v12H2z"/>'
    files = {
        "icons": {
            "prefix": "x",
            "icons": {
                "cat": {"body": body},
                "cat-fill": {"body": body},
                "flag-chad": {"body": body},
                "hand-dark-skin-tone": {"body": body},
                "old": {"body": body, "hidden": True},
            },
        },
        "info": {"palette": False},
        "metadata": {"categories": {"Animals": ["cat"]}},
    }
    with tarfile.open(tmp_path / "x.tgz", "w:gz") as tar:
        for name, content in files.items():
            data = json.dumps(content).encode()
            member = tarfile.TarInfo(f"package/{name}.json")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    found = icons.read_set(tmp_path / "x.tgz", "x")
    assert [(i.name, i.group, i.topic) for i in found] == [("cat", "cat", "animals"), ("cat-fill", "cat", "")]
    pixels = icons.draw(found[0])
    assert pixels.shape == (icons.SIZE, icons.SIZE)
    assert 0.5 < (pixels > 127).mean() < 0.65  # a square of 12 in 16


def test_views_repeat_with_their_seed_and_stay_in_range():
    colour, mono = torch.rand(3, 4, 32, 32), torch.rand(2, 1, 32, 32)

    def views(seed):
        return random_views(colour.clone(), mono.clone(), 24, torch.Generator().manual_seed(seed))

    assert views(0).shape == (5, 3, 24, 24)
    assert torch.equal(views(0), views(0)) and not torch.equal(views(0), views(1))
    assert views(0).min() >= 0 and views(0).max() <= 1


def test_the_vocabulary_is_one_that_the_tokenizer_reads(tmp_path):
    merges = learn_merges(["the cat sat on the mat"] * 3 + ["the other cat"], 20)
    size = write_merges(merges, tmp_path / "merges.txt.gz")
    tokenizer = SimpleTokenizer(str(tmp_path / "merges.txt.gz"), context_length=8)
    assert tokenizer.decode(tokenizer.encode("The cat")).strip() == "the cat"
    assert len(tokenizer.encode("the cat")) < len("thecat")
    assert tokenizer.vocab_size >= size - 1
