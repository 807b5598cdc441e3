"""Visual Prompting Module (V-Prompt): a category's support images become prompt tokens for the image tower.

p_m = last K tokens of G([T ; l_m]): T the tokens of the support images, l_m learned tokens of layer m, G one block
shared by all layers. Source: Fig. 2 `paper`; section 3 of the specification `code`.
"""

import math

import torch
from open_clip.transformer import QuickGELU, ResidualAttentionBlock
from torch import Tensor, nn

from dpclip.method.backbone import block_forward


class VisualPrompt(nn.Module):
    """Learned tokens -> linear -> dropout -> G, seen together with the support. `generic` leaves out support and G."""

    def __init__(
        self, *, layers: int, width: int, heads: int, patch: int, num_prompts: int, dropout: float, generic: bool
    ):
        super().__init__()
        bound = math.sqrt(6 / (3 * patch * patch + width))  # Xavier's bound, as if a patch were projected to the width
        self.learned = nn.Parameter(torch.empty(layers, num_prompts, width).uniform_(-bound, bound))
        self.linear = nn.Linear(width, width)
        nn.init.kaiming_normal_(self.linear.weight, mode="fan_out")
        self.dropout = nn.Dropout(dropout)
        self.block = None if generic else ResidualAttentionBlock(width, heads, act_layer=QuickGELU)
        if self.block is not None:
            for linear in (self.block.attn.out_proj, self.block.mlp.c_fc, self.block.mlp.c_proj):
                nn.init.trunc_normal_(linear.weight, std=0.002)  # q, k and v keep Xavier's start: no linear layer

    def forward(self, support: Tensor | None) -> Tensor:
        """support (S, 1+N, D), before ln_pre -> prompts (M, K, D), all layers in one pass of G. Only the last K tokens
        of G are asked for. Those of layer m look at [T ; l_m], through a mask, so that T is projected once for all.
        """
        learned = self.dropout(self.linear(self.learned))  # (M, K, D)
        if self.block is None:
            return learned
        tokens, queries = support.flatten(0, 1), learned.flatten(0, 1)  # T (S(1+N), D), (MK, D)
        layer = torch.arange(len(queries), device=queries.device) // learned.shape[1]  # (MK,)
        own = layer[:, None] == layer  # (MK, MK)
        mask = torch.cat([own.new_ones(len(queries), len(tokens)), own], dim=1)  # (MK, S(1+N) + MK)
        keys = torch.cat([tokens, queries])
        return block_forward(self.block, queries[None], keys=keys[None], mask=mask).view_as(learned)
