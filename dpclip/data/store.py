"""Pictures as bytes: decoded once to uint8, kept in memory-mapped files, handed out as batches on the device."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock
from rich.console import Console
from rich.progress import track
from torch import Tensor

from dpclip.data.images import read_image
from dpclip.data.manifest import Manifest, hash_contents
from dpclip.files import BUILD_FOLDER, ensure_writable

CACHE = BUILD_FOLDER / "cache"
CHANNELS = {"photo": 3, "sketch": 1}


class ImageStore:
    """All pictures of a manifest at one size: `store[rows]` is (B, 3, S, S) in [0, 1]. Photos keep three channels on
    disk, sketches one (their luminance), under a name that tells their contents. Raises UserError for a missing or
    damaged picture, and for a cache folder that cannot be written or has no room.
    """

    def __init__(self, manifest: Manifest, size: int, cache: Path = CACHE, device: str = "cpu") -> None:
        self.manifest, self.size, self.device, self.cache = manifest, size, device, cache
        self.is_photo = (manifest.table["modality"] == "photo").to_numpy()
        self.place = np.where(self.is_photo, self.is_photo.cumsum(), (~self.is_photo).cumsum()) - 1  # within its file
        paths = manifest.table["path"].tolist()  # in the order of the rows, which the contents' hash does not hold
        identity = "\0".join([hash_contents(manifest.root, paths), *paths])
        self.key = f"{manifest.name}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}-{size}"
        self.photos, self.sketches = (self._open(modality) for modality in CHANNELS)

    def at(self, size: int) -> "ImageStore":
        """The same pictures at a size."""
        return self if size == self.size else ImageStore(self.manifest, size, self.cache, self.device)

    def _open(self, modality: str) -> np.ndarray:
        """The pictures of one modality (N, C, S, S): from their file, decoded anew where that is missing or damaged."""
        path = self.cache / f"{self.key}-{modality}.npy"
        shape = (len(self.manifest.rows(modality=modality)), CHANNELS[modality], self.size, self.size)
        if _read_whole(path, shape) is None:
            ensure_writable(self.cache, int(np.prod(shape)))
            with FileLock(path.with_suffix(".lock")):  # of several processes one decodes, the others wait
                if _read_whole(path, shape) is None:
                    self._decode(modality, path, shape)
        return _read_whole(path, shape)

    def _decode(self, modality: str, path: Path, shape: tuple[int, ...]) -> None:
        part = path.with_suffix(".part.npy")
        pixels = np.lib.format.open_memmap(part, "w+", np.uint8, shape)
        files = [self.manifest.root / self.manifest.table["path"][row] for row in self.manifest.rows(modality=modality)]
        console = Console(stderr=True)
        shown = {"console": console, "transient": True, "disable": not console.is_terminal}
        with ThreadPoolExecutor() as pool:
            found = pool.map(lambda file: read_image(file, self.size), files)
            for place, picture in enumerate(track(found, f"decoding {modality}s", len(files), **shown)):
                pixels[place] = picture if modality == "photo" else luminance(picture)
        pixels.flush()
        part.replace(path)

    def load(self, rows: np.ndarray) -> Tensor:
        """uint8 pictures (B, C, S, S) in memory; C is 1 when all are sketches, else 3."""
        rows = np.asarray(rows, dtype=np.int64)
        photo, place = self.is_photo[rows], self.place[rows]
        if photo.all() or not photo.any():
            return torch.from_numpy((self.photos if photo.all() else self.sketches)[place])
        pictures = np.empty((len(rows), 3, self.size, self.size), dtype=np.uint8)
        pictures[photo], pictures[~photo] = self.photos[place[photo]], self.sketches[place[~photo]]
        return torch.from_numpy(pictures)

    def __getitem__(self, rows: np.ndarray) -> Tensor:
        return as_float(self.load(rows).to(self.device))


def _read_whole(path: Path, shape: tuple[int, ...]) -> np.ndarray | None:
    """The bytes of a file of pictures, not yet in memory; None where it is missing, cut off or of another shape."""
    try:
        pixels = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError):
        return None
    return pixels if pixels.shape == shape and pixels.dtype == np.uint8 else None


def as_float(pictures: Tensor) -> Tensor:
    """uint8 (B, 1 or 3, S, S) -> (B, 3, S, S) in [0, 1], where they are."""
    return pictures.expand(-1, 3, -1, -1).float() / 255


def luminance(picture: np.ndarray) -> np.ndarray:
    """(3, S, S) uint8 -> (1, S, S) uint8 by ITU-R 601; a grey picture keeps its values exactly."""
    weights = np.array([19595, 38470, 7471], dtype=np.uint32)  # of 65536
    return ((np.tensordot(weights, picture.astype(np.uint32), 1) + 32768) >> 16).astype(np.uint8)[None]
