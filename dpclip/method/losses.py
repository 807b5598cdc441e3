"""Triplet losses with random and hard negatives, and the schedule that moves from the first to the second.

d = 1 - cos for random negatives, (1 - cos) / 2 for hard ones, with the same margin.
Source: section 6 of the specification `code`.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from dpclip.config import DPCLIPConfig
from dpclip.method.features import Features


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
