"""Training: a run is a function of (config, data, weights, seed).

Every random draw of a step comes from (seed, epoch, step), and a checkpoint holds the trained weights and Adam's
moments: an interrupted run, started again, ends with the same numbers.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn, TimeRemainingColumn
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from dpclip.data.batches import Batch, SupportRule, training_batches
from dpclip.data.files import atomic_write_bytes, ensure_writable
from dpclip.data.images import ImageStore, augment
from dpclip.errors import UserError
from dpclip.lab.config import RunConfig
from dpclip.lab.evaluate import open_bench
from dpclip.method.backbone import load_backbone
from dpclip.method.losses import triplet_loss
from dpclip.method.model import DPCLIP, set_trainable


def build_model(config: RunConfig, seed: int) -> DPCLIP:
    """The untrained model of a run: its backbone, and new parts drawn from `seed`."""
    backbone = load_backbone(config.backbone, config.weights or None, seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return DPCLIP(backbone, config.model)


def trained_names(model: DPCLIP) -> list[str]:
    return [name for name, parameter in model.named_parameters() if parameter.requires_grad]


@dataclass
class Training:
    """A run in progress: `losses` has one value a finished step."""

    config: RunConfig
    seed: int
    model: DPCLIP
    store: ImageStore
    losses: list[float]
    seconds: float = 0.0

    def __post_init__(self) -> None:
        groups = set_trainable(self.model)
        rates = {"clip": self.config.clip_rate, "new": self.config.new_rate}
        self.optimizer = (
            torch.optim.Adam([{"params": p, "lr": rates[name]} for name, p in groups.items() if p])
            if any(groups.values())
            else None
        )
        self.words = open_bench(self.model, self.store).words

    def batches(self, epoch: int) -> list[Batch]:
        model = self.config.model
        rule = SupportRule(model.support, model.support_sketches, model.support_photos)
        batches = training_batches(self.store.manifest, self.config.batch, self.seed, epoch, rule)
        return batches[: self.config.steps_per_epoch or None]

    def step(self, batch: Batch, epoch: int, number: int) -> float:
        """One step of section 7: sketch, positive and negative go through the tower together.

        Raises UserError on a NaN loss.
        """
        generator = torch.Generator().manual_seed(hash_seed(self.seed, epoch, number))
        torch.manual_seed(hash_seed(self.seed, epoch, number))  # dropout
        store, model = self.store, self.model.train()
        views = augment(store[batch.sketch], store[batch.positive], store[batch.negative], generator)
        support = model.normalise(store[batch.support]) if len(batch.support) else None
        features = model.encode(model.normalise(torch.cat(views)), model.context(support, self.words[batch.category]))
        size = len(batch.sketch)
        sketch, positive, negative = (features[i * size : (i + 1) * size] for i in range(3))
        loss, _ = triplet_loss(sketch, positive, negative, torch.from_numpy(batch.positive), epoch, self.config.model)
        if not torch.isfinite(loss):
            names = ", ".join(store.manifest.table["path"].iloc[batch.sketch].head(3))
            raise UserError(
                f"the loss is {loss.item()} at epoch {epoch}, step {number} ({batch.category}: {names}, ...). "
                "Lower the learning rates."
            )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def save(self, path: Path) -> None:
        """Checkpoint: trained weights, Adam's moments, losses, seconds; one atomic safetensors file."""
        state = self.model.state_dict()
        tensors = {f"model.{name}": state[name].contiguous() for name in trained_names(self.model)}
        for number, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{name}": value for name, value in moments.items()}
        tensors["losses"] = torch.tensor(self.losses, dtype=torch.float64)
        atomic_write_bytes(path, save(tensors, {"seconds": str(self.seconds)}))

    def load(self, path: Path) -> None:
        """Continue from a checkpoint. Raises UserError when the file is damaged or another model's."""
        try:
            with safe_open(path, "pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                self.seconds = float(file.metadata()["seconds"])
            weights = {name[6:]: value for name, value in tensors.items() if name.startswith("model.")}
            load_trained(self.model, weights, path)
        except (SafetensorError, OSError, KeyError) as error:
            raise UserError(f"{path} is damaged ({error}). Delete it to start the run again.") from error
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in tensors.items():
            if name.startswith("optimizer."):
                _, number, key = name.split(".", 2)
                moments.setdefault(int(number), {})[key] = value
        self.optimizer.load_state_dict({"state": moments, "param_groups": self.optimizer.state_dict()["param_groups"]})
        self.losses = tensors["losses"].tolist()


def load_trained(model: DPCLIP, weights: dict[str, torch.Tensor], source: Path) -> None:
    """Put trained weights into a model. Raises UserError when names or shapes are another model's."""
    own = {name: parameter.shape for name, parameter in model.named_parameters() if parameter.requires_grad}
    given = {name: value.shape for name, value in weights.items()}
    if own != given:
        odd = sorted(name for name in own.keys() | given.keys() if own.get(name) != given.get(name))[0]
        raise UserError(
            f"{source}: {odd} does not fit the model. It belongs to another configuration; delete it or choose its run."
        )
    model.load_state_dict(weights, strict=False)


def hash_seed(*numbers: int) -> int:
    """One 63-bit seed from several numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)


def train(
    config: RunConfig, seed: int, store: ImageStore, folder: Path, stop: Callable[[], bool] = lambda: False
) -> Training:
    """Train a run, or continue it from `folder`, saving after every epoch. A model with nothing to train is returned
    as it is.

    `stop` is asked after every step (tests and signals end a run with it). Raises UserError when `folder` cannot be
    written.
    """
    training = Training(config, seed, build_model(config, seed), store, [])
    if training.optimizer is None:
        return training
    ensure_writable(folder)
    checkpoint = folder / "checkpoint.safetensors"
    if checkpoint.exists():
        training.load(checkpoint)
    first = training.batches(0)
    total, done, begun = len(first) * config.epochs, len(training.losses), time.perf_counter() - training.seconds
    columns = (*Progress.get_default_columns()[:-1], TimeElapsedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"training, seed {seed}", total=total, completed=done)
        for epoch in range(done // len(first), config.epochs):
            batches = training.batches(epoch)
            for number in range(len(training.losses) - epoch * len(first), len(batches)):
                training.losses.append(training.step(batches[number], epoch, number))
                progress.advance(task)
                if stop():
                    return training
            training.seconds = time.perf_counter() - begun
            training.save(checkpoint)
    training.model.eval()
    return training
