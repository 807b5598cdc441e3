"""Seeds and pixels shared by the photo and the sketch of an object. Source: `ours`."""

import hashlib
import io

import numpy as np
import resvg_py
from PIL import Image

SIZE = 160  # side of every image of the benchmark, in pixels
CANVAS = 72.0  # side of OpenMoji's drawing area, in its own units


def seeded(codepoint: str, purpose: str) -> np.random.Generator:
    """A generator that depends on nothing but the object and what is drawn from it: no image depends on another."""
    digest = hashlib.sha256(f"openmoji-sbir/{codepoint}/{purpose}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "little"))


def rasterise(svg: str) -> np.ndarray:
    """The SVG as float32 RGBA in [0, 1], (SIZE, SIZE, 4), colour not multiplied by alpha."""
    png = resvg_py.svg_to_bytes(svg_string=svg, width=SIZE, height=SIZE, skip_system_fonts=True)
    with Image.open(io.BytesIO(bytes(png))) as image:
        return np.asarray(image.convert("RGBA"), dtype=np.float32) / 255


def png_bytes(pixels: np.ndarray) -> bytes:
    """A photo (SIZE, SIZE, 3) or a sketch (SIZE, SIZE), floats in [0, 1], as an RGB PNG; sketches keep 16 greys."""
    steps = 255 if pixels.ndim == 3 else 15
    levels = np.clip(np.rint(pixels * steps) * (255 // steps), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(levels).convert("RGB").save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()


def smooth_noise(rng: np.random.Generator, cells: int, cells_down: int | None = None) -> np.ndarray:
    """Cloudy noise of zero mean and about unit spread, (SIZE, SIZE): `cells` blobs across, `cells_down` down."""
    grid = rng.standard_normal((cells_down or cells, cells)).astype(np.float32)
    return np.asarray(Image.fromarray(grid).resize((SIZE, SIZE), Image.Resampling.BICUBIC))
