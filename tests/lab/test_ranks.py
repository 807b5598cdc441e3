"""Two processes at one run leave what one process leaves. Real processes, the gloo backend, no accelerator."""

import os
import socket

import pytest
import torch
import torch.multiprocessing as mp

from dpclip.data.store import ImageStore
from dpclip.errors import UserError
from dpclip.lab import ranks
from dpclip.lab import train as lab_train
from dpclip.lab.checkpoint import read_checkpoint
from dpclip.lab.config import preset
from dpclip.lab.train import train
from tests.conftest import _make_tiny
from tests.toy import make_toy

CONFIG = preset("smoke").set(epochs=2, steps_per_epoch=2, batch=4, templates=1, rank=2, joint=2, checkpoint="val")


def run(rank: int, world: int, port: int, root) -> None:
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": str(world), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    lab_train.load_backbone = lambda *_: _make_tiny()
    with ranks.process_group():
        assert (ranks.rank(), ranks.world()) == (rank, world)
        store = ImageStore(make_toy(root / f"toy-{rank}"), 56, root / f"cache-{rank}")
        train(CONFIG, 0, store, root / f"run-{world}")


def test_two_processes_equal_one_with_the_joint_batch(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mp.start_processes(run, (2, port, tmp_path), nprocs=2, start_method="spawn")
    mp.start_processes(run, (1, 0, tmp_path), nprocs=1, start_method="spawn")
    two, one = (read_checkpoint(tmp_path / f"run-{n}" / "checkpoint.safetensors") for n in (2, 1))
    assert len(one.losses) == 4 and one.losses == pytest.approx(two.losses, abs=1e-6)
    assert one.scores == two.scores and len(one.scores) == 2
    for name, value in one.weights.items():
        torch.testing.assert_close(two.weights[name], value, atol=1e-5, rtol=0)


def test_batches_that_cannot_be_shared_evenly_are_refused(monkeypatch):
    monkeypatch.setattr(ranks, "world", lambda: 2)
    assert ranks.share(4) == 2
    with pytest.raises(UserError, match="2 processes cannot share joint=3.*--set joint=2"):
        ranks.share(3)
