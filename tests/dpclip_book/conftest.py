"""A small project of one chapter, and the notebook that is in it."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook


def chapter_notebook(*sources: str) -> nbformat.NotebookNode:
    """A title, a parameters cell, and one code cell a source."""
    notebook = new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )
    parameters = new_code_cell('preset: str = "mini"  # size of the runs', metadata={"tags": ["parameters"]})
    notebook.cells = [new_markdown_cell("# A chapter"), parameters, *map(new_code_cell, sources)]
    return notebook


@pytest.fixture
def project(tmp_path):
    """The root of a project whose only chapter is 00_first; `project / "notebooks" / "00_first.ipynb"`."""
    (tmp_path / "notebooks").mkdir()
    nbformat.write(chapter_notebook("print(preset)"), tmp_path / "notebooks" / "00_first.ipynb")
    return tmp_path
