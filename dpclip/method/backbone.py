"""A CLIP of open_clip, opened up: embed, blocks and pooling as separate steps, and text features. Section 2."""

import json
from pathlib import Path

import open_clip
import torch
import torch.nn.functional as F
from filelock import FileLock
from open_clip.pretrained import download_pretrained, get_pretrained_cfg
from open_clip.tokenizer import SimpleTokenizer
from open_clip.transformer import ResidualAttentionBlock
from torch import Tensor, nn

from dpclip.errors import UserError
from dpclip.files import DATA
from dpclip.method.templates import sentences
from dpclip.method.weights import check_manifest, load_weights, read_weights

MINI = DATA / "mini-clip"
MINI_CURE = "Restore it with `git checkout -- data/mini-clip`, or make it anew with `dpclip data pretrain`."


class Backbone(nn.Module):
    """A CLIP whose image tower is a plain vision transformer; UserError for another one. Images come in normalised.
    Its sizes: width D, depth M, heads, patch (pixels), grid (N = grid^2), output_dim E, image_size, context_length.
    """

    def __init__(self, clip: open_clip.CLIP, tokenizer: SimpleTokenizer, name: str):
        super().__init__()
        visual = clip.visual
        blocks = getattr(getattr(visual, "transformer", None), "resblocks", [None])
        if type(blocks[0]) is not ResidualAttentionBlock or visual.pool_type != "tok" or visual.attn_pool is not None:
            raise UserError(f"{name}: its image tower is not a plain CLIP vision transformer. Use mini or ViT-B-32.")
        rows, columns = visual.grid_size
        if rows != columns:
            raise UserError(f"{name}: its map of patches is {rows}x{columns}; only square images are supported.")
        self.clip, self.tokenizer, self.name = clip, tokenizer, name
        self.width, self.depth, self.heads = visual.transformer.width, len(blocks), blocks[0].attn.num_heads
        self.grid, self.patch, self.image_size = rows, visual.patch_size[0], visual.image_size[0]
        self.output_dim, self.context_length = visual.output_dim, clip.context_length

    @property
    def ln_pre(self) -> nn.Module:
        return self.clip.visual.ln_pre

    @property
    def ln_post(self) -> nn.Module:
        return self.clip.visual.ln_post

    @property
    def proj(self) -> nn.Parameter:
        """(D, E)"""
        return self.clip.visual.proj

    def block(self, m: int) -> nn.Module:
        """Residual block m, counted from 0 (the paper's layer m + 1)."""
        return self.clip.visual.transformer.resblocks[m]

    def embed(self, images: Tensor) -> Tensor:
        """images (B, 3, H, W) -> tokens (B, 1+N, D): conv1, CLS in front, positions added, before ln_pre. `code`"""
        if images.shape[1:] != (3, self.image_size, self.image_size):
            size = self.image_size
            raise UserError(f"images of shape {tuple(images.shape)}: {self.name} wants (B, 3, {size}, {size}).")
        visual = self.clip.visual
        patches = visual.conv1(images).flatten(2).transpose(1, 2)  # (B, N, D)
        cls = visual.class_embedding.expand(len(images), 1, -1)  # (B, 1, D)
        return torch.cat([cls, patches], dim=1) + visual.positional_embedding  # (B, 1+N, D)

    def pool(self, cls: Tensor) -> Tensor:
        """CLS tokens after the last layer (B, D) -> features (B, E)."""
        return self.ln_post(cls) @ self.proj

    @torch.no_grad()
    def encode_text(self, texts: list[str]) -> Tensor:
        """(len(texts), E), not normalised. Text longer than the context is cut, as in CLIP."""
        tokens = self.tokenizer(texts, context_length=self.context_length).to(self.proj.device)
        return self.clip.encode_text(tokens)

    def text_feature(self, category: str, templates: int) -> Tensor:
        """t_c (E,): the category in 1 or 63 sentences, each L2-normalised, then the plain mean. Section 4, `code`."""
        return F.normalize(self.encode_text(sentences(category, templates)), dim=-1).mean(0)


