"""Where things lie; writing and hashing files so that neither an interruption nor a full disk leaves half a file."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from dpclip.errors import UserError

ROOT = Path(__file__).resolve().parents[1]  # the repository
DATA = ROOT / "data"
MINI = DATA / "mini-clip"  # the embedded backbone
BUILD_FOLDER = ROOT / "build"  # what can be made again: caches, checkpoints, private records


def atomic_write_bytes(path: Path, content: bytes) -> None:
    """Write `content` beside `path`, flush it to disk, then rename: readers see the old file or the new one, never a
    part. Raises UserError when the folder cannot be written or the disk is full; the old file is then untouched.
    """
    path, temporary = Path(path), None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        cure = "Free some space or choose a writable folder; nothing was changed."
        raise UserError(f"cannot write {path}: {error.strerror}. {cure}") from error


def atomic_write_text(path: Path, content: str) -> None:
    """`atomic_write_bytes` for text, as UTF-8."""
    atomic_write_bytes(path, content.encode("utf-8"))


def sha256_file(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def ensure_writable(folder: Path, size: int = 0) -> None:
    """Make `folder`, write a trial file and see whether `size` bytes are free, so that a long run fails at once and not
    at its end. Raises UserError.
    """
    trial = Path(folder) / f".writable-{os.getpid()}"
    atomic_write_bytes(trial, b"\0" * 65536)
    trial.unlink()
    if (free := shutil.disk_usage(folder).free) < size:
        raise UserError(f"{folder} has {free >> 20} MB free, but {size >> 20} MB are needed. Free some space.")


def show_time(seconds: float) -> str:
    """3725 -> "1 h 02 min"; 125 -> "2 min 05 s"; 40 -> "40 s"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, left = divmod(minutes, 60)
    return f"{hours} h {left:02d} min" if hours else f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
