"""Freed memory is kept: asking for the same block again costs no page faults."""

import platform
import subprocess
import sys

import pytest

from dpclip.training.memory import keep_freed_memory

PROGRAM = """
import resource, torch
from dpclip.training.memory import keep_freed_memory
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):
        torch.ones(2**24)  # 64 MB
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
plain = faults()
keep_freed_memory()
print(plain, min(faults() for _ in range(8)))  # the first ones make room
"""


def test_a_block_that_was_freed_is_taken_again():
    """In a process of its own, since it holds for all of it."""
    if platform.libc_ver()[0] != "glibc":
        pytest.skip("only for glibc")
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    plain, kept = map(int, done.stdout.split())
    assert kept < plain / 10, done.stdout


def test_other_c_libraries_are_left_alone(monkeypatch):
    monkeypatch.setattr("platform.libc_ver", lambda: ("", ""))
    assert keep_freed_memory() is False
