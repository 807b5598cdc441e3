"""Reading weight files without ever unpickling them, and putting them into a model with errors a user can act on."""

import json
import zipfile
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn

from dpclip.data.files import sha256_file
from dpclip.errors import UserError


def read_weights(path: Path) -> dict[str, Tensor]:
    """Name -> tensor of a .safetensors file, a TorchScript archive (OpenAI's own) or an open_clip .pt checkpoint.

    A .pt is read weights-only. Raises UserError for a missing file and for anything else.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such weights file. Check the path.")
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        if _is_torchscript(path):
            state = torch.jit.load(path, map_location="cpu").state_dict()
            return {k: v for k, v in state.items() if k not in ("input_resolution", "context_length", "vocab_size")}
        state = torch.load(path, map_location="cpu", weights_only=True)
        state = state.get("state_dict", state)  # open_clip's training script wraps them
        return {name.removeprefix("module."): tensor for name, tensor in state.items()}
    except Exception as error:  # every reader has its own exceptions
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"{path}: not a readable weights file ({reason}). "
            "Give a .safetensors file, OpenAI's TorchScript archive or an open_clip checkpoint, downloaded afresh."
        ) from error


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("constants.pkl") for name in archive.namelist())


def load_weights(model: nn.Module, weights: dict[str, Tensor], source: str) -> None:
    """Copy `weights` into `model` as float32; `source` names them in errors.

    Raises UserError naming the first tensor that is missing, unknown or of another shape; the model is then untouched.
    """
    wanted = model.state_dict()
    for name in sorted(wanted.keys() | weights.keys()):
        here = tuple(weights[name].shape) if name in weights else "no such tensor"
        there = tuple(wanted[name].shape) if name in wanted else "no such tensor"
        if here != there:
            raise UserError(
                f"{source}: tensor {name}: {here} in the file, {there} in the model. The weights are another model's."
            )
    model.load_state_dict({name: tensor.float() for name, tensor in weights.items()})


def check_manifest(folder: Path, names: tuple[str, ...], cure: str) -> None:
    """Compare files of `folder` with its manifest.json, {"files": {name: sha256}}. Raises UserError with `cure`."""
    manifest = folder / "manifest.json"
    try:
        files = json.loads(manifest.read_text())["files"]
    except FileNotFoundError:
        raise UserError(f"{manifest}: missing. {cure}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{manifest}: damaged ({error}). {cure}") from error
    for name in names:
        if not (folder / name).is_file():
            raise UserError(f"{folder / name}: missing. {cure}")
        if (found := sha256_file(folder / name)) != files.get(name):
            raise UserError(f"{folder / name}: SHA-256 is {found}, but {manifest.name} says {files.get(name)}. {cure}")
