"""Triplet losses with random and hard negatives, and the three that CLIP-AT adds: shuffle, relative distances, text.

d = 1 - cos for random negatives, (1 - cos) / 2 for hard ones, with the same margin: section 6 `code`. CLIP-AT (Sain et
al., CVPR 2023): section 13 names its parts; the formulas are our reading of them, every one `ours`.
"""

from itertools import permutations

import torch
import torch.nn.functional as F
from torch import Tensor

from dpclip.config import DPCLIPConfig
from dpclip.method.interface import Features

ORDERS = torch.tensor(list(permutations(range(4))))  # (24, 4), of the blocks of a 2x2 grid


def hard_weight(epoch: int, hard_every: int) -> float:
    """w = 0.25 * floor(epoch / hard_every), epochs counted from 0; hard_every = 0 keeps to random negatives."""
    return 0.25 * (epoch // hard_every) if hard_every else 0.0


def triplet_loss(
    sketch: Features, positive: Features, negative: Features, photo_ids: Tensor, epoch: int, config: DPCLIPConfig
) -> tuple[Tensor, dict[str, float | Tensor]]:
    """L = (1 - w) L_rand + w L_hard, and w L_hard alone once w >= 1. Both: global + local_weight * sum over windows.

    sketch, positive, negative: features of B images, rows i belong together; photo_ids (B,): the photo of positive i.
    A hard negative is, level by level (global, each window), the positive of *another* photo nearest to the sketch;
    a sketch without one adds nothing. With negatives of other categories it is the nearest of them all `ours`.
    Returns the loss and its parts by name: random, hard (detached), hard_weight.
    """
    weights = sketch.global_feature.new_ones(sketch.levels().shape[1])  # (1+W,)
    weights[1:] = config.local_weight
    s, p, n = (F.normalize(f.levels(), dim=-1) for f in (sketch, positive, negative))  # (B, 1+W, E)

    cos_positive = (s * p).sum(-1)  # (B, 1+W)
    cos_random = (s * n).sum(-1)  # (B, 1+W)
    random = F.relu(config.margin + cos_random - cos_positive).mean(0) @ weights

    if config.negatives == "category":
        cos_all = torch.einsum("ale,ble->lab", s, n)  # (1+W, B, B)
    else:
        same_photo = photo_ids[:, None] == photo_ids[None, :]  # (B, B)
        cos_all = torch.einsum("ale,ble->lab", s, p).masked_fill(same_photo, -torch.inf)  # (1+W, B, B)
    cos_hard = cos_all.amax(-1).T  # (B, 1+W)
    hard = F.relu(config.margin + (cos_hard - cos_positive) / 2).mean(0) @ weights

    w = hard_weight(epoch, config.hard_every)
    loss = max(0.0, 1 - w) * random + w * hard
    return loss, {"random": random.detach(), "hard": hard.detach(), "hard_weight": w}


def two_orders(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """For each of `count` pairs, two different orders of the four blocks: (count, 4) each."""
    first = torch.randint(len(ORDERS), (count,), generator=generator)
    second = first + torch.randint(1, len(ORDERS), (count,), generator=generator)
    return ORDERS[first], ORDERS[second % len(ORDERS)]


def shuffle_patches(images: Tensor, order: Tensor) -> Tensor:
    """images (B, 3, S, S), S even, cut into 2x2 blocks; block i of the result is block order[:, i]."""
    size = images.shape[-1] // 2
    blocks = images.unflatten(3, (2, size)).unflatten(2, (2, size))  # (B, 3, 2, S/2, 2, S/2)
    blocks = blocks.permute(0, 2, 4, 1, 3, 5).flatten(1, 2)  # (B, 4, 3, S/2, S/2)
    blocks = blocks[torch.arange(len(blocks))[:, None], order.to(blocks.device)]
    return blocks.unflatten(1, (2, 2)).permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)


def shuffle_loss(sketch: Tensor, same: Tensor, other: Tensor, margin: float) -> Tensor:
    """A shuffled sketch (B, E) is nearer to its photo in the same order than to that photo in another one."""
    closer, farther = F.cosine_similarity(sketch, same), F.cosine_similarity(sketch, other)
    return F.relu(margin + farther - closer).mean()


def relative_distances(sketch: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """d(sketch, negative) - d(sketch, positive) of the triplets (B, E) of one category, ascending: (B,)."""
    return (F.cosine_similarity(sketch, positive) - F.cosine_similarity(sketch, negative)).sort().values


def relative_loss(ours: Tensor, theirs: Tensor) -> Tensor:
    """Symmetric Kullback-Leibler divergence between the sorted relative distances (B,) of two categories, softmaxed."""
    p, q = ours.log_softmax(0), theirs.log_softmax(0)
    return 0.5 * ((p.exp() - q.exp()) * (p - q)).sum()


def text_loss(features: Tensor, texts: Tensor, label: int, logit_scale: Tensor) -> Tensor:
    """Cross-entropy of naming images (B, E) of one category among the text features (C, E) of all seen categories."""
    logits = logit_scale * F.normalize(features, dim=-1) @ F.normalize(texts, dim=-1).T  # (B, C)
    return F.cross_entropy(logits, torch.full((len(features),), label, device=logits.device))
