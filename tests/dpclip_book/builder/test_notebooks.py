"""Stored notebooks carry no trace of the machine they were run on."""

from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_output

from dpclip_book.builder.notebooks import absolute_paths, clean, strip_paths
from tests.dpclip_book.conftest import chapter_notebook

ROOT = Path("/home/ada/book")


@pytest.mark.parametrize(
    ("text", "stripped"),
    [
        ("in /home/ada/book/data/x.png", "in ./data/x.png"),
        ("cwd /home/ada/book", "cwd ./"),
        ("/home/ada/book2/x.png", "…/x.png"),
        ('File "/usr/lib/python3.11/json.py", line 3', 'File "…/json.py", line 3'),
        ("file:///home/ada/book/a.html", "./a.html"),
        (r"C:\Users\ada\x.py:3", "…/x.py:3"),
        ("https://example.org/home/ada and 3/4, and/or", "https://example.org/home/ada and 3/4, and/or"),
    ],
)
def test_strip_paths(text, stripped):
    assert strip_paths(text, ROOT) == stripped


def test_clean_removes_paths_timings_and_papermill_but_not_pictures():
    notebook = chapter_notebook("plot()")
    notebook.metadata["papermill"] = {"input_path": "/home/ada/book/notebooks/x.ipynb"}
    injected = new_code_cell('preset = "smoke"', metadata={"tags": ["injected-parameters"]})
    notebook.cells.insert(2, injected)
    cell = notebook.cells[3]
    cell.metadata.update({"papermill": {"duration": 3}, "execution": {"iopub.execute_input": "now"}, "tags": ["keep"]})
    cell.execution_count = 17
    cell.outputs = [
        new_output("stream", text="/home/ada/book/data/x.png\n"),
        new_output(
            "execute_result", data={"text/html": "<i>/tmp/x.html</i>", "image/png": "ab/tmp/x"}, execution_count=17
        ),
    ]
    cleaned = clean(notebook, ROOT)
    assert absolute_paths(notebook) and not absolute_paths(cleaned)
    assert "papermill" not in cleaned.metadata and cleaned.metadata.kernelspec.name == "python3"
    last = cleaned.cells[-1]
    assert len(cleaned.cells) == 3 and last.metadata == {"tags": ["keep"]}
    assert last.execution_count == last.outputs[1].execution_count == 2
    assert last.outputs[1].data == {"text/html": "<i>…/x.html</i>", "image/png": "ab/tmp/x"}
