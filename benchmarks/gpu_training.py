"""The training of `paper` on the card for `python -m benchmarks.gpu`: its step in each arithmetic, compiled or not; and
whole trainings, pictures included, beside a plain loop.
"""

import os
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import torch
from torch.nn.functional import interpolate
from torch.utils.data import DataLoader

from benchmarks import gpu_step, pipeline
from benchmarks.clock import synchronise
from benchmarks.gpu_step import LOSS_WITHIN, images_a_step
from benchmarks.step import step as adam_step
from dpclip.config import RunConfig
from dpclip.data.manifest import Manifest
from dpclip.data.store import ImageStore
from dpclip.training.speed import set_arithmetic
from dpclip.training.train import Training, build_model, image_size

Tell = Callable[..., None]


@dataclass(frozen=True)
class Scale:
    """How large a check is. `tiny` only shows that it runs."""

    device: str
    config: RunConfig  # of the step
    side: int  # of the matrices of the peak
    photos: int  # of the trainings with pictures, and as many sketches
    seconds: tuple[float, float]  # of such a training: until it runs evenly, and then timed
    run: tuple[int, int, int]  # that is killed: epochs, steps of each, and the step after which it dies
    enough: float  # seconds of one timing: clock.ENOUGH
    until: float = float("inf")  # when it is killed, by time.time()

    @property
    def left(self) -> float:
        return self.until - time.time()


FULL = Scale("cuda:0", gpu_step.CONFIG, gpu_step.SIDE, 512, (2.5, 4.0), (5, 4, 13), 1.0)
TINY = Scale("cpu", gpu_step.CONFIG.set(backbone="mini", batch=2, rank=2), 64, 6, (0.1, 0.1), (2, 2, 3), 0.0)


def step(scale: Scale, tell: Tell) -> None:
    """What needs no compiler comes first. Compiled, bf16 comes first and whole; the others while there is time."""
    config, device = scale.config, scale.device
    peak, (flops, tower_flops) = gpu_step.bf16_peak(device, scale.side), gpu_step.count_flops(config, device)
    tell(bf16_peak=peak, flops=flops, tower_flops=tower_flops, images_a_step=images_a_step(config), batch=config.batch)
    reference = None

    def time_step(setting: RunConfig) -> None:
        nonlocal reference
        begun = time.perf_counter()
        found = gpu_step.measure(setting, device)
        reference = reference or found
        loss, gradient = found.differences(reference)
        row = {"images_s": images_a_step(config) / found.seconds, "step_s": found.seconds, "memory_mb": found.memory_mb}
        row |= {"peak_share": flops / found.seconds / peak, "tower_share": tower_flops / found.tower_seconds / peak}
        row |= {"loss_off": loss, "gradient_off": gradient, "took_s": time.perf_counter() - begun}
        tell(**{setting.precision + "_compiled" * setting.compile: row})

    for precision in LOSS_WITHIN:
        time_step(config.set(precision=precision))
    with tempfile.TemporaryDirectory() as folder:
        manifest = pipeline.make_pictures(Path(folder), scale.photos)
        store = ImageStore(manifest, image_size(config), Path(folder) / "cache", device)
        plain = float("nan")
        try:
            plain = rate(plain_steps(config, manifest, device), scale) * images_a_step(config)
            tell(plain_images_s=plain)
        except RuntimeError as error:  # of DataLoader's workers, which want much shared memory
            tell(plain_failed=str(error)[:500])

        def time_training(setting: RunConfig) -> None:
            images_s = rate(our_steps(setting, store), scale) * images_a_step(config)
            name = f"training_{setting.precision}" + "_compiled" * setting.compile
            tell(**{name: {"images_s": images_s, "times_plain": images_s / plain}})

        time_training(config)
        time_training(config.set(precision="bf16"))
        if device == "cpu":
            return  # it takes minutes
        for precision in ("bf16", "tf32", "fp32"):
            begun = time.perf_counter()
            time_step(config.set(precision=precision, compile=True))
            took = time.perf_counter() - begun
            if scale.left > 1.2 * took and precision == "bf16":
                time_training(config.set(precision=precision, compile=True))
            if scale.left < 1.2 * took:
                break


def rate(steps: Generator[None, None, None], scale: Scale) -> float:
    """Steps a second of a training that runs evenly, which ends then."""
    until_even, timed = scale.seconds
    with closing(steps):
        begun = time.perf_counter()
        while time.perf_counter() - begun < until_even:
            next(steps)
        synchronise(scale.device)
        begun, made = time.perf_counter(), 0
        while time.perf_counter() - begun < timed or not made:
            next(steps)
            made += 1
        synchronise(scale.device)
        return made / (time.perf_counter() - begun)


def our_steps(config: RunConfig, store: ImageStore) -> Generator[None, None, None]:
    """A training as `train_run` does it, without checkpoints and without an end."""
    training = Training(config, 0, build_model(config, 0).to(store.device), store, losses=[])
    for epoch in count():
        for works in training.work(epoch, 0):
            training.step(works)
            yield


def plain_steps(config: RunConfig, manifest: Manifest, device: str) -> Generator[None, None, None]:
    """The usual loop with the same model: pictures from a DataLoader with Pillow, a worker for each core; sketches,
    positives and negatives in three passes, each with prompts of its own; fp32.
    """
    set_arithmetic(config.set(precision="fp32"), device)
    model = build_model(config, 0).to(device).train()
    sketches, photos = manifest.rows(modality="sketch"), manifest.rows(modality="photo")
    usual = pipeline.Usual(manifest, sketches, photos, 2**20)
    workers = min(os.cpu_count(), 16)
    loader = DataLoader(usual, config.batch, num_workers=workers, pin_memory=device != "cpu", drop_last=True)
    text, ids = torch.randn(model.backbone.output_dim, device=device), torch.arange(config.batch, device=device)

    views: list[torch.Tensor] = []

    def loss() -> torch.Tensor:
        sketch_count, photo_count = config.model.support_counts
        support = torch.cat([views[0][:sketch_count], views[1][:photo_count]])
        return model.loss(*(model.encode(view, model.context(support, text)) for view in views), ids, 0)

    take = adam_step(model, loss)
    for parts in loader:
        views[:] = (model.normalise(fit(part.to(device, non_blocking=True), model.image_size)) for part in parts)
        take()
        yield


def fit(views: torch.Tensor, size: int) -> torch.Tensor:
    """Pictures of the pipeline's size at the model's, which is the same but for the tiny one."""
    return views if views.shape[-1] == size else interpolate(views, size=size)
