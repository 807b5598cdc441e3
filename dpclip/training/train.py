"""Training: a run is a function of (config, data, weights, seed).

Every random draw of a step comes from (seed, epoch, step), and a checkpoint holds the trained weights and Adam's
moments: an interrupted run, started again, ends with the same numbers.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch.nn.parallel import DistributedDataParallel

from dpclip.config import RunConfig
from dpclip.data.batches import Batch, training_batches
from dpclip.data.manifest import Manifest
from dpclip.data.store import ImageStore
from dpclip.errors import UserError
from dpclip.evaluation.evaluate import fine_grained, open_bench
from dpclip.files import ensure_writable
from dpclip.method.backbone import load_backbone, vision_config
from dpclip.method.interface import Method, find_method
from dpclip.method.weights import weights_source
from dpclip.training import processes
from dpclip.training.checkpoint import load_checkpoint, trained_weights, write_checkpoint
from dpclip.training.objective import Objective, Pictures, Work
from dpclip.training.progress import TrainingProgress
from dpclip.training.speed import set_arithmetic

CHECKPOINT, BEST = "checkpoint.safetensors", "best.safetensors"


def build_model(config: RunConfig, seed: int) -> Method:
    """The untrained model of a run: its backbone, and new parts drawn from `seed`."""
    method = find_method(config.method)
    backbone = [load_backbone(config.backbone, weights_source(config.weights), seed)] if method.on_backbone else []
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return method(*backbone, config.model)


def image_size(config: RunConfig) -> int:
    """Side of the pictures that a run's model sees, in pixels; nothing is built or downloaded for it."""
    method = find_method(config.method)
    if not method.on_backbone:
        return method.image_size
    return vision_config(config.backbone, config.weights or None)["image_size"]


