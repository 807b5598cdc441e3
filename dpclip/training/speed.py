"""What makes a training fast on a processor, and how exactly it multiplies (measured in benchmarks/processor.py).

Products: torch hands those of float32 to MKL, which on AMD processors with AVX-512 keeps to shorter vectors; oneDNN,
which torch carries too, does not. The numbers are float32 products as before, summed in another order.
Memory: glibc gives large blocks back to the system when they are freed, and the system clears each page that is asked
for again. A step frees and asks for hundreds of megabytes: what is freed stays with the process. No number changes.
Threads: those of torch wait for one another in every small operation, long on a busy machine. The small presets work on
one; a second core takes a second run.
"""

import ctypes
import platform
import re
import warnings
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from dpclip.config import RunConfig

CPUINFO = Path("/proc/cpuinfo")
TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4  # of mallopt(3)
SMALL = ("smoke", "dry", "mini")  # presets whose operations are too small to share


def set_arithmetic(config: RunConfig, device: str) -> None:
    """How this process works from now on: multiplies as `config.precision` says, keeps its memory, and on a processor
    runs the small presets on one thread.
    """
    use_fast_products()
    keep_freed_memory()
    exact = config.precision == "fp32"
    torch.set_float32_matmul_precision("highest" if exact else "high")
    torch.backends.cudnn.allow_tf32 = not exact  # of convolutions; torch allows it unless told otherwise
    if device == "cpu" and config.preset in SMALL:
        torch.set_num_threads(1)


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


def keep_freed_memory() -> bool:
    """What this process frees it keeps from now on, where the C library is glibc; whether it is."""
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return all([mallopt(MMAP_MAX, 0), mallopt(TRIM_THRESHOLD, 2**31 - 1), mallopt(TOP_PAD, 2**26)])
