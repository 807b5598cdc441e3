"""Seeds, sizes and pixels shared by the photo and the sketches of an icon. Source: `ours`."""

import hashlib
import io

import numpy as np
import resvg_py
from PIL import Image

from dpclip.errors import UserError

SIDE = 128  # side of every picture of the benchmark, in pixels
ART = 160  # side of the frame in which an icon is taken apart, in pixels
SKETCHED = 72.0  # side of the paper on which hands draw, in units of their own


def seeded_for(concept: str, instance: str, purpose: str) -> np.random.Generator:
    """A generator that depends on nothing but the icon and what is drawn from it: no picture depends on another."""
    digest = hashlib.sha256(f"icon-sbir/{concept}/{instance}/{purpose}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "little"))


def svg_document(body: str, box: str) -> str:
    """An icon's body as a whole SVG; `box` is its view box. Monochrome bodies are black."""
    links = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<svg {links} viewBox="{box}" color="black">{body}</svg>'


def rendered(svg: str, side: int, name: str) -> np.ndarray:
    """The SVG as float32 RGBA in [0, 1], (side, side, 4), colour not multiplied by alpha.

    Raises UserError with `name` when resvg cannot draw it; a panic of resvg is not an `Exception`.
    """
    try:
        png = resvg_py.svg_to_bytes(svg_string=svg, width=side, height=side, skip_system_fonts=True)
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:
        raise UserError(f"resvg cannot draw {name}: {error}. Leave the icon out, or use the pinned resvg-py.") from None
    with Image.open(io.BytesIO(bytes(png))) as image:
        return np.asarray(image.convert("RGBA"), dtype=np.float32) / 255


def png_of(pixels: np.ndarray) -> bytes:
    """A photo (SIDE, SIDE, 3) or a sketch (SIDE, SIDE), floats in [0, 1], as a PNG; sketches keep 16 greys."""
    steps = 255 if pixels.ndim == 3 else 15
    levels = np.clip(np.rint(pixels * steps) * (255 // steps), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, "PNG", compress_level=2)
    return buffer.getvalue()


def clouds(rng: np.random.Generator, cells: int, cells_down: int | None = None) -> np.ndarray:
    """Cloudy noise of zero mean and about unit spread, (SIDE, SIDE): `cells` blobs across, `cells_down` down."""
    grid = rng.standard_normal((cells_down or cells, cells), dtype=np.float32)
    return np.asarray(Image.fromarray(grid).resize((SIDE, SIDE), Image.Resampling.BICUBIC))
