"""Random views for training, drawn from a generator and made on the device, from bytes to numbers in [0, 1]."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

FEW = 4  # pictures


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
    sketch and its positive, none for the negative; greyscale (p .5), one draw for positive and negative. Section 7
    `code`. A processor's cache holds FEW pictures at a time.
    """
    count, channels = sketch.shape[:2]
    motion, grey = Motion.draw(count, generator), torch.rand(count, generator=generator) < 0.5
    both, own = (torch.empty(count, n, *sketch.shape[2:], device=sketch.device) for n in (channels + 3, 3))
    step = FEW if sketch.device.type == "cpu" else count
    for some in (slice(i, i + step) for i in range(0, count, step)):
        both[some] = move(torch.cat([sketch[some], lose_colour(positive[some], grey[some])], dim=1), motion[some])
        own[some] = lose_colour(negative[some], grey[some]).float().mul_(1 / 255)
    return both[:, :channels].expand(-1, 3, -1, -1), both[:, channels:], own


def move(pictures: Tensor, motion: Motion) -> Tensor:
    """uint8 (B, C, S, S) -> flipped, then rotated, in [0, 1]; white comes in at the corners."""
    flip, angle = motion.flip.to(pictures.device), motion.angle.to(pictures.device)
    ink = 255 - pictures  # 0 is white, which is what a rotation finds outside
    mirrored, turned = flip.nonzero()[:, 0], angle.nonzero()[:, 0]
    if len(mirrored):
        ink.index_copy_(0, mirrored, ink.index_select(0, mirrored).flip(-1))
    ink = ink.float().mul_(1 / 255)
    if len(turned):
        ink.index_copy_(0, turned, rotate(ink.index_select(0, turned), angle[turned]))
    return ink.neg_().add_(1)


def rotate(images: Tensor, angle: Tensor) -> Tensor:
    """images (B, C, S, S) about their centres by angle (B,), counter-clockwise in radians, zeros outside; each pixel
    from the nearest one.
    """
    size = images.shape[-1]
    axis = (torch.arange(size, device=images.device) * 2 + 1) / size - 1  # (S,) centres of pixels from -1 to 1
    along, across = angle.cos()[:, None] * axis, angle.sin()[:, None] * axis  # (B, S) each
    grid = images.new_empty(len(images), size, size, 2)
    torch.sub(along[:, None], across[:, :, None], out=grid[..., 0])
    torch.add(across[:, None], along[:, :, None], out=grid[..., 1])
    return F.grid_sample(images, grid, mode="nearest", align_corners=False)


def lose_colour(pictures: Tensor, chosen: Tensor) -> Tensor:
    """uint8 (B, 3, S, S): those `chosen` (B,) become grey by ITU-R 601."""
    places = chosen.to(pictures.device).nonzero()[:, 0]
    if not len(places):
        return pictures
    red, green, blue = pictures.index_select(0, places).unbind(1)
    grey = (red * 0.299).add_(green * 0.587).add_(blue * 0.114).round_().to(torch.uint8)
    return pictures.index_copy(0, places, grey[:, None].expand(-1, 3, -1, -1))
