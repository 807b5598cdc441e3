"""Pre-training on a made-up corpus of a few icons: repeatable, resumable, and shipped in a form that loads."""

import json
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from open_clip import SimpleTokenizer
from safetensors.torch import load_file

from dpclip.data.benchmark import Icon
from dpclip.errors import UserError
from dpclip.method.backbone import load_backbone
from dpclip_prepare.clip import pretrain as lab
from dpclip_prepare.clip.corpus import Taught, read_corpus, write_corpus
from dpclip_prepare.clip.pretrain import PretrainConfig, contrast, pretrain
from dpclip_prepare.clip.pretrain_batches import HELD_OUT, Batches
from dpclip_prepare.clip.renderings import EACH, Renderings, drawn, opened_picture, render
from dpclip_prepare.clip.ship import ship
from dpclip_prepare.clip.views import double_views, flat_views, line_views, photo_views
from dpclip_prepare.clip.vocabulary import learn_merges, write_merges
from dpclip_prepare.draw.canvas import SIDE

SQUARE = '<path fill="currentColor" d="M2 2h12v12H2z"/>'
NAMES = ["apple", "pear", "cat", "house", "car", "arrow left"]
CONFIG = PretrainConfig(steps=6, photos=2, lines=2, flats=2, doubles=2, warm_up=2)


def taught(name, words="", body=SQUARE, coloured=False, concept=True):
    return Taught(Icon("", "set", words or name, "0 0 16 16", body, coloured), name, words or name, concept, concept)


@pytest.fixture
def small(monkeypatch):
    """A network of one layer."""
    vision = {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8}
    text = {"context_length": 12, "width": 32, "heads": 2, "layers": 1}

    def described(size):
        return {"embed_dim": 16, "quick_gelu": True, "vision_cfg": vision, "text_cfg": {**text, "vocab_size": size}}

    monkeypatch.setattr(lab, "model_config", described)


@pytest.fixture
def corpus():
    """Twelve icons of six labels, the first ten of which give photos and lines."""
    random = np.random.default_rng(0)
    icons = [taught(name, f"{name} {n}", coloured=n == 0) for name in NAMES for n in range(2)]
    sizes = {"flat": (12, SIDE, SIDE, 4), "photos": (10, EACH, SIDE, SIDE, 3), "lines": (10, EACH, SIDE, SIDE)}
    pictures = {name: random.integers(0, 256, size, dtype=np.uint8) for name, size in sizes.items()}
    return icons, Renderings(**pictures, drawn=np.arange(10))


def test_an_interrupted_run_ends_with_the_same_weights(corpus, small, tmp_path):
    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
    pretrain(CONFIG, *corpus, tmp_path / "whole")
    pretrain(CONFIG, *corpus, tmp_path / "cut", until=4)
    pretrain(CONFIG, *corpus, tmp_path / "cut")
    whole, cut = (load_file(tmp_path / name / "state.safetensors") for name in ("whole", "cut"))
    assert all(torch.equal(whole[name], cut[name]) for name in whole)
    assert [json.loads(line)["step"] for line in (tmp_path / "cut" / "log.jsonl").open()] == [4, 6]


def test_what_is_shipped_loads_as_a_backbone(corpus, small, tmp_path):
    work, target = tmp_path / "work", tmp_path / "shipped"
    work.mkdir()
    target.mkdir()
    (target / "icon_sets.csv").write_text("set\n")
    description, report = pretrain(CONFIG, *corpus, work)
    ship(work, description, report, target)
    told = json.loads((target / "manifest.json").read_text())["pretraining"]
    assert told["samples"] == 2 * 6 * 8 and told["labels"] == 6
    backbone = load_backbone("mini", str(target))
    assert backbone.width == 32 and backbone.text_feature("cat", 1).shape == (16,)
    with pytest.raises(UserError, match="state.safetensors is missing"):
        ship(tmp_path / "nowhere", description, report, target)


def batches(corpus, tmp_path, size=32):
    write_merges(learn_merges(["a cat and a car"] * 3, 20), tmp_path / "merges.txt.gz")
    tokenizer = SimpleTokenizer(str(tmp_path / "merges.txt.gz"), context_length=60)
    return Batches(*corpus, tokenizer, size, "cpu"), tokenizer


def test_captions_have_the_tokens_of_the_whole_text_and_the_labels_of_their_pictures(corpus, tmp_path):
    made, tokenizer = batches(corpus, tmp_path)
    batch = made.draw(CONFIG, 0)
    assert batch.views.shape == (16, 3, 32, 32) and batch.tokens.shape == (8, 60)
    for tokens, label in zip(batch.tokens, batch.labels.tolist(), strict=True):
        text = tokenizer.decode([t for t in tokens.tolist() if t]).replace("<start_of_text>", "")
        text = text.replace("<end_of_text>", "").strip()
        assert torch.equal(tokenizer(text)[0], tokens)
        named = [name for name in NAMES if name in text]
        assert sorted(NAMES)[label] in named if label < len(NAMES) else " and a " in text


