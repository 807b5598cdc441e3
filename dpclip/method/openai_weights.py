"""OpenAI's weights from a file that is here already: where a run says weights="openai", nothing is downloaded.

The run stays what it is, so only OpenAI's own file is taken. The environment variable reaches the chapters' kernels and
the jobs of a sweep.
"""

import os
from pathlib import Path

from dpclip.config import RunConfig
from dpclip.errors import UserError
from dpclip.files import sha256_file
from dpclip.method.weights import released

WEIGHTS_VARIABLE = "DPCLIP_WEIGHTS"
MODEL, FILE = "ViT-B-32", "ViT-B-32.pt"  # open_clip's name of the model, OpenAI's name of its file


def use_weights(file: Path | None) -> None:
    """From now on `file` is what weights="openai" reads, here and in the processes started from here; None changes
    nothing. Raises UserError when it is not OpenAI's file.
    """
    if file is not None:
        _check(file)
        os.environ[WEIGHTS_VARIABLE] = str(file.resolve())


def weights_source(config: RunConfig) -> str | None:
    """What `load_backbone` is to read for a run. Raises UserError as `use_weights` does."""
    file = os.environ.get(WEIGHTS_VARIABLE)
    if config.weights != "openai" or not file:
        return config.weights or None
    _check(Path(file))
    return file


def _check(file: Path) -> None:
    wanted, _ = released(MODEL)[FILE]
    try:
        digest = sha256_file(file)
    except OSError as error:
        raise UserError(f"{file}: no such weights file, or not a readable one ({error.strerror}).") from error
    if digest != wanted:
        raise UserError(
            f"{file}: its SHA-256 is {digest}, but that of OpenAI's {FILE} is {wanted}. --weights ({WEIGHTS_VARIABLE}) "
            f"only tells where this file lies. Download it afresh; other weights make other runs: --set weights={file}."
        )
