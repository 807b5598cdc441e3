"""The photo of an icon: its regions coloured, made round, lit, and put before a background. No outline is drawn.

Regions bulge away from their edges; the light has a direction, so one side shines and the other falls into shade, and
the object throws a soft shadow. Colour balance, exposure and noise are a camera's. Source: `ours`.
"""

import colorsys

import numpy as np
from PIL import Image
from scipy.ndimage import distance_transform_edt, gaussian_filter, shift

from dpclip_prepare.draw.canvas import ART, SIDE, clouds
from dpclip_prepare.draw.regions import GREY, Parts, nearest

BODY, PART = 18.0, 5.6  # how far in from its edge the whole object, and each of its parts, stops bulging; pixels
UP, ACROSS = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) / SIDE  # pixel coordinates in 0..1


def photo_of(parts: Parts, rng: np.random.Generator) -> np.ndarray:
    """The object as a lit, coloured picture, (SIDE, SIDE, 3) floats in [0, 1]."""
    colour, alpha = _posed(parts, rng)
    azimuth, height = rng.uniform(-2.6, -0.5), rng.uniform(0.6, 1.0)  # from above, in radians; how steep
    light = np.array([np.cos(azimuth) * np.cos(height), np.sin(azimuth) * np.cos(height), np.sin(height)], np.float32)
    lit = _light(_grain(colour, rng), colour, alpha, light, rng)
    mean = (colour * alpha[..., None]).sum((0, 1)) / max(float(alpha.sum()), 1.0)
    scene = _shadow(_background(mean, rng), alpha, light, rng)
    return _camera(scene + (lit - scene) * alpha[..., None], rng)


def _painted(parts: Parts, rng: np.random.Generator) -> np.ndarray:
    """Colours of all pixels, (ART, ART, 3): the icon's own, or a palette of a few hues of different brightness."""
    if parts.colour is not None:
        return parts.colour
    names, region = np.unique(parts.regions, return_inverse=True)
    hue = rng.random()
    hues = np.where(rng.random(len(names)) < 0.6, hue + rng.normal(0, 0.06, len(names)), rng.random(len(names))) % 1
    tints = [colorsys.hsv_to_rgb(h, rng.uniform(0.15, 0.9), rng.uniform(0.3, 0.95)) for h in hues]
    spread = 0.55 + 0.6 * rng.permutation(len(names)) / max(1, len(names) - 1)  # so that neighbours differ
    return np.clip(np.array(tints) * spread[:, None], 0.08, 0.95)[region.reshape(parts.regions.shape)]


def _posed(parts: Parts, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Colours and coverage of the object after a small turn, at a size and place of its own, (SIDE, SIDE, 3) and
    (SIDE, SIDE).
    """
    inside = parts.regions > 0
    colour = _painted(parts, rng)[nearest(inside)]  # goes on beyond the edge: the warp takes nothing of the outside
    picture = np.dstack([colour, gaussian_filter(inside.astype(np.float32), 0.7)])
    angle, slant = np.deg2rad(rng.normal(0, 5)), np.tan(np.deg2rad(rng.normal(0, 3)))
    scale, squeeze = rng.uniform(0.92, 1.14), rng.uniform(0.94, 1.06)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    back = np.linalg.inv(turn @ [[1, slant], [0, 1]] @ np.diag([scale * squeeze, scale / squeeze]) * SIDE / ART)
    offset = ART / 2 - back @ (SIDE / 2 + rng.uniform(-0.045, 0.045, 2) * SIDE)
    data = (*back[0], offset[0], *back[1], offset[1])
    image = Image.fromarray(np.rint(picture * 255).astype(np.uint8), "RGBA")
    posed = np.asarray(image.transform((SIDE, SIDE), Image.Transform.AFFINE, data, Image.Resampling.BILINEAR))
    return posed[..., :3].astype(np.float32) / 255, posed[..., 3].astype(np.float32) / 255


def _grain(colour: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The surfaces with a material: blotches, and fine grain that may run in one direction."""
    across, down = (40, 40) if rng.random() < 0.5 else (14, 90)
    material = 0.07 * clouds(rng, 6) + np.float32(rng.uniform(0.02, 0.07)) * clouds(rng, across, down)
    return colour * (1 + material[..., None])


def _light(surface: np.ndarray, colour: np.ndarray, alpha: np.ndarray, light: np.ndarray, rng) -> np.ndarray:
    """`surface` shaded by the light on the bulging body and parts, with a highlight and darker rims."""
    inside = alpha > 0.5
    to_rim = distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1].astype(np.float32)  # pixels to the silhouette
    seen = np.where(inside[..., None], colour, 0)
    steps = sum(np.abs(np.diff(seen, axis=axis, append=0)).sum(2) for axis in (0, 1))
    to_part = distance_transform_edt((steps < 0.08) & inside).astype(np.float32)  # pixels to a change of colour
    bulge = 0.75 * BODY * _dome(to_rim, BODY) + 0.6 * PART * _dome(to_part, PART)
    down, right = np.gradient(gaussian_filter(bulge, 1.1) + 0.2 * clouds(rng, 9))
    length = np.sqrt(right**2 + down**2 + 1.2**2)
    half = light + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half)
    towards, shine = (
        np.clip((1.2 * way[2] - way[0] * right - way[1] * down) / length, 0, 1) for way in (light, half)
    )  # (SIDE, SIDE): how much the surface faces the light, and the middle between light and eye
    ambient = rng.uniform(0.35, 0.5)
    shade = (ambient + (1.25 - ambient) * towards) * (1 - 0.3 * np.exp(-to_rim / 4))
    gloss = rng.uniform(0.05, 0.3) * shine ** rng.uniform(12, 40)
    return np.clip(surface * 0.92 + 0.03, 0, 1) * shade[..., None] + gloss[..., None]


