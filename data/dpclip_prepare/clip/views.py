"""Random views for pre-training, in batches on any device: recoloured, lit, warped and placed on a background.

A view keeps what the caption says and changes the rest. Pictures are (B, C, S, S) floats in [0, 1].
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> Tensor:
    return torch.rand(shape, generator=generator, device=generator.device) * (high - low) + low


def chance(count: int, probability: float, generator: torch.Generator) -> Tensor:
    """(count, 1, 1, 1) bool, each true with `probability`."""
    return uniform((count, 1, 1, 1), 0, 1, generator) < probability


def luminance(colour: Tensor) -> Tensor:
    """Mean over the colour channels: (B, 3, ...) -> (B, 1, ...)."""
    return colour.mean(1, keepdim=True)


def background(count: int, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """White or a plain colour, half the time with soft clouds: (base colour (B, 3, 1, 1), picture (B, 3, size,
    size)).
    """
    base = uniform((count, 3, 1, 1), 0, 1, generator)
    base = torch.where(chance(count, 0.4, generator), 1.0, base)
    clouds = F.interpolate(uniform((count, 3, 6, 6), -0.35, 0.35, generator), size=(size, size), mode="bilinear")
    strength = uniform((count, 1, 1, 1), 0, 1, generator) * chance(count, 0.5, generator)
    return base, (base + clouds * strength).clamp(0, 1)


def warp(
    pictures: Tensor, size: int, generator: torch.Generator, scale: tuple[float, float] = (0.85, 1.35), aside: float = 0
) -> Tensor:
    """Rotation, scale, shift, shear, mirror and a soft elastic warp: (B, C, S, S) -> (B, C, size, size).

    scale: sides of the frame in units of the picture's, so that smaller values show a larger object; aside: how far the
    frame moves to the right, in halves of the picture's side. What lies outside the picture is 0.
    """
    count, channels = pictures.shape[:2]
    angle = uniform((count,), -0.4, 0.4, generator)
    zoom = uniform((count,), *scale, generator)
    mirror = torch.where(uniform((count,), 0, 1, generator) < 0.5, -1.0, 1.0)
    shear = uniform((count,), -0.15, 0.15, generator)
    aspect = uniform((count,), 0.88, 1.14, generator)
    shift = uniform((count, 2), -0.15, 0.15, generator)
    cos, sin = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    rows = [
        torch.stack([cos * mirror * aspect, -sin + shear, shift[:, 0] + aside * mirror], 1),
        torch.stack([sin * mirror, cos / aspect, shift[:, 1]], 1),
    ]
    grid = F.affine_grid(torch.stack(rows, 1), [count, channels, size, size], align_corners=False)
    bend = F.interpolate(uniform((count, 2, 5, 5), -1, 1, generator), size=(size, size), mode="bicubic")
    grid = grid + bend.permute(0, 2, 3, 1) * uniform((count, 1, 1, 1), 0, 0.09, generator)
    return F.grid_sample(pictures, grid, align_corners=False)


def inked(pictures: Tensor, mono: Tensor, base: Tensor, generator: torch.Generator) -> Tensor:
    """Flat RGBA, straight alpha -> premultiplied: monochrome ones (mono, (B,) bool) in an ink that can be read on
    `base` (B, 3, 1, 1), coloured ones in 4 of 10 with mixed-up colours.
    """
    count, alpha = len(pictures), pictures[:, 3:]
    ink = uniform((count, 3, 1, 1), 0, 1, generator) * ~chance(count, 0.45, generator)
    readable = (luminance(ink) - luminance(base)).abs() > 0.3
    ink = torch.where(readable, ink, (luminance(base) < 0.5).float())
    shuffled = mixed(pictures[:, :3], 0.4, generator)
    return torch.cat([torch.where(mono.view(-1, 1, 1, 1), ink, shuffled) * alpha, alpha], 1)


def mixed(colour: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """A `share` of the pictures (B, 3, S, S) with their colour channels mixed into one another."""
    count = len(colour)
    mix = uniform((count, 3, 3), -0.3, 0.3, generator) * chance(count, share, generator)[:, 0]
    mix = torch.eye(3, device=colour.device) + mix
    return (mix @ colour.flatten(2)).view_as(colour).clamp(0, 1)


def flat_views(pictures: Tensor, mono: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Flat icons, RGBA (B, 4, S, S), on a background: (B, 3, size, size)."""
    base, image = background(len(pictures), size, generator)
    placed = thickened(warp(inked(pictures, mono, base, generator), size, generator), generator)
    return developed(placed[:, :3] * lit(len(pictures), size, generator) + image * (1 - placed[:, 3:]), generator)


def double_views(first: Tensor, second: Tensor, mono: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Two flat icons side by side, a little over one another, one in front by chance; mono: (2, B) bool."""
    count = len(first)
    base, image = background(count, size, generator)
    side = torch.where(chance(count, 0.5, generator), 1.0, -1.0).flatten()
    for pictures, which, aside in ((first, mono[0], 0.55), (second, mono[1], -0.55)):
        ink = inked(pictures, which, base, generator)
        placed = warp(ink, size, generator, (1.3, 1.8), aside * side)
        image = placed[:, :3] + image * (1 - placed[:, 3:])
    return developed(image, generator)


def photo_views(pictures: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Photos (B, 3, S, S), seen a little closer or from another side; what lies outside is filled by their border."""
    margin = pictures.shape[-1] // 2
    wide = F.pad(mixed(pictures, 0.3, generator), (margin,) * 4, mode="reflect")
    return developed(warp(wide, size, generator, (0.38, 0.58)), generator)


def line_views(pictures: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Line drawings (B, 1, S, S), black on white: mostly dark on light paper, sometimes the other way round."""
    count = len(pictures)
    ink = thickened(warp(1 - pictures, size, generator, (0.8, 1.2)), generator)
    paper = torch.where(chance(count, 0.7, generator), 1.0, uniform((count, 3, 1, 1), 0.6, 1, generator))
    pen = uniform((count, 3, 1, 1), 0, 0.45, generator) * chance(count, 0.4, generator)
    image = paper * (1 - ink) + pen * ink
    return torch.where(chance(count, 0.1, generator), 1 - image, image)


def thickened(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """A quarter of the shapes one pixel thicker."""
    thicker = F.max_pool2d(pictures, 3, 1, 1)
    return torch.where(chance(len(pictures), 0.25, generator), thicker, pictures)


def lit(count: int, size: int, generator: torch.Generator) -> Tensor:
    """Light from one side, on 4 of 10: factors (B, 1, size, size) around 1."""
    slope = uniform((count, 2, 1, 1), -0.35, 0.35, generator) * chance(count, 0.4, generator)
    ramp = torch.linspace(-1, 1, size, device=slope.device)
    return 1 + slope[:, :1] * ramp.view(1, 1, 1, -1) + slope[:, 1:] * ramp.view(1, 1, -1, 1)


def developed(image: Tensor, generator: torch.Generator) -> Tensor:
    """One in five grey; all with a contrast and brightness of their own."""
    count = len(image)
    image = torch.where(chance(count, 0.2, generator), luminance(image), image)
    contrast, shift = uniform((count, 1, 1, 1), 0.7, 1.2, generator), uniform((count, 1, 1, 1), -0.1, 0.1, generator)
    return ((image - 0.5) * contrast + 0.5 + shift).clamp(0, 1)
