"""Random views for training, drawn from a generator and made on the device, from bytes to numbers in [0, 1]."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Motion:
    """A flip and a rotation for each of B pictures."""

    flip: Tensor  # (B,) bool
    angle: Tensor  # (B,) radians, 0 for those that are not rotated

    @classmethod
    def draw(cls, count: int, generator: torch.Generator) -> "Motion":
        """Flip with p .5; rotation within 30 degrees with p .5. Section 7 `code`"""
        angle = (torch.rand(count, generator=generator) * 2 - 1) * (torch.pi / 6)
        angle = angle * (torch.rand(count, generator=generator) < 0.5)
        return cls(torch.rand(count, generator=generator) < 0.5, angle)

    def __getitem__(self, some: slice) -> "Motion":
        return Motion(self.flip[some], self.angle[some])


def augment(
    sketch: Tensor, positive: Tensor, negative: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """uint8 pictures (B, 1 or 3, S, S) -> views (B, 3, S, S) in [0, 1]: flip and rotation (white fill), the same for a
    sketch and its positive; greyscale (p .5) for photos. Section 7 `code`

    That the negative has a flip and rotation of its own is `ours`. A processor finishes one picture before the next,
    which keeps it in its cache; an accelerator makes all at once.
    """
    count, channels = sketch.shape[:2]
    pair, other = Motion.draw(count, generator), Motion.draw(count, generator)
    grey = [torch.rand(count, generator=generator) < 0.5 for _ in range(2)]
    views = [torch.empty(count, n, *sketch.shape[2:], device=sketch.device) for n in (channels + 3, 3)]
    step = 1 if sketch.device.type == "cpu" else count
    for first in range(0, count, step):
        some = slice(first, first + step)
        both = torch.cat([sketch[some], lose_colour(positive[some], grey[0][some])], dim=1)
        views[0][some] = move(both, pair[some])
        views[1][some] = move(lose_colour(negative[some], grey[1][some]), other[some])
    return views[0][:, :channels].expand(-1, 3, -1, -1), views[0][:, channels:], views[1]


def move(pictures: Tensor, motion: Motion) -> Tensor:
    """uint8 (B, C, S, S) -> flipped, rotated, in [0, 1]; white comes in at the corners."""
    flip, angle = motion.flip.to(pictures.device), motion.angle.to(pictures.device)
    pictures = torch.where(flip.view(-1, 1, 1, 1), pictures.flip(-1), pictures)
    ink = (255 - pictures).float().mul_(1 / 255)  # 0 is white, which is what a rotation finds outside
    turned = angle.nonzero()[:, 0]
    if len(turned):
        ink[turned] = rotate(ink[turned], torch.where(flip, -angle, angle)[turned])
    return ink.neg_().add_(1)


def rotate(images: Tensor, angle: Tensor) -> Tensor:
    """images (B, C, S, S) about their centres by angle (B,), counter-clockwise in radians, bilinear, zeros outside."""
    size = images.shape[-1]
    axis = (torch.arange(size, device=images.device) * 2 + 1) / size - 1  # (S,) centres of pixels from -1 to 1
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    grid = torch.stack([cos * axis - sin * axis[:, None], sin * axis + cos * axis[:, None]], dim=-1)  # (B, S, S, 2)
    return F.grid_sample(images, grid, align_corners=False)


def lose_colour(pictures: Tensor, chosen: Tensor) -> Tensor:
    """uint8 (B, 3, S, S): those `chosen` (B,) become grey by ITU-R 601."""
    weights = torch.tensor([0.299, 0.587, 0.114], device=pictures.device).view(3, 1, 1)
    chosen = chosen.to(pictures.device)
    pictures = pictures.clone()
    pictures[chosen] = (pictures[chosen] * weights).sum(1, keepdim=True).round().to(torch.uint8)  # to all channels
    return pictures
