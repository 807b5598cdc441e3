"""Wrong switches are refused with the values that are allowed."""

import dataclasses
import re

import pytest

from dpclip.errors import UserError
from dpclip.method.model import DPCLIP, DPCLIPConfig


@pytest.mark.parametrize(
    ("field", "value", "hint"),
    [
        ("visual_prompt", "dep", "shallow"),
        ("support", "photos", "unmatched"),
        ("scaling", "side-way", "sideway"),
        ("templates", 7, "63"),
        ("trainable", "all", "norms+embeddings"),
        ("normalisation", "none", "imagenet"),
        ("num_prompts", 0, "at least 1"),
        ("rank", 2.5, "int"),
        ("rank", True, "int"),
        ("patch_matching", 1, "bool"),
        ("prompt_dropout", 1.0, "below 1"),
        ("windows", 5, "square"),
        ("window", 0, "at least 1"),
        ("margin", float("nan"), "finite"),
        ("hard_every", -1, "at least 0"),
        ("negatives", "other", "category"),
        ("checkpoint", "best", "test"),
        ("text_weight", -0.5, "at least 0"),
    ],
)
def test_refused(field, value, hint):
    with pytest.raises(UserError, match=f"{field}=.*{re.escape(hint)}"):
        DPCLIPConfig(**{field: value})


def test_no_support_left():
    with pytest.raises(UserError, match="support_sketches=0.*generic"):
        DPCLIPConfig(support="sketch", support_sketches=0)
    DPCLIPConfig(support="sketch", support_sketches=0, visual_prompt="generic")


@pytest.mark.parametrize(
    ("support", "counts"),
    [("both", (1, 2)), ("sketch", (1, 0)), ("photo", (0, 2)), ("random", (1, 2)), ("unmatched", (1, 2))],
)
def test_support_counts(support, counts):
    assert DPCLIPConfig(support=support).support_counts == counts


def test_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        DPCLIPConfig().rank = 3


def test_what_only_the_model_can_see(tiny_backbone):
    with pytest.raises(UserError, match="window=8.*7x7.*at most 7"):
        DPCLIP(tiny_backbone, DPCLIPConfig(window=8))
    model = DPCLIP(tiny_backbone, DPCLIPConfig())
    with pytest.raises(UserError, match="support images"):
        model.context(None, None)
    with pytest.raises(UserError, match=r"images of shape \(2, 3, 60, 60\)"):
        model.backbone.embed(tiny_backbone.proj.new_zeros(2, 3, 60, 60))
