"""Training: a run is a function of (config, data, weights, seed).

Every random draw of a step comes from (seed, epoch, step), and a checkpoint holds the trained weights and Adam's
moments: an interrupted run, started again, ends with the same numbers.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn, TimeRemainingColumn

from dpclip.data.batches import Batch, SupportRule, training_batches
from dpclip.data.files import ensure_writable
from dpclip.data.images import ImageStore, augment
from dpclip.errors import UserError
from dpclip.lab.checkpoint import Checkpoint, load_trained, read_checkpoint, trained_weights, write_checkpoint
from dpclip.lab.config import RunConfig
from dpclip.lab.evaluate import Bench, fine_grained, open_bench
from dpclip.method import clip_at
from dpclip.method.backbone import load_backbone
from dpclip.method.convnet import NAME as CONVNET
from dpclip.method.convnet import ConvNet
from dpclip.method.features import Features
from dpclip.method.losses import triplet_loss
from dpclip.method.model import DPCLIP, set_trainable


def build_model(config: RunConfig, seed: int) -> DPCLIP | ConvNet:
    """The untrained model of a run: its backbone, and new parts drawn from `seed`."""
    if config.backbone == CONVNET:
        return ConvNet(config.model)
    backbone = load_backbone(config.backbone, config.weights or None, seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return DPCLIP(backbone, config.model)


@dataclass
class Training:
    """A run in progress: `losses` has one value a finished step; `scores`, one an epoch, choose the epoch to keep."""

    config: RunConfig
    seed: int
    model: DPCLIP
    store: ImageStore
    losses: list[float]
    scores: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        groups = {} if isinstance(self.model, ConvNet) else set_trainable(self.model)
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
        batches = training_batches(self.store.manifest, self.config.batch, self.seed, epoch, rule, model.negatives)
        return batches[: self.config.steps_per_epoch or None]

    def step(self, batches: list[Batch], epoch: int, number: int) -> float:
        """Step `number` of an epoch, section 7: sketch, positive and negative go through the tower together.

        Raises UserError on a NaN loss.
        """
        batch, store = batches[number], self.store
        torch.manual_seed(hash_seed(self.seed, epoch, number))  # dropout
        generator = torch.Generator().manual_seed(hash_seed(self.seed, epoch, number))
        self.model.train()
        views = augment(store[batch.sketch], store[batch.positive], store[batch.negative], generator)
        triplet = self.encode(views, batch)
        loss, _ = triplet_loss(*triplet, torch.from_numpy(batch.positive), epoch, self.config.model)
        loss = loss + self.added_losses(views, triplet, batches, number, generator)
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

    def encode(self, views: tuple[torch.Tensor, ...], batch: Batch) -> list[Features]:
        """Views (B, 3, S, S) each, prompted for the category of the batch, in one pass -> their features."""
        model = self.model
        support = model.normalise(self.store[batch.support]) if len(batch.support) else None
        context = model.context(support, self.words[batch.category])
        features = model.encode(model.normalise(torch.cat(views)), context)
        size = len(views[0])
        return [features[i * size : (i + 1) * size] for i in range(len(views))]

    def added_losses(
        self,
        views: tuple[torch.Tensor, ...],
        triplet: list[Features],
        batches: list[Batch],
        number: int,
        generator: torch.Generator,
    ) -> torch.Tensor | float:
        """The losses of CLIP-AT that the config gives a weight, weighted; 0 for DP-CLIP."""
        config, batch, store, added = self.config.model, batches[number], self.store, 0.0
        sketch, positive, negative = (features.global_feature for features in triplet)
        if config.shuffle_weight:
            one, two = clip_at.two_orders(len(sketch), generator)
            orders = ((views[0], one), (views[1], one), (views[1], two))
            shuffled = self.encode(tuple(clip_at.shuffle_patches(view, order) for view, order in orders), batch)
            loss = clip_at.shuffle_loss(*(features.global_feature for features in shuffled), config.margin)
            added = added + config.shuffle_weight * loss
        following = batches[number + 1 :] + batches[:number]
        other = next((b for b in following if b.category != batch.category), None)
        if config.relative_weight and other:
            with torch.no_grad():
                pictures = augment(store[other.sketch], store[other.positive], store[other.negative], generator)
                theirs = clip_at.relative_distances(*(f.global_feature for f in self.encode(pictures, other)))
            ours = clip_at.relative_distances(sketch, positive, negative)
            added = added + config.relative_weight * clip_at.relative_loss(ours, theirs)
        if config.text_weight:
            names = store.manifest.categories("seen")
            texts, scale = torch.stack([self.words[name] for name in names]), self.model.backbone.clip.logit_scale.exp()
            loss = clip_at.text_loss(torch.cat([sketch, positive]), texts, names.index(batch.category), scale)
            added = added + config.text_weight * loss
        return added

    def score(self) -> float:
        """Acc@1 by which `checkpoint` keeps an epoch: of held-out seen categories `ours`, or, as released, of the
        categories it is then tested on `code`.
        """
        split, protocol = {"val": ("val", "held-out"), "test": ("unseen", "transductive")}[self.config.model.checkpoint]
        bench = Bench(self.model.eval(), self.store, self.words)
        return fine_grained(bench, split, "warped", protocol, self.seed, self.config.test_categories)["acc@1"]

    def save(self, path: Path) -> None:
        """Write a checkpoint, atomically."""
        moments = self.optimizer.state_dict()["state"]
        state = Checkpoint(trained_weights(self.model), moments, self.losses, self.scores, self.seconds)
        write_checkpoint(path, state)

    def load(self, path: Path) -> None:
        """Continue from a checkpoint. Raises UserError when the file is damaged or another model's."""
        state = read_checkpoint(path)
        load_trained(self.model, state.weights, path)
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state.moments, "param_groups": groups})
        self.losses, self.scores, self.seconds = state.losses, state.scores, state.seconds


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
    training = Training(config, seed, build_model(config, seed), store, losses=[])
    if training.optimizer is None:
        return training
    ensure_writable(folder)
    checkpoint, best = folder / "checkpoint.safetensors", folder / "best.safetensors"
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
                training.losses.append(training.step(batches, epoch, number))
                progress.advance(task)
                if stop():
                    return training
            if config.model.checkpoint != "last":
                training.scores.append(training.score())
                if training.scores[-1] > max(training.scores[:-1], default=-1.0):
                    training.save(best)
            training.seconds = time.perf_counter() - begun
            training.save(checkpoint)
    if config.model.checkpoint != "last":
        load_trained(training.model, read_checkpoint(best).weights, best)
    training.model.eval()
    return training
