"""Prompt similarity: what a slow loop finds, at the entrance of each layer, for any number of pictures."""

import pytest
import torch

from dpclip.data.store import ImageStore
from dpclip.errors import UserError
from dpclip.evaluation import prompt_similarity as module
from dpclip.evaluation.evaluate import open_bench
from dpclip.evaluation.prompt_similarity import category_contexts, similarity
from dpclip.method.model import DPCLIP, DPCLIPConfig
from tests.toy import make_toy


@pytest.fixture
def model(tiny_backbone):
    torch.manual_seed(0)
    model = DPCLIP(tiny_backbone, DPCLIPConfig(templates=1, rank=2)).eval()
    for parameter in model.text_prompt.parameters():  # B is zero at the start, and text would change nothing
        parameter.data += 0.1 * torch.randn_like(parameter)
    return model


@torch.no_grad()
def by_loops(model, image, context):
    """{(layer, row, column): mean cosine} of one picture, token by token and prompt by prompt."""
    steps = model.encode(model.normalise(image[None]), context, intermediates=True).intermediates
    grid, found = model.backbone.grid, {}
    for m, prompts in enumerate(context.prompts):
        entering = model.backbone.ln_pre(prompts) if m == 0 else prompts
        for patch in range(grid**2):
            token = steps[f"layer_{m + 1}_in"][0, 1 + patch]
            cosines = [torch.dot(token, p) / torch.dot(token, token).sqrt() / torch.dot(p, p).sqrt() for p in entering]
            found[m, patch // grid, patch % grid] = float(sum(cosines) / len(cosines))
    return found


def test_similarity_is_what_loops_find(model, monkeypatch):
    images = torch.rand(3, 3, model.image_size, model.image_size)
    with torch.no_grad():
        context = model.context(model.normalise(torch.rand(3, 3, 56, 56)), torch.randn(model.backbone.output_dim))
    monkeypatch.setattr(module, "CHUNK", 2)
    maps = similarity(model, images, context)
    assert maps.shape == (3, model.backbone.depth, model.backbone.grid, model.backbone.grid)
    for image, found in zip(images, maps, strict=True):
        for (m, row, column), value in by_loops(model, image, context).items():
            assert found[m, row, column].item() == pytest.approx(value, abs=1e-5)


def test_shallow_prompts_have_one_map_and_no_prompts_are_an_error(tiny_backbone):
    images = torch.rand(2, 3, 56, 56)
    shallow = DPCLIP(tiny_backbone, DPCLIPConfig(templates=1, visual_prompt="generic-shallow", scaling="none"))
    with torch.no_grad():
        assert similarity(shallow, images, shallow.context(None, None)).shape == (2, 1, 7, 7)
    none = DPCLIP(tiny_backbone, DPCLIPConfig(templates=1, visual_prompt="none", scaling="none"))
    with pytest.raises(UserError, match="visual_prompt='deep'"):
        similarity(none, images, none.context(None, None))


def test_contexts_of_categories_of_the_data_set_and_of_folders(model, tmp_path):
    store = ImageStore(make_toy(tmp_path / "toy"), 56, tmp_path / "cache")
    bench = open_bench(model, store)
    known = category_contexts(bench, ["pear", "cup"])
    assert not torch.equal(known["pear"].prompts[0], known["cup"].prompts[0])
    folders = [tmp_path / "toy" / "photo" / name for name in ("saw", "cup")]
    own = category_contexts(bench, ["purple teapot", "cup"], folders)
    assert list(own) == ["purple teapot", "cup"]
    assert not torch.equal(own["cup"].prompts[0], known["cup"].prompts[0])  # photos only, no sketch
    torch.testing.assert_close(own["cup"].scales[0], known["cup"].scales[0])  # the same word
    with pytest.raises(UserError, match="one folder for each category"):
        category_contexts(bench, ["pear", "cup"], folders[:1])
    with pytest.raises(UserError, match="'dragon' is not in toy"):
        category_contexts(bench, ["dragon"])
