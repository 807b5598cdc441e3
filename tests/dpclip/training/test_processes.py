"""Two processes at one run leave what one process leaves. Real processes, the gloo backend, no accelerator."""

import socket

import pytest
import torch
import torch.multiprocessing as mp

from dpclip.errors import UserError
from dpclip.training import processes
from dpclip.training.checkpoint import read_checkpoint
from tests.dpclip.training.killable import run_as_rank


def start_two(root, halt=False):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mp.start_processes(run_as_rank, (2, port, root, halt), nprocs=2, start_method="forkserver")


def test_two_processes_equal_one_with_the_joint_batch(tmp_path):
    start_two(tmp_path)
    mp.start_processes(run_as_rank, (1, 0, tmp_path), nprocs=1, start_method="forkserver")
    two, one = (read_checkpoint(tmp_path / f"run-{n}" / "checkpoint.safetensors") for n in (2, 1))
    assert len(one["losses"]) == 4 and one["losses"] == pytest.approx(two["losses"], abs=1e-6)
    assert one["scores"] == two["scores"] and len(one["scores"]) == 2
    weights = [name for name in one if name.startswith("model.")]
    assert weights
    for name in weights:
        torch.testing.assert_close(two[name], one[name], atol=1e-5, rtol=0)


def test_a_signal_to_one_process_stops_all_after_the_same_step(tmp_path):
    start_two(tmp_path, True)
    for rank in (0, 1):
        assert "after step 1 of 4, which is saved" in (tmp_path / f"stopped-{rank}").read_text()
    assert len(read_checkpoint(tmp_path / "run-2" / "checkpoint.safetensors")["losses"]) == 1
    start_two(tmp_path)
    whole = read_checkpoint(tmp_path / "run-2" / "checkpoint.safetensors")
    mp.start_processes(run_as_rank, (1, 0, tmp_path), nprocs=1, start_method="forkserver")
    one = read_checkpoint(tmp_path / "run-1" / "checkpoint.safetensors")
    assert whole["losses"] == pytest.approx(one["losses"], abs=1e-6)


def test_batches_that_cannot_be_shared_evenly_are_refused(monkeypatch):
    monkeypatch.setattr(processes, "world", lambda: 2)
    assert processes.share(4) == 2
    with pytest.raises(UserError, match="2 processes cannot share joint=3.*--set joint=2"):
        processes.share(3)
