"""Reading weight files without running anything in them, and putting them into a model, with errors to act upon."""

import json
import os
import re
import zipfile
from pathlib import Path

import safetensors.torch
import torch
from open_clip.pretrained import get_pretrained_cfg, list_pretrained_tags_by_model
from torch import Tensor, nn

from dpclip.errors import UserError
from dpclip.files import sha256_file

CONFIG = "open_clip_config.json"  # lies beside the weights that the Hugging Face hub keeps for open_clip
WEIGHTS_VARIABLE = "DPCLIP_WEIGHTS"  # OpenAI's file, for this process and those started from it
OPENAI_MODEL, OPENAI_FILE = "ViT-B-32", "ViT-B-32.pt"  # open_clip's name of the model, OpenAI's name of its file


def read_weights(path: Path, model: str = "") -> dict[str, Tensor]:
    """Name -> tensor of a .safetensors file, OpenAI's own TorchScript archive or an open_clip .pt checkpoint.

    `model` is open_clip's name of the model the weights are for: its released files are then known by name and hash.
    A .pt is read weights-only. A TorchScript archive is a program, and torch.jit.load runs parts of it: only the one
    with OpenAI's hash is opened. The model computes QuickGELU: weights for GELU are refused where the hash or an
    open_clip_config.json beside the file tells; a file of tensors alone does not.
    Raises UserError for a missing or damaged file, a released name with another hash, and for anything else.
    """
    digest, files = _digest(path), released(model)
    _check_origin(path, digest, files)
    if _is_torchscript(path) and digest not in {start for start, _ in files.values()}:
        cure = "It is a program that runs when opened. Download OpenAI's afresh, or give the tensors as .safetensors."
        raise UserError(f"{path}: a TorchScript archive with the SHA-256 {digest}, not OpenAI's {model}. {cure}")
    try:
        weights = _read(path)
    except Exception as error:  # every reader has its own exceptions
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        cure = "Give a .safetensors file, OpenAI's TorchScript archive or an open_clip checkpoint, downloaded afresh."
        raise UserError(f"{path}: not a readable weights file ({reason}). {cure}") from error
    for name, value in weights.items():
        if not isinstance(value, Tensor):
            raise UserError(f"{path}: {name} is no tensor but {type(value).__name__}. Give the model's state dict.")
    return weights


def released(model: str) -> dict[str, tuple[str, bool]]:
    """File name -> SHA-256 or its first 8 digits, and whether it wants QuickGELU: of those whose address has a hash."""
    files = {}
    for tag in list_pretrained_tags_by_model(model):
        config = get_pretrained_cfg(model, tag)
        if found := re.search(r"\b([0-9a-f]{64}|[0-9a-f]{8})\b", config["url"]):
            files[config["url"].rpartition("/")[2]] = (found[1], config.get("quick_gelu", False))
    return files


def _digest(path: Path) -> str:
    try:
        return sha256_file(path)
    except OSError as error:
        cure = "Check the path; `openai` names OpenAI's weights."
        raise UserError(f"{path}: no such weights file, or not a readable one ({error.strerror}). {cure}") from error


def _check_origin(path: Path, digest: str, files: dict[str, tuple[str, bool]]) -> None:
    for file, (start, quick_gelu) in files.items():
        if digest.startswith(start):
            return _check_activation(path, quick_gelu, f"it is the released {file}")
        if path.name == file:
            cure = "Download it afresh; if these are other weights, give the file another name."
            raise UserError(f"{path}: its SHA-256 is {digest}, but that of {file} begins with {start}. {cure}")
    config = path.with_name(CONFIG)
    if config.is_file():
        try:
            quick_gelu = json.loads(config.read_text())["model_cfg"].get("quick_gelu", False)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{config}: damaged ({error!r}). Download it afresh.") from error
        _check_activation(path, quick_gelu, f"{config} says so")


def _check_activation(path: Path, quick_gelu: bool, reason: str) -> None:
    if not quick_gelu:
        cure = "Give `openai`, or weights that open_clip lists as quickgelu."
        raise UserError(f"{path}: trained with GELU ({reason}), but the model computes QuickGELU. {cure}")


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("constants.pkl") for name in archive.namelist())


def _read(path: Path) -> dict[str, Tensor]:
    if path.suffix == ".safetensors":
        return safetensors.torch.load_file(path)
    if _is_torchscript(path):
        state = torch.jit.load(path, map_location="cpu").state_dict()
        return {k: v for k, v in state.items() if k not in ("input_resolution", "context_length", "vocab_size")}
    state = torch.load(path, map_location="cpu", weights_only=True)
    state = state.get("state_dict", state)  # open_clip's training script wraps them
    return {name.removeprefix("module."): tensor for name, tensor in state.items()}


def load_weights(model: nn.Module, weights: dict[str, Tensor], source: str) -> None:
    """Copy `weights` into `model` as float32; `source` names them in errors. Raises UserError naming the first tensor
    that is missing, unknown or of another shape; the model is then untouched.
    """
    wanted = model.state_dict()
    for name in sorted(wanted.keys() | weights.keys()):
        here = tuple(weights[name].shape) if name in weights else "no such tensor"
        there = tuple(wanted[name].shape) if name in wanted else "no such tensor"
        if here != there:
            raise UserError(f"{source}: tensor {name}: {here} in the file, {there} in the model, which is another one.")
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


def use_weights(file: Path | None) -> None:
    """From now on weights="openai" reads `file`, if any, here and in child processes; UserError for another's file."""
    if file is not None:
        _check_openai(file)
        os.environ[WEIGHTS_VARIABLE] = str(file.resolve())


def weights_source(weights: str) -> str | None:
    """What `load_backbone` is to read for a run's `weights`. Raises UserError as `use_weights` does."""
    file = os.environ.get(WEIGHTS_VARIABLE)
    if weights != "openai" or not file:
        return weights or None
    _check_openai(Path(file))
    return file


def _check_openai(file: Path) -> None:
    wanted, digest = released(OPENAI_MODEL)[OPENAI_FILE][0], _digest(file)
    if digest != wanted:
        cure = f"Download it afresh; other weights make other runs: --set weights={file}."
        what = f"--weights ({WEIGHTS_VARIABLE}) only tells where this file lies. {cure}"
        raise UserError(f"{file}: its SHA-256 is {digest}, but that of OpenAI's {OPENAI_FILE} is {wanted}. {what}")
