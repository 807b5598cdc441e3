"""The stored numbers of the released behaviour, on its small random tower. Skipped where they are not at hand."""

import json

import open_clip
import pytest
import torch
from safetensors.torch import load_file

from dpclip.files import ROOT
from dpclip.method.backbone import Backbone
from dpclip.method.losses import triplet_loss
from dpclip.method.model import DPCLIP, DPCLIPConfig

SHARED = ROOT.parent / "shared"
GOLDEN = SHARED / "golden"  # where the folder is, its golden numbers must be: a wrong path fails and does not skip
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the project's shared folder is not here")

TOWER = {
    "embed_dim": 512,
    "quick_gelu": True,
    "vision_cfg": {"image_size": 224, "layers": 12, "width": 128, "head_width": 64, "patch_size": 32},
    "text_cfg": {"context_length": 8, "vocab_size": 64, "width": 16, "heads": 2, "layers": 1},
}


def our_name(name: str) -> str:
    """Golden name -> ours."""
    for golden, ours in (("attn.lora_", "attention_path."), ("mlp_lora.lora_", "mlp_path.")):
        if golden in name:
            head, letter = name.split(golden)
            if head.startswith("local."):
                return f"patch_matching.adapter.{ours}{letter}"
            return f"text_prompt.adapters.{head.split('.')[-2]}.{ours}{letter}"
    if name.startswith("visual.text_scaling."):
        return name.replace("visual.text_scaling", "text_prompt.mlps")
    if name.startswith("local."):
        return name.replace("local", "patch_matching", 1)
    return f"backbone.clip.{name}" if name.startswith("visual.") else name


@pytest.fixture(scope="module")
def golden():
    """(model, inputs, outputs, features of one pass, context)"""
    backbone = Backbone(open_clip.CLIP(**TOWER), None, "golden")
    model = DPCLIP(backbone, DPCLIPConfig(prompt_dropout=0.0)).eval()
    weights = {our_name(k): v.float() for k, v in load_file(GOLDEN / "weights.safetensors").items()}
    missing, unexpected = model.load_state_dict(weights, strict=False)
    text = ("backbone.clip.transformer", "backbone.clip.token", "backbone.clip.positional", "backbone.clip.ln_final")
    assert not unexpected
    assert all(name.startswith((*text, "backbone.clip.text", "backbone.clip.logit")) for name in missing), missing
    inputs = {k: v if k == "photo_ids" else v.float() for k, v in load_file(GOLDEN / "inputs.safetensors").items()}
    outputs = load_file(GOLDEN / "outputs.safetensors")
    chosen = json.loads((GOLDEN / "golden.json").read_text())["support"]
    support = torch.cat([inputs["sketch"][[chosen["sketch_index"]]], inputs["positive"][chosen["photo_indices"]]])
    context = model.context(support, inputs["text_feature"])
    features = model.encode(torch.cat([inputs["sketch"], inputs["positive"], inputs["negative"]]), context)
    return model, inputs, outputs, features, context


def test_intermediates(golden):
    model, inputs, outputs, _, context = golden
    seen = model.encode(inputs["sketch"], context, intermediates=True).intermediates
    torch.testing.assert_close(seen["tokens"], outputs["tokens_sketch"], atol=1e-4, rtol=0)
    torch.testing.assert_close(seen["prompts"], outputs["prompts"][:, 0], atol=1e-4, rtol=0)
    torch.testing.assert_close(seen["layer_11_out"], outputs["penultimate_sketch"], atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("kind", "rows"), [("sketch", slice(0, 4)), ("positive", slice(4, 8)), ("negative", slice(8, 12))]
)
def test_features(golden, kind, rows):
    *_, outputs, features, _ = golden
    torch.testing.assert_close(features[rows].levels(), outputs[f"features_{kind}"], atol=1e-4, rtol=0)


@pytest.mark.parametrize("epoch", [0, 10, 30, 40, 50])
def test_loss(golden, epoch):
    model, inputs, _, f, _ = golden
    loss, _ = triplet_loss(f[:4], f[4:8], f[8:], inputs["photo_ids"], epoch, model.config)
    expected = json.loads((GOLDEN / "golden.json").read_text())["losses"][f"loss_epoch_{epoch}"]
    assert loss.item() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("epoch", [10, 50])
def test_gradients(golden, epoch):
    model, inputs, outputs, f, _ = golden
    loss, _ = triplet_loss(f[:4], f[4:8], f[8:], inputs["photo_ids"], epoch, model.config)
    expected = {k.split("/")[1]: v for k, v in outputs.items() if k.startswith(f"grad_epoch_{epoch}/")}
    parameters = dict(model.named_parameters())
    gradients = torch.autograd.grad(loss, [parameters[our_name(name)] for name in expected], retain_graph=True)
    assert len(expected) >= 9
    for (name, stored), ours in zip(expected.items(), gradients, strict=True):
        assert (ours - stored).abs().max() <= 1e-3 * stored.abs().max(), name
