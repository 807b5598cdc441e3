"""Drawings of Quick, Draw! inside larger files: strokes (.ndjson, simplified or raw) and bitmaps (.npy), as images.

A drawing is addressed as "bat.ndjson#17" or "bat.npy#17", numbered from 0 (in a stroke file: lines). Source: the
format that the dataset documents; width of the pen, border and the number of drawings taken are `ours`.
"""

import json
import os
import re
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from dpclip.data.human import LEVELS, human_sketch
from dpclip.data.layout import Files, is_junk
from dpclip.data.spelling import canonical
from dpclip.errors import UserError

DRAWINGS = 3000  # taken of each file, the first ones: about as many a category as the published set holds
ADDRESS = re.compile(r"(?P<file>.+\.(?:npy|ndjson))#(?P<number>\d+)", re.IGNORECASE | re.DOTALL)
PREFIX = re.compile(r"^(full_)?(simplified|raw|numpy_bitmap)_", re.IGNORECASE)  # of files as the cloud store names them
CANVAS, BORDER, PEN = 448, 36, 7  # pixels at which strokes are drawn, before they are scaled down


def list_drawings(root: Path, folder: Path, known: list[str], files: Files) -> None:
    """Add to `files` the first DRAWINGS drawings of each stroke or bitmap file of a known category in `folder`."""
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            stem, extension = os.path.splitext(entry.name)
            if extension.lower() not in (".npy", ".ndjson") or is_junk(entry.name):
                continue
            category = PREFIX.sub("", stem)
            if canonical([category], known):
                path = Path(entry.path)
                numbers = list(range(len(_bitmaps(path))) if extension.lower() == ".npy" else _lines(path))[:DRAWINGS]
                where = path.relative_to(root).as_posix()
                files.add(category, [f"{category}-{n:06d}" for n in numbers], [f"{where}#{n}" for n in numbers])


def file_of(path: str) -> str:
    """The file that an address is in; any other path as it is."""
    address = ADDRESS.fullmatch(path)
    return address["file"] if address else path


def read_drawing(path: Path) -> Image.Image | None:
    """The drawing at an address as a grey picture, black on white; None when `path` is no such address.

    Raises UserError naming the file and line that cannot be read.
    """
    address = ADDRESS.fullmatch(str(path))
    if address is None:
        return None
    file, number = Path(address["file"]), int(address["number"])
    if not file.is_file():
        raise UserError(f"{file} is missing. Put it back; see: dpclip data where quickdraw-ext")
    return bitmap(file, number) if file.suffix.lower() == ".npy" else strokes(file, number)


def bitmap(file: Path, number: int) -> Image.Image:
    """A bitmap of a .npy file, (N, 784) or (N, 28, 28) uint8 with ink 255 on 0, enlarged to smooth strokes."""
    bitmaps = _bitmaps(file)
    if number >= len(bitmaps):
        raise UserError(f"{file} holds {len(bitmaps)} drawings, but number {number} is asked for. Download it again.")
    ink = bitmaps[number].reshape(28, 28) / 255 * LEVELS
    pixels = human_sketch(ink) if ink.max() > LEVELS / 2 else np.ones((28, 28))
    return Image.fromarray(np.rint(pixels * 255).astype(np.uint8))


def strokes(file: Path, number: int) -> Image.Image:
    """A line of an .ndjson file, drawn so that its longer side fills the canvas but for a border."""
    offsets = _lines(file)
    if number not in offsets:
        raise UserError(f"{file}: line {number + 1} is none of its first {DRAWINGS} drawings. Download it again.")
    with open(file, "rb") as handle:
        handle.seek(offsets[number])
        line = handle.readline()
    try:
        lines = [np.array(stroke[:2], dtype=np.float64).T for stroke in json.loads(line)["drawing"]]
        points = np.concatenate(lines)  # (P, 2)
        if not points.size or points.shape[1] != 2 or not np.isfinite(points).all():
            raise ValueError("coordinates are missing")
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise UserError(
            f"{file}, line {number + 1}, is no drawing ({error}). Download the file again, or delete that line."
        ) from error
    low, high = points.min(0), points.max(0)
    scale = (CANVAS - 2 * BORDER) / max((high - low).max(), 1)
    shift = (CANVAS - (high + low) * scale) / 2
    picture = Image.new("L", (CANVAS, CANVAS), 255)
    pen = ImageDraw.Draw(picture)
    for line in filter(len, lines):
        dots = [tuple(dot) for dot in line * scale + shift]
        pen.line(dots, fill=0, width=PEN, joint="curve")
        for x, y in (dots[0], dots[-1]):
            pen.ellipse((x - PEN / 2, y - PEN / 2, x + PEN / 2, y + PEN / 2), fill=0)
    return picture


def _bitmaps(file: Path) -> np.ndarray:
    try:
        bitmaps = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{file} is no array of bitmaps ({error}). Download it again.") from error
    if bitmaps.dtype != np.uint8 or bitmaps.ndim < 2 or bitmaps[:0].size != 0 or bitmaps[0].size != 28 * 28:
        raise UserError(
            f"{file} holds {bitmaps.dtype} of shape {bitmaps.shape}, but uint8 of (N, 784) or (N, 28, 28) is needed. "
            "Take the file from numpy_bitmap."
        )
    return bitmaps


def _lines(file: Path) -> dict[int, int]:
    """Number -> position in the file of its first DRAWINGS lines that are not blank."""
    state = file.stat()
    return _line_index(file, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=16)
def _line_index(file: Path, size: int, changed: int) -> dict[int, int]:
    index, position = {}, 0
    with open(file, "rb") as handle:
        for number, line in enumerate(handle):
            if line.strip():
                index[number] = position
            position += len(line)
            if len(index) == DRAWINGS:
                break
    return index
