"""One's own photos, indexed once and asked many times, with any trained run. `ours`"""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, islice
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


def read_pictures(model: Method, files: list[Path]) -> torch.Tensor:
    """The same, normalised."""
    return model.normalise(load_pictures(model, files))


@torch.inference_mode()
def open_gallery(
    model: Method,
    run: str,
    folder: Path,
    category: str,
    support: list[Path],
    cache: Path | None = None,
    strict: bool = False,
) -> Gallery:
    """The photos of `folder` under the prompts of `category` (any words) and the `support` pictures, sketches first;
    without any, the first three photos serve. Photos that cannot be read are left out and named; `strict` raises
    UserError for the first of them.

    Features are kept in `cache` under a key of run, trained weights, words, support and the photos' names, sizes and
    times. What the model makes of a picture is kept too: where it makes something else now, all is encoded again.
    """
    model.eval()
    files = find_pictures(folder)
    support = support or list(islice(filter(_readable, files), SUPPORT))
    if not support:
        raise UserError(f"{folder}: none of its {len(files)} pictures can be read. Name a folder with pictures.")
    pictures = read_pictures(model, support)
    context = model.context(pictures, word_feature(model, category))
    trial = model.encode(pictures[:1], context).levels()
    states = [(f.stat().st_size, f.stat().st_mtime_ns, f.stat().st_ctime_ns) if f.exists() else () for f in files]
    identity = [run, category, [sha256_file(file) for file in support], [str(f.resolve()) for f in files], states]
    path = (cache or INDEX) / f"{hash_tensors(model.state_dict(), json.dumps(identity))[:16]}.safetensors"
    index = _read_index(path, trial)
    if index is None:
        kept = files if strict else list(filter(_readable, files))
        console, starts = Console(stderr=True), range(0, len(kept), CHUNK)
        shown = track(starts, "indexing", console=console, disable=not console.is_terminal)
        features = Features.cat([model.encode(read_pictures(model, kept[i : i + CHUNK]), context) for i in shown])
        skipped = set(files).difference(kept)
        index = {"trial": trial, "skipped": torch.tensor([file in skipped for file in files], dtype=torch.uint8)}
        index |= {name: value for name, value in vars(features).items() if isinstance(value, torch.Tensor)}
        atomic_write_bytes(path, save({name: value.contiguous() for name, value in index.items()}))
    skipped = [file for file, odd in zip(files, index["skipped"].numpy(force=True), strict=True) if odd]
    check_pictures(skipped if strict else [])
    for file in skipped:
        print(f"left out, since it cannot be read: {file}", file=sys.stderr)
    if skipped:
        print(f"{len(skipped)} of {len(files)} photos are left out", file=sys.stderr)
    features = Features(index["global_feature"], index.get("local_features"))
    return Gallery(model, context, [file for file in files if file not in skipped], features)


def _readable(file: Path) -> bool:
    try:
        check_pictures([file])
    except UserError:
        return False
    return True


def _read_index(path: Path, trial: torch.Tensor) -> dict[str, torch.Tensor] | None:
    """What is kept, None where there is nothing or the model now makes something else of the `trial` picture."""
    if not path.exists():
        return None
    try:
        index = load_file(path, str(trial.device))
        same = np.allclose(index["trial"].numpy(force=True), trial.numpy(force=True), 1e-3, 1e-3)
    except (SafetensorError, KeyError) as error:
        raise UserError(f"{path} is damaged ({error}). Delete it; the photos are then indexed again.") from error
    return index if same else None


@torch.inference_mode()
def rank_gallery(gallery: Gallery, sketch: Path) -> list[tuple[Path, float]]:
    """(photo, distance), nearest first."""
    query = gallery.model.encode(read_pictures(gallery.model, [sketch]), gallery.context)
    distance = gallery.model.distance(query, gallery.features)[0].numpy(force=True)
    return [(gallery.files[i], float(distance[i])) for i in np.argsort(distance, kind="stable")]
