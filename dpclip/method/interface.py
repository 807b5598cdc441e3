"""What a method is to the code that trains and tests it: a class with the face below. Another method is another class.

`RunConfig.method` names it as "module:Class", so nothing else has to know of it.
"""

from importlib import import_module
from typing import Protocol

from torch import Tensor, nn

from dpclip.config import DPCLIPConfig
from dpclip.errors import UserError
from dpclip.method.features import Context, Features


class Method(Protocol):
    """An nn.Module, made as `Method(backbone, config)` if it is `on_backbone`, else as `Method(config)`."""

    on_backbone: bool  # whether it is built on the run's CLIP, and so knows words
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
        """What a category adds, from its support images (S, 3, S, S) and the feature (E,) of its name."""

    def encode(self, images: Tensor, context: Context) -> Features:
        """images (B, 3, S, S) under a category's context -> their features."""

    def loss(self, sketch: Features, positive: Features, negative: Features, photo_ids: Tensor, epoch: int) -> Tensor:
        """A scalar for the triplets of a batch; photo_ids (B,): the photo of each positive."""

    def distance(self, query: Features, gallery: Features) -> Tensor:
        """(Q, G), smaller is nearer."""


def find_method(path: str) -> type[Method]:
    """The class that "module:Class" names. Raises UserError when there is none."""
    module, _, name = path.partition(":")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(
            f"method={path!r}: there is no such class ({error}). Write module:Class, such as "
            "dpclip.method.model:DPCLIP."
        ) from error