def steps_an_epoch(config: RunConfig, manifest: Manifest) -> int:
    """Counted, no batch is made: whole batches of each seen category, `joint` to a step."""
    sketches = manifest.table.iloc[manifest.rows(split="seen", style=manifest.styles[0])]
    steps = int((sketches.groupby("category").size() // config.batch).sum()) // config.joint
    return min(steps, config.steps_per_epoch or steps)


def epoch_batches(config: RunConfig, manifest: Manifest, seed: int, epoch: int) -> list[Batch]:
    """An epoch's batches; `joint` of them make a step, what is left over is dropped."""
    batches = training_batches(manifest, config.batch, seed, epoch, config.model)
    return batches[: steps_an_epoch(config, manifest) * config.joint]


def make_work(batches: list[Batch], number: int, epoch: int, store: ImageStore) -> Work:
    """Batch `number` of an epoch with its pictures, and the next one of another category."""
    following = batches[number + 1 :] + batches[:number]
    other = next((b for b in following if b.category != batches[number].category), None)
    return Work(batches[number], Pictures.load(store, batches[number]), other, epoch, number)


@dataclass
class Training:
    """A run in progress: `losses` has one value a finished step; `scores`, one an epoch, choose the epoch to keep."""

    config: RunConfig
    seed: int
    model: Method
    store: ImageStore
    losses: list[float]
    scores: list[float] = field(default_factory=list)
    seconds: float = 0.0
    probe: dict = field(default_factory=dict)  # of this code (runs/probe.py)

    def __post_init__(self) -> None:
        groups = self.model.set_trainable() if self.model.trains(self.config.model) else {}
        rates = {"clip": self.config.clip_rate, "new": self.config.new_rate}
        parts = [{"params": p, "lr": rates[name]} for name, p in groups.items() if p]
        self.optimizer = torch.optim.Adam(parts) if parts else None
        set_arithmetic(self.config, self.store.device)
        self.bench = open_bench(self.model, self.store)
        self.objective = Objective(self.model, self.store, self.bench.words, self.config, self.seed)
        if processes.world() > 1 and self.optimizer:
            self.objective = DistributedDataParallel(self.objective)
        self.share = processes.share(self.config.joint)

    def batches(self, epoch: int) -> list[Batch]:
        return epoch_batches(self.config, self.store.manifest, self.seed, epoch)

    def work(self, epoch: int, first: int) -> Iterator[list[Work]]:
        """This rank's part of each step of an epoch from step `first` on, pictures loaded a step ahead."""
        batches, joint, rank, world = self.batches(epoch), self.config.joint, processes.rank(), processes.world()
        mine = [range(s * joint + rank, (s + 1) * joint, world) for s in range(len(batches) // joint)]

        def load(numbers: range) -> list[Work]:
            return [make_work(batches, number, epoch, self.store) for number in numbers]

        with ThreadPoolExecutor(1) as pool:
            ahead = None
            for numbers in [*mine[first:], None]:
                ready, ahead = ahead, None if numbers is None else pool.submit(load, numbers)
                if ready is not None:
                    yield ready.result()

    def step(self, works: list[Work]) -> float:
        """One step of Adam on the mean loss of `joint` batches, of which `works` are this rank's; that mean."""
        self.optimizer.zero_grad(set_to_none=True)
        summed = 0.0
        for number, work in enumerate(works):
            last = number == len(works) - 1
            with nullcontext() if last or processes.world() == 1 else self.objective.no_sync():
                loss = self.objective(work)
                (loss / self.share).backward()  # the ranks' gradients are averaged
            summed += loss.item()
        self.optimizer.step()
        return processes.total(summed)[0] / self.config.joint

    def score(self) -> float:
        """Acc@1 by which `checkpoint` keeps an epoch: of held-out seen categories `ours`, or, as released, of the
        categories it is then tested on `code`.
        """
        split, protocol = {"val": ("val", "held-out"), "test": ("unseen", "transductive")}[self.config.model.checkpoint]
        self.model.eval()
        style = self.store.manifest.styles[0]
        return fine_grained(self.bench, split, style, protocol, self.seed, self.config.test_categories)["acc@1"]

    def save(self, path: Path) -> None:
        """Write a checkpoint, atomically."""
        measured = {"losses": self.losses, "scores": self.scores, "seconds": self.seconds}
        write_checkpoint(path, self.model, self.optimizer, measured)


def train_run(
    config: RunConfig, seed: int, store: ImageStore, folder: Path, stop: Callable[[], bool] = lambda: False
) -> Training:
    """Train a run on the pictures of `store`, at the size its model sees, or continue it from `folder`, saving after
    every epoch. A model with nothing to train is returned as it is. `stop` is asked after every step and ends the run
    without a trace, as a kill would. SIGTERM and Ctrl-C save a checkpoint first. Raises UserError then, and when
    `folder` cannot be written or has no room. It waits while another process is at the same run.
    """
    model = build_model(config, seed).to(store.device)
    training = Training(config, seed, model, store.at(model.image_size), losses=[])
    if training.optimizer is None:
        return training
    first = processes.rank() == 0
    if first:
        ensure_writable(folder, 8 * sum(value.nbytes for value in trained_weights(training.model).values()))
    with processes.alone(folder) if first else nullcontext(), processes.signals() as caught:
        if not _run(training, folder, stop, caught):
            return training
        if first and config.model.checkpoint != "last":
            load_checkpoint(folder / BEST, training.model)
    training.model.eval()
    return training


def _run(training: Training, folder: Path, stop: Callable[[], bool], caught: Callable[[], str]) -> bool:
    """Train from the checkpoint in `folder`, if there is one, to the last epoch; False when `stop` ended it."""
    config, checkpoint = training.config, folder / CHECKPOINT
    if checkpoint.exists():
        vars(training).update(load_checkpoint(checkpoint, training.model, training.optimizer))
    steps = steps_an_epoch(config, training.store.manifest)
    total, done, begun = steps * config.epochs, len(training.losses), time.perf_counter() - training.seconds
    first = processes.rank() == 0
    progress = TrainingProgress(f"training, seed {training.seed}", config.epochs, steps, done, first)
    with progress.bar:
        for epoch in range(done // steps, config.epochs):
            halt = False
            for works in training.work(epoch, len(training.losses) - epoch * steps):
                training.losses.append(training.step(works))
                progress.step()
                if stop():
                    return False
                halt = processes.total(bool(caught()))[0] > 0  # a signal to one rank stops all at the same step
                if halt:
                    break
            whole = len(training.losses) == (epoch + 1) * steps
            if first:
                if whole and config.model.checkpoint != "last":
                    training.scores.append(training.score())
                    if training.scores[-1] > max(training.scores[:-1], default=-1.0):
                        training.save(folder / BEST)
                training.seconds = time.perf_counter() - begun
                training.save(checkpoint)
            if halt and len(training.losses) < total:
                raise UserError(
                    f"stopped by {caught() or 'another rank'} after step {len(training.losses)} of {total}, which is "
                    "saved. The same command goes on from there."
                )
            progress.epoch(epoch, sum(training.losses[epoch * steps :]) / len(training.losses[epoch * steps :]))
    return True
