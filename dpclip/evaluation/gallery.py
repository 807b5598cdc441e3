"""One's own photos, indexed once and asked many times, with any trained run. `ours`"""

import json
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, compress, islice
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from dpclip.data.images import read_image
from dpclip.errors import UserError
from dpclip.evaluation.text_features import hash_tensors, word_feature
from dpclip.files import BUILD_FOLDER, atomic_write_bytes, sha256_file
from dpclip.method.interface import Context, Features, Method

INDEX = BUILD_FOLDER / "index"
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
SUPPORT, CHUNK = 3, 64  # pictures, as in training; photos encoded at once


@dataclass(frozen=True)
class Gallery:
    """Photos of one category, encoded under its prompts: row i of `features` is `files[i]`."""

    model: Method
    context: Context
    files: list[Path]
    features: Features


def find_pictures(folder: Path) -> list[Path]:
    """All pictures below a folder, in the order of their names. Raises UserError when there are none."""
    found = [p for p in Path(folder).rglob("*") if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")]
    found = [path for path in found if not path.is_dir()]
    if not found:
        raise UserError(f"{folder}: no pictures there ({', '.join(SUFFIXES)}). Name a folder that holds some.")
    return sorted(found)


def check_pictures(files: Iterable[Path]) -> None:
    """Raise UserError naming the first file that is missing or damaged."""
    for file in files:
        read_image(file, 1)


def load_pictures(model: Method, files: list[Path]) -> torch.Tensor:
    """(B, 3, S, S) in [0, 1], on the model's device. Raises UserError naming a missing or damaged file."""
    pixels = np.stack([read_image(file, model.image_size) for file in files])
    device = next(chain(model.parameters(), model.buffers()), torch.empty(0)).device
    return torch.from_numpy(pixels).to(device).float() / 255


def own_context(model: Method, words: str, support: list[Path]) -> Context:
    """Prompts and scales of any words, from support pictures of one's own."""
    return model.context(model.normalise(load_pictures(model, support)), word_feature(model, words))


@torch.inference_mode()
def open_gallery(model: Method, run: str, folder: Path, category: str, support: list[Path], cache: Path) -> Gallery:
    """The photos of `folder` under the prompts of `category` (any words) and the `support` pictures, sketches first;
    without any, the first three photos serve. Photos that cannot be read are left out and named. Features are kept in
    `cache` under a key of run, trained weights, words, support and the photos' names, sizes and times. What the model
    makes of a picture is kept too: where it makes something else now, all is encoded again.
    """
    model.eval()
    files = find_pictures(folder)
    support = support or list(islice(filter(_readable, files), SUPPORT))
    if not support:
        raise UserError(f"{folder}: none of its {len(files)} pictures can be read. Name a folder with pictures.")
    context = own_context(model, category, support)

    def encode(some: list[Path]) -> Features:
        return model.encode(model.normalise(load_pictures(model, some)), context)

    trial = encode(support[:1]).levels()
    states = [(f.stat().st_size, f.stat().st_mtime_ns, f.stat().st_ctime_ns) if f.exists() else () for f in files]
    identity = [run, category, [sha256_file(file) for file in support], [str(f.resolve()) for f in files], states]
    path = cache / f"{hash_tensors(model.state_dict(), json.dumps(identity))[:16]}.safetensors"
    index = None  # where there is none, or it is damaged
    with suppress(SafetensorError):
        index = load_file(path, str(trial.device)) if path.exists() else None
    if index is None or not np.allclose(index["trial"].numpy(force=True), trial.numpy(force=True), 1e-3, 1e-3):
        skipped = [not _readable(file) for file in files]
        kept = [file for file, odd in zip(files, skipped, strict=True) if not odd]
        console, starts = Console(stderr=True), range(0, len(kept), CHUNK)
        shown = track(starts, "indexing", console=console, disable=not console.is_terminal)
        features = Features.cat([encode(kept[i : i + CHUNK]) for i in shown])
        index = {"trial": trial, "skipped": torch.tensor(skipped, dtype=torch.uint8)}
        index |= {name: value for name, value in vars(features).items() if isinstance(value, torch.Tensor)}
        atomic_write_bytes(path, save({name: value.contiguous() for name, value in index.items()}))
    odd = index["skipped"].numpy(force=True)
    if skipped := list(compress(files, odd)):
        print("left out, since they cannot be read:", *skipped, sep="\n", file=sys.stderr)
        print(f"{len(skipped)} of {len(files)} photos are left out", file=sys.stderr)
    features = Features(index["global_feature"], index.get("local_features"))
    return Gallery(model, context, list(compress(files, odd == 0)), features)


def _readable(file: Path) -> bool:
    with suppress(UserError):
        return read_image(file, 1) is not None
    return False


@torch.inference_mode()
def rank_gallery(gallery: Gallery, sketch: Path) -> list[tuple[Path, float]]:
    """(photo, distance), nearest first."""
    model, pixels = gallery.model, load_pictures(gallery.model, [sketch])
    query = model.encode(model.normalise(pixels), gallery.context)
    distance = model.distance(query, gallery.features)[0].numpy(force=True)
    return [(gallery.files[i], float(distance[i])) for i in np.argsort(distance, kind="stable")]
