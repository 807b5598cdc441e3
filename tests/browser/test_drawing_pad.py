"""The notebook's pad in a real JupyterLab: drawn with the mouse, answered by the kernel."""

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from urllib.request import urlopen

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from dpclip.data.files import ROOT

CELL = """from matplotlib.figure import Figure

from dpclip.report.drawing_pad import DrawingPad


def answer(drawing):
    return Figure(figsize=(2 + (drawing < 0.5).any().item(), 1))


DrawingPad(answer, 24)"""
START = 120  # seconds that each step may take on a busy machine
WORDS = ["lab", "--no-browser", "--ServerApp.token=", "--ServerApp.port=0", "--allow-root", "--expose-app-in-browser"]


@pytest.fixture
def lab(tmp_path):
    """The address of a JupyterLab that serves one notebook, pad.ipynb, and touches nothing outside its folder."""
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(new_notebook(cells=[new_code_cell(CELL)], metadata=metadata), tmp_path / "pad.ipynb")
    own = {name: str(tmp_path / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}
    own |= {"JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "s"), "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "w")}
    environment = {**os.environ, **own, "PYTHONPATH": str(ROOT)}
    with open(tmp_path / "log", "w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyter", *WORDS], cwd=tmp_path, env=environment, stdout=log, stderr=log
        )
    try:
        yield address(server, tmp_path)
    finally:
        server.terminate()
        server.wait(20)


def address(server, folder):
    """From the server's own file, once it answers."""
    for _ in range(4 * START):
        time.sleep(0.25)
        assert server.poll() is None, (folder / "log").read_text()
        with suppress(OSError, ValueError, StopIteration):  # it does not listen yet
            file = next((folder / "JUPYTER_RUNTIME_DIR").glob("jpserver-*.json"))
            url = json.loads(file.read_text())["url"]
            with urlopen(url + "api"):
                return url
    raise AssertionError((folder / "log").read_text())


def test_a_drawing_is_answered_in_jupyterlab(page, lab):
    page.set_default_timeout(1000 * START)
    page.goto(f"{lab}lab/tree/pad.ipynb")
    page.get_by_text("| Idle").wait_for()  # what is run before the kernel is there is lost
    page.locator(".jp-Cell .cm-content").first.click()
    page.keyboard.press("Shift+Enter")
    paper = page.get_by_label("Your drawing")
    paper.wait_for()
    find = page.get_by_role("button", name="Find", exact=True)
    assert find.is_disabled()
    box = paper.bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 200, steps=5)
    page.mouse.up()
    find.click()
    picture = "document.querySelector('img[alt^=\"The drawing\"]').naturalWidth"
    page.wait_for_function(f"() => {picture} > 0")
    assert page.evaluate(picture) == 330  # three inches: something was drawn
