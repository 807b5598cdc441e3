"""The paper map names nothing that is not there."""

from dataclasses import replace

import pytest

from dpclip.errors import UserError
from dpclip_book.pages.paper_map import PRINTED, map_page, problems, read_map

PARTS = read_map()


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
        ({"code": ["method.model.DPCLIP.gone"]}, "no object dpclip.method.model.DPCLIP.gone"),
        ({"code": ["method.gone"]}, "no object dpclip.method.gone"),
        ({"tests": ["method/test_model.py::test_gone"]}, "no test method/test_model.py::test_gone"),
        ({"tests": ["method/reference.py"]}, "no test method/reference.py"),
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
