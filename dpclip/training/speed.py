"""How a process calculates: how exactly it multiplies, and on how many threads.

Threads of torch wait for one another in every small operation, long on a busy machine. The small presets work on one; a
second core takes a second run.
"""

import torch

from dpclip.config import RunConfig

SMALL = ("smoke", "dry", "mini")  # presets whose operations are too small to share


def set_arithmetic(config: RunConfig, device: str) -> None:
    """From now on this process multiplies as `config.precision` says, and on a processor runs the small presets on one
    thread.
    """
    exact = config.precision == "fp32"
    torch.set_float32_matmul_precision("highest" if exact else "high")
    torch.backends.cudnn.allow_tf32 = not exact  # of convolutions; torch allows it unless told otherwise
    if device == "cpu" and config.preset in SMALL:
        torch.set_num_threads(1)
