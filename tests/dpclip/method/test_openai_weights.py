"""A file in the place of a download: OpenAI's own and no other, and the run keeps its name."""

import hashlib
import os

import pytest

from dpclip.config import preset
from dpclip.errors import UserError
from dpclip.method import weights
from dpclip.method.weights import OPENAI_FILE, OPENAI_MODEL, WEIGHTS_VARIABLE, released, use_weights, weights_source
from dpclip.runs.records import weights_hash
from dpclip.training import train as lab_train

PAPER = preset("paper")


@pytest.fixture
def official(tmp_path, monkeypatch):
    """A file that passes for OpenAI's."""
    path = tmp_path / "downloaded"
    path.write_bytes(b"tensors")
    digest = hashlib.sha256(b"tensors").hexdigest()
    monkeypatch.setattr(weights, "released", lambda _: {OPENAI_FILE: (digest, True)})
    monkeypatch.setenv(WEIGHTS_VARIABLE, "")  # so that it is put back
    return path


def test_the_file_is_read_where_a_run_says_openai_and_nowhere_else(official, monkeypatch, make_tiny):
    assert weights_source(PAPER.weights) == "openai"
    monkeypatch.chdir(official.parent)
    use_weights(official.relative_to(official.parent))
    use_weights(None)
    assert os.environ[WEIGHTS_VARIABLE] == weights_source(PAPER.weights) == str(official)
    assert weights_source("other.safetensors") == "other.safetensors"
    assert weights_source("") is None
    assert weights_hash(PAPER) == "openai"
    asked = []
    monkeypatch.setattr(lab_train, "load_backbone", lambda *words: asked.append(words) or make_tiny())
    lab_train.build_model(PAPER, 3)
    assert asked == [("ViT-B-32", str(official), 3)]


def test_another_file_is_refused_also_when_it_changes_later(official):
    use_weights(official)
    official.write_bytes(b"other tensors")
    for ask in (lambda: use_weights(official), lambda: weights_source(PAPER.weights)):
        with pytest.raises(
            UserError, match=f"downloaded: its SHA-256 .*OpenAI's {OPENAI_FILE}.*--set weights=.*downloaded"
        ):
            ask()
    with pytest.raises(UserError, match="nowhere: no such weights file"):
        use_weights(official.with_name("nowhere"))


def test_open_clip_knows_the_hash_of_openais_file():
    assert len(released(OPENAI_MODEL)[OPENAI_FILE][0]) == 64
