"""Prompt similarity: the cosine between a category's visual prompts and image tokens. Section 10 `paper` (Fig. 4).

Where in the tower it is taken, and the mean over the prompts, are `ours`: at the entrance of layer m, where p_m has
just joined the tokens (for layer 1 behind ln_pre, which both pass). There a prompt still belongs to the category alone.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from dpclip.config import RunConfig
from dpclip.data.batches import TestSet
from dpclip.data.store import ImageStore
from dpclip.errors import UserError
from dpclip.evaluation.evaluate import Bench, category_test
from dpclip.evaluation.gallery import SUPPORT, check_pictures, find_pictures, own_context
from dpclip.method.interface import find_method
from dpclip.method.model import DPCLIP, Context

CHUNK = 64  # pictures encoded at once: all their tokens at all layers are kept meanwhile
NO_PROMPTS = "this run has no visual prompts to compare with: choose one with visual_prompt='deep'."


def check_prompts(config: RunConfig) -> None:
    """Raise UserError for a run without visual prompts, before it is trained."""
    if config.model.visual_prompt == "none" or not issubclass(find_method(config.method), DPCLIP):
        raise UserError(NO_PROMPTS)


def prompt_similarity(prompts: Tensor, tokens: Tensor) -> Tensor:
    """Cosine of each patch with the prompts, averaged over the prompts: (..., K, D), (..., 1+N, D) -> (..., g, g)."""
    cosine = F.normalize(tokens[..., 1:, :], dim=-1) @ F.normalize(prompts, dim=-1).mT  # (..., N, K)
    grid = round(cosine.shape[-2] ** 0.5)
    return cosine.mean(-1).unflatten(-1, (grid, grid))


@torch.inference_mode()
def similarity(model: DPCLIP, images: Tensor, context: Context) -> Tensor:
    """images (B, 3, S, S) in [0, 1] -> (B, M, g, g): one map for each layer that prompts enter. Raises UserError for a
    model without prompts.
    """
    if not context.prompts:
        raise UserError(NO_PROMPTS)
    parts, length = [], 1 + model.backbone.grid**2
    for chunk in images.split(CHUNK):
        steps = model.eval().encode(model.normalise(chunk), context, intermediates=True).intermediates
        entering = [steps[f"layer_{m + 1}_in"] for m in range(len(context.prompts))]  # (B, 1+N+K, D) each
        parts.append(torch.stack([prompt_similarity(x[:, length:], x[:, :length]) for x in entering], dim=1))
    return torch.cat(parts)


def find_supports(
    store: ImageStore, asked: Bench | RunConfig, categories: list[str], folders: list[Path] | None
) -> dict[str, TestSet | list[Path]]:
    """Category -> where its support comes from: the data set (`transductive`, seed 0), or with `folders` the first
    pictures of each category's folder, and then any words are a category. Raises UserError for an unknown category,
    a folder without pictures, a damaged one, and when there are not as many folders as categories.
    """
    if not folders:
        return {category: category_test(store, asked, category, "transductive") for category in categories}
    if len(folders) != len(categories):
        raise UserError(f"{len(categories)} categories and {len(folders)} folders: give one folder for each category.")
    supports = {c: find_pictures(folder)[:SUPPORT] for c, folder in zip(categories, folders, strict=True)}
    check_pictures(file for files in supports.values() for file in files)
    return supports


@torch.inference_mode()
def category_contexts(bench: Bench, categories: list[str], folders: list[Path] | None = None) -> dict[str, Context]:
    """Category -> its prompts and scales, with the support that `find_supports` finds."""
    supports = find_supports(bench.store, bench, categories, folders)
    if not folders:
        return {category: bench.context(test) for category, test in supports.items()}
    return {words: own_context(bench.model, words, files) for words, files in supports.items()}