def block_forward(
    block: nn.Module,
    x: Tensor,
    *,
    keys: Tensor | None = None,
    mask: Tensor | None = None,
    adapter: nn.Module | None = None,
    scale: Tensor | None = None,
) -> Tensor:
    """Update tokens x (B, L, D) by an open_clip ResidualAttentionBlock; equals `block(x)` when nothing else is given.

    keys     (B, L', D)  the tokens looked at, before ln_1, by default `x`; `x` need only hold what is read on
    mask     (L, L')     bool, True where a token of `x` may look
    adapter, scale       the text side path of this layer (text_prompt.py) and its scaling vectors, or None

    Needed because nn.MultiheadAttention hides q, k and v, and side-way scaling adds to them. Source: section 4, `code`.
    """
    attention, width = block.attn, x.shape[-1]

    def project(tokens: Tensor, rows: slice) -> Tensor:
        h = block.ln_1(tokens)
        out = F.linear(h, attention.in_proj_weight[rows], attention.in_proj_bias[rows])
        return out if adapter is None else adapter.attention(h, out, scale, rows)

    if keys is None:
        q, k, v = project(x, slice(0, 3 * width)).chunk(3, dim=-1)  # (B, L, D) each
    else:
        q = project(x, slice(0, width))  # (B, L, D)
        k, v = project(keys, slice(width, 3 * width)).chunk(2, dim=-1)  # (B, L', D) each

    def heads(t: Tensor) -> Tensor:  # (B, L, D) -> (B, H, L, D/H)
        return t.unflatten(-1, (attention.num_heads, -1)).transpose(1, 2)

    y = F.scaled_dot_product_attention(heads(q), heads(k), heads(v), attn_mask=mask)
    x = x + block.ls_1(attention.out_proj(y.transpose(1, 2).flatten(2)))  # (B, L, D)

    y = block.ls_2(block.mlp(block.ln_2(x)))  # (B, L, D)
    return x + (y if adapter is None else adapter.mlp(x, y, scale))


def vision_config(name: str, pretrained: str | None = None) -> dict:
    """The sizes of a backbone's image tower, by open_clip's names, lengths in pixels. UserError for an unknown name."""
    if name == "mini":
        folder = Path(pretrained) if pretrained else MINI
        check_manifest(folder, ("config.json",), MINI_CURE)
        return json.loads((folder / "config.json").read_text())["vision_cfg"]
    if name != "ViT-B-32":
        raise UserError(f"unknown backbone {name!r}: choose mini or ViT-B-32.")
    return open_clip.get_model_config(name)["vision_cfg"]


def load_backbone(name: str, pretrained: str | None = None, seed: int | None = None) -> Backbone:
    """A CLIP by name. Raises UserError for an unknown one, missing or damaged files, wrong hashes, activation, shapes.

    "mini"      the small CLIP of data/mini-clip, hashes and shapes checked; `pretrained` may name another folder
    "ViT-B-32"  pretrained = "openai" (downloaded), a local file that `read_weights` takes, or None: random weights from
                `seed`. Always QuickGELU, as OpenAI trained it.
    """
    vision_config(name, pretrained)  # the name is known
    if name == "mini":
        folder = Path(pretrained) if pretrained else MINI
        check_manifest(folder, ("merges.txt.gz", "weights.safetensors"), MINI_CURE)
        clip = open_clip.CLIP(**json.loads((folder / "config.json").read_text()))
        load_weights(clip, read_weights(folder / "weights.safetensors"), str(folder / "weights.safetensors"))
        tokenizer = SimpleTokenizer(str(folder / "merges.txt.gz"), context_length=clip.context_length)
        return Backbone(clip, tokenizer, name).eval()
    source = _download(name) if pretrained == "openai" else pretrained
    weights = None if source is None else read_weights(Path(source), name)
    with torch.random.fork_rng():
        torch.manual_seed(0 if seed is None else seed)
        clip = open_clip.CLIP(**open_clip.get_model_config(name), quick_gelu=True)
    if weights is not None:
        load_weights(clip, weights, str(source))
    return Backbone(clip, SimpleTokenizer(), name).eval()


def _download(name: str) -> Path:
    """OpenAI's own archive in open_clip's own cache; of several processes one downloads, the others wait."""
    config = get_pretrained_cfg(name, "openai")
    cache = Path("~/.cache/clip").expanduser()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / f"{name}.lock"):
            return Path(download_pretrained(config, prefer_hf_hub=False, cache_dir=str(cache)))
    except Exception as error:  # the network fails in many ways
        what = f"{config['url']} could not be downloaded ({type(error).__name__}: {error})"
        raise UserError(f"{what}. Download it elsewhere and give the path of the file: --weights FILE.") from error
