"""What trains, what stays, how many numbers that is, and that the start is CLIP."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from dpclip.method.backbone import load_backbone
from dpclip.method.losses import triplet_loss
from dpclip.method.model import DPCLIP, DPCLIPConfig
from dpclip.method.patch_match import window_tokens

PLAIN = dict(visual_prompt="none", patch_matching=False)


def count(parameters):
    return sum(p.numel() for p in parameters)


@pytest.fixture(scope="module")
def vit():
    return load_backbone("ViT-B-32", seed=0)


def test_counts_at_vit_b_32(vit):
    """Section 7, counted on the released code."""
    model = DPCLIP(vit, DPCLIPConfig())
    groups = model.set_trainable()
    v, t, patch, visual = model.visual_prompt, model.text_prompt, model.patch_matching, vit.clip.visual
    trained = lambda module: count(p for p in module.parameters() if p.requires_grad)  # noqa: E731
    assert trained(v) == 7_706_112
    assert (trained(v.block), trained(v.linear), v.learned.numel()) == (7_087_872, 590_592, 27_648)
    assert trained(t) == 4_233_600
    assert (trained(t.adapters), trained(t.mlps)) == (884_736, 3_348_864)
    assert trained(patch) == 3_427_584
    assert trained(patch.block) + trained(patch.adapter) == 1_848_576
    assert (trained(patch.norms), patch.proj.numel()) == (6_144, 1_572_864)
    assert visual.class_embedding.numel() == 768
    assert visual.positional_embedding.numel() == 38_400
    assert visual.proj.numel() == 393_216
    assert count(groups["clip"]) == 39_936 + 768 + 38_400 + 393_216
    assert trained(model) == count(groups["clip"] + groups["new"]) == 15_839_616

    norms = DPCLIP(vit, DPCLIPConfig(trainable="norms"))
    assert count(norms.set_trainable()["clip"]) == 39_936


@pytest.mark.parametrize("scaling", ["none", "unscaled", "direct", "sideway"])
@pytest.mark.parametrize("size", ["tiny", "ViT-B/32"])
def test_fresh_model_is_clip(scaling, size, vit, tiny_backbone):
    """Features of length 1, as retrieval reads them; float32 has no more than seven digits of the raw ones."""
    backbone = vit if size == "ViT-B/32" else tiny_backbone
    torch.manual_seed(0)
    model = DPCLIP(backbone, DPCLIPConfig(**PLAIN, scaling=scaling)).eval()
    images = torch.randn(2, 3, backbone.image_size, backbone.image_size)
    with torch.no_grad():
        feature = model.encode(images, model.context(None, torch.randn(backbone.output_dim))).global_feature
        expected = backbone.clip.encode_image(images)
    torch.testing.assert_close(F.normalize(feature, dim=-1), F.normalize(expected, dim=-1), atol=1e-6, rtol=0)
    torch.testing.assert_close(feature, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", ["tiny", "ViT-B/32"])
def test_fresh_model_is_clip_to_the_last_digit(size, vit, tiny_backbone):
    """In float64 the raw features agree too, far beyond 1e-6."""
    backbone = vit if size == "ViT-B/32" else tiny_backbone
    model = DPCLIP(backbone, DPCLIPConfig(**PLAIN)).double().eval()
    images = torch.randn(1, 3, backbone.image_size, backbone.image_size).double()
    with torch.no_grad():
        feature = model.encode(images, model.context(None, torch.randn(backbone.output_dim).double())).global_feature
        torch.testing.assert_close(feature, backbone.clip.encode_image(images), atol=1e-10, rtol=0)
    backbone.float()


CASES = {
    "full": {},
    "norms": dict(trainable="norms"),
    "nothing of CLIP": dict(trainable="none"),
    "generic": dict(visual_prompt="generic"),
    "shallow": dict(visual_prompt="shallow"),
    "unscaled": dict(scaling="unscaled"),
    "direct": dict(scaling="direct"),
    "norms only": dict(visual_prompt="none", scaling="none", patch_matching=False, trainable="norms"),
}


@pytest.mark.parametrize("case", CASES)
def test_one_step_moves_what_trains_and_nothing_else(case, tiny_backbone):
    torch.manual_seed(0)
    config = DPCLIPConfig(**{"margin": 2.0, **CASES[case]})  # every triplet counts
    model = DPCLIP(tiny_backbone, config).train()
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)  # leave the start, where low-rank B = 0 blocks gradients
    before = {name: p.detach().clone() for name, p in model.state_dict().items()}
    groups = model.set_trainable()
    chosen = {id(p) for group in groups.values() for p in group}
    assert len(chosen) == sum(map(len, groups.values())), "a parameter is in two groups"

    optimizer = torch.optim.Adam([{"params": group, "lr": 1e-3} for group in groups.values() if group])
    f = model.encode(torch.randn(6, 3, 56, 56), model.context(torch.randn(3, 3, 56, 56), torch.randn(32)))
    loss, _ = triplet_loss(f[:2], f[2:4], f[4:], torch.arange(2), 20, config)
    loss.backward()
    for name, parameter in model.named_parameters():
        if id(parameter) in chosen:
            assert parameter.requires_grad and parameter.grad is not None and parameter.grad.abs().max() > 0, name
        else:
            assert not parameter.requires_grad and parameter.grad is None, name
    optimizer.step()
    trained = {name for name, p in model.named_parameters() if id(p) in chosen}
    moved = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == trained


def test_what_trains_by_name(tiny_backbone):
    model = DPCLIP(tiny_backbone, DPCLIPConfig())
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert not any(name.startswith("backbone.clip.") and ".visual." not in name for name in trained)
    assert "backbone.clip.visual.proj" in trained and "backbone.clip.visual.conv1.weight" not in trained
    assert "patch_matching.block.attn.in_proj_weight" in trained and "patch_matching.block.ln_2.bias" in trained
    frozen = {name for name, _ in model.named_parameters() if name.startswith("patch_matching")} - trained
    assert {name.split(".")[2] + "." + name.split(".")[3] for name in frozen} == {
        "attn.out_proj",
        "mlp.c_fc",
        "mlp.c_proj",
    }


def test_frozen_parts_stay_in_eval(tiny_backbone):
    model = DPCLIP(tiny_backbone, DPCLIPConfig()).train()
    assert not any(module.training for module in model.backbone.modules())
    assert not any(module.training for module in model.patch_matching.block.modules())
    assert model.visual_prompt.dropout.training
    support, text = torch.randn(3, 3, 56, 56), torch.randn(32)
    assert not torch.equal(model.context(support, text).prompts[0], model.context(support, text).prompts[0])
    model.eval()
    assert torch.equal(model.context(support, text).prompts[0], model.context(support, text).prompts[0])


def test_training_leaves_the_copies_alone(tiny_backbone):
    """The local layer starts as layer M and shares no memory with it."""
    model = DPCLIP(tiny_backbone, DPCLIPConfig())
    own, local = tiny_backbone.block(-1), model.patch_matching.block
    for (name, a), b in zip(own.named_parameters(), local.parameters(), strict=True):
        assert torch.equal(a, b) and a.data_ptr() != b.data_ptr(), name
    assert torch.equal(model.patch_matching.proj[2], tiny_backbone.proj)


def test_starting_values(vit):
    """Bounds and spreads of sections 3 and 4."""
    torch.manual_seed(0)
    model = DPCLIP(vit, DPCLIPConfig(patch_matching=False))
    v, t = model.visual_prompt, model.text_prompt
    bound = (6 / (3 * 32 * 32 + 768)) ** 0.5
    assert 0.99 * bound < v.learned.abs().max() <= bound
    assert v.linear.weight.std().item() == pytest.approx((2 / 768) ** 0.5, rel=0.01)
    attention, mlp = v.block.attn, v.block.mlp
    for weight in (attention.out_proj.weight, mlp.c_fc.weight, mlp.c_proj.weight):
        assert weight.std().item() == pytest.approx(0.002, rel=0.02)
    assert attention.in_proj_weight.std().item() == pytest.approx(0.0255, rel=0.01)  # Xavier's, of 768 and 3 x 768
    assert attention.in_proj_bias.abs().max() == attention.out_proj.bias.abs().max() == 0
    for linear, inputs in ((mlp.c_fc, 768), (mlp.c_proj, 4 * 768)):
        assert linear.bias.std().item() == pytest.approx(inputs**-0.5 / 3**0.5, rel=0.05)  # torch's, uniform
    for norm in (v.block.ln_1, v.block.ln_2):
        assert (norm.weight == 1).all() and (norm.bias == 0).all()
    assert t.mlps[0][0].weight.std().item() == pytest.approx(0.01, rel=0.02) and t.mlps[0][2].bias.abs().max() == 0
    side = t.adapters[3]
    assert side.attention_path.B.abs().max() == side.mlp_path.B.abs().max() == 0
    assert side.attention_path.A.abs().max() <= (1 / 768) ** 0.5 < 1.02 * side.attention_path.A.abs().max()


def test_supports_speak_from_the_start(vit):
    """With the released start the prompts of two supports differ by a tenth of their length, as the released code's."""
    torch.manual_seed(0)
    model = DPCLIP(vit, DPCLIPConfig(scaling="none", patch_matching=False)).eval()
    with torch.no_grad():
        one, two = (torch.stack(model.context(torch.randn(3, 3, 224, 224), None).prompts) for _ in range(2))
    assert ((one - two).norm() / one.norm()).item() > 0.05


