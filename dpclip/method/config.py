"""The switches of DP-CLIP. A configuration is checked when it is made, so a run never starts with a wrong one."""

import math
from dataclasses import dataclass, fields

from dpclip.errors import UserError

CHOICES = {
    "visual_prompt": ("none", "generic", "generic-shallow", "shallow", "deep"),
    "support": ("both", "sketch", "photo", "random", "unmatched"),
    "scaling": ("none", "unscaled", "direct", "sideway"),
    "templates": (1, 63),
    "trainable": ("none", "norms", "norms+embeddings"),
    "normalisation": ("clip", "imagenet"),
    "negatives": ("instance", "category"),
    "checkpoint": ("last", "val", "test"),
}
AT_LEAST = {
    "num_prompts": 1, "support_sketches": 0, "support_photos": 0, "prompt_dropout": 0, "rank": 1, "window": 1,
    "windows": 1, "margin": 0, "local_weight": 0, "fusion": 0, "hard_every": 0, "shuffle_weight": 0,
    "relative_weight": 0, "text_weight": 0,
}  # fmt: skip


@dataclass(frozen=True)
class DPCLIPConfig:
    """Defaults: the full model with the released code's values. Raises UserError naming field and allowed values."""

    visual_prompt: str = "deep"  # none | generic(-shallow) (learned only) | shallow (first layer) | deep (every layer)
    support: str = "both"  # both | sketch | photo | random (any categories) | unmatched (one other category)
    num_prompts: int = 3  # prompt tokens a layer
    support_sketches: int = 1  # support images of a category, if `support` uses sketches
    support_photos: int = 2  # the same for photos
    prompt_dropout: float = 0.1  # after the linear of the learned tokens
    scaling: str = "sideway"  # none | unscaled (low-rank paths, no text) | direct (Fig. 3b) | sideway (Fig. 3c)
    rank: int = 16  # r of the low-rank paths
    templates: int = 63  # sentences a category's text feature averages: 63 | 1
    patch_matching: bool = True
    window: int = 5  # side of a window, in patches
    windows: int = 4  # a square number: they lie in rows and columns, evenly
    trainable: str = "norms+embeddings"  # CLIP's own part: none | norms (paper) | norms+embeddings (released code)
    normalisation: str = "imagenet"  # pixel statistics: clip | imagenet (released code)
    margin: float = 0.15  # of the triplets
    local_weight: float = 0.1  # lambda, weight of the windows in the loss
    fusion: float = 0.2  # weight of the windows in the retrieval distance
    hard_every: int = 10  # epochs after which hard negatives gain 0.25 of weight; 0: never
    negatives: str = "instance"  # of another photo of the category | category: of other categories `ours`
    checkpoint: str = (
        "last"  # epoch kept: last | val: best on held-out seen categories | test: on the unseen (released)
    )
    shuffle_weight: float = 0.0  # of CLIP-AT's patch-shuffle triplet (clip_at.py)
    relative_weight: float = 0.0  # of its relative-distance regulariser
    text_weight: float = 0.0  # of its text classification loss

    def __post_init__(self):
        for field in fields(self):
            name, value, kind = field.name, getattr(self, field.name), field.type
            accepted = (float, int) if kind is float else kind
            if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
                raise UserError(f"{name}={value!r}: must be of type {kind.__name__}.")
            if name in CHOICES and value not in CHOICES[name]:
                raise UserError(f"{name}={value!r}: choose one of {', '.join(map(str, CHOICES[name]))}.")
            if name in AT_LEAST and not AT_LEAST[name] <= value < math.inf:
                raise UserError(f"{name}={value!r}: must be a finite number of at least {AT_LEAST[name]}.")
        if self.prompt_dropout >= 1:
            raise UserError(f"prompt_dropout={self.prompt_dropout}: must be below 1.")
        if math.isqrt(self.windows) ** 2 != self.windows:
            raise UserError(f"windows={self.windows}: must be a square number, such as 1, 4 or 9: rows by columns.")
        if self.sees_support and sum(self.support_counts) == 0:
            raise UserError(
                f"support={self.support!r} with support_sketches={self.support_sketches} and support_photos="
                f"{self.support_photos} leaves no support image: raise one, or choose visual_prompt='generic'."
            )

    @property
    def sees_support(self) -> bool:
        """Whether the prompts come from support images."""
        return self.visual_prompt in ("shallow", "deep")

    @property
    def reads_words(self) -> bool:
        """Whether the category's text feature scales the tower."""
        return self.scaling in ("direct", "sideway")

    @property
    def support_counts(self) -> tuple[int, int]:
        """How many (sketches, photos) the support set of a category holds under `support`."""
        sketches = 0 if self.support == "photo" else self.support_sketches
        photos = 0 if self.support == "sketch" else self.support_photos
        return sketches, photos
