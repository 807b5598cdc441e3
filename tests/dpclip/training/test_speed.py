"""Small presets work on one thread; the smoke run reaches hard negatives."""

import subprocess
import sys

from dpclip.config import preset
from dpclip.method.losses import hard_weight


def test_small_presets_work_on_one_thread_wherever_they_run():
    """In a process of its own, since it holds for all of it."""
    program = """
import torch
from dpclip.config import preset
from dpclip.training.speed import set_arithmetic
torch.set_num_threads(2)
set_arithmetic(preset("paper"), "cpu")
assert torch.get_num_threads() == 2
set_arithmetic(preset("mini"), "cpu")
assert torch.get_num_threads() == 1
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_smoke_run_reaches_hard_negatives():
    """Else making it again would say nothing of their loss."""
    smoke = preset("smoke")
    assert hard_weight(smoke.epochs - 1, smoke.model.hard_every) > 0
