"""Machine and versions: a row a chapter, and the packages by name."""

import json

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from dpclip_book.chapters import find_chapters
from dpclip_book.pages.machine_page import runs_table, versions_table

RECORD = {
    "parameters": {"preset": "mini"},
    "seconds": 12.4,
    "peak_mb": 900,
    "commit": "abc",
    "hardware": "2 cores",
    "python": "3.11",
}


def test_a_row_says_how_the_page_was_run(tmp_path):
    (tmp_path / "notebooks").mkdir()
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for name, source in (
        ("00_a", 'preset: str = "mini"  # x\nseed: int = 3  # y'),
        ("01_b", 'preset: str = "mini"  # x'),
    ):
        parameters = new_code_cell(source, metadata={"tags": ["parameters"]})
        notebook = new_notebook(cells=[new_markdown_cell("# A"), parameters], metadata={"kernelspec": kernel})
        nbformat.write(notebook, tmp_path / "notebooks" / f"{name}.ipynb")
    one, two = find_chapters("mini", tmp_path)
    one.build.mkdir(parents=True)
    (one.build / "00_a.json").write_text(json.dumps(RECORD | {"torch": "2.15"}))
    table = runs_table([one, two])
    assert '| [00_a](../notebooks/00_a.ipynb) | `preset = "mini"` | 3 | 12 | 900 | `abc` | A |' in table
    assert "- Machine A: 2 cores; Python 3.11, torch 2.15" in table
    assert "| [01_b](../notebooks/01_b.ipynb) | stored outputs | – | not run here |" in table


def test_versions_are_those_of_the_environment():
    table = versions_table()
    assert "| `torch` | 2.15.0" in table and "| `open-clip-torch` | 3.3.0 |" in table and "| `jupyter-book` |" in table
