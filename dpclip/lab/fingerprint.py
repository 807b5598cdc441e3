"""Which code makes a run's numbers: a hash for each module that its method, training and testing import."""

import ast
import hashlib
import io
import subprocess
import tarfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from dpclip.data.files import ROOT
from dpclip.lab.config import RunConfig

ROOTS = ("lab.train", "lab.evaluate")  # what they import, they themselves, and the method: the code of a run
USUAL = RunConfig().method
# They change no number: messages, writing files, locks, where memory comes from, and settings, whose values stand in
# the record.
WITHOUT = ("errors", "data.files", "lab.guard", "lab.memory", "lab.config")
DIGITS = 8


@cache
def code_here(method: str = USUAL) -> dict[str, str]:
    """Module -> hash of the code on disk, as the process found it when it first asked. Of a `method` that lies outside
    the package nothing is known.
    """
    return fingerprint(lambda module: _text(ROOT / _file(module)), _roots(method))


@cache
def code_at(commit: str, method: str = USUAL) -> dict[str, str] | None:
    """The same for a commit, from git; None when git does not have it, or tracked code differed from it ("+")."""
    try:
        done = subprocess.run(["git", "archive", commit, "dpclip"], cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as files:
        texts = {entry.name: files.extractfile(entry).read().decode() for entry in files if entry.isfile()}
    return fingerprint(lambda module: texts.get(_file(module)), _roots(method))


def short_code(method: str = USUAL) -> str:
    """8 hexadecimal digits for `code_here`."""
    return _digest(sorted(code_here(method).items()))


def _roots(method: str) -> tuple[str, ...]:
    return (*ROOTS, method.partition(":")[0].removeprefix("dpclip."))


def fingerprint(read: Callable[[str], str | None], roots: tuple[str, ...] = ROOTS) -> dict[str, str]:
    """Module -> hash of its code, for `roots` and all that they import. `read`: module -> source, or None."""
    found: dict[str, str] = {}
    waiting = list(roots)
    while waiting:
        module = waiting.pop()
        source = read(module)
        if module in found or module in WITHOUT or source is None:
            continue
        tree = ast.parse(source)
        found[module] = _digest(skeleton(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dpclip."):
                origin = node.module.removeprefix("dpclip.")
                waiting += [origin, *(f"{origin}.{name.name}" for name in node.names)]
    return dict(sorted(found.items()))


def skeleton(node: object) -> object:
    """A syntax tree as nested lists, the same under every version of Python, without what changes no number: comments,
    layout, docstrings, and the exceptions that are raised.
    """
    if isinstance(node, list):
        return [skeleton(item) for item in node if not _is_docstring(item)]
    if not isinstance(node, ast.AST):
        return repr(node)
    parts = [] if isinstance(node, ast.Raise) else ast.iter_fields(node)
    return [type(node).__name__, *([name, skeleton(value)] for name, value in parts if value not in (None, []))]


def _is_docstring(node: object) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _digest(content: object) -> str:
    return hashlib.sha256(repr(content).encode()).hexdigest()[:DIGITS]


def _file(module: str) -> str:
    return f"dpclip/{module.replace('.', '/')}.py"


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None
