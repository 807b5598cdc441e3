"""A training step of the full DP-CLIP at ViT-B/32, batch 8, random weights: forward, loss, backward, Adam.

Ours: sketch, positive and negative in one pass, all windows in one pass, the prompts made once, and G asked for no more
than them. The rivals do the same work without these savings:

literal   the reference of the tests: image by image, head by head, window by window
unmerged  in batches, but in three passes; prompts made for each pass, layer by layer; each window cut out and run alone
"""

import copy
from collections.abc import Callable
from types import MethodType

import torch
from torch import Tensor

from benchmarks.timing import Comparison, interleaved
from dpclip.config import preset
from dpclip.method.backbone import block_forward, load_backbone
from dpclip.method.losses import triplet_loss
from dpclip.method.model import DPCLIP, DPCLIPConfig
from tests.dpclip.method.reference import Reference

BATCH = 8  # sketches, and as many positives and negatives
EPOCH = 10  # random and hard negatives both count
DEMAND = 1.3
REPEATS = 5


def step(model: DPCLIP, loss_of: Callable[[], Tensor]) -> Callable[[], float]:
    """A function that takes one step of Adam on a model and returns the loss before it."""
    rates = {"clip": preset("paper").clip_rate, "new": preset("paper").new_rate}
    optimizer = torch.optim.Adam([{"params": p, "lr": rates[name]} for name, p in model.set_trainable().items()])

    def take() -> float:
        loss = loss_of()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss.item()

    return take


def prompts_one_by_one(self, support: Tensor) -> Tensor:
    """In place of VisualPrompt.forward: G over all tokens, layer by layer."""
    tokens = support.flatten(0, 1)  # (S(1+N), D)
    made = [self.block(torch.cat([tokens, learned])[None])[0, -len(learned) :] for learned in self.linear(self.learned)]
    return torch.stack(made)  # (M, K, D)


def windows_one_by_one(self, tokens: Tensor) -> Tensor:
    """In place of PatchMatching.forward: each window cut out and run alone."""
    cut = [block_forward(self.block, tokens[:, index], adapter=self.adapter)[:, 0] for index in self.indices]
    return torch.stack([norm(cls) @ proj for cls, norm, proj in zip(cut, self.norms, self.proj, strict=True)], dim=1)


def steps() -> dict[str, tuple[DPCLIP, Callable[[], float]]]:
    """Name -> a model and its step. All start with the same weights and see the same images."""
    torch.manual_seed(0)
    config = DPCLIPConfig(prompt_dropout=0.0)
    ours = DPCLIP(load_backbone("ViT-B-32"), config).train()
    literal, unmerged = copy.deepcopy(ours), copy.deepcopy(ours)
    unmerged.visual_prompt.forward = MethodType(prompts_one_by_one, unmerged.visual_prompt)
    unmerged.patch_matching.forward = MethodType(windows_one_by_one, unmerged.patch_matching)

    size, count = ours.backbone.image_size, sum(config.support_counts)
    coarse = torch.rand(3 * BATCH + count, 3, ours.backbone.grid, ours.backbone.grid)
    pixels = ours.normalise(torch.nn.functional.interpolate(coarse, size=size, mode="bilinear"))
    images, support = pixels[: 3 * BATCH], pixels[3 * BATCH :]
    text, ids = torch.randn(ours.backbone.output_dim), torch.arange(BATCH)

    def loss_ours() -> Tensor:
        features = ours.encode(images, ours.context(support, text))
        parts = (features[i * BATCH : (i + 1) * BATCH] for i in range(3))
        return triplet_loss(*parts, ids, EPOCH, config)[0]

    def loss_literal() -> Tensor:
        reference = Reference(literal)
        features = reference.encode(images, support, text)
        return reference.loss(features[:BATCH], features[BATCH : 2 * BATCH], features[2 * BATCH :], ids, EPOCH)

    def loss_unmerged() -> Tensor:
        parts = (unmerged.encode(part, unmerged.context(support, text)) for part in images.split(BATCH))
        return triplet_loss(*parts, ids, EPOCH, config)[0]

    return {
        "ours": (ours, step(ours, loss_ours)),
        "literal": (literal, step(literal, loss_literal)),
        "unmerged": (unmerged, step(unmerged, loss_unmerged)),
    }


def check_same_work(sides: dict[str, tuple[DPCLIP, Callable[[], float]]]) -> None:
    """Take one step on each side: same loss, same gradients. Raises AssertionError when they differ."""
    losses = {name: take() for name, (_, take) in sides.items()}
    gradients = {
        name: torch.cat([p.grad.flatten() for p in model.parameters() if p.requires_grad])
        for name, (model, _) in sides.items()
    }
    scale = gradients["ours"].norm()
    assert scale > 0
    for name in sides:
        torch.testing.assert_close(losses[name], losses["ours"], rtol=1e-5, atol=0)
        assert (gradients[name] - gradients["ours"]).norm() < 1e-3 * scale, name


def compare() -> list[Comparison]:
    sides = steps()
    check_same_work(sides)  # also the warm-up
    seconds = interleaved({name: take for name, (_, take) in sides.items()}, REPEATS)
    return [
        Comparison("training step", "literal reference", seconds["ours"], seconds["literal"], DEMAND),
        Comparison("training step", "batched, three passes", seconds["ours"], seconds["unmerged"]),
    ]
