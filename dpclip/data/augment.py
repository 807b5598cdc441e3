"""Random views for training, drawn on the device from a generator."""

import torch
import torch.nn.functional as F
from torch import Tensor


def augment(
    sketch: Tensor, positive: Tensor, negative: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Flip (p .5) and rotation within 30 degrees (p .5, white fill), the same for a sketch and its positive;
    greyscale (p .5) for photos.

    Each (B, 3, S, S) in [0, 1]. Section 7 `code`; that the negative has a flip and rotation of its own is `ours`.
    """
    pair, other = geometry(len(sketch), generator), geometry(len(sketch), generator)
    positive, negative = grey(turn(positive, pair), generator), grey(turn(negative, other), generator)
    return turn(sketch, pair), positive, negative


def geometry(count: int, generator: torch.Generator) -> Tensor:
    """(count, 2, 3) affine maps of a random flip and rotation."""
    angle = (torch.rand(count, generator=generator) * 2 - 1) * (torch.pi / 6)
    angle = angle * (torch.rand(count, generator=generator) < 0.5)
    flip = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    rows = [
        torch.stack([angle.cos() * flip, -angle.sin(), 0 * angle], 1),
        torch.stack([angle.sin() * flip, angle.cos(), 0 * angle], 1),
    ]
    return torch.stack(rows, 1)


def turn(images: Tensor, maps: Tensor) -> Tensor:
    """Apply affine maps (B, 2, 3) to images (B, 3, S, S), white outside."""
    grid = F.affine_grid(maps.to(images.device), list(images.shape), align_corners=False)
    return 1 - F.grid_sample(1 - images, grid, align_corners=False)


def grey(images: Tensor, generator: torch.Generator) -> Tensor:
    """Half of the images (B, 3, S, S) without colour."""
    chosen = (torch.rand(len(images), 1, 1, 1, generator=generator) < 0.5).to(images.device)
    weights = torch.tensor([0.299, 0.587, 0.114], device=images.device).view(1, 3, 1, 1)
    return torch.where(chosen, (images * weights).sum(1, keepdim=True), images)
