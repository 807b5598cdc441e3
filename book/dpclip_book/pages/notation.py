"""The method's symbols, their names in the code and their shapes, computed from configurations."""

import json
from dataclasses import dataclass

import open_clip
import pandas as pd

from dpclip.config import DPCLIPConfig, RunConfig, preset
from dpclip.method.backbone import MINI, vision_config
from dpclip_book.pages.markdown import numbered_table


@dataclass(frozen=True)
class Sizes:
    """The numbers that a drawing or a shape of the method needs."""

    M: int  # layers
    D: int  # width
    grid: int  # the map of patches is grid x grid
    E: int  # width of a feature
    model: DPCLIPConfig

    @classmethod
    def of(cls, config: RunConfig) -> "Sizes":
        """Read off the descriptions of backbone and method; no weights are loaded."""
        vision = vision_config(config.backbone)
        if config.backbone == "mini":
            output = json.loads((MINI / "config.json").read_text())["embed_dim"]
        else:
            output = open_clip.get_model_config(config.backbone)["embed_dim"]
        grid = vision["image_size"] // vision["patch_size"]
        return cls(vision["layers"], vision["width"], grid, output, config.model)

    @property
    def N(self) -> int:
        """Patches."""
        return self.grid**2

    @property
    def S(self) -> int:
        """Support images."""
        return sum(self.model.support_counts)


def letters(sizes: Sizes) -> list[tuple[str, str, int]]:
    """(letter, meaning, number)"""
    model = sizes.model
    return [
        ("$M$", "layers of the image tower", sizes.M),
        ("$D$", "width of a token", sizes.D),
        ("$N$", "patches of an image", sizes.N),
        ("$E$", "width of a feature", sizes.E),
        ("$S$", "support images of a category", sizes.S),
        ("$K$", "prompts a layer", model.num_prompts),
        ("$r$", "rank of the side paths", model.rank),
        ("$W$", "windows", model.windows),
        ("$w$", "side of a window, in patches", model.window),
    ]


def symbols(s: Sizes) -> list[tuple[str, str, str, str, tuple[int, ...]]]:
    """(symbol, what it is, name in the code, shape in letters, shape in numbers)"""
    K, r, W, w = s.model.num_prompts, s.model.rank, s.model.windows, s.model.window
    return [
        ("$x_1$", "tokens of an image, [CLS] first", "backbone.embed", "(1+N, D)", (1 + s.N, s.D)),
        ("$T$", "tokens of the support", "backbone.embed", "(S(1+N), D)", (s.S * (1 + s.N), s.D)),
        ("$l_m$, all layers", "learned tokens", "VisualPrompt.learned", "(M, K, D)", (s.M, K, s.D)),
        ("$p_m$, all layers", "visual prompts", "Context.prompts", "(M, K, D)", (s.M, K, s.D)),
        ("$t_c$", "text feature of the category", "DPCLIP.text_feature", "(E)", (s.E,)),
        ("$s_m$, all layers", "scales of attention and MLP", "Context.scales", "(M, 2, r)", (s.M, 2, r)),
        ("$A$", "into the side path of attention", "SideWay.attention_path.A", "(r, D)", (r, s.D)),
        ("$B$", "out of the side path, to q, k and v", "SideWay.attention_path.B", "(3D, r)", (3 * s.D, r)),
        ("$A'$", "into the side path of the MLP", "SideWay.mlp_path.A", "(r, D)", (r, s.D)),
        ("$B'$", "out of the side path of the MLP", "SideWay.mlp_path.B", "(D, r)", (s.D, r)),
        ("$f_g$", "global feature", "Features.global_feature", "(E)", (s.E,)),
        ("$[X_{CLS}; X_{\\Omega_k}]$, all windows", "what the windows see", "PatchMatching.windows",
         "(W, 1+w², D)", (W, 1 + w**2, s.D)),
        ("$f_l^k$, all windows", "local features", "Features.local_features", "(W, E)", (W, s.E)),
    ]  # fmt: skip


def notation_tables() -> str:
    """Two Markdown tables for a page: the letters, and the symbols with their shapes; ViT-B/32 and the mini CLIP."""
    sizes = {"ViT-B/32": Sizes.of(preset("paper")), "mini CLIP": Sizes.of(preset("mini"))}
    first, *_ = sizes.values()
    plain = pd.DataFrame([row[:2] for row in letters(first)], columns=["Letter", "Meaning"])
    shapes = pd.DataFrame(
        [(symbol, what, f"`{code}`", shape) for symbol, what, code, shape, _ in symbols(first)],
        columns=["Symbol", "What it is", "In the code", "Shape"],
    )
    for name, own in sizes.items():
        plain[name] = [number for *_, number in letters(own)]
        shapes[name] = [" × ".join(map(str, numbers)) for *_, numbers in symbols(own)]
    return "\n".join(
        table.data
        for table in (
            numbered_table(plain, "Sizes, by letter. The presets are `paper` and `mini`.", "table-letters"),
            numbered_table(
                shapes, "Symbols, their names in the code and their shapes for one image.", "table-notation"
            ),
        )
    )
