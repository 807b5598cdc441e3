"""oneDNN's products are torch's products; what it does not take is done, or refused, as before."""

import subprocess
import sys

import pytest
import torch

from dpclip.training import products

SHAPES = [(0, 3, 4), (3, 0, 4), (1, 1, 1), (5, 7, 0), (50, 192, 1), (65, 192, 576)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_same_products(shape, dtype):
    rows, inner, columns = shape
    a, b, c = (torch.randn(size).to(dtype) for size in ((rows, inner), (inner, columns), (columns,)))
    turned = b.t().contiguous().t()  # as the weight of a linear layer comes
    for right in (b, turned):
        torch.testing.assert_close(products.mm(a, right), a @ right)
        torch.testing.assert_close(products.addmm(c, a, right), torch.addmm(c, a, right))
        torch.testing.assert_close(products.addmm(c, a, right, beta=0.5), torch.addmm(c, a, right, beta=0.5))


def test_mistakes_are_told_as_before():
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        products.mm(torch.ones(2, 3), torch.ones(4, 5))
    with pytest.raises(RuntimeError, match="same dtype"):
        products.mm(torch.ones(2, 3), torch.ones(3, 5, dtype=torch.float64))


@pytest.mark.parametrize(
    ("vendor", "vectors", "gains"),
    [("AuthenticAMD", "AVX512", True), ("AuthenticAMD", "AVX2", False), ("GenuineIntel", "AVX512", False)],
)
def test_where_it_gains(tmp_path, monkeypatch, vendor, vectors, gains):
    monkeypatch.setattr(products, "CPUINFO", tmp_path / "cpuinfo")
    assert not products.gains()
    products.CPUINFO.write_text(f"processor\t: 0\nvendor_id\t: {vendor}\n")
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: vectors)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    assert products.gains() == gains


def test_gradients_in_a_process_that_uses_them():
    """In a process of its own, since kernels are replaced in all of it."""
    program = """
import torch
from dpclip.training import products
layer, x = torch.nn.Linear(64, 48), torch.randn(32, 64, requires_grad=True)
def gradients():
    for t in (x, *layer.parameters()): t.grad = None
    layer(x).square().sum().backward()
    return [t.grad.clone() for t in (x, *layer.parameters())]
before = gradients()
products.gains = lambda: True
calls, plain = [], products.suits
products.suits = lambda a, b: calls.append(1) or plain(a, b)
products.use_fast_products()
products.use_fast_products()
for one, two in zip(before, gradients(), strict=True):
    torch.testing.assert_close(one, two)
assert len(calls) == 3, calls
with torch.inference_mode():
    torch.testing.assert_close(layer(x), x.double().matmul(layer.weight.double().T).float() + layer.bias)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
