"""oneDNN's products are torch's products; freed memory is kept; small presets work on one thread."""

import platform
import subprocess
import sys

import pytest
import torch

from dpclip.config import preset
from dpclip.method.losses import hard_weight
from dpclip.training import speed

SHAPES = [(0, 3, 4), (3, 0, 4), (1, 1, 1), (5, 7, 0), (50, 192, 1), (65, 192, 576)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_same_products(shape, dtype):
    rows, inner, columns = shape
    a, b, c = (torch.randn(size).to(dtype) for size in ((rows, inner), (inner, columns), (columns,)))
    turned = b.t().contiguous().t()  # as the weight of a linear layer comes
    for right in (b, turned):
        torch.testing.assert_close(speed.mm(a, right), a @ right)
        torch.testing.assert_close(speed.addmm(c, a, right), torch.addmm(c, a, right))
        torch.testing.assert_close(speed.addmm(c, a, right, beta=0.5), torch.addmm(c, a, right, beta=0.5))


def test_mistakes_are_told_as_before():
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        speed.mm(torch.ones(2, 3), torch.ones(4, 5))
    with pytest.raises(RuntimeError, match="same dtype"):
        speed.mm(torch.ones(2, 3), torch.ones(3, 5, dtype=torch.float64))


@pytest.mark.parametrize(
    ("vendor", "vectors", "gains"),
    [("AuthenticAMD", "AVX512", True), ("AuthenticAMD", "AVX2", False), ("GenuineIntel", "AVX512", False)],
)
def test_where_it_gains(tmp_path, monkeypatch, vendor, vectors, gains):
    monkeypatch.setattr(speed, "CPUINFO", tmp_path / "cpuinfo")
    assert not speed.gains()
    speed.CPUINFO.write_text(f"processor\t: 0\nvendor_id\t: {vendor}\n")
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: vectors)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    assert speed.gains() == gains


def test_gradients_in_a_process_that_uses_them():
    """In a process of its own, since kernels are replaced in all of it."""
    program = """
import torch
from dpclip.config import preset
from dpclip.method.losses import hard_weight
from dpclip.training import speed
layer, x = torch.nn.Linear(64, 48), torch.randn(32, 64, requires_grad=True)
def gradients():
    for t in (x, *layer.parameters()): t.grad = None
    layer(x).square().sum().backward()
    return [t.grad.clone() for t in (x, *layer.parameters())]
before = gradients()
speed.gains = lambda: True
calls, plain = [], speed.suits
speed.suits = lambda a, b: calls.append(1) or plain(a, b)
speed.use_fast_products()
speed.use_fast_products()
for one, two in zip(before, gradients(), strict=True):
    torch.testing.assert_close(one, two)
assert len(calls) == 3, calls
with torch.inference_mode():
    torch.testing.assert_close(layer(x), x.double().matmul(layer.weight.double().T).float() + layer.bias)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


PROGRAM = """
import resource, torch
from dpclip.training.speed import keep_freed_memory
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
    assert speed.keep_freed_memory() is False


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
