"""The pipeline alone: augmented batches of 64 sketches, positives and negatives at 224 pixels, without a network.

Ours: pictures decoded once into memory-mapped bytes, batches assembled and augmented as tensors.
The rival is the usual one: a DataLoader that decodes, scales, turns and converts every picture with Pillow each time it
is asked for. The time to decode once is printed and not counted: a training of 60 epochs pays it once.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from benchmarks.timing import Comparison, interleaved
from dpclip.data.augment import augment
from dpclip.data.manifest import Manifest
from dpclip.data.store import ImageStore

PHOTOS, SIDE, SIZE, BATCH, BATCHES = 128, 256, 224, 64, 4  # Sketchy's pictures are 256 pixels wide
DEMAND = 5
REPEATS = 3


def make_pictures(root: Path) -> Manifest:
    """Photos with some structure as JPEG, sketches as PNG."""
    random, rows = np.random.default_rng(0), []
    for number in range(PHOTOS):
        coarse = Image.fromarray(random.integers(0, 256, (16, 16, 3), dtype=np.uint8)).resize((SIDE, SIDE))
        for modality, suffix in (("photo", "jpg"), ("sketch", "png")):
            path = root / modality / f"{number}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            (coarse if modality == "photo" else coarse.convert("L").point(lambda v: 255 * (v > 100))).save(path)
            style = "photo" if modality == "photo" else "human"
            rows.append(
                {"modality": modality, "category": "thing", "instance": str(number), "style": style}
                | {"path": str(path.relative_to(root)), "split": "seen"}
            )
    return Manifest.of("bench", root, rows, {"thing": "thing"})


class Usual(Dataset):
    """One sketch, its photo and another photo, decoded and augmented by Pillow."""

    def __init__(self, manifest: Manifest, sketches: np.ndarray, photos: np.ndarray):
        paths = [manifest.root / path for path in manifest.table["path"]]
        self.sketches, self.photos = [paths[row] for row in sketches], [paths[row] for row in photos]

    def __len__(self) -> int:
        return BATCH * BATCHES

    def __getitem__(self, number: int) -> tuple[Tensor, ...]:
        number %= len(self.sketches)
        generator = np.random.default_rng(number)
        views = []
        for path, photo in ((self.sketches[number], False), (self.photos[number], True), (self.photos[-number], True)):
            with Image.open(path) as file:
                picture = file.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BICUBIC)
            if generator.random() < 0.5:
                picture = ImageOps.mirror(picture)
            if generator.random() < 0.5:
                picture = picture.rotate(generator.uniform(-30, 30), Image.Resampling.BILINEAR, fillcolor="white")
            if photo and generator.random() < 0.5:
                picture = picture.convert("L").convert("RGB")
            views.append(torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1).float() / 255)
        return tuple(views)


def compare() -> list[Comparison]:
    with tempfile.TemporaryDirectory() as folder:
        manifest = make_pictures(Path(folder))
        begun = time.perf_counter()
        store = ImageStore(manifest, SIZE, Path(folder) / "cache")
        print(f"decoding {2 * PHOTOS} pictures once: {time.perf_counter() - begun:.2f} s")
        sketches, photos = manifest.rows(modality="sketch"), manifest.rows(modality="photo")
        random = np.random.default_rng(0)

        def ours() -> None:
            for number in range(BATCHES):
                rows = random.integers(PHOTOS, size=BATCH)
                parts = [sketches[rows], photos[rows], photos[rows - 1]]
                views = augment(*(store.load(part) for part in parts), torch.Generator().manual_seed(number))
                assert all(view.shape == (BATCH, 3, SIZE, SIZE) for view in views)

        def usual() -> None:
            workers = torch.get_num_threads()
            for views in DataLoader(Usual(manifest, sketches, photos), BATCH, num_workers=workers):
                assert all(view.shape == (BATCH, 3, SIZE, SIZE) for view in views)

        ours(), usual()  # warm-up
        seconds = interleaved({"ours": ours, "usual": usual}, REPEATS)
        images = 3 * BATCH * BATCHES
        print(", ".join(f"{side}: {images / np.median(s):.0f} images a second" for side, s in seconds.items()))
    return [Comparison("pipeline", "DataLoader and Pillow", seconds["ours"], seconds["usual"], DEMAND)]
