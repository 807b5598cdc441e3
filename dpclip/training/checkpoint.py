"""A run's state on disk: trained weights, Adam's moments and what was measured so far, in one safetensors file."""

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from dpclip.errors import UserError
from dpclip.files import atomic_write_bytes

MEASURED = ("losses", "scores")  # lists of numbers


def trained_weights(model: nn.Module) -> dict[str, torch.Tensor]:
    """Name -> value of every parameter that trains."""
    return {name: p.detach().contiguous() for name, p in model.named_parameters() if p.requires_grad}


def write_checkpoint(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer | None, measured: dict) -> None:
    """Atomically. `measured`: losses, scores, seconds; without an optimizer, no moments. Raises UserError when the file
    cannot be written; an older one then stays.
    """
    tensors = {f"model.{name}": value for name, value in trained_weights(model).items()}
    for number, moments in (optimizer.state_dict()["state"] if optimizer else {}).items():
        tensors |= {f"optimizer.{number}.{name}": value for name, value in moments.items()}
    tensors |= {name: torch.tensor(measured[name], dtype=torch.float64) for name in MEASURED}
    atomic_write_bytes(path, save(tensors, {"seconds": str(measured["seconds"])}))


def read_checkpoint(path: Path, prefix: str = "") -> dict:
    """What `write_checkpoint` wrote: "losses", "scores", "seconds", and the tensors whose names begin with `prefix`.
    Raises UserError when the file is damaged.
    """
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys() if name.startswith(prefix)}  # noqa: SIM118
            measured = {name: file.get_tensor(name).tolist() for name in MEASURED}
            return tensors | measured | {"seconds": float(file.metadata()["seconds"])}
    except (SafetensorError, OSError, KeyError, TypeError) as error:
        raise UserError(f"{path} is damaged ({error}). Delete it to start the run again.") from error


def count_steps(path: Path) -> int:
    """Steps behind a checkpoint, 0 without one; its weights are not read. Raises UserError when it is damaged."""
    return len(read_checkpoint(path, "none")["losses"]) if path.exists() else 0


def load_checkpoint(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer | None = None) -> dict:
    """Put trained weights, and the moments of an optimizer, into place; returns what was measured. Raises UserError
    when the file is damaged, or names or shapes are another model's.
    """
    state, own = read_checkpoint(path), trained_weights(model)
    weights = {name.removeprefix("model."): value for name, value in state.items() if name.startswith("model.")}
    shapes, wanted = ({name: tuple(value.shape) for name, value in part.items()} for part in (weights, own))
    if shapes != wanted:
        odd = sorted(name for name in shapes.keys() | wanted.keys() if shapes.get(name) != wanted.get(name))[0]
        raise UserError(
            f"{path}: {odd} does not fit the model. It belongs to another configuration; delete it or choose its run."
        )
    model.load_state_dict(weights, strict=False)
    if optimizer is not None:
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for name in (name for name in state if name.startswith("optimizer.")):
            _, number, key = name.split(".", 2)
            moments.setdefault(int(number), {})[key] = state[name]
        optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})
    return {name: state[name] for name in (*MEASURED, "seconds")}
