"""What the child processes of the tests do: a toy run, alone or as one of several processes, killed or not."""

import os
import signal
from pathlib import Path

import torch

from dpclip import files
from dpclip.config import preset
from dpclip.data import store as data_store
from dpclip.data.store import ImageStore
from dpclip.errors import UserError
from dpclip.evaluation import evaluate
from dpclip.runs.records import Run
from dpclip.runs.run import ensure
from dpclip.training import processes
from dpclip.training import train as lab_train
from tests.conftest import _make_tiny
from tests.toy import make_toy

CONFIG = preset("smoke").set(epochs=2, steps_per_epoch=2, batch=4, templates=1, rank=2, joint=2, checkpoint="val")


def prepare(root) -> ImageStore:
    torch.set_num_threads(1)
    lab_train.load_backbone = lambda *_: _make_tiny()
    return ImageStore(make_toy(root / "toy"), 56, root / "cache")


def run_as_rank(rank: int, world: int, port: int, root, halt: bool = False) -> None:
    """One of `world` processes at one run. `halt`: the last of them gets SIGTERM in its first step, and each says what
    came of it in a file of its own.
    """
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": str(world), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    with processes.process_group():
        assert (processes.rank(), processes.world()) == (rank, world)
        if halt and rank == world - 1:
            step = lab_train.Training.step
            lab_train.Training.step = lambda *words: signal.raise_signal(signal.SIGTERM) or step(*words)
        try:
            lab_train.train_run(CONFIG, 0, prepare(root / f"rank-{rank}"), root / f"run-{world}")
        except UserError as error:
            Path(root, f"stopped-{rank}").write_text(str(error))


def make_record(root, where: str, count: int) -> None:
    """Train and measure a run; die by SIGKILL at call number `count` of `where`: "decode", the reading of a picture;
    "step" of training; "test", the ranking for a category; "rename", between writing a file and giving it its name.
    count = 0: live.
    """
    calls = iter(range(1, 1000))

    def deadly(function):
        def call(*arguments):
            if next(calls) == count:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments)

        return call

    if where == "decode":
        data_store.read_image = deadly(data_store.read_image)
    store = prepare(root)
    if where == "step":
        lab_train.Training.step = deadly(lab_train.Training.step)
    if where == "test":
        evaluate.Bench.distances = deadly(evaluate.Bench.distances)
    if where == "rename":
        files.os.replace = deadly(os.replace)
    ensure(Run(CONFIG, 0, "data", "weights"), store, root / "records", root / "runs")
