"""One picture of a file as pixels."""

import struct
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from dpclip.errors import UserError
from dpclip.files import DATA

EMBEDDED = DATA / "openmoji-sbir"
DEEP = 257  # 65535 / 255: sixteen bits to eight
DAMAGE = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)


def read_image(path: Path, size: int) -> np.ndarray:
    """One picture as (3, size, size) uint8 RGB, upright, transparency over white; the sides are scaled separately.

    `path` names an image file of any pixel format.
    Raises UserError naming a missing or damaged file, and the cure.
    """
    try:
        picture = _decode(path)
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing. {_cure(path)}") from error
    except DAMAGE as error:
        raise UserError(f"{path} is damaged and cannot be decoded ({error}). {_cure(path)}") from error
    picture = picture.resize((size, size), Image.Resampling.BICUBIC)
    if picture.mode == "RGBA":
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return np.asarray(picture.convert("RGB")).transpose(2, 0, 1)


def _decode(path: Path) -> Image.Image:
    """The picture upright, as RGB, or as RGBA where some of it is transparent."""
    with Image.open(path) as file:
        picture = ImageOps.exif_transpose(file)
        if picture.mode == "F":
            raise ValueError("its pixels are floating-point numbers")
        if picture.mode.startswith("I"):  # 16 bits of grey, which `convert` would clip
            levels = np.asarray(picture).astype(np.float64) / DEEP
            return Image.fromarray(np.rint(levels.clip(0, 255)).astype(np.uint8)).convert("RGB")
        return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def _cure(path: Path) -> str:
    if EMBEDDED in Path(path).parents:
        return "Run: dpclip data build --force"
    return "Put the original file in its place; dpclip data check NAME FOLDER --decode finds all such files."
