"""Memory that a training step has freed stays with the process for the next step.

glibc gives large blocks back to the system when they are freed, and the system clears each page that is asked for
again. A step frees and asks for hundreds of megabytes. `benchmarks/processor.py` measures the gain; no number changes.
"""

import ctypes
import platform

TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4  # of mallopt(3)


def keep_freed_memory() -> bool:
    """From now on, where the C library is glibc; whether it is."""
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return all([mallopt(MMAP_MAX, 0), mallopt(TRIM_THRESHOLD, 2**31 - 1), mallopt(TOP_PAD, 2**26)])
