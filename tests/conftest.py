"""Shared fixtures: a CLIP so small that a test costs milliseconds, made by the same code as the real one."""

import shutil

import open_clip
import pytest
import torch
from open_clip.tokenizer import SimpleTokenizer

from dpclip.method.backbone import Backbone
from tests.stand_in import make_sketchy

TINY = {
    "embed_dim": 32,
    "quick_gelu": True,
    "vision_cfg": {"image_size": 56, "layers": 3, "width": 64, "head_width": 32, "patch_size": 8},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}


def _make_tiny(seed: int = 0, **vision) -> Backbone:
    """The tiny backbone (7x7 patches, width 64, 3 layers, 2 heads); `vision` changes fields of its image tower.

    Norms and biases are random too, so that a test sees when one of them is forgotten.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        clip = open_clip.CLIP(**{**TINY, "vision_cfg": {**TINY["vision_cfg"], **vision}})
        for parameter in clip.visual.parameters():
            if parameter.ndim == 1:
                parameter.data += 0.1 * torch.randn_like(parameter)
    return Backbone(clip, SimpleTokenizer(), "tiny").eval()


@pytest.fixture
def make_tiny():
    """make_tiny(seed=0, **vision_cfg fields) -> Backbone"""
    return _make_tiny


@pytest.fixture
def tiny_backbone() -> Backbone:
    return _make_tiny()


@pytest.fixture(scope="session")
def sketchy(tmp_path_factory):
    """Folder with every photo and sketch of Sketchy in the official layout. Tests leave it as it is."""
    root = make_sketchy(tmp_path_factory.mktemp("sketchy"), size=8)
    yield root
    shutil.rmtree(root)
