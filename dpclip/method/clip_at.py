"""The three losses that CLIP-AT adds to the triplet: patch shuffle, relative distances, text classification.

CLIP for All Things Zero-Shot Sketch-Based Image Retrieval, Fine-Grained or Not, Sain et al., CVPR 2023. Section 13 of
the specification names the parts; the formulas below are our reading of them, every one `ours`.
"""

from itertools import permutations

import torch
import torch.nn.functional as F
from torch import Tensor

ORDERS = torch.tensor(list(permutations(range(4))))  # (24, 4), of the blocks of a 2x2 grid


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
    """Symmetric Kullback-Leibler divergence between the relative distances (B,) of two categories, after a softmax.

    Sorted distances are compared, since the triplets of two categories have no order in common.
    """
    p, q = ours.log_softmax(0), theirs.log_softmax(0)
    return 0.5 * ((p.exp() - q.exp()) * (p - q)).sum()


def text_loss(features: Tensor, texts: Tensor, label: int, logit_scale: Tensor) -> Tensor:
    """Cross-entropy of naming images (B, E) of one category among the text features (C, E) of all seen categories."""
    logits = logit_scale * F.normalize(features, dim=-1) @ F.normalize(texts, dim=-1).T  # (B, C)
    return F.cross_entropy(logits, torch.full((len(features),), label, device=logits.device))
