"""Textual Prompting Module (T-Prompt): the category's text feature scales every layer of the image tower.

Source: Fig. 3 b and c `paper`; section 4 of the specification `code`. Direct scaling is `ours`: nobody stored its code.
"""

import math

import torch
from torch import Tensor, nn

ATTENTION_FACTOR = 1 / 16  # whatever the rank; the MLP path takes 1 / rank `code`


class LowRank(nn.Module):
    """factor * B ((1 + s) * (A h)), with s = 0 when no text scales it. B starts at zero, so the path starts silent."""

    def __init__(self, inputs: int, outputs: int, *, rank: int, factor: float):
        super().__init__()
        self.A = nn.Parameter(torch.empty(rank, inputs))
        self.B = nn.Parameter(torch.zeros(outputs, rank))
        self.factor = factor
        nn.init.kaiming_uniform_(self.A, a=math.sqrt(5))

    def forward(self, h: Tensor, s: Tensor | None, rows: slice = slice(None)) -> Tensor:
        """h (..., inputs), s (rank,) or None -> (..., outputs), or only some rows of the outputs."""
        z = h @ self.A.T  # (..., r)
        return self.factor * ((z if s is None else (1 + s) * z) @ self.B[rows].T)


class SideWay(nn.Module):
    """Fig. 3c: low-rank paths beside attention and MLP, their middle times 1 + `scale` (2, r); None: a plain LoRA."""

    def __init__(self, width: int, rank: int):
        super().__init__()
        self.attention_path = LowRank(width, 3 * width, rank=rank, factor=ATTENTION_FACTOR)
        self.mlp_path = LowRank(width, width, rank=rank, factor=1 / rank)

    def attention(self, h: Tensor, qkv: Tensor, scale: Tensor | None, rows: slice) -> Tensor:
        """h = ln_1(x) (B, L, D); qkv (B, L, len(rows)), the chosen rows of the stacked [q; k; v]."""
        return qkv + self.attention_path(h, None if scale is None else scale[0], rows)

    def mlp(self, x: Tensor, y: Tensor, scale: Tensor | None) -> Tensor:
        """x (B, L, D), *not* normalised; y = MLP(ln_2(x))."""
        return y + self.mlp_path(x, None if scale is None else scale[1])


class Direct(nn.Module):
    """Fig. 3b: q, k, v and the MLP's output times (1 + s), channel by channel; `scale` (4, D) in that order. `ours`"""

    def attention(self, h: Tensor, qkv: Tensor, scale: Tensor | None, rows: slice) -> Tensor:
        return qkv if scale is None else qkv * (1 + scale[:3].flatten()[rows])

    def mlp(self, x: Tensor, y: Tensor, scale: Tensor | None) -> Tensor:
        return y if scale is None else y * (1 + scale[3])


class TextPrompt(nn.Module):
    """One adapter a layer and, unless `scaling` is "unscaled", one small MLP a layer that turns text into its scale."""

    def __init__(self, *, depth: int, width: int, text_dim: int, scaling: str, rank: int):
        super().__init__()
        self.adapters = nn.ModuleList(Direct() if scaling == "direct" else SideWay(width, rank) for _ in range(depth))
        self.scale_shape = (4, width) if scaling == "direct" else (2, rank)
        self.mlps, outputs = nn.ModuleList(), math.prod(self.scale_shape)
        for _ in range(0 if scaling == "unscaled" else depth):
            mlp = nn.Sequential(nn.Linear(text_dim, text_dim), nn.ReLU(), nn.Linear(text_dim, outputs))
            for linear in (mlp[0], mlp[2]):
                nn.init.normal_(linear.weight, std=0.01)
                nn.init.zeros_(linear.bias)
            if scaling == "direct":
                nn.init.zeros_(mlp[2].weight)  # s = 0: the model starts as CLIP `ours`
            self.mlps.append(mlp)

    def forward(self, text_feature: Tensor) -> list[Tensor]:
        """text_feature (E,) -> the scale of each layer, (2, r) or (4, D); an empty list when text does not scale."""
        return [mlp(text_feature).view(self.scale_shape) for mlp in self.mlps]
