"""The checks of `python -m benchmarks.gpu`, each in a process of its own: what they find they tell as they find it.

machine   what this is, and what of ours cannot be imported
agree     loss and gradient of one step of `paper` on the card, in each arithmetic, beside fp32 on the processor
resume    20 steps of `paper` on a stand-in for Sketchy, killed by SIGKILL and started again, beside an undisturbed run
step      the step of `paper`: time, memory, share of the bf16 peak; whole trainings beside a plain loop in fp32
pipeline  the pictures alone
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import replace
from importlib import import_module, metadata
from itertools import count
from pathlib import Path

import torch

from benchmarks import clock, gpu_step, pipeline
from benchmarks.gpu_step import FEW, LOSS_WITHIN
from benchmarks.gpu_training import FULL, TINY, Scale, Tell, step
from dpclip.config import RunConfig, preset
from dpclip.data.store import ImageStore
from dpclip.files import ROOT, atomic_write_text
from dpclip.runs.machine import commit, hardware
from dpclip.runs.run import open_data
from dpclip.training.checkpoint import read_checkpoint
from dpclip.training.train import CHECKPOINT, Training, image_size, train_run

OURS = ("dpclip.api", "dpclip.cli", "dpclip_prepare", "dpclip_book", "benchmarks.step", "tests.stand_in")
PACKAGES = (
    "torch torchvision triton open_clip_torch timm numpy scipy pandas pillow safetensors tokenizers pydantic typer "
    "rich filelock tabulate psutil matplotlib ftfy resvg-py dpclip"
).split()


def machine(scale: Scale, tell: Tell) -> None:
    """Everything that the numbers depend on."""
    card = hardware(scale.device)
    tell(device=card, torch=torch.__version__, cuda=torch.version.cuda, python=sys.version.split()[0])
    tell(cores=os.cpu_count(), threads=torch.get_num_threads(), driver=driver(), commit=commit().replace("unknown", ""))
    shared = Path("/dev/shm")  # through which DataLoader's workers hand pictures over
    tell(free_mb={str(p): shutil.disk_usage(p).free >> 20 for p in (tempfile.gettempdir(), shared) if Path(p).exists()})
    tell(packages={name: version(name) for name in PACKAGES})
    tell(not_imported={name: error for name in OURS if (error := import_error(name))})


def driver() -> str:
    words = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(words, capture_output=True, text=True, check=True, timeout=10).stdout.split()[0]
    except (OSError, subprocess.SubprocessError, IndexError):
        return ""


def version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def import_error(name: str) -> str:
    try:
        import_module(name)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def agree(scale: Scale, tell: Tell) -> None:
    """Differences are relative, of the gradient over all that trains."""
    few = scale.config.set(batch=min(FEW, scale.config.batch))
    processor, wrong = gpu_step.measure(few, "cpu"), []
    tell(loss=processor.loss, gradient_norm=processor.gradient.norm().item())
    for precision in LOSS_WITHIN:
        off = gpu_step.measure(few.set(precision=precision), scale.device).differences(processor)
        wrong += gpu_step.disagreements(precision, precision, off)
        tell(**{precision: {"loss_off": off[0], "gradient_off": off[1]}}, wrong=wrong)
    if wrong:
        raise SystemExit("\n".join(wrong))


def resume(scale: Scale, tell: Tell) -> None:
    """The killed process trains while the undisturbed run does. How far the same steps of both are from each other
    before the kill is what the card adds by itself.
    """
    from tests.stand_in import DRY, make_sketchy

    with tempfile.TemporaryDirectory() as folder:
        root = make_sketchy(Path(folder) / "sketchy", "flat", DRY, per_category=7, per_photo=2)
        store, config = resumed(root, scale)
        words = [sys.executable, "-m", "benchmarks.gpu_checks", "killed", root, *["--tiny"] * (scale.device == "cpu")]
        with subprocess.Popen(words, cwd=ROOT) as killed:
            whole = train_run(config, 0, store, root / "whole")
        if killed.returncode != -signal.SIGKILL:
            raise RuntimeError(f"the run to be killed ended by itself, with status {killed.returncode}")
        left = read_checkpoint(root / "killed" / CHECKPOINT, "none")["losses"]
        again = train_run(config, 0, store, root / "killed")
    one, two = (torch.tensor(run.losses, dtype=torch.float64) for run in (whole, again))
    off = (one - two).abs() / one
    mine, theirs = (_trained(run) for run in (whole, again))
    tell(steps=len(two), killed_after=scale.run[2], went_on_after=len(left), bitwise=torch.equal(one, two))
    tell(final_losses=[one[-1].item(), two[-1].item()], final_loss_off=off[-1].item(), most_loss_off=off.max().item())
    tell(most_off_before=off[: len(left)].max().item(), weights_off=((mine - theirs).norm() / mine.norm()).item())
    if len(one) != len(two) or not scale.run[2] > len(left) > 0 or two[: len(left)].tolist() != left:
        raise RuntimeError(f"{len(one)} steps, {len(left)} before the kill, {len(two)} with those after it")


def resumed(root: Path, scale: Scale) -> tuple[ImageStore, RunConfig]:
    """Pictures and settings of the run that is killed."""
    sizes = {"batch": 4, "epochs": scale.run[0], "steps_per_epoch": scale.run[1]}
    config = preset("paper").set(weights="", templates=1, backbone=scale.config.backbone, **sizes)
    return ImageStore(open_data(config, root), image_size(config), root / "cache", scale.device), config


def _trained(run: Training) -> torch.Tensor:
    return torch.cat([p.detach().double().flatten().cpu() for p in run.model.parameters() if p.requires_grad])


def killed(root: Path, scale: Scale) -> None:
    """In the process that dies."""
    store, config = resumed(root, scale)
    steps = count(1)

    def die() -> None:
        if next(steps) == scale.run[2]:
            os.kill(os.getpid(), signal.SIGKILL)

    train_run(config, 0, store, root / "killed", die)


def pictures_alone(scale: Scale, tell: Tell) -> None:
    """As `make benchmarks` does it."""
    if scale.device == "cpu":
        pipeline.PHOTOS, pipeline.BATCH, pipeline.BATCHES, pipeline.REPEATS = 8, 4, 2, 1
    images = 3 * pipeline.BATCH * pipeline.BATCHES
    for number, one in enumerate(pipeline.compare()):
        row = {"what": one.what, "rival": one.rival, "times": one.ratio, "demand": one.demand}
        tell(**{f"row_{number}": row | {"images_s": images / one.ours, "rival_images_s": images / one.theirs}})


CHECKS = {"machine": machine, "agree": agree, "resume": resume, "step": step, "pipeline": pictures_alone}


def teller(path: Path) -> Tell:
    """What adds figures to a JSON file, so that a check that is killed leaves those it had."""
    figures: dict = {}

    def tell(**new: object) -> None:
        figures.update(new)
        atomic_write_text(path, json.dumps(figures, indent=1) + "\n")

    return tell


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("check", choices=[*CHECKS, "killed"])
    parser.add_argument("place", type=Path, help="file of the figures; of `killed` the folder of its run")
    parser.add_argument("--until", type=float, default=float("inf"))
    parser.add_argument("--tiny", action="store_true")
    asked = parser.parse_args()
    if not asked.tiny and not torch.cuda.is_available():
        raise SystemExit("there is no CUDA card here; --tiny tries the checks on the processor")
    scale = replace(TINY if asked.tiny else FULL, until=asked.until)
    clock.ENOUGH = scale.enough
    if asked.check == "killed":
        killed(asked.place, scale)
    else:
        CHECKS[asked.check](scale, teller(asked.place))


if __name__ == "__main__":
    main()
