"""A run's state on disk: trained weights, Adam's moments and what was measured so far, in one safetensors file."""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from dpclip.errors import UserError
from dpclip.files import atomic_write_bytes


@dataclass(frozen=True)
class Checkpoint:
    """`weights` by parameter name; `moments` as Adam numbers them; one loss a step, one score an epoch."""

    weights: dict[str, torch.Tensor]
    moments: dict[int, dict[str, torch.Tensor]]
    losses: list[float]
    scores: list[float]
    seconds: float


def trained_weights(model: nn.Module) -> dict[str, torch.Tensor]:
    """Name -> value of every parameter that trains."""
    return {name: p.detach().contiguous() for name, p in model.named_parameters() if p.requires_grad}


def write_checkpoint(path: Path, state: Checkpoint) -> None:
    """Atomically. Raises UserError when the file cannot be written; an older one then stays."""
    tensors = {f"model.{name}": value for name, value in state.weights.items()}
    for number, moments in state.moments.items():
        tensors |= {f"optimizer.{number}.{name}": value for name, value in moments.items()}
    tensors |= {name: torch.tensor(getattr(state, name), dtype=torch.float64) for name in ("losses", "scores")}
    atomic_write_bytes(path, save(tensors, {"seconds": str(state.seconds)}))


def read_checkpoint(path: Path) -> Checkpoint:
    """Raises UserError when the file is damaged."""
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            seconds = float(file.metadata()["seconds"])
        losses, scores = (tensors.pop(name).tolist() for name in ("losses", "scores"))
    except (SafetensorError, OSError, KeyError) as error:
        raise UserError(f"{path} is damaged ({error}). Delete it to start the run again.") from error
    weights, moments = {}, {}
    for name, value in tensors.items():
        kind, _, rest = name.partition(".")
        if kind == "model":
            weights[rest] = value
        else:
            number, _, key = rest.partition(".")
            moments.setdefault(int(number), {})[key] = value
    return Checkpoint(weights, moments, losses, scores, seconds)


def count_steps(path: Path) -> int:
    """Steps behind a checkpoint, 0 without one; its weights are not read. Raises UserError when it is damaged."""
    if not path.exists():
        return 0
    try:
        with safe_open(path, "pt") as file:
            return len(file.get_tensor("losses"))
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is damaged ({error}). Delete it to start the run again.") from error


def load_trained(model: nn.Module, weights: dict[str, torch.Tensor], source: Path) -> None:
    """Put trained weights into a model. Raises UserError when names or shapes are another model's."""
    own = {name: value.shape for name, value in trained_weights(model).items()}
    given = {name: value.shape for name, value in weights.items()}
    if own != given:
        odd = sorted(name for name in own.keys() | given.keys() if own.get(name) != given.get(name))[0]
        raise UserError(
            f"{source}: {odd} does not fit the model. It belongs to another configuration; delete it or choose its run."
        )
    model.load_state_dict(weights, strict=False)
