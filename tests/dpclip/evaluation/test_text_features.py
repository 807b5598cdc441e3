"""The table of text features: what the model would say, computed once, and never another model's."""

import copy

import open_clip
import pytest
import torch
from open_clip.tokenizer import SimpleTokenizer
from safetensors import safe_open

from dpclip.data.store import ImageStore
from dpclip.errors import UserError
from dpclip.evaluation import text_features
from dpclip.evaluation.evaluate import open_bench
from dpclip.evaluation.text_features import text_table
from dpclip.method.backbone import Backbone
from dpclip.method.model import DPCLIP, DPCLIPConfig
from tests.conftest import TINY
from tests.toy import Wordless, make_toy

TEXT = {"cat": "cat", "alarm_clock": "alarm clock", "wine": "bottle of red wine"}


@pytest.fixture(scope="module")
def tokenizer():
    return SimpleTokenizer()


@pytest.fixture
def make_model(tokenizer):
    """make_model(**config fields): always with the same weights"""

    def make(**changes):
        torch.manual_seed(0)
        backbone = Backbone(open_clip.CLIP(**TINY), copy.copy(tokenizer), "tiny").eval()
        return DPCLIP(backbone, DPCLIPConfig(**{"templates": 1, "rank": 2} | changes))

    return make


@pytest.fixture
def encoded(monkeypatch):
    """The words given to the text tower, in their order."""
    calls, encode = [], text_features.word_feature
    monkeypatch.setattr(text_features, "word_feature", lambda model, said: calls.append(said) or encode(model, said))
    return calls


@pytest.mark.parametrize("templates", [1, 63])
def test_the_table_says_what_the_model_says(make_model, tmp_path, templates):
    model = make_model(templates=templates)
    table = text_table(model, TEXT, tmp_path)
    assert list(table) == list(TEXT)
    for category, said in TEXT.items():
        torch.testing.assert_close(table[category], model.text_feature(said), atol=1e-6, rtol=0)
        assert table[category].device == model.backbone.proj.device and not table[category].requires_grad


def test_words_longer_than_the_context_are_cut_alike(make_model, tmp_path):
    model, said = make_model(), "very " * 20 + "long boat"
    assert model.backbone.tokenizer(said, context_length=40).argmax() > model.backbone.context_length
    table = text_table(model, {"cat": "cat", "boat": said}, tmp_path)
    torch.testing.assert_close(table["boat"], model.text_feature(said), atol=1e-6, rtol=0)


def test_the_second_time_nothing_is_encoded(make_model, tmp_path, encoded):
    first, again = (text_table(make_model(), TEXT, tmp_path) for _ in range(2))
    assert encoded == list(TEXT.values()) and len(list(tmp_path.iterdir())) == 1
    assert all(torch.equal(first[category], again[category]) for category in TEXT)


def test_the_file_says_what_it_is(make_model, tmp_path):
    model = make_model()
    text_table(model, TEXT, tmp_path)
    with safe_open(next(tmp_path.iterdir()), "pt") as file:
        about = file.metadata()
        assert file.get_tensor("features").shape == (3, model.backbone.output_dim)
    assert about["templates"] == "1" and about["tower"] == text_features.tower_hash(model.backbone)
    assert '"alarm clock"' in about["words"]


def other_words(model):
    return {**TEXT, "cat": "kitten"}


def other_category(model):
    return {"dog" if category == "cat" else category: said for category, said in TEXT.items()}


def other_text_weight(model):
    model.backbone.clip.token_embedding.weight.data[1000, 3] += 1e-3


def other_norm(model):
    model.backbone.clip.ln_final.bias.data += 1e-3


def other_activation(model):
    model.backbone.clip.transformer.resblocks[0].mlp.gelu = torch.nn.GELU()


def other_heads(model):
    model.backbone.clip.transformer.resblocks[0].attn.num_heads = 1


def other_vocabulary(model):
    ranks = model.backbone.tokenizer.bpe_ranks
    model.backbone.tokenizer.bpe_ranks = dict(zip(reversed(ranks), range(len(ranks)), strict=True))


@pytest.mark.parametrize(
    "change",
    [
        *(other_words, other_category, other_text_weight, other_norm),
        *(other_activation, other_heads, other_vocabulary),
    ],
)
def test_anything_else_gives_another_file(make_model, tmp_path, encoded, change):
    text_table(make_model(), TEXT, tmp_path)
    model = make_model()
    text = change(model) or TEXT
    table = text_table(model, text, tmp_path)
    assert encoded == [*TEXT.values(), *text.values()] and len(list(tmp_path.iterdir())) == 2
    for category, said in text.items():
        torch.testing.assert_close(table[category], model.text_feature(said), atol=1e-6, rtol=0)


def test_other_templates_another_precision_or_torch_give_another_file(make_model, tmp_path, encoded, monkeypatch):
    text_table(make_model(), TEXT, tmp_path)
    text_table(make_model(templates=63), TEXT, tmp_path)
    for module in ("evaluation.text_features", "method.backbone"):
        monkeypatch.setattr(f"dpclip.{module}.sentences", lambda said, count: [f"the {said}"])
    text_table(make_model(), TEXT, tmp_path)
    monkeypatch.setattr(torch, "get_float32_matmul_precision", lambda: "high")
    text_table(make_model(), TEXT, tmp_path)
    monkeypatch.setattr(torch, "__version__", "another")  # whose last digits may be others
    text_table(make_model(), TEXT, tmp_path)
    assert encoded == 5 * list(TEXT.values()) and len(list(tmp_path.iterdir())) == 5


def test_image_weights_do_not_matter(make_model, tmp_path, encoded):
    text_table(make_model(), TEXT, tmp_path)
    model = make_model()
    model.backbone.proj.data += 1
    model.backbone.clip.logit_scale.data += 1
    text_table(model, TEXT, tmp_path)
    assert encoded == list(TEXT.values())


@pytest.mark.parametrize(
    "damage", [lambda b: b[:50], lambda b: b"", lambda b: b[:-1] + bytes([b[-1] ^ 1]), lambda b: b"\0" * len(b)]
)
def test_a_damaged_file_is_refused(make_model, tmp_path, damage):
    model = make_model()
    text_table(model, TEXT, tmp_path)
    path = next(tmp_path.iterdir())
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=f"{path.name} is damaged.*Delete it"):
        text_table(model, TEXT, tmp_path)
    path.unlink()
    assert text_table(model, TEXT, tmp_path)


def test_a_folder_that_cannot_be_written(make_model, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        text_table(make_model(), TEXT, tmp_path / "file" / "cache")


def test_a_model_without_words(tmp_path):
    model = Wordless(DPCLIPConfig())
    assert text_table(model, TEXT, tmp_path) == dict.fromkeys(TEXT)
    assert not list(tmp_path.iterdir())


def test_a_bench_keeps_the_table_beside_its_pictures(make_model, tmp_path, encoded):
    store = ImageStore(make_toy(tmp_path / "toy"), 56, tmp_path / "cache")
    benches = [open_bench(make_model(), store) for _ in range(2)]
    assert (
        encoded == list(store.manifest.text.values())
        and len(list((tmp_path / "cache").glob("words-*.safetensors"))) == 1
    )
    assert set(benches[1].words) == set(store.manifest.text)
