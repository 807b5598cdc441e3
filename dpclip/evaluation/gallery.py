"""One's own photos, indexed once and asked many times, with any trained run. `ours`"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from dpclip.data.images import read_image
from dpclip.errors import UserError
from dpclip.files import ROOT, atomic_write_bytes, sha256_file
from dpclip.method.interface import Features
from dpclip.method.model import DPCLIP, Context

INDEX = ROOT / "build" / "index"
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
SUPPORT = 3  # pictures, as in training


@dataclass(frozen=True)
class Gallery:
    """Photos of one category, encoded under its prompts: row i of `features` is `files[i]`."""

    model: DPCLIP
    context: Context
    files: list[Path]
    features: Features


def find_pictures(folder: Path) -> list[Path]:
    """All pictures below a folder, in the order of their names. Raises UserError when there are none."""
    found = [p for p in Path(folder).rglob("*") if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")]
    if not found:
        raise UserError(f"{folder}: no pictures there ({', '.join(SUFFIXES)}). Name a folder that holds some.")
    return sorted(found)


def load_pictures(model: DPCLIP, files: list[Path]) -> torch.Tensor:
    """(B, 3, S, S) in [0, 1], on the model's device. Raises UserError naming a missing or damaged file."""
    pixels = np.stack([read_image(file, model.image_size) for file in files])
    return torch.from_numpy(pixels).to(model.mean.device).float() / 255


def read_pictures(model: DPCLIP, files: list[Path]) -> torch.Tensor:
    """The same, normalised."""
    return model.normalise(load_pictures(model, files))


@torch.inference_mode()
def open_gallery(
    model: DPCLIP, run: str, folder: Path, category: str, support: list[Path], cache: Path = INDEX
) -> Gallery:
    """The photos of `folder` under the prompts of `category` (any words) and the `support` pictures, sketches first;
    without any, the first three photos serve.

    Features are kept in `cache` under a key of run, words, support and the photos' names, sizes and dates.
    """
    model.eval()
    files = find_pictures(folder)
    support = support or files[:SUPPORT]
    context = model.context(read_pictures(model, support), model.text_feature(category))
    stats = [(str(file.relative_to(folder)), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    identity = [run, category, [sha256_file(file) for file in support], str(Path(folder).resolve()), stats]
    path = cache / f"{hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:16]}.safetensors"
    if path.exists():
        try:
            return Gallery(model, context, files, Features(**load_file(path, str(model.mean.device))))
        except (SafetensorError, TypeError) as error:
            raise UserError(f"{path} is damaged ({error}). Delete it; the photos are then indexed again.") from error
    console, parts = Console(stderr=True), []
    for start in track(range(0, len(files), 64), "indexing", console=console, disable=not console.is_terminal):
        parts.append(model.encode(read_pictures(model, files[start : start + 64]), context))
    features = Features.cat(parts)
    tensors = {"global_feature": features.global_feature}
    if features.local_features is not None:
        tensors["local_features"] = features.local_features.contiguous()
    atomic_write_bytes(path, save(tensors))
    return Gallery(model, context, files, features)


@torch.inference_mode()
def rank_gallery(gallery: Gallery, sketch: Path) -> list[tuple[Path, float]]:
    """(photo, distance), nearest first."""
    query = gallery.model.encode(read_pictures(gallery.model, [sketch]), gallery.context)
    distance = gallery.model.distance(query, gallery.features)[0].numpy(force=True)
    return [(gallery.files[i], float(distance[i])) for i in np.argsort(distance, kind="stable")]