def test_a_batch_depends_on_its_step_alone(corpus, tmp_path):
    made, _ = batches(corpus, tmp_path)
    one, other = made.draw(CONFIG, 5), made.draw(CONFIG, 6)
    again = made.draw(CONFIG, 5)
    assert torch.equal(one.views, again.views) and torch.equal(one.tokens, again.tokens)
    assert not torch.equal(one.views, other.views)


def test_held_out_icons_are_never_drawn(tmp_path):
    icons = [taught("cat", f"cat {n}") for n in range(2 * HELD_OUT)]
    flat = np.zeros((len(icons), SIDE, SIDE, 4), np.uint8)
    photos, lines = np.zeros((len(icons), EACH, 8, 8, 3), np.uint8), np.zeros((len(icons), EACH, 8, 8), np.uint8)
    made, _ = batches((icons, Renderings(flat, photos, lines, np.arange(len(icons)))), tmp_path)
    held = {HELD_OUT - 1, 2 * HELD_OUT - 1}
    assert set(range(len(icons))) - set(made.free.tolist()) == held
    rows = {row for kind in ("flat", "drawn") for row in made._rows(kind, 2000, np.random.default_rng(0)).tolist()}
    assert rows == set(made.free.tolist())
    assert made.held_out["photo"][0].shape == (2, 3, 32, 32)


def test_contrast_of_lists_that_agree_and_of_lists_that_say_nothing():
    each = torch.arange(4)
    assert contrast(torch.eye(4), torch.eye(4), 0.01, each).item() == pytest.approx(0, abs=1e-6)
    same = F.normalize(torch.ones(4, 4), dim=-1)
    assert contrast(same, same, 0.1, each).item() == pytest.approx(math.log(4))


def test_pictures_of_one_label_are_right_for_each_other():
    twice = F.normalize(torch.tensor([[1.0, 0], [1, 0], [0, 1]]), dim=-1)
    labels = torch.tensor([7, 7, 1])
    assert contrast(twice, twice, 0.01, labels).item() == pytest.approx(2 / 3 * math.log(2), abs=1e-4)
    assert contrast(twice, twice, 0.01, torch.arange(3)) > contrast(twice, twice, 0.01, labels) - 1e-6


def test_the_learning_rate_warms_up_and_decays():
    config = PretrainConfig(steps=110, warm_up=10, learning_rate=1.0)
    assert config.rate(0) == pytest.approx(0.1)
    assert config.rate(60) == pytest.approx(0.5)
    assert config.rate(109) < 0.001


def test_a_corpus_is_read_as_it_was_written_and_drawn_once(tmp_path):
    ring = '<path d="M8 0a8 8 0 1 0 0 16a8 8 0 0 0 0-16zm0 4a4 4 0 1 1 0 8a4 4 0 0 1 0-8z"/>'
    made = [taught("cat", body=ring), taught("zig zag", concept=False)]
    write_corpus(made, tmp_path)
    assert read_corpus(tmp_path) == made
    with pytest.raises(UserError, match="makers.corpus"):
        read_corpus(tmp_path / "elsewhere")
    once = render(made, tmp_path / "pictures.npz", 1)
    assert once.drawn.tolist() == [0]  # the other's label is no concept: it stays flat
    assert once.flat.shape == (2, SIDE, SIDE, 4) and once.photos.shape == (1, EACH, SIDE, SIDE, 3)
    assert (once.lines < 100).mean() > 0.005 and once.photos.std() > 10
    again = render(made, tmp_path / "pictures.npz", 1)
    assert all(np.array_equal(getattr(once, name), getattr(again, name)) for name in ("flat", "photos", "lines"))
    assert [opened_picture(content).shape for content in drawn(made[0])[1]] == [(SIDE, SIDE)] * EACH


def test_views_repeat_with_their_seed_and_stay_in_range():
    flat, photo, line = torch.rand(3, 4, 32, 32), torch.rand(3, 3, 32, 32), torch.rand(3, 1, 32, 32)
    mono = torch.tensor([True, False, True])

    def views(seed):
        generator = torch.Generator().manual_seed(seed)
        two = double_views(flat, flat.flip(0), torch.stack([mono, mono]), 24, generator)
        one = flat_views(flat, mono, 24, generator), photo_views(photo, 24, generator), line_views(line, 24, generator)
        return torch.cat([*one, two])

    assert views(0).shape == (12, 3, 24, 24)
    assert torch.equal(views(0), views(0)) and not torch.equal(views(0), views(1))
    assert views(0).min() >= 0 and views(0).max() <= 1


def test_the_vocabulary_is_one_that_the_tokenizer_reads(tmp_path):
    merges = learn_merges(["the cat sat on the mat"] * 3 + ["the other cat"], 20)
    size = write_merges(merges, tmp_path / "merges.txt.gz")
    tokenizer = SimpleTokenizer(str(tmp_path / "merges.txt.gz"), context_length=8)
    assert tokenizer.decode(tokenizer.encode("The cat")).strip() == "the cat"
    assert len(tokenizer.encode("the cat")) < len("thecat")
    assert tokenizer.vocab_size >= size - 1
