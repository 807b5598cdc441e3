"""CONTRIBUTING.md shows by examples how things are added. Each is run as it stands there, in a copy of the project."""

import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from dpclip.files import ROOT
from tests.typed_numbers import find_typed

from .prose import texts, tokens
from .toy import make_toy

pytestmark = pytest.mark.programs

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILE = re.compile(r"# (\S+\.py)\n")  # the first line of a block that is a new file
# Heading of an example -> what its commands must have printed.
SEEN = {
    "By settings": ["table 1:", "VPT, shallow"],
    "With a loss of its own": ["held-out", "CLIP, photos apart, mini-", "passed"],
    "With an encoder of its own": ["held-out", "Thumbnails, mini-", "passed"],
    "As a folder": ["unseen sketches", "held-out"],
    "With a reader": ["Nowhere: it is an example.", "unseen sketches"],
    "Add a chapter": ["20_example: done", "stored the outputs of 1 changed chapters", "passed"],
    "Add a decision": ["passed"],
    "Add a published number": ["ExampleNet"],
}


def sections(text: str) -> dict[str, list[tuple[str, str]]]:
    """Heading -> its blocks that are changes, files or commands, as (language, content)."""
    found, heading, parsed = {}, "", MarkdownIt().parse(text)
    for token, following in pairwise(parsed):
        if token.type == "heading_open":
            heading = following.content
        elif token.type == "fence" and token.info.strip() in ("diff", "python", "sh"):
            found.setdefault(heading, []).append((token.info.strip(), token.content))
    return found


EXAMPLES = sections(PAGE)


def copy_project(target: Path) -> Path:
    """The project's own files below `target`, with what has been built of pictures and words, to save time."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file() and not name.startswith("data/records/"):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    (target / "data" / "icon-sbir" / "images").symlink_to(ROOT / "data" / "icon-sbir" / "images")
    (target / "build" / "cache").mkdir(parents=True)
    for path in (ROOT / "build" / "cache").glob("*"):
        (target / "build" / "cache" / path.name).symlink_to(path)
    return target


def run(folder: Path, *command: str, given: str = "") -> str:
    """What a command prints in the copy; its `dpclip` is the copy's. Fails with all of it on another status than 0."""
    place = Path(sys.executable).parent
    ours = os.pathsep.join(str(folder / part) for part in ("", "data", "book"))
    variables = {"PYTHONPATH": ours, "PATH": f"{place}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=folder, input=given, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, **variables, "COLUMNS": "120"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


def follow(blocks: list[tuple[str, str]], folder: Path) -> str:
    """Do in the copy what the blocks say, in their order; returns what the commands print."""
    printed = ""
    for language, content in blocks:
        if language == "diff":
            run(folder, "git", "apply", "--whitespace=nowarn", "-", given=content)
        elif language == "python":
            (folder / FILE.match(content)[1]).write_text(content, encoding="utf-8")
        else:
            printed += run(folder, "bash", "-eu", "-c", content)
    return printed


def make_data(folder: Path) -> None:
    """The pictures that the examples of data sets speak of: `birds` as a folder of one's own, `plants` as Herbarium."""
    make_toy(folder / "birds", instances=10)
    make_toy(folder / "plants", instances=70, sketches=1)
    (folder / "plants" / "photo").rename(folder / "plants" / "photos")
    drawings = (folder / "plants" / "sketch").rename(folder / "plants" / "drawings")
    for path in drawings.rglob("*-1.png"):
        path.rename(path.with_name(path.name.removesuffix("-1.png") + ".png"))


def test_every_example_is_known():
    assert set(EXAMPLES) == set(SEEN)
    assert all(any(language == "sh" for language, _ in blocks) for blocks in EXAMPLES.values())
    assert all(FILE.match(content) for b in EXAMPLES.values() for language, content in b if language == "python")
    others = [page for page, text in texts().items() if page != "CONTRIBUTING.md"]
    assert not [p for p in others if any(t.info.strip() == "sh" for t in tokens(texts()[p]))], "nobody runs these"


@pytest.mark.parametrize("heading", EXAMPLES)
def test_example_works_as_it_stands(heading, tmp_path):
    folder = copy_project(tmp_path / "project")
    make_data(folder)
    printed = follow(EXAMPLES[heading], folder)
    assert [words for words in SEEN[heading] if words not in printed] == [], printed
    run(folder, "ruff", "check", ".")
    run(folder, "ruff", "format", "--check", "dpclip")


def test_a_broken_example_is_found(tmp_path):
    (tmp_path / "a.py").write_text("one\n")
    diff = "--- a/a.py\n+++ b/a.py\n@@ -1,1 +1,2 @@\n {}\n+two\n"
    follow([("diff", diff.format("one"))], tmp_path)
    assert (tmp_path / "a.py").read_text() == "one\ntwo\n"
    for block in (("diff", diff.format("other")), ("sh", "true\nfalse\ntrue\n")):
        with pytest.raises(AssertionError):
            follow([block], tmp_path)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CODE_OF_CONDUCT.md"])
def test_no_typed_result(page):
    assert [str(found) for found in find_typed((ROOT / page).read_text(encoding="utf-8"), page)] == []
