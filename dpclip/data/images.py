"""Pictures as bytes in memory: decoded once to uint8, then batched and augmented as tensors on the device."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, UnidentifiedImageError
from rich.progress import track
from torch import Tensor

from dpclip.data.files import ROOT, ensure_writable
from dpclip.data.manifest import Manifest
from dpclip.errors import UserError

CACHE = ROOT / "build" / "cache"


def read_image(path: Path, size: int) -> np.ndarray:
    """One picture as (3, size, size) uint8 RGB, transparency over white.

    Raises UserError naming a missing or damaged file.
    """
    try:
        with Image.open(path) as file:
            picture = file.convert("RGBA").resize((size, size), Image.Resampling.BICUBIC)
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing. Restore it, or run: dpclip data build --force") from error
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise UserError(
            f"{path} is damaged and cannot be decoded ({error}). Replace it, or run: dpclip data build --force"
        ) from error
    white = Image.new("RGBA", picture.size, "white")
    return np.asarray(Image.alpha_composite(white, picture).convert("RGB")).transpose(2, 0, 1)


class ImageStore:
    """All pictures of a manifest at one size, decoded once into a memory-mapped uint8 file: `store[rows]` is (B, 3,
    S, S) in [0, 1].

    Raises UserError for a missing or damaged picture, or a cache folder that cannot be written.
    """

    def __init__(self, manifest: Manifest, size: int, cache: Path = CACHE, device: str = "cpu") -> None:
        self.manifest, self.size, self.device = manifest, size, device
        path = cache / f"{manifest.name}-{manifest.hash}-{size}.npy"
        if not path.exists():
            ensure_writable(cache)
            part = path.with_suffix(".part.npy")
            pixels = np.lib.format.open_memmap(part, "w+", np.uint8, (len(manifest.table), 3, size, size))
            paths = [manifest.root / name for name in manifest.table["path"]]
            with ThreadPoolExecutor() as pool:
                decoded = pool.map(lambda file: read_image(file, size), paths)
                for row, picture in enumerate(track(decoded, "decoding", len(paths), transient=True)):
                    pixels[row] = picture
            pixels.flush()
            part.replace(path)
        self.pixels = np.load(path, mmap_mode="r")

    def __getitem__(self, rows: np.ndarray) -> Tensor:
        return torch.from_numpy(self.pixels[np.asarray(rows, dtype=np.int64)]).to(self.device).float() / 255


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
