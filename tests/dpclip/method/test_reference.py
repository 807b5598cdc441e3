"""The fast model against the literal one, for every switch: features, local features, distances, losses, gradients.

In float64, where the two may differ only by rounding; the demand is 1e-5, we ask for more.
"""

import pytest
import torch

from dpclip.method.losses import triplet_loss
from dpclip.method.model import DPCLIP, DPCLIPConfig

from .reference import Reference

CASES = {
    "full": {},
    "no modules": dict(visual_prompt="none", scaling="none", patch_matching=False),
    "no modules, patch": dict(visual_prompt="none", scaling="none"),
    "generic": dict(visual_prompt="generic"),
    "generic, first layer": dict(visual_prompt="generic-shallow"),
    "shallow": dict(visual_prompt="shallow"),
    "deep alone": dict(scaling="none", patch_matching=False),
    "one prompt": dict(num_prompts=1),
    "support sketch": dict(support="sketch"),
    "support photo": dict(support="photo", support_photos=3),
    "support random": dict(support="random"),
    "support unmatched": dict(support="unmatched", support_sketches=2),
    "unscaled": dict(scaling="unscaled"),
    "direct": dict(scaling="direct"),
    "direct alone": dict(visual_prompt="none", scaling="direct", patch_matching=False),
    "rank 3": dict(rank=3),
    "rank of the width": dict(rank=64),
    "one window": dict(windows=1, window=4),
    "nine windows": dict(windows=9, window=3),
    "whole map": dict(windows=4, window=7),
    "norms": dict(trainable="norms"),
    "nothing of CLIP": dict(trainable="none"),
    "clip pixels": dict(normalisation="clip"),
    "loss weights": dict(margin=0.4, local_weight=0.7, fusion=0.9, hard_every=2),
    "random negatives": dict(hard_every=0),
    "negatives of other categories": dict(negatives="category"),
}


def shake(model, seed=0):
    """Move every parameter, so that paths that start at zero count."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)


@pytest.fixture(autouse=True)
def double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("case", CASES)
def test_same_numbers(case, tiny_backbone):
    torch.manual_seed(1)
    config = DPCLIPConfig(**{"prompt_dropout": 0.0, "rank": 4, **CASES[case]})
    model = DPCLIP(tiny_backbone, config).double().train()
    shake(model)
    images = model.normalise(torch.rand(9, 3, 56, 56))
    support = model.normalise(torch.rand(sum(config.support_counts), 3, 56, 56))
    text, ids = torch.randn(32), torch.tensor([0, 1, 0])

    features = model.encode(images, model.context(support, text))
    reference = Reference(model)
    slow = reference.encode(images, support, text)
    torch.testing.assert_close(features.levels(), torch.stack([torch.stack(f) for f in slow]), atol=1e-9, rtol=0)

    distances = model.distance(features[:3], features[3:])
    literal = torch.stack([torch.stack([reference.distance(q, g) for g in slow[3:]]) for q in slow[:3]])
    torch.testing.assert_close(distances, literal, atol=1e-9, rtol=0)

    trained = [p for group in model.set_trainable().values() for p in group]
    for epoch in (0, 15, 45):
        ours, _ = triplet_loss(features[:3], features[3:6], features[6:], ids, epoch, config)
        theirs = reference.loss(slow[:3], slow[3:6], slow[6:], ids, epoch)
        torch.testing.assert_close(ours, theirs, atol=1e-9, rtol=0)
        if trained and epoch == 15:
            a = torch.autograd.grad(ours, trained, retain_graph=True)
            b = torch.autograd.grad(theirs, trained, retain_graph=True)
            assert max(g.abs().max() for g in a) > 1e-3
            for ours_gradient, literal_gradient in zip(a, b, strict=True):
                torch.testing.assert_close(ours_gradient, literal_gradient, atol=1e-9, rtol=1e-7)


@pytest.mark.parametrize("patches,window,windows", [(5, 3, 4), (4, 2, 9)])
def test_another_grid(patches, window, windows, make_tiny):
    torch.manual_seed(2)
    backbone = make_tiny(image_size=8 * patches)
    assert backbone.grid == patches
    model = DPCLIP(backbone, DPCLIPConfig(window=window, windows=windows)).double().eval()
    shake(model)
    images, text = torch.randn(2, 3, 8 * patches, 8 * patches), torch.randn(32)
    fast = model.encode(images, model.context(images, text)).levels()
    slow = Reference(model).encode(images, images, text)
    torch.testing.assert_close(fast, torch.stack([torch.stack(f) for f in slow]), atol=1e-9, rtol=0)


def test_intermediates_are_those_of_the_same_pass(tiny_backbone):
    torch.manual_seed(3)
    model = DPCLIP(tiny_backbone, DPCLIPConfig()).double().eval()
    shake(model)
    images, text = torch.randn(2, 3, 56, 56), torch.randn(32)
    context = model.context(images, text)
    plain, looked = model.encode(images, context), model.encode(images, context, intermediates=True)
    assert not plain.intermediates
    torch.testing.assert_close(plain.levels(), looked.levels(), atol=1e-12, rtol=0)
    seen = looked.intermediates
    shapes = {name: tuple(tensor.shape) for name, tensor in seen.items()}
    assert shapes["tokens"] == shapes["penultimate"] == (2, 50, 64)
    assert all(shapes[f"layer_{m}_{end}"] == (2, 53, 64) for m in (1, 2, 3) for end in ("in", "out"))
    assert (shapes["prompts"], shapes["scales"], shapes["windows"]) == ((3, 3, 64), (3, 2, 16), (2, 4, 26, 64))
    reference = Reference(model)
    torch.testing.assert_close(seen["prompts"], torch.stack(reference.prompts(images)), atol=1e-9, rtol=0)
    torch.testing.assert_close(seen["scales"], torch.stack(reference.scales(text)), atol=1e-9, rtol=0)
    torch.testing.assert_close(seen["tokens"][0], reference.tokens(images[0]), atol=1e-9, rtol=0)
    torch.testing.assert_close(seen["penultimate"], seen["layer_2_out"][:, :50])
    cut = seen["penultimate"][:, 1:].unflatten(1, (7, 7))[:, 0:5, 2:7].flatten(1, 2)  # top right
    torch.testing.assert_close(seen["windows"][:, 1], torch.cat([seen["penultimate"][:, :1], cut], dim=1))
