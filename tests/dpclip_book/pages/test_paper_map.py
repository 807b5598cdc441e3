"""The paper map names nothing that is not there."""

import ast
import importlib
from dataclasses import replace
from pathlib import Path

import pytest

from dpclip.errors import UserError
from dpclip.files import ROOT
from dpclip_book.pages.paper_map import PRINTED, Part, map_page, read_map

PARTS = read_map()


def problems(parts: list[Part]) -> list[str]:
    """What the map names and the project has not: pages, labels, code, tests."""
    found = []
    for part in parts:
        sources = {page: _page(page) for page in part.pages}
        found += [f"{part.title}: no page {page}" for page, file in sources.items() if file is None]
        texts = [file.read_text(encoding="utf-8") for file in sources.values() if file]
        if part.target and not any(part.target in text for text in texts):
            found.append(f"{part.title}: no label {part.target} on its pages")
        found += [f"{part.title}: no object {name}" for name in part.code if not exists(name)]
        found += [f"{part.title}: no test {node}" for node in part.tests if not _tested(node)]
    return found


def _page(page: str) -> Path | None:
    return next((ROOT / f"{page}{end}" for end in (".ipynb", ".md") if (ROOT / f"{page}{end}").is_file()), None)


def exists(name: str) -> bool:
    """Whether the longest importable beginning of a dotted name has the rest as attributes."""
    words = name.split(".")
    for length in range(len(words), 0, -1):
        try:
            found = importlib.import_module(".".join(words[:length]))
        except ModuleNotFoundError:
            continue
        for word in words[length:]:
            if not hasattr(found, word):
                return False
            found = getattr(found, word)
        return True
    return False


def _tested(node: str) -> bool:
    """Whether tests/`node` is a file of tests, or a function in one."""
    name, _, function = node.partition("::")
    file = ROOT / "tests" / name
    if not file.is_file():
        return False
    functions = [item.name for item in ast.parse(file.read_text()).body if isinstance(item, ast.FunctionDef)]
    return function in functions if function else any(each.startswith("test_") for each in functions)


def test_pages_labels_code_and_tests_exist():
    assert problems(PARTS) == []


def test_figures_and_tables_are_complete_and_nothing_exceeds_the_paper():
    numbers = {kind: sum(part.kind == kind for part in PARTS) for kind in PRINTED}
    assert numbers["figure"] == PRINTED["figure"] and numbers["table"] == PRINTED["table"]
    assert [part.number for part in PARTS if part.kind == "figure"] == [1, 2, 3, 4, 5]
    assert numbers["section"] <= PRINTED["section"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"pages": ["notebooks/99_none"]}, "no page notebooks/99_none"),
        ({"target": "fig-none"}, "no label fig-none on its pages"),
        ({"code": ["dpclip.method.model.DPCLIP.gone"]}, "no object dpclip.method.model.DPCLIP.gone"),
        ({"code": ["dpclip_book.gone"]}, "no object dpclip_book.gone"),
        ({"tests": ["dpclip/method/test_model.py::test_gone"]}, "no test dpclip/method/test_model.py::test_gone"),
        ({"tests": ["dpclip/method/reference.py"]}, "no test dpclip/method/reference.py"),
    ],
)
def test_each_fault_is_found(change, problem):
    part = replace(next(part for part in PARTS if part.target == "eq-loss"), **change)
    assert problem in " ".join(problems([part]))


def test_a_wrong_entry_is_named(tmp_path):
    path = tmp_path / "map.toml"
    path.write_text(
        '[[part]]\nkind = "poem"\ntitle = "A"\nknown = ""\npages = []\ncode = []\ntests = []\nstatus = ""\n'
    )
    with pytest.raises(UserError, match="'A': kind 'poem' is none of figure"):
        read_map(path)


def test_the_page_refers_by_number():
    page = map_page(PARTS)
    assert "{numref}`fig-scalings` in {doc}`/notebooks/04_textual_prompting`" in page and "{eq}`eq-loss`" in page
    assert "\nFigure 2: The architecture\n: Known: " in page
