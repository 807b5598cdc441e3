"""Patch-Level Matching Module: a feature for each window of the penultimate map. Fig. 5 `paper`; section 5 `code`."""

import copy
import math

import torch
from torch import Tensor, nn

from dpclip.errors import UserError
from dpclip.method.backbone import block_forward


def window_tokens(grid: int, window: int, windows: int) -> Tensor:
    """Which tokens each window holds: (W, 1 + window^2) indices into [CLS ; grid^2 patches], CLS first. Windows are
    spread evenly from edge to edge, row by row; one alone is in the middle. UserError for too large ones.
    """
    if window > grid:
        raise UserError(f"window={window} is larger than the backbone's {grid}x{grid} map: choose at most {grid}.")
    side, room = math.isqrt(windows), grid - window
    starts = [round(i * room / (side - 1)) for i in range(side)] if side > 1 else [room // 2]
    patches = torch.arange(1, 1 + grid * grid).view(grid, grid)
    held = (patches[r : r + window, c : c + window].flatten() for r in starts for c in starts)
    return torch.stack([torch.cat([torch.zeros(1, dtype=torch.long), tokens]) for tokens in held])


class PatchMatching(nn.Module):
    """A trainable copy of the last layer, shared by the windows; of ln_post and proj one copy a window. Its low-rank
    path, where the layer has one, is not scaled by text. `indices` come from `window_tokens`; N = grid^2.
    """

    def __init__(
        self, block: nn.Module, adapter: nn.Module | None, ln_post: nn.Module, proj: Tensor, indices: Tensor, grid: int
    ):
        super().__init__()
        self.block = copy.deepcopy(block)
        self.adapter = copy.deepcopy(adapter)
        self.norms = nn.ModuleList(copy.deepcopy(ln_post) for _ in indices)
        self.proj = nn.Parameter(proj.detach().repeat(len(indices), 1, 1))  # (W, D, E)
        mask = torch.zeros(len(indices), 1 + grid * grid, dtype=torch.bool)
        self.register_buffer("indices", indices, persistent=False)  # (W, 1+w^2)
        self.register_buffer("mask", mask.scatter(1, indices, True), persistent=False)  # (W, 1+N)

    def frozen(self) -> list[nn.Module]:
        """The parts of the copy that stay as CLIP left them."""
        return [self.block.mlp, self.block.attn.out_proj]

    def windows(self, tokens: Tensor) -> Tensor:
        """tokens (B, 1+N, D) -> (B, W, 1+w^2, D): what each window sees, for a look inside."""
        return tokens[:, self.indices]

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens (B, 1+N, D) that enter the last layer, prompts dropped -> local features (B, W, E). Only each window's
        CLS is read, so W copies of CLS look at one map, each through its window's mask.
        """
        cls = tokens[:, :1].expand(-1, len(self.indices), -1)  # (B, W, D)
        cls = block_forward(self.block, cls, keys=tokens, mask=self.mask, adapter=self.adapter)  # (B, W, D)
        cls = torch.stack([norm(cls[:, k]) for k, norm in enumerate(self.norms)])  # (W, B, D)
        return (cls @ self.proj).transpose(0, 1)  # (B, W, E)
