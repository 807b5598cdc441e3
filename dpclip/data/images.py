"""One picture of a file as pixels."""

import struct
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from dpclip.data.benchmark import BUILD, ROOT
from dpclip.errors import UserError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")  # that are read
BEGINNINGS = (b"\xff\xd8", b"\x89PNG", b"RIFF", b"BM", b"GIF8", b"II*\0", b"MM\0*")  # of files in them
DEEP = 257  # 65535 / 255: sixteen bits to eight
DAMAGE = (OSError, SyntaxError, ValueError, EOFError, struct.error)


def read_image(path: Path, size: int) -> np.ndarray:
    """One picture as (3, size, size) uint8 RGB, upright, transparency over white; the sides are scaled separately.
    Raises UserError naming a file that is missing, damaged, too large or of a kind that is not read, and the cure.
    """
    cure = "Put the original file in its place; dpclip data check NAME FOLDER --decode finds all such files."
    cure = f"Run: {BUILD} --force" if ROOT in Path(path).parents else cure
    try:
        picture = _decode(path)
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing. {cure}") from error
    except Image.DecompressionBombError as error:
        most = 2 * Image.MAX_IMAGE_PIXELS
        raise UserError(f"{path} is too large a picture: at most {most:,} pixels are read. Scale it down.") from error
    except DAMAGE as error:
        if isinstance(error, OSError) and error.errno:
            raise UserError(f"{path} cannot be read ({error.strerror}). Name a picture that can.") from error
        raise UserError(f"{path} is damaged and cannot be decoded ({error}). {cure}") from error
    picture = picture.resize((size, size), Image.Resampling.BICUBIC)
    if picture.mode == "RGBA":
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return np.asarray(picture.convert("RGB")).transpose(2, 0, 1)


def _decode(path: Path) -> Image.Image:
    """The picture upright, as RGB, or as RGBA where some of it is transparent."""
    with open(path, "rb") as opened:
        start = opened.read(8)
    if start and not start.startswith(BEGINNINGS):
        raise UserError(f"{path} is of a kind that is not read. Convert it: {', '.join(FORMATS)} are read.")
    with Image.open(path, formats=FORMATS) as file:
        picture = ImageOps.exif_transpose(file)
        if picture.mode == "F":
            raise UserError(f"{path} holds floating-point numbers, which are not read. Convert it to 8 or 16 bits.")
        if picture.mode.startswith("I"):  # 16 bits of grey, which `convert` would clip
            levels = np.asarray(picture).astype(np.float64) / DEEP
            return Image.fromarray(np.rint(levels.clip(0, 255)).astype(np.uint8)).convert("RGB")
        return picture.convert("RGBA" if picture.has_transparency_data else "RGB")
