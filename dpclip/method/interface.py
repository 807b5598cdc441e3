"""What a method is to the code that trains and tests it: a class with the face below, named by `RunConfig.method`."""

from dataclasses import dataclass, field
from importlib import import_module
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dpclip.config import DPCLIPConfig
from dpclip.errors import UserError


@dataclass(frozen=True)
class Context:
    """What a category adds to the tower, the same for each of its images, sketch or photo."""

    prompts: list[Tensor]  # (K, D) for each prompted layer: all of them, only the first, or none
    scales: list[Tensor]  # (2, r) or (4, D) for each layer, or none


@dataclass(frozen=True)
class Features:
    """Features of B images, not normalised, with W windows. `features[i:j]` is a part of the batch."""

    global_feature: Tensor  # (B, E)
    local_features: Tensor | None = None  # (B, W, E), None without patch matching
    intermediates: dict[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.global_feature)

    def __getitem__(self, rows) -> "Features":
        """`rows`: a slice, or a tensor of row numbers."""
        return Features(self.global_feature[rows], None if self.local_features is None else self.local_features[rows])

    def levels(self) -> Tensor:
        """(B, 1+W, E): the global feature, then the windows."""
        first = self.global_feature[:, None]
        return first if self.local_features is None else torch.cat([first, self.local_features], dim=1)

    @staticmethod
    def cat(parts: "list[Features]") -> "Features":
        """Join batches, without intermediates."""
        local = None if parts[0].local_features is None else torch.cat([p.local_features for p in parts])
        return Features(torch.cat([p.global_feature for p in parts]), local)


def retrieval_distance(query: Features, gallery: Features, fusion: float) -> Tensor:
    """(Q, G): d_g + fusion * sum_k d_l^k with d = 1 - cos. Section 7, `code`."""
    distance = 1 - F.normalize(query.global_feature, dim=-1) @ F.normalize(gallery.global_feature, dim=-1).T
    if query.local_features is not None:
        q, g = (F.normalize(f.local_features, dim=-1).flatten(1) for f in (query, gallery))  # (Q, W E), (G, W E)
        distance = distance + fusion * (query.local_features.shape[1] - q @ g.T)
    return distance


class Method(Protocol):
    """An nn.Module, made as `Method(backbone, config)` if it is `on_backbone`, else as `Method(config)`."""

    on_backbone: bool  # whether it is built on the run's CLIP, which it keeps as `backbone`: only then it knows words
    image_size: int  # side of its pictures in pixels; of the class, if it is not `on_backbone`
    config: DPCLIPConfig
    uses_category: bool  # whether the context differs from category to category

    @classmethod
    def trains(cls, config: DPCLIPConfig) -> bool:
        """Whether anything trains; without it, `set_trainable` and `loss` are not asked for."""

    def set_trainable(self) -> dict[str, list[nn.Parameter]]:
        """Freeze all but what trains; those for RunConfig.clip_rate as "clip", those for new_rate as "new"."""

    def normalise(self, images: Tensor) -> Tensor:
        """images (B, 3, S, S) in [0, 1] -> what `context` and `encode` take."""

    def context(self, support_images: Tensor | None, text_feature: Tensor | None) -> Context:
        """What a category adds: support_images (S, 3, S, S), text_feature (E,) of its name, None without words."""

    def encode(self, images: Tensor, context: Context) -> Features:
        """images (B, 3, S, S) under a category's context -> their features."""

    def loss(self, sketch: Features, positive: Features, negative: Features, photo_ids: Tensor, epoch: int) -> Tensor:
        """A scalar for the triplets of a batch; photo_ids (B,): the photo of each positive."""

    def distance(self, query: Features, gallery: Features) -> Tensor:
        """(Q, G), smaller is nearer."""


def find_method(path: str) -> type[Method]:
    """The class that "module:Class" names. Raises UserError when there is none, or it has not the face of a Method."""
    module, _, name = path.partition(":")
    try:
        found = getattr(import_module(module), name)
    except (Exception, SystemExit) as error:  # the module is anybody's code
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        cure = "Write module:Class, such as dpclip.method.model:DPCLIP."
        raise UserError(f"method={path!r}: there is no such class ({reason}). {cure}") from error
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        raise UserError(f"method={path!r} is no class of nn.Module. Name one, such as dpclip.method.model:DPCLIP.")
    wanted = ["on_backbone", "uses_category", "trains", "normalise", "context", "encode", "distance"]
    wanted += [] if getattr(found, "on_backbone", True) else ["image_size"]
    if missing := [member for member in wanted if not hasattr(found, member)]:
        raise UserError(f"method={path!r} lacks {', '.join(missing)}: what a method has, dpclip.method.interface says.")
    return found
