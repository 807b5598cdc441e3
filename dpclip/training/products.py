"""Matrix products by oneDNN where torch's own library is slow: on AMD processors with AVX-512.

torch hands products of float32 to MKL, which there keeps to shorter vectors; oneDNN, which torch carries too, does not.
The numbers are float32 products as before, summed in another order. `benchmarks/processor.py` measures the gain.
"""

import re
import warnings
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

CPUINFO = Path("/proc/cpuinfo")


def gains() -> bool:
    """Whether this processor is one of those."""
    if not CPUINFO.exists() or not torch.backends.mkldnn.is_available():
        return False
    vendor = re.search(r"^vendor_id\s*: (\w+)", CPUINFO.read_text(), re.M)
    return bool(vendor) and vendor[1] == "AuthenticAMD" and torch.backends.cpu.get_cpu_capability() == "AVX512"


def suits(a: Tensor, b: Tensor) -> bool:
    """Whether oneDNN takes this product of (M, K) and (K, N); the rest, mistakes too, is left to torch."""
    return a.dtype == b.dtype == torch.float32 and a.shape[1] == b.shape[0] > 0


def mm(a: Tensor, b: Tensor) -> Tensor:
    """(M, K) @ (K, N)."""
    if not suits(a, b):
        return torch.mm(a, b, out=a.new_empty(a.shape[0], b.shape[1]))
    return torch.ops.mkldnn._linear_pointwise(a, b.t(), None, "none", [], "")


def addmm(added: Tensor, a: Tensor, b: Tensor, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta * added + alpha * (M, K) @ (K, N); of these, what a linear layer with a bias asks for."""
    if not suits(a, b) or added.shape != b.shape[1:] or (beta, alpha) != (1, 1):
        return torch.addmm(added, a, b, beta=beta, alpha=alpha, out=a.new_empty(a.shape[0], b.shape[1]))
    return torch.ops.mkldnn._linear_pointwise(a, b.t(), added, "none", [], "")


@cache
def use_fast_products() -> None:
    """From now on this process takes its products on the processor from oneDNN, where that gains."""
    if not gains():
        return
    library = torch.library.Library("aten", "IMPL")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a kernel is replaced is what is wanted
        library.impl("mm", mm, "CPU")
        library.impl("addmm", addmm, "CPU")
    use_fast_products.library = library  # the kernels go when it does
