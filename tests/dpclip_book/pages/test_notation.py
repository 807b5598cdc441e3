"""The notation tables: every symbol's shape is that of the real tensor, and every name exists."""

import torch

from dpclip.config import preset
from dpclip.method import interface, model, patch_match, text_prompt, visual_prompt
from dpclip.training.train import build_model
from dpclip_book.pages.notation import Sizes, letters, notation_tables, symbols


def test_shapes_are_those_of_the_mini_model():
    config = preset("mini")
    net = build_model(config, 0).eval()
    sizes = Sizes.of(config)
    images, support = torch.zeros(1, 3, net.image_size, net.image_size), torch.zeros(sizes.S, 3, *[net.image_size] * 2)
    with torch.inference_mode():
        context = net.context(support, torch.zeros(sizes.E))
        found = net.encode(images, context, intermediates=True)
        tokens = net.backbone.embed(support)
    side = net.text_prompt.adapters[0]
    real = {
        "$x_1$": found.intermediates["tokens"][0],
        "$T$": tokens.flatten(0, 1),
        "$l_m$, all layers": net.visual_prompt.learned,
        "$p_m$, all layers": torch.stack(context.prompts),
        "$t_c$": net.text_feature("bird"),
        "$s_m$, all layers": torch.stack(context.scales),
        "$A$": side.attention_path.A,
        "$B$": side.attention_path.B,
        "$A'$": side.mlp_path.A,
        "$B'$": side.mlp_path.B,
        "$f_g$": found.global_feature[0],
        "$[X_{CLS}; X_{\\Omega_k}]$, all windows": found.intermediates["windows"][0],
        "$f_l^k$, all windows": found.local_features[0],
    }
    assert {symbol: numbers for symbol, *_, numbers in symbols(sizes)} == {k: tuple(v.shape) for k, v in real.items()}


def test_names_exist():
    places = vars(model) | vars(interface) | vars(patch_match) | vars(text_prompt) | vars(visual_prompt)
    for _, _, code, *_ in symbols(Sizes.of(preset("paper"))):
        first = code.split(".")[0]
        assert first == "backbone" or first in places, code


def test_both_backbones_stand_beside_each_other():
    text = notation_tables()
    assert "| $M$ | layers of the image tower | 12 | 6 |" in text and "| 150 × 768 | 150 × 192 |" in text
    assert dict((letter, number) for letter, _, number in letters(Sizes.of(preset("paper"))))["$E$"] == 512
