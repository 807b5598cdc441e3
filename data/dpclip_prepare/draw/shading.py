"""The photo of an object: its coloured surfaces, made round, lit, and put before a background.

Surfaces bulge away from their edges; the light has a direction, so one side shines and the other falls into shade,
and the object throws a soft shadow. Colour balance, exposure and noise are a camera's. No outline is ever drawn.
Source: `ours`.
"""

import colorsys

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter, shift

from dpclip_prepare.draw.drawing import CANVAS, SIZE, rasterise, smooth_noise
from dpclip_prepare.draw.svg import surfaces

BODY, PART = 22.0, 7.0  # how far in from its edge the whole object, and each of its parts, stops bulging; pixels
GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)
UP, ACROSS = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / SIZE  # pixel coordinates in 0..1


def photo(svg: str, rng: np.random.Generator) -> np.ndarray:
    """The object as a lit, coloured picture, (SIZE, SIZE, 3) floats in [0, 1]."""
    cut = rasterise(surfaces(svg, _pose(rng)))  # (SIZE, SIZE, 4)
    colour, alpha = cut[..., :3], cut[..., 3]
    azimuth, height = rng.uniform(-2.6, -0.5), rng.uniform(0.6, 1.0)  # from above, in radians; how steep
    light = np.array([np.cos(azimuth) * np.cos(height), np.sin(azimuth) * np.cos(height), np.sin(height)])
    lit = _light(_grain(colour, rng), colour, alpha, light, rng)
    mean = (colour * alpha[..., None]).sum((0, 1)) / max(float(alpha.sum()), 1.0)
    scene = _shadow(_background(mean, rng), alpha, light, rng)
    picture = scene * (1 - alpha[..., None]) + lit * alpha[..., None]
    return _camera(picture, rng)


def _pose(rng: np.random.Generator) -> str:
    """A small turn, size and place of the object in the frame, as an SVG transform."""
    x, y = CANVAS / 2 + rng.uniform(-3, 3, 2)
    scale, squeeze = rng.uniform(0.85, 1.05), rng.uniform(0.94, 1.06)
    return (
        f"translate({x:.2f} {y:.2f}) rotate({rng.normal(0, 5):.2f}) skewX({rng.normal(0, 3):.2f}) "
        f"scale({scale * squeeze:.3f} {scale / squeeze:.3f}) translate({-CANVAS / 2:g} {-CANVAS / 2:g})"
    )