def _dome(distance: np.ndarray, radius: float) -> np.ndarray:
    """Height in 0..1 of a surface that rises like a quarter circle over `radius` pixels from its edge."""
    return np.sqrt(np.clip(1 - (1 - np.minimum(distance / radius, 1)) ** 2, 0, 1))


def _shadow(scene: np.ndarray, alpha: np.ndarray, light: np.ndarray, rng) -> np.ndarray:
    """The scene darkened where the object stands between it and the light, softly, and close around the object."""
    reach = rng.uniform(5, 10)
    cast = gaussian_filter(shift(alpha, (-light[1] * reach, -light[0] * reach), order=1), rng.uniform(2.8, 5.6))
    near = gaussian_filter(alpha, 2.4)
    return scene * (1 - np.float32(rng.uniform(0.35, 0.6)) * np.clip(cast, 0, 1) - 0.15 * near)[..., None]


def _background(mean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A place to lie: its colour is the one of six random ones that differs most from the object's mean colour (3,)."""
    colours = [colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.04, 0.42), rng.uniform(0.4, 0.95)) for _ in range(6)]
    base = max(np.array(colours, dtype=np.float32), key=lambda colour: float(np.abs((colour - mean) @ GREY)))
    side = np.clip(base * rng.uniform(0.75, 1.2) * rng.uniform(0.93, 1.07, 3), 0, 1).astype(np.float32)
    pattern = PLACES[int(rng.integers(len(PLACES)))](rng).astype(np.float32)  # (SIDE, SIDE), about -1..1
    slope = rng.uniform(-1, 1) * (ACROSS - 0.5) + rng.uniform(-1, 1) * (UP - 0.5)
    mix = np.clip(0.5 + 0.5 * pattern, 0, 1)[..., None]
    return np.clip((side + (base - side) * mix) * (1 + 0.3 * slope + 0.08 * pattern)[..., None], 0.03, 1)


def _wall(rng: np.random.Generator) -> np.ndarray:
    return 0.5 * clouds(rng, 4) + 0.3 * clouds(rng, 12) + 0.25 * clouds(rng, 50)


def _wood(rng: np.random.Generator) -> np.ndarray:
    rings = np.sin(2 * np.pi * (ACROSS * 1.2 + UP * rng.uniform(4, 8) + 0.25 * clouds(rng, 3, 5)))
    return 0.45 * rings + 0.35 * clouds(rng, 5, 110)


def _cloth(rng: np.random.Generator) -> np.ndarray:
    threads = np.sin(2 * np.pi * ACROSS * 38) * np.sin(2 * np.pi * UP * 38)
    return 0.4 * threads + 0.55 * clouds(rng, 5)


def _table(rng: np.random.Generator) -> np.ndarray:
    edge = rng.uniform(0.5, 0.72) + rng.uniform(-0.06, 0.06) * (ACROSS - 0.5)
    return np.tanh((UP - edge) * 60) * 0.8 + 0.25 * clouds(rng, 8)


def _blur(rng: np.random.Generator) -> np.ndarray:
    """Out-of-focus lights and leaves: soft discs of different brightness."""
    discs = np.zeros((SIDE, SIDE), dtype=np.float32)
    for _ in range(16):
        x, y, radius, strength = rng.random(), rng.random(), rng.uniform(0.05, 0.17), rng.uniform(-0.45, 0.45)
        distance = np.hypot(ACROSS - np.float32(x), UP - np.float32(y)) - np.float32(radius)
        discs += np.float32(strength) * (1 - np.clip(distance * 40, -1, 1))
    return discs


PLACES = (_wall, _wood, _cloth, _table, _blur)


def _camera(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Exposure, colour balance, dark corners, a slightly soft lens and a little noise."""
    corners = 1 - np.float32(rng.uniform(0, 0.35)) * ((ACROSS - 0.5) ** 2 + (UP - 0.5) ** 2)[..., None] * 2
    balance = rng.uniform(0.94, 1.06, 3).astype(np.float32)
    picture = np.clip(picture * corners * balance, 0, 1) ** np.float32(rng.uniform(0.85, 1.15))
    picture = gaussian_filter(picture.astype(np.float32), (rng.uniform(0.25, 0.55),) * 2 + (0,))
    return picture + 0.01 * rng.standard_normal((SIDE, SIDE, 1), dtype=np.float32)
