"""A training step on a GPU: DP-CLIP at ViT-B/32 with random weights, 64 sketches with their positives and negatives.

In each arithmetic, compiled or not, from pictures on the GPU to Adam. It is also what to run first on a new card: the
numbers must agree with the processor's, those of the faster arithmetics with those of fp32, and fp32 must fit the card
that the paper used. `python -m benchmarks.gpu_step` runs it alone.
"""

import gc
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.clock import least_ms, memory_mb
from benchmarks.clock_costs import Noise
from dpclip.config import RunConfig, preset
from dpclip.data.store import as_float
from dpclip.runs.machine import hardware, peak_memory_mb
from dpclip.training.objective import Pictures, Work
from dpclip.training.train import Training, build_model

# Without dropout, whose draws depend on the arithmetic; one template, since no step encodes words.
CONFIG = preset("paper").set(weights="", prompt_dropout=0.0, templates=1)
FEW = 4  # sketches of the step that the processor does too
SIDE = 8192  # of the matrices whose product is the peak
CARD_MB = 12 * 1024
LOSS_WITHIN = {"fp32": 1e-4, "tf32": 1e-2, "bf16": 5e-2}  # relative difference to the loss in fp32
GRADIENT_WITHIN = 1e-2  # the same of the gradient, for fp32 elsewhere; of other arithmetics it is only told


@dataclass(frozen=True)
class Measured:
    """`loss` and `gradient` (P,), over all that trains, are those of the first step: all start alike."""

    loss: float
    gradient: Tensor
    seconds: float  # of a step
    memory_mb: float  # most in use, model and moments included
    tower_seconds: float = 0.0  # of the tower alone, forth and back

    def differences(self, other: "Measured") -> tuple[float, float]:
        """Of loss and gradient, relative to another's."""
        gradient = (self.gradient - other.gradient).norm() / other.gradient.norm()
        return abs(self.loss - other.loss) / other.loss, gradient.item()


def prepare(config: RunConfig, device: str) -> tuple[Training, list[Work]]:
    """A run before its first step, and that step's work: the same weights and noise on every device."""
    model = build_model(config, 0).to(device)
    training = Training(config, 0, model, Noise.of(model.image_size, device, config.batch), losses=[])
    batch = training.batches(0)[0]
    torch.manual_seed(0)
    return training, [Work(batch, Pictures.load(training.store, batch), None, 0, 0)]


def measure(config: RunConfig, device: str) -> Measured:
    """Steps with one setting, on the same pictures again and again."""
    gc.collect()
    torch._dynamo.reset()
    if device != "cpu":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    before = memory_mb(device)
    training, works = prepare(config, device)
    loss = training.step(works)
    own = [p for group in training.optimizer.param_groups for p in group["params"]]
    gradient = torch.cat([p.grad.flatten() for p in own]).cpu()
    seconds = least_ms(lambda: training.step(works), device) / 1000
    memory = peak_memory_mb(device) - before
    return Measured(loss, gradient, seconds, memory, least_ms(tower(training, works[0]), device) / 1000)


def tower(training: Training, work: Work) -> Callable[[], None]:
    """What calls the tower alone, forth and back, on the pictures of a step and in its arithmetic."""
    model, pictures = training.model.train(), work.pictures
    parts = (pictures.sketch, pictures.positive, pictures.negative)
    images = torch.cat([model.normalise(as_float(part)) for part in parts])
    support, words = model.normalise(as_float(pictures.support)), training.bench.words[work.batch.category]

    def run() -> None:
        model.zero_grad(set_to_none=True)
        with torch.autocast(images.device.type, torch.bfloat16, enabled=training.config.precision == "bf16"):
            features = training.objective.look(images, model.context(support, words))
        features.levels().float().square().mean().backward()

    return run


def flops_of(work: Callable[[], object]) -> int:
    """By torch's counter: matrix products, convolutions and attention."""
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


def count_flops(config: RunConfig, device: str) -> tuple[int, int]:
    """Of one step, and of the tower alone, forth and back."""
    training, works = prepare(config, device)
    return flops_of(lambda: training.step(works)), flops_of(tower(training, works[0]))


def images_a_step(config: RunConfig) -> int:
    return 3 * config.batch + sum(config.model.support_counts)


def bf16_peak(device: str, side: int = SIDE) -> float:
    """FLOPs a second of one large matrix product in bf16."""
    one, two = (torch.randn(side, side, device=device).bfloat16() for _ in range(2))
    return 2 * side**3 / (least_ms(lambda: one @ two, device) / 1000)


def settings(config: RunConfig) -> Iterator[RunConfig]:
    """fp32 as it is, then the others."""
    for compiled, precision in product((False, True), LOSS_WITHIN):
        yield config.set(precision=precision, compile=compiled)


def report(device: str, config: RunConfig = CONFIG, side: int = SIDE) -> tuple[Table, list[str]]:
    """A row for each arithmetic, compiled or not; and what is not as it should be."""
    few = config.set(batch=min(FEW, config.batch))
    beside = measure(few, device).differences(measure(few, "cpu"))
    wrong = disagreements("fp32 beside the processor", "fp32", beside)
    peak, (flops, _) = bf16_peak(device, side), count_flops(config, device)
    images, reference = images_a_step(config), None
    table = Table("Arithmetic", "Compiled", "Images/s", "Share of bf16 peak", "Memory (MB)")
    for name in ("Loss off by", "Gradient off by"):
        table.add_column(name)
    for setting in settings(config):
        found = measure(setting, device)
        reference = reference or found
        off = found.differences(reference)
        name = f"{setting.precision}{', compiled' if setting.compile else ''}"
        wrong += disagreements(name, setting.precision, off)
        if found is reference and found.memory_mb > CARD_MB:
            wrong.append(f"{name}: a step uses {found.memory_mb:,.0f} MB, more than {CARD_MB:,}")
        table.add_row(
            *(setting.precision, "yes" if setting.compile else "no", f"{images / found.seconds:,.0f}"),
            *(f"{flops / found.seconds / peak:.1%}", f"{found.memory_mb:,.0f}", f"{off[0]:.1e}", f"{off[1]:.1e}"),
        )
    return table, wrong


def disagreements(name: str, precision: str, off: tuple[float, float]) -> list[str]:
    """What of (loss, gradient) is further off than it may be."""
    limits = (LOSS_WITHIN[precision], GRADIENT_WITHIN if precision == "fp32" else float("inf"))
    return [
        f"{name}: {what} off by {value:.1e}, more than {limit:.0e}"
        for what, value, limit in zip(("loss", "gradient"), off, limits, strict=True)
        if not value <= limit
    ]


def main() -> int:
    """Print the table; 1 when something is wrong. Without a GPU one line says so."""
    if not torch.cuda.is_available():
        print("A training step on a GPU: there is none here, so it was not measured.")
        return 0
    print(f"{__doc__.splitlines()[0]} {hardware('cuda:0')}, torch {torch.__version__}", flush=True)
    table, wrong = report("cuda:0")
    Console().print(table)
    print(*wrong, sep="\n", end="\n" * bool(wrong))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
