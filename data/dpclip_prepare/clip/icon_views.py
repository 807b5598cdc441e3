"""Random views of icons for pre-training: recoloured, lit, warped and placed on a background, in batches.

A view keeps what the caption says and changes the rest. Lines and fills come from different icons of one group, never
from an edge filter: the mini CLIP learns nothing about the benchmark's way of drawing.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> Tensor:
    return torch.rand(shape, generator=generator) * (high - low) + low


def chance(count: int, probability: float, generator: torch.Generator) -> Tensor:
    """(count, 1, 1, 1) bool, each true with `probability`."""
    return torch.rand(count, 1, 1, 1, generator=generator) < probability


def luminance(colour: Tensor) -> Tensor:
    """Mean over the colour channels: (B, 3, ...) -> (B, 1, ...)."""
    return colour.mean(1, keepdim=True)


def canonical(pictures: Tensor) -> Tensor:
    """RGBA (B, 4, S, S) in [0, 1] over white -> (B, 3, S, S)."""
    alpha = pictures[:, 3:]
    return pictures[:, :3] * alpha + (1 - alpha)


def background(count: int, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """White or a plain colour, half the time with soft clouds: (base colour (B, 3, 1, 1), picture (B, 3, size,
    size)).
    """
    base = torch.rand(count, 3, 1, 1, generator=generator)
    base = torch.where(chance(count, 0.4, generator), torch.ones(()), base)
    clouds = F.interpolate(
        uniform((count, 3, 6, 6), -0.35, 0.35, generator), size=(size, size), mode="bilinear", align_corners=False
    )
    strength = torch.rand(count, 1, 1, 1, generator=generator) * chance(count, 0.5, generator)
    return base, (base + clouds * strength).clamp(0, 1)


def thicken(alpha: Tensor, generator: torch.Generator) -> Tensor:
    """A quarter of the shapes one pixel thicker, an eighth one pixel thinner: (B, 1, S, S)."""
    draw = torch.rand(alpha.shape[0], generator=generator)
    thicker, thinner = draw < 0.25, draw > 0.875
    alpha[thicker] = F.max_pool2d(alpha[thicker], 3, 1, 1)
    alpha[thinner] = -F.max_pool2d(-alpha[thinner], 3, 1, 1)
    return alpha


def warp(pictures: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Rotation, scale, shift, shear, mirror and a soft elastic warp: (B, C, S, S), premultiplied, -> (B, C, size,
    size).
    """
    count, channels = pictures.shape[:2]
    angle = uniform((count,), -0.4, 0.4, generator)
    scale = uniform((count,), 0.9, 1.45, generator)
    mirror = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    shear = uniform((count,), -0.15, 0.15, generator)
    aspect = uniform((count,), 0.88, 1.14, generator)
    shift = uniform((count, 2), -0.15, 0.15, generator)
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    rows = [
        torch.stack([cos * mirror * aspect, -sin + shear, shift[:, 0]], 1),
        torch.stack([sin * mirror, cos / aspect, shift[:, 1]], 1),
    ]
    grid = F.affine_grid(torch.stack(rows, 1), [count, channels, size, size], align_corners=False)
    bend = F.interpolate(
        uniform((count, 2, 5, 5), -1, 1, generator), size=(size, size), mode="bicubic", align_corners=False
    )
    grid = grid + bend.permute(0, 2, 3, 1) * uniform((count, 1, 1, 1), 0, 0.09, generator)
    return F.grid_sample(pictures, grid, align_corners=False)


def shapes(alpha: Tensor, base: Tensor, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Monochrome coverage (B, 1, S, S) in a random readable ink: premultiplied colour (B, 3, size, size) and alpha."""
    ink = torch.rand(base.shape, generator=generator) * (~chance(len(base), 0.45, generator))
    readable = (luminance(ink) - luminance(base)).abs() > 0.3
    ink = torch.where(readable, ink, (luminance(base) < 0.5).float().expand_as(ink))
    alpha = thicken(warp(alpha, size, generator), generator)
    return ink * alpha, alpha


def paintings(pictures: Tensor, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Coloured RGBA (B, 4, S, S), in 4 of 10 with mixed-up colours: premultiplied colour (B, 3, size, size) and
    alpha.
    """
    count = len(pictures)
    warped = warp(torch.cat([pictures[:, :3] * pictures[:, 3:], pictures[:, 3:]], 1), size, generator)
    mix = torch.eye(3) + uniform((count, 3, 3), -0.3, 0.3, generator) * chance(count, 0.4, generator)[:, 0]
    return (mix @ warped[:, :3].flatten(2)).view(count, 3, size, size), warped[:, 3:]


def random_views(colour: Tensor, mono: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """One random view of each picture, coloured ones first.

    colour: RGBA (B, 4, S, S) in [0, 1], straight alpha; mono: coverage (M, 1, S, S). Returns (B + M, 3, size, size)
    in [0, 1].
    """
    count = len(colour) + len(mono)
    base, image = background(count, size, generator)
    painted, shaped = paintings(colour, size, generator), shapes(mono, base[len(colour) :], size, generator)
    ink, alpha = (torch.cat(pair) for pair in zip(painted, shaped, strict=True))
    slope = uniform((count, 2, 1, 1), -0.35, 0.35, generator) * chance(count, 0.4, generator)
    ramp = torch.linspace(-1, 1, size)
    light = 1 + slope[:, :1] * ramp.view(1, 1, 1, -1) + slope[:, 1:] * ramp.view(1, 1, -1, 1)
    image.mul_(1 - alpha).add_(ink.mul_(light))
    grey = chance(count, 0.2, generator).flatten()
    image[grey] = luminance(image[grey]).expand(-1, 3, -1, -1)
    contrast, shift = uniform((count, 1, 1, 1), 0.7, 1.2, generator), uniform((count, 1, 1, 1), -0.1, 0.1, generator)
    return image.sub_(0.5).mul_(contrast).add_(0.5 + shift).clamp_(0, 1)