def test_clip_at_as_released_trains_its_attention_too(vit):
    """The projections to q, k and v of 12 layers, weights and biases."""
    model = DPCLIP(vit, DPCLIPConfig(**PLAIN, scaling="none", trainable="norms+embeddings+attention"))
    embeddings = DPCLIP(vit, DPCLIPConfig(**PLAIN, scaling="none"))
    more = count(model.set_trainable()["clip"]) - count(embeddings.set_trainable()["clip"])
    assert more == 21_261_312


def test_normalise(tiny_backbone):
    white = torch.ones(1, 3, 2, 2)
    imagenet = DPCLIP(tiny_backbone, DPCLIPConfig()).normalise(white)[0, :, 0, 0]
    clip = DPCLIP(tiny_backbone, DPCLIPConfig(normalisation="clip")).normalise(white)[0, :, 0, 0]
    torch.testing.assert_close(imagenet, torch.tensor([0.515 / 0.229, 0.544 / 0.224, 0.594 / 0.225]))
    torch.testing.assert_close(clip[0], torch.tensor((1 - 0.48145466) / 0.26862954))


def test_distance(tiny_backbone):
    model = DPCLIP(tiny_backbone, DPCLIPConfig(fusion=0.2)).eval()
    with torch.no_grad():
        f = model.encode(torch.randn(5, 3, 56, 56), model.context(torch.randn(3, 3, 56, 56), torch.randn(32)))
    d = model.distance(f, f)
    assert d.shape == (5, 5) and d.diagonal().abs().max() < 1e-5 and (d >= -1e-5).all() and (d <= 2 + 0.2 * 4 * 2).all()
    torch.testing.assert_close(d, d.T)
    joined = type(f).cat([f[:2], f[2:]])
    torch.testing.assert_close(model.distance(joined, f), d)


