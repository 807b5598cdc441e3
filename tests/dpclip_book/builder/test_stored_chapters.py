"""The chapters as they are committed: executed, comparable on any machine, and accessible."""

import nbformat
import pytest

from dpclip.files import ROOT
from dpclip_book.builder.notebooks import absolute_paths

PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_first_code_cell_holds_the_parameters(notebook):
    first = code_cells(notebook)[0]
    assert "parameters" in first.metadata.tags
    assert first.source.splitlines()[0].startswith('preset: str = "mini"  # ')
    assert notebook.metadata.kernelspec.name == "python3"


def test_no_magics_and_no_machine_paths(notebook):
    lines = [line for cell in code_cells(notebook) for line in cell.source.splitlines()]
    assert not [line for line in lines if line.startswith(("%", "!"))]  # nbval passes broken ones
    assert absolute_paths(notebook) == []


def test_every_cell_was_run_without_error(notebook):
    assert [cell.execution_count for cell in code_cells(notebook)] == list(range(1, len(code_cells(notebook)) + 1))
    for cell in code_cells(notebook):
        if "raises-exception" not in cell.metadata.get("tags", []):
            assert all(output.output_type != "error" for output in cell.outputs), cell.source[:80]


def test_every_figure_has_alt_text_caption_and_name(notebook):
    for cell in code_cells(notebook):
        if any("image/png" in output.get("data", {}) for output in cell.outputs):
            settings = cell.metadata.get("mystnb", {})
            assert settings.get("image", {}).get("alt"), f"no alt text: {cell.source[:80]}"
            assert settings.get("figure", {}).get("caption"), f"no caption: {cell.source[:80]}"
            assert settings.get("figure", {}).get("name"), f"no name: {cell.source[:80]}"
