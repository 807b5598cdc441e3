"""What files hold, as one hash: the identity of a data set is its pictures, never their names alone."""

import hashlib
import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.progress import track

from dpclip.errors import UserError
from dpclip.files import BUILD_FOLDER, atomic_write_text, sha256_file

MEMORY = BUILD_FOLDER / "contents"  # hashes that were taken before, a small file a data set


def hash_contents(root: Path, paths: Iterable[str]) -> str:
    """64 hexadecimal digits that change with any name and any byte of the files `paths` below `root`.

    All are read once (a minute or so for a hundred thousand pictures). After that their sizes and times are compared,
    and the hash is remembered while those stay. Raises UserError naming a file that cannot be read.
    """
    root, paths = Path(root).resolve(), sorted(paths)
    try:
        states = [(root / path).stat() for path in paths]
    except OSError as error:
        raise UserError(f"{error.filename} cannot be read ({error.strerror}). Put the file back.") from error
    state = _hash([(s.st_size, s.st_mtime_ns, s.st_ctime_ns) for s in states])
    memory = MEMORY / _hash([str(root), *paths])[:24]
    if memory.is_file() and (known := memory.read_text().split())[:1] == [state] and len(known) == 2:
        return known[1]
    console, total = Console(stderr=True), hashlib.sha256()
    with ThreadPoolExecutor() as pool:
        found = pool.map(lambda path: _digest(root / path), paths)
        shown = {"console": console, "transient": True, "disable": not console.is_terminal}
        for path, digest in zip(paths, track(found, "reading pictures", len(paths), **shown), strict=True):
            total.update(f"{path}\0{digest}\n".encode())
    atomic_write_text(memory, f"{state} {total.hexdigest()}\n")
    return total.hexdigest()


def _hash(content: list) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _digest(path: Path) -> str:
    try:
        return sha256_file(path)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}). Check the file and its permissions.") from error
