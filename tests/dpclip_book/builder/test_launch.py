"""Buttons that lead somewhere, or none."""

import json
import os
import shutil
import subprocess
import sys

import pytest
import yaml

from dpclip.errors import UserError
from dpclip.files import ROOT
from dpclip_book.builder.launch import VARIABLE, configure, launch_part, repository

pytestmark = pytest.mark.programs

HOME = "https://github.com/someone/dp-book"


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    return shutil.copy(ROOT / "_config.yml", tmp_path / "_config.yml")


def read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_without_a_home_there_are_no_buttons(config):
    before = read(config)
    assert configure(config) == "" and read(config)["launch_buttons"] == {}
    assert read(config)["sphinx"] == before["sphinx"]
    assert "show no buttons" in launch_part("")


@pytest.mark.parametrize("given", [HOME, f"{HOME}/", f"{HOME}.git"])
def test_a_home_brings_binder_and_colab(config, monkeypatch, given):
    monkeypatch.setenv(VARIABLE, given)
    assert configure(config) == HOME
    staged = read(config)
    assert staged["repository"] == {"url": HOME, "branch": "main"}
    assert set(staged["launch_buttons"]) == {"notebook_interface", "binderhub_url", "colab_url"}
    assert f"git clone --depth 1 {HOME}\n%cd dp-book/notebooks" in launch_part(HOME).replace("!", "")


def test_colab_opens_only_github(config, monkeypatch):
    monkeypatch.setenv(VARIABLE, "https://gitlab.com/someone/dp-book")
    configure(config)
    assert "colab_url" not in read(config)["launch_buttons"]


def test_a_hub_of_ones_own(config, monkeypatch):
    monkeypatch.setenv(VARIABLE, HOME)
    config.write_text(config.read_text().replace('jupyterhub_url: ""', "jupyterhub_url: https://hub.example.org"))
    configure(config)
    assert read(config)["launch_buttons"]["jupyterhub_url"] == "https://hub.example.org"


@pytest.mark.parametrize("bad", ["github.com/a/b", "https://github.com/a", "http://github.com/a/b", "https:///a/b"])
def test_a_bad_address_is_refused(monkeypatch, bad):
    monkeypatch.setenv(VARIABLE, bad)
    with pytest.raises(UserError, match="no address of a repository"):
        repository({})


def test_a_chapter_starts_from_nothing_but_the_clone(tmp_path):
    """The tracked files in an empty folder; a fresh kernel there runs the first cells of a chapter on that package."""
    if not (ROOT / ".git").exists():
        pytest.skip("needs a git checkout")
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    for name in filter(None, map(os.fsdecode, names)):
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    inside = """
import json, sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read("08_metrics.ipynb", as_version=4)
notebook.cells = notebook.cells[:3]
where = "import dpclip, dpclip_book; print(dpclip.__file__, dpclip_book.__file__)"
notebook.cells.append(nbformat.v4.new_code_cell(where))
NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
print(json.dumps(notebook.cells[-1].outputs[0].text))
"""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("DPCLIP_")}
    done = subprocess.run(
        [sys.executable, "-c", inside],
        cwd=tmp_path / "notebooks",
        env={**variables, "PYTHONPATH": os.pathsep.join(str(tmp_path / part) for part in ("", "data", "book"))},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = [str(tmp_path / package / "__init__.py") for package in ("dpclip", "book/dpclip_book")]
    assert json.loads(done.stdout.splitlines()[-1]).split() == found