def test_the_support_matters(tiny_backbone):
    model = DPCLIP(tiny_backbone, DPCLIPConfig()).eval()
    image, text = torch.randn(1, 3, 56, 56), torch.randn(32)
    one, two = (model.encode(image, model.context(s, text)).global_feature for s in torch.randn(2, 3, 3, 56, 56))
    assert not torch.equal(one, two)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 16), st.integers(1, 16), st.integers(1, 4))
def test_windows_of_any_grid(grid, window, side):
    window = min(window, grid)
    tokens = window_tokens(grid, window, side * side)
    assert tokens.shape == (side * side, 1 + window * window)
    assert (tokens[:, 0] == 0).all() and tokens[:, 1:].min() >= 1 and tokens.max() <= grid * grid
    assert all(len(set(row.tolist())) == tokens.shape[1] for row in tokens)
    if side > 1:  # from edge to edge
        assert tokens[0, 1] == 1 and tokens[-1, -1] == grid * grid


def test_windows_of_the_paper():
    """Section 5: rows 0-4 or 2-6 by columns 0-4 or 2-6, row by row."""
    low, high = [0, 1, 2, 3, 4], [2, 3, 4, 5, 6]
    corners = [(low, low), (low, high), (high, low), (high, high)]
    expected = [[0] + [1 + 7 * r + c for r in rows for c in columns] for rows, columns in corners]
    assert window_tokens(7, 5, 4).tolist() == expected