def _grain(colour: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The surfaces with a material: blotches, and fine grain that may run in one direction."""
    across, down = (40, 40) if rng.random() < 0.5 else (14, 90)
    material = 0.07 * smooth_noise(rng, 6) + rng.uniform(0.02, 0.07) * smooth_noise(rng, across, down)
    return colour * (1 + material[..., None])


def _light(surface: np.ndarray, colour: np.ndarray, alpha: np.ndarray, light: np.ndarray, rng) -> np.ndarray:
    """`surface` shaded by the light on the bulging body and parts, with a highlight and darker rims."""
    inside = alpha > 0.5
    to_rim = distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]  # pixels to the silhouette
    steps = sum(np.abs(np.diff(colour, axis=axis, append=0)).sum(2) for axis in (0, 1))
    to_part = distance_transform_edt((steps < 0.08) & inside)  # pixels to the nearest change of colour
    body, part = _dome(to_rim, BODY), _dome(to_part, PART)
    relief = gaussian_filter(0.75 * BODY * body + 0.6 * PART * part, 1.3) + 0.2 * smooth_noise(rng, 9)
    down, right = np.gradient(relief)
    normal = np.stack([-right, -down, np.full_like(right, 1.2)])  # (3, SIZE, SIZE)
    normal /= np.linalg.norm(normal, axis=0)
    towards = np.clip(np.einsum("c,chw->hw", light, normal), 0, 1)
    half = light + np.array([0, 0, 1.0])
    shine = np.clip(np.einsum("c,chw->hw", half / np.linalg.norm(half), normal), 0, 1) ** rng.uniform(12, 40)
    ambient = rng.uniform(0.35, 0.5)
    shade = (ambient + (1.25 - ambient) * towards) * (1 - 0.3 * np.exp(-to_rim / 5))
    lit = np.clip(surface * 0.92 + 0.03, 0, 1) * shade[..., None]
    return lit + rng.uniform(0.05, 0.3) * shine[..., None]


def _dome(distance: np.ndarray, radius: float) -> np.ndarray:
    """Height in 0..1 of a surface that rises like a quarter circle over `radius` pixels from its edge."""
    return np.sqrt(np.clip(1 - (1 - np.minimum(distance / radius, 1)) ** 2, 0, 1))


def _shadow(scene: np.ndarray, alpha: np.ndarray, light: np.ndarray, rng) -> np.ndarray:
    """The scene darkened where the object stands between it and the light, softly, and close around the object."""
    reach = rng.uniform(6, 13)
    cast = gaussian_filter(shift(alpha, (-light[1] * reach, -light[0] * reach), order=1), rng.uniform(3.5, 7))
    near = gaussian_filter(alpha, 3.0)
    return scene * (1 - rng.uniform(0.35, 0.6) * np.clip(cast, 0, 1) - 0.15 * near)[..., None]


def _background(mean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A place to lie: its colour is the one of six random ones that differs most from the object's mean colour (3,)."""
    colours = [colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.04, 0.42), rng.uniform(0.4, 0.95)) for _ in range(6)]
    base = max(np.array(colours, dtype=np.float32), key=lambda colour: float(np.abs((colour - mean) @ GREY)))
    side = np.clip(base * rng.uniform(0.75, 1.2) * rng.uniform(0.93, 1.07, 3), 0, 1).astype(np.float32)
    pattern = PLACES[int(rng.integers(len(PLACES)))](rng)  # (SIZE, SIZE), about -1..1
    slope = rng.uniform(-1, 1) * (ACROSS - 0.5) + rng.uniform(-1, 1) * (UP - 0.5)
    mix = np.clip(0.5 + 0.5 * pattern, 0, 1)[..., None]
    return np.clip((base * mix + side * (1 - mix)) * (1 + 0.3 * slope + 0.08 * pattern)[..., None], 0.03, 1)


def _wall(rng: np.random.Generator) -> np.ndarray:
    return 0.5 * smooth_noise(rng, 4) + 0.3 * smooth_noise(rng, 12) + 0.25 * smooth_noise(rng, 50)


def _wood(rng: np.random.Generator) -> np.ndarray:
    rings = np.sin(2 * np.pi * (ACROSS * 1.2 + UP * rng.uniform(4, 8) + 0.25 * smooth_noise(rng, 3, 5)))
    return 0.45 * rings + 0.35 * smooth_noise(rng, 5, 110)


def _cloth(rng: np.random.Generator) -> np.ndarray:
    threads = np.sin(2 * np.pi * ACROSS * 38) * np.sin(2 * np.pi * UP * 38)
    return 0.4 * threads + 0.55 * smooth_noise(rng, 5)


def _table(rng: np.random.Generator) -> np.ndarray:
    edge = rng.uniform(0.5, 0.72) + rng.uniform(-0.06, 0.06) * (ACROSS - 0.5)
    return np.tanh((UP - edge) * 60) * 0.8 + 0.25 * smooth_noise(rng, 8)


def _blur(rng: np.random.Generator) -> np.ndarray:
    """Out-of-focus lights and leaves: soft discs of different brightness."""
    discs = np.zeros((SIZE, SIZE), dtype=np.float32)
    for _ in range(16):
        x, y, radius = rng.random(), rng.random(), rng.uniform(0.05, 0.17)
        discs += rng.uniform(-0.45, 0.45) * (1 - np.tanh((np.hypot(ACROSS - x, UP - y) - radius) * 45))
    return discs


PLACES = (_wall, _wood, _cloth, _table, _blur)


def _camera(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Exposure, colour balance, dark corners, a slightly soft lens and a little noise."""
    corners = 1 - rng.uniform(0, 0.35) * ((ACROSS - 0.5) ** 2 + (UP - 0.5) ** 2)[..., None] * 2
    picture = np.clip(picture * corners * rng.uniform(0.94, 1.06, 3), 0, 1) ** rng.uniform(0.85, 1.15)
    picture = gaussian_filter(picture, (rng.uniform(0.3, 0.7),) * 2 + (0,))
    return picture + rng.normal(0, 0.01, (SIZE, SIZE, 1))
