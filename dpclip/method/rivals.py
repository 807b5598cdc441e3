"""The methods to compare DP-CLIP with, as settings: same batches, same support items left out, same evaluation.

Nothing here is a copy of somebody's code; `reading` says where the sources leave room and what we do there.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rival:
    """`changes` are fields of RunConfig and DPCLIPConfig; `source` is a key of the book's bibliography."""

    changes: dict[str, object]
    source: str
    reading: str


PLAIN = {"visual_prompt": "none", "scaling": "none", "patch_matching": False, "trainable": "none"}

RIVALS = {
    "CLIP, untrained": Rival(PLAIN, "radford2021clip", "The image tower as it is; cosine of its features."),
    "CLIP, norms tuned": Rival(
        {**PLAIN, "trainable": "norms"},
        "gao2024dpclip",
        "DP-CLIP without its modules: all layer norms of the image tower are trained with the loss of DP-CLIP.",
    ),
    "VPT": Rival(
        {**PLAIN, "visual_prompt": "generic"},
        "jia2022vpt",
        "Deep prompts shared by all images, sketch or photo; only they are trained. Three a layer, through a linear "
        "and dropout as in DP-CLIP's generic variant, where the source learns the tokens themselves.",
    ),
    "LoRA": Rival(
        {**PLAIN, "scaling": "unscaled"},
        "hu2022lora",
        "Low-rank paths beside q, k, v and the MLP of every layer, factors as in DP-CLIP; no text. The source "
        "adapts attention weights only and has no path beside the MLP.",
    ),
    "CLIP-AT": Rival(
        {**PLAIN, "visual_prompt": "generic-shallow", "trainable": "norms", "margin": 0.3, "hard_every": 0}
        | {"shuffle_weight": 1.0, "relative_weight": 0.1, "text_weight": 0.5},
        "sain2023clipat",
        "The fine-grained recipe as published: three shared prompts at layer 1, norms, triplets within the category "
        "with margin 0.3, patch shuffle, relative distances, text classification (losses.py), with weights 1, .1 and "
        ".5 as two summaries give them. A batch holds one category, so relative distances are compared with those of "
        "the epoch's next batch of another category, which is not trained in this step. Its released code trains more "
        "than the norms: trainable='norms+embeddings+attention'.",
    ),
}
