"""From a finished pre-training to the files of `data/mini-clip`: half-precision weights, vocabulary, description,
hashes.
"""

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save

from dpclip.errors import UserError
from dpclip.files import atomic_write_bytes, atomic_write_text, sha256_file


def ship(source: Path, description: dict, report: dict, target: Path) -> None:
    """Write weights.safetensors (float16), merges.txt.gz, config.json and manifest.json (hashes and the report) into
    `target`. Raises UserError when the pre-training in `source` holds no finished state.
    """
    state = source / "state.safetensors"
    if not state.exists():
        raise UserError(f"{state} is missing: run the pre-training first.")
    weights = {n.removeprefix("model.clip."): t for n, t in load_file(state).items() if n.startswith("model.clip.")}
    halves = {name: tensor.to(torch.float16).contiguous() for name, tensor in weights.items()}
    atomic_write_bytes(target / "weights.safetensors", save(halves))
    shutil.copyfile(source / "merges.txt.gz", target / "merges.txt.gz")
    atomic_write_text(target / "config.json", json.dumps(description, indent=1) + "\n")
    names = ("weights.safetensors", "merges.txt.gz", "config.json", "icon_sets.csv")
    manifest = {"files": {name: sha256_file(target / name) for name in names}, "pretraining": report}
    atomic_write_text(target / "manifest.json", json.dumps(manifest, indent=1) + "\n")
