"""One block of open_clip, with room for a side path and for tokens that are only looked at."""

import torch.nn.functional as F
from torch import Tensor, nn


def block_forward(
    block: nn.Module,
    x: Tensor,
    *,
    keys: Tensor | None = None,
    mask: Tensor | None = None,
    adapter: nn.Module | None = None,
    scale: Tensor | None = None,
) -> Tensor:
    """Update tokens x (B, L, D) by an open_clip ResidualAttentionBlock; equals `block(x)` when nothing else is given.

    keys     (B, L', D)  the tokens looked at, before ln_1; `x` itself by default. What a block makes of one token does
                         not depend on what it makes of another, so only tokens that somebody reads need be asked for.
    mask     (L, L')     bool, True where a token of `x` may look
    adapter, scale       the text side path of this layer (text_prompt.py) and its scaling vectors, or None

    Needed because nn.MultiheadAttention hides q, k and v, and side-way scaling adds to them. Source: section 4, `code`.
    """
    attention, width = block.attn, x.shape[-1]

    def project(tokens: Tensor, rows: slice) -> Tensor:
        h = block.ln_1(tokens)
        out = F.linear(h, attention.in_proj_weight[rows], attention.in_proj_bias[rows])
        return out if adapter is None else adapter.attention(h, out, scale, rows)

    if keys is None:
        q, k, v = project(x, slice(0, 3 * width)).chunk(3, dim=-1)  # (B, L, D) each
    else:
        q = project(x, slice(0, width))  # (B, L, D)
        k, v = project(keys, slice(width, 3 * width)).chunk(2, dim=-1)  # (B, L', D) each

    def heads(t: Tensor) -> Tensor:  # (B, L, D) -> (B, H, L, D/H)
        return t.unflatten(-1, (attention.num_heads, -1)).transpose(1, 2)

    y = F.scaled_dot_product_attention(heads(q), heads(k), heads(v), attn_mask=mask)
    x = x + block.ls_1(attention.out_proj(y.transpose(1, 2).flatten(2)))  # (B, L, D)

    y = block.ls_2(block.mlp(block.ln_2(x)))  # (B, L, D)
    return x + (y if adapter is None else adapter.mlp(x, y, scale))
