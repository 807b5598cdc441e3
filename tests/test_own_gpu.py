"""workflow/own_gpu.py: two commands never have the same GPU, and a GPU is free again when its command ends."""

import os
import subprocess
import sys
import time

import pytest

from dpclip.files import ROOT

SAY = "import os, sys, time; print(os.environ.get('CUDA_VISIBLE_DEVICES'), flush=True); sys.stdin.read()"


@pytest.fixture
def start(tmp_path):
    """start(names): a command under own_gpu.py that prints its GPU and goes on until its stdin is closed."""
    started = []

    def run(names):
        environment = os.environ | {"TMPDIR": str(tmp_path), "CUDA_VISIBLE_DEVICES": names}
        command = [sys.executable, ROOT / "workflow" / "own_gpu.py", sys.executable, "-c", SAY]
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.wait()
        process.stdin.close(), process.stdout.close()


@pytest.mark.parametrize("end", ["done", "kill -9"])
def test_each_command_has_a_gpu_of_its_own_and_a_third_one_waits(start, end):
    first, second = start("5,GPU-7"), start("5,GPU-7")
    own = {process: process.stdout.readline().strip() for process in (first, second)}
    assert set(own.values()) == {"5", "GPU-7"}
    third = start("5,GPU-7")
    os.set_blocking(third.stdout.fileno(), False)
    time.sleep(1)
    assert not third.stdout.readline()
    first.kill() if end == "kill -9" else first.stdin.close()
    os.set_blocking(third.stdout.fileno(), True)
    assert third.stdout.readline().strip() == own[first]


def test_where_one_gpu_is_given_nothing_is_chosen(start):
    """Of two jobs of SLURM on one machine each may see its GPU as number 0."""
    assert [start("0").stdout.readline().strip() for _ in range(2)] == ["0", "0"]
    assert start("").stdout.readline().strip() == ""


def test_the_exit_status_is_the_command_s(tmp_path):
    command = [sys.executable, ROOT / "workflow" / "own_gpu.py", sys.executable, "-c", "raise SystemExit(3)"]
    assert subprocess.run(command, env=os.environ | {"CUDA_VISIBLE_DEVICES": "0"}).returncode == 3
