"""The opened CLIP is the closed one, text features are what the words say, and a damaged mini CLIP is refused."""

import gzip
import hashlib
import json

import open_clip
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from dpclip.errors import UserError
from dpclip.method.backbone import MINI, block_forward, load_backbone
from dpclip.method.templates import TEMPLATES, sentences


@pytest.mark.parametrize("changes", [{}, {"ls_init_value": 0.3}])
def test_block_is_open_clips_block(changes, make_tiny):
    backbone = make_tiny(**changes)
    x = torch.randn(2, 9, 64)
    for m in range(backbone.depth):
        expected = backbone.block(m)(x)
        torch.testing.assert_close(block_forward(backbone.block(m), x), expected, atol=1e-6, rtol=0)
        asked = block_forward(backbone.block(m), x[:, 2:4], keys=x)
        torch.testing.assert_close(asked, expected[:, 2:4], atol=1e-6, rtol=0)


def test_block_mask(tiny_backbone):
    """Masked tokens might as well not be there."""
    x, block = torch.randn(2, 9, 64), tiny_backbone.block(0)
    mask = torch.arange(9) < 5
    masked = block_forward(block, x[:, :1], keys=x, mask=mask[None])
    torch.testing.assert_close(masked, block(x[:, :5])[:, :1], atol=1e-6, rtol=0)


def test_plain_gelu_is_kept():
    config = {
        "embed_dim": 8,
        "vision_cfg": {"image_size": 16, "layers": 1, "width": 16, "head_width": 8, "patch_size": 8},
        "text_cfg": {"context_length": 8, "vocab_size": 16, "width": 8, "heads": 1, "layers": 1},
    }
    block = open_clip.CLIP(**config).visual.transformer.resblocks[0]
    x = 3 * torch.randn(1, 5, 16)
    torch.testing.assert_close(block_forward(block, x), block(x), atol=1e-6, rtol=0)


def test_sizes(tiny_backbone):
    b = tiny_backbone
    assert (b.width, b.depth, b.heads, b.grid, b.patch, b.output_dim, b.image_size) == (64, 3, 2, 7, 8, 32, 56)


def test_text_feature(tiny_backbone):
    texts = sentences("alarm clock", 63)
    one_by_one = [F.normalize(tiny_backbone.encode_text([text])[0], dim=-1) for text in texts]
    mean = sum(one_by_one) / len(one_by_one)
    torch.testing.assert_close(tiny_backbone.text_feature("alarm_clock", 63), mean, atol=1e-6, rtol=0)
    torch.testing.assert_close(tiny_backbone.text_feature("alarm clock", 1), one_by_one[0], atol=1e-6, rtol=0)


def test_templates():
    assert len(TEMPLATES) == len(set(TEMPLATES)) == 63
    assert sentences("owl", 1) == ["This is an owl in the image."]
    assert sentences("hot-air_balloon", 1) == ["This is a hot air balloon in the image."]
    with pytest.raises(UserError, match="templates=2"):
        sentences("owl", 2)
    with pytest.raises(UserError, match="without words"):
        sentences("_-", 1)


@pytest.mark.parametrize(
    "article, words",
    [
        ("an", "owl animal eyeglasses umbrella hourglass heirloom honest_man usher unimportant_thing urn"),
        ("a", "horse hat helicopter unicorn university unicycle uniform ukulele ewe one-way_sign euphonium used_car"),
    ],
)
def test_the_article_is_chosen_by_sound(article, words):
    for category in words.split():
        said = category.replace("_", " ").replace("-", " ")
        assert sentences(category, 63)[1] == f"{article} {said}."


@settings(max_examples=30, deadline=None)
@given(st.from_regex(r"[a-z]{2,8}( [a-z]{2,8})?", fullmatch=True))
def test_every_sentence_names_the_category(words):
    made = sentences(words, 63)
    assert all(words in text and "{" not in text for text in made)
    wrong = "a" if words[0] in "aeiou" else "an"
    assert not any(f" {wrong} {words}" in f" {text}" for text in made)


def test_unknown_backbone():
    with pytest.raises(UserError, match="ViT-B-99.*mini or ViT-B-32"):
        load_backbone("ViT-B-99")


@pytest.fixture
def mini_folder(tmp_path):
    """A folder like data/mini-clip, smaller still."""
    config = {
        "embed_dim": 16,
        "quick_gelu": True,
        "vision_cfg": {"image_size": 16, "layers": 1, "width": 16, "head_width": 8, "patch_size": 4},
        "text_cfg": {"context_length": 24, "vocab_size": 512 + 1 + 2, "width": 8, "heads": 1, "layers": 1},
    }
    clip = open_clip.CLIP(**config)
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "merges.txt.gz").write_bytes(gzip.compress(b"#version\no w"))
    save_file({k: v.half().contiguous() for k, v in clip.state_dict().items()}, tmp_path / "weights.safetensors")
    files = {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in tmp_path.iterdir()}
    (tmp_path / "manifest.json").write_text(json.dumps({"files": files}))
    return tmp_path


def test_mini_from_a_folder(mini_folder):
    backbone = load_backbone("mini", str(mini_folder))
    assert backbone.grid == 4 and backbone.name == "mini" and not backbone.training
    assert backbone.proj.dtype == torch.float32
    assert backbone.text_feature("owl", 63).shape == (16,)


def test_damaged_mini(mini_folder):
    weights = mini_folder / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(UserError, match="weights.safetensors: SHA-256 .*git checkout"):
        load_backbone("mini", str(mini_folder))
    weights.unlink()
    with pytest.raises(UserError, match="weights.safetensors: missing.*git checkout"):
        load_backbone("mini", str(mini_folder))
    (mini_folder / "manifest.json").write_text("{")
    with pytest.raises(UserError, match="manifest.json: damaged"):
        load_backbone("mini", str(mini_folder))
    with pytest.raises(UserError, match="manifest.json: missing"):
        load_backbone("mini", str(mini_folder / "nowhere"))


@pytest.mark.skipif(not (MINI / "manifest.json").is_file(), reason="data/mini-clip is not built yet")
def test_the_shipped_mini():
    backbone = load_backbone("mini")
    size = backbone.image_size
    assert backbone.embed(torch.zeros(1, 3, size, size)).shape == (1, 1 + backbone.grid**2, backbone.width)
    longest = max(sentences("musical instrument", 63), key=len)
    assert len(backbone.tokenizer.encode(longest)) <= backbone.context_length - 2, "templates are cut"
