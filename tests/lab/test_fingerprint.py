"""What counts as the code of a run, and what of it can change without changing a number."""

import subprocess

import pytest

from dpclip.data.files import ROOT
from dpclip.lab.fingerprint import WITHOUT, code_at, code_here, fingerprint

LOSS = '''"""What it is."""
from dpclip.errors import UserError

def loss(a, b):
    """The loss."""
    if a < 0:
        raise UserError("a is negative")
    return max(a - b + 0.15, 0)  # hinge
'''


def code(loss: str, **others: str) -> dict[str, str]:
    texts = {"lab.train": "from dpclip.method.losses import loss", "method.losses": loss} | others
    return fingerprint(texts.get)


def test_the_modules_of_a_run_are_those_that_training_and_testing_import():
    found = code_here()
    assert {"lab.train", "lab.evaluate", "lab.metrics", "data.augment", "data.batches", "method.losses"} < set(found)
    assert {"method.text_prompt", "method.visual_prompt", "method.patch_match", "method.templates"} < set(found)
    assert not set(WITHOUT) & set(found) and not any(name.startswith(("report", "cli")) for name in found)


def test_a_run_depends_on_its_own_method_and_on_no_other():
    usual, convnet = code_here(), code_here("dpclip.method.convnet:ConvNet")
    assert "method.model" in usual and not {"method.convnet", "method.rivals"} & set(usual)
    assert "method.convnet" in convnet and "method.model" not in convnet
    assert set(code_here("elsewhere.mine:Own")) == set(usual) & set(convnet)


@pytest.mark.parametrize(
    "old, new",
    [
        ('"""The loss."""', '"""A hinge: never below zero."""'),
        ("  # hinge", ""),
        ("    if a", "\n    # first\n    if a"),
        ("max(a - b + 0.15, 0)", "max(\n        a - b + 0.15,\n        0,\n    )"),
        ('"a is negative"', 'f"a={a} is negative"'),
    ],
)
def test_words_and_layout_are_not_code(old, new):
    assert old in LOSS and code(LOSS.replace(old, new)) == code(LOSS)


@pytest.mark.parametrize("old, new", [("0.15", "0.2"), ("a - b", "b - a"), ("a < 0", "a <= 0"), ("max", "min")])
def test_anything_else_is(old, new):
    before, after = code(LOSS), code(LOSS.replace(old, new))
    assert before["lab.train"] == after["lab.train"] and before["method.losses"] != after["method.losses"]


def test_a_module_that_becomes_imported_is_part_of_it():
    imported = code("from dpclip.method import tricks\n" + LOSS, **{"method.tricks": "x = 1"})
    assert set(imported) == {"lab.train", "method.losses", "method.tricks"}


def test_a_commit_has_the_code_of_its_files(tmp_path, monkeypatch):
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    changed = subprocess.run(["git", "status", "--porcelain", "--", "dpclip"], cwd=ROOT, capture_output=True).stdout
    assert set(code_at(head)) == set(code_here()) if changed else code_at(head) == code_here()
    assert code_at(head + "+") is None and code_at("unknown") is None
