"""The house stays small and in order: budgets of the three packages, names that occur once, imports one way."""

import ast
from collections import Counter, defaultdict
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGES = {
    "dpclip": REPOSITORY / "dpclip",
    "dpclip_prepare": REPOSITORY / "data" / "dpclip_prepare",
    "dpclip_book": REPOSITORY / "book" / "dpclip_book",
}
BUDGETS = {"dpclip": (6000, 60, 12), "dpclip_prepare": (2000, 20, 8), "dpclip_book": (4600, 45, 12)}
# From the ground up; a part imports its own layer and those before it. `dpclip` itself is the front door above all.
LAYERS = (
    ("errors", "files", "config"),
    ("data",),
    ("method",),
    ("evaluation",),
    ("training",),
    ("runs",),
    ("tables", "figures"),
    ("api",),
    ("commands",),
    ("cli",),
    ("__main__", "dpclip"),
)
HEIGHT = {part: height for height, layer in enumerate(LAYERS) for part in layer}


def sources(package: str) -> list[Path]:
    return sorted(PACKAGES[package].rglob("*.py"))


@cache
def modules() -> dict[str, Path]:
    """File of every module: dpclip/data/layout.py is `dpclip.data.layout`, dpclip/data/__init__.py is `dpclip.data`."""
    found = {}
    for package, folder in PACKAGES.items():
        for path in sources(package):
            words = path.relative_to(folder).with_suffix("").parts
            found[".".join([package, *words]).removesuffix(".__init__")] = path
    return found


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> set[str]:
    """Modules of the house that a file imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are written with their whole name"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in modules() else node.module for name in inner}
    return {name for name in found if package_of(name) in PACKAGES}


@cache
def imports() -> dict[str, set[str]]:
    return {name: imported(path) for name, path in modules().items()}


def package_of(name: str) -> str:
    return name.split(".")[0]


def pairs_within_the_library() -> set[tuple[str, str]]:
    return {
        (name, other)
        for name, found in imports().items()
        for other in found
        if package_of(name) == package_of(other) == "dpclip"
    }


def part(name: str) -> str:
    """Folder or top-level module of dpclip that a module belongs to."""
    return name.split(".")[1] if "." in name else name


@pytest.mark.parametrize("package", PACKAGES)
def test_package_keeps_its_budget(package):
    lines, files, widest = BUDGETS[package]
    paths = [path for path in sources(package) if path.name != "__init__.py"]
    folders = Counter(str(path.parent) for path in paths)
    assert sum(path.read_bytes().count(b"\n") for path in sources(package)) <= lines
    assert len(paths) <= files
    assert {folder: count for folder, count in folders.items() if count > widest} == {}


def test_no_file_name_occurs_twice():
    places = defaultdict(set)
    for name, path in modules().items():
        if path.name != "__init__.py":
            places[path.name].add(name)
    assert {file: names for file, names in places.items() if len(names) > 1} == {}


def test_no_public_function_or_class_name_occurs_twice_in_the_library():
    places = defaultdict(set)
    for name, path in modules().items():
        if package_of(name) == "dpclip":
            for node in tree(path).body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                    places[node.name].add(name)
    assert {word: names for word, names in places.items() if len(names) > 1} == {}


def test_every_import_of_the_house_exists():
    unknown = {name: found - set(modules()) for name, found in imports().items()}
    assert {name: found for name, found in unknown.items() if found} == {}


def test_the_library_imports_neither_maker_nor_book_and_these_not_each_other():
    wrong = {
        (name, other)
        for name, found in imports().items()
        for other in found
        if package_of(other) not in {package_of(name), "dpclip"}
    }
    assert wrong == set()


def test_every_part_of_the_library_has_a_layer():
    assert {part(name) for name in modules() if package_of(name) == "dpclip"} == set(HEIGHT)


def test_no_import_of_the_library_runs_back():
    assert {
        (name, other) for name, other in pairs_within_the_library() if HEIGHT[part(other)] > HEIGHT[part(name)]
    } == set()


def test_tables_and_figures_know_nothing_of_each_other():
    parts = {(part(name), part(other)) for name, other in pairs_within_the_library()}
    assert parts & {("tables", "figures"), ("figures", "tables")} == set()


def test_imports_run_in_no_circle():
    try:
        TopologicalSorter(imports()).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))
