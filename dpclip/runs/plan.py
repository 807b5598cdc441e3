"""What of a run is still to be made."""

from pathlib import Path

from dpclip.config import RunConfig
from dpclip.data.manifest import Manifest
from dpclip.errors import UserError
from dpclip.method.interface import find_method
from dpclip.training.checkpoint import count_steps
from dpclip.training.train import CHECKPOINT, epoch_batches


class MissingRun(UserError):
    """A run is not there and may not be trained."""


def count_all_steps(config: RunConfig, seed: int, manifest: Manifest) -> int:
    """Steps of the whole training."""
    if not find_method(config.method).trains(config.model):
        return 0
    return config.epochs * len(epoch_batches(config, manifest, seed, 0)) // config.joint


def steps_left(config: RunConfig, seed: int, manifest: Manifest, folder: Path) -> int:
    """Steps that the run whose checkpoints lie in `folder` still has to make."""
    return max(count_all_steps(config, seed, manifest) - count_steps(folder / CHECKPOINT), 0)
