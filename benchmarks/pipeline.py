"""The pipeline alone: augmented batches of 64 sketches, positives and negatives at 224 pixels, without a network.

Ours: pictures decoded once into memory-mapped bytes, batches assembled from them and augmented as tensors on the device
that trains. The rival is the usual one: a DataLoader that decodes, scales, turns and converts every picture with Pillow
each time it is asked for. The time to decode once is printed and not counted: a training of 60 epochs pays it once.

Two comparisons. "Batches for an accelerator" ends where the bytes leave the processor, whose only work they are then;
there the accelerator must not wait. "Batches and views" has the views made as well, on the accelerator if there is
one; without one, the processor interpolates as many pixels as Pillow does.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from benchmarks.clock import synchronise
from benchmarks.timing import Comparison, interleaved
from dpclip.data.augmentation import augment
from dpclip.data.batches import Batch
from dpclip.data.manifest import Manifest
from dpclip.data.store import ImageStore
from dpclip.training import processes
from dpclip.training.objective import Pictures

PHOTOS, SIDE, SIZE, BATCH, BATCHES = 128, 256, 224, 64, 4  # Sketchy's pictures are 256 pixels wide
DEMAND = 5
REPEATS = 3


def make_pictures(root: Path, photos: int | None = None) -> Manifest:
    """Photos with some structure as JPEG, sketches as PNG."""
    random, rows = np.random.default_rng(0), []
    for number in range(photos or PHOTOS):
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

    def __init__(self, manifest: Manifest, sketches: np.ndarray, photos: np.ndarray, length: int):
        self.length = length
        paths = [manifest.root / path for path in manifest.table["path"]]
        self.sketches, self.photos = [paths[row] for row in sketches], [paths[row] for row in photos]

    def __len__(self) -> int:
        return self.length

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
        store = ImageStore(manifest, SIZE, Path(folder) / "cache", processes.device())
        print(f"decoding {2 * PHOTOS} pictures once: {time.perf_counter() - begun:.2f} s")
        sketches, photos = manifest.rows(modality="sketch"), manifest.rows(modality="photo")
        batch = Batch("thing", sketches[:BATCH], photos[:BATCH], photos[-BATCH:], photos[:2])

        def batches() -> None:
            for _ in range(BATCHES):
                Pictures.load(store, batch)
            synchronise(store.device)

        def views() -> None:
            for number in range(BATCHES):
                loaded = Pictures.load(store, batch)
                generator = torch.Generator().manual_seed(number)
                made = augment(loaded.sketch, loaded.positive, loaded.negative, generator)
                assert all(view.shape == (BATCH, 3, SIZE, SIZE) for view in made)
            synchronise(store.device)

        def usual() -> None:
            workers = torch.get_num_threads()
            for made in DataLoader(Usual(manifest, sketches, photos, BATCH * BATCHES), BATCH, num_workers=workers):
                assert all(view.shape == (BATCH, 3, SIZE, SIZE) for view in made)

        batches(), views(), usual()  # warm-up
        seconds = interleaved({"batches": batches, "views": views, "usual": usual}, REPEATS)
        images = 3 * BATCH * BATCHES
        print(", ".join(f"{side}: {images / np.median(s):.0f} images a second" for side, s in seconds.items()))
    rival = "DataLoader and Pillow"
    return [
        Comparison("batches for an accelerator", rival, seconds["batches"], seconds["usual"], DEMAND),
        Comparison(f"batches and views on {store.device}", rival, seconds["views"], seconds["usual"], DEMAND),
    ]
