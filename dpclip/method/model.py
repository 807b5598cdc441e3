"""DP-CLIP: one CLIP image tower, prompted by a category's images and words, compared at two levels.

Gao et al., arXiv 2404.18695. Every ablation is a field of DPCLIPConfig; there is one code path.
"""

import torch
from open_clip import constants
from torch import Tensor, nn

from dpclip.config import DPCLIPConfig
from dpclip.errors import UserError
from dpclip.method.backbone import Backbone, block_forward
from dpclip.method.interface import Context, Features, retrieval_distance
from dpclip.method.losses import triplet_loss
from dpclip.method.patch_match import PatchMatching, window_tokens
from dpclip.method.text_prompt import TextPrompt
from dpclip.method.visual_prompt import VisualPrompt

STATISTICS = {
    "clip": (constants.OPENAI_DATASET_MEAN, constants.OPENAI_DATASET_STD),
    "imagenet": (constants.IMAGENET_MEAN, constants.IMAGENET_STD),
}


class DPCLIP(nn.Module):
    """Composes backbone, V-Prompt, T-Prompt and patch matching. Images come in normalised (see `normalise`). The
    backbone is not copied: training the model trains it.
    """

    on_backbone = True

    def __init__(self, backbone: Backbone, config: DPCLIPConfig):
        super().__init__()
        self.backbone, self.config, self.image_size = backbone, config, backbone.image_size
        self.visual_prompt = self.text_prompt = self.patch_matching = None
        width, depth = backbone.width, backbone.depth
        if config.visual_prompt != "none":
            generic, shallow = (kind in config.visual_prompt for kind in ("generic", "shallow"))
            self.visual_prompt = VisualPrompt(
                layers=1 if shallow else depth, width=width, heads=backbone.heads, patch=backbone.patch,
                num_prompts=config.num_prompts, dropout=config.prompt_dropout, generic=generic,
            )  # fmt: skip
        if config.scaling != "none":
            self.text_prompt = TextPrompt(
                depth=depth, width=width, text_dim=backbone.output_dim, scaling=config.scaling, rank=config.rank
            )
        if config.patch_matching:
            self.patch_matching = PatchMatching(
                block=backbone.block(-1), adapter=self.adapter(-1), ln_post=backbone.ln_post, proj=backbone.proj,
                indices=window_tokens(backbone.grid, config.window, config.windows), grid=backbone.grid,
            )  # fmt: skip
        mean, std = (torch.tensor(values).view(3, 1, 1) for values in STATISTICS[config.normalisation])
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("std", std, persistent=False)
        self.set_trainable()

    @classmethod
    def trains(cls, config: DPCLIPConfig) -> bool:
        """Whether the config switches on a module or trains a part of CLIP."""
        return config.patch_matching or {config.visual_prompt, config.scaling, config.trainable} != {"none"}

    @property
    def uses_category(self) -> bool:
        """Whether the context differs from category to category."""
        return self.config.sees_support or self.config.reads_words

    def text_feature(self, words: str) -> Tensor:
        """(E,), by the templates of the config."""
        return self.backbone.text_feature(words, self.config.templates)

    def adapter(self, m: int) -> nn.Module | None:
        return None if self.text_prompt is None else self.text_prompt.adapters[m]

    def normalise(self, images: Tensor) -> Tensor:
        """images (B, 3, H, W) in [0, 1] -> the same, by the statistics that `config.normalisation` names."""
        return (images - self.mean) / self.std

    def context(self, support_images: Tensor | None, text_feature: Tensor | None) -> Context:
        """Of support_images (S, 3, H, W), sketches first, and text_feature (E,); UserError for None that is needed."""
        prompts, scales = [], []
        if self.visual_prompt is not None:
            tokens = None
            if self.config.sees_support:
                if support_images is None or len(support_images) == 0:
                    kind = self.config.visual_prompt
                    raise UserError(f"visual_prompt={kind!r} needs support images: give some, or choose 'generic'.")
                tokens = self.backbone.embed(support_images)  # (S, 1+N, D)
            prompts = list(self.visual_prompt(tokens))
        if self.config.reads_words:
            if text_feature is None:
                raise UserError(f"scaling={self.config.scaling!r} needs the category's text feature: name it.")
            scales = self.text_prompt(text_feature)
        return Context(prompts, scales)

    def encode(self, images: Tensor, context: Context, intermediates: bool = False) -> Features:
        """images (B, 3, H, W) -> Features. Put sketches and photos of one category in one batch: one pass for all. With
        `intermediates`, also by name (m counts from 1, as in the paper): tokens (B, 1+N, D) before ln_pre; prompts (M,
        K, D); scales (M, 2, r) or (M, 4, D); layer_m_in and layer_m_out (B, 1+N+K, D), prompts last; penultimate (B,
        1+N, D), entering the last layer; windows (B, W, 1+w^2, D).
        """
        backbone, prompts = self.backbone, context.prompts
        seen: dict[str, Tensor] = {}

        def note(name: str, tensor: Tensor) -> None:
            if intermediates:
                seen[name] = tensor

        x = backbone.embed(images)  # (B, 1+N, D)
        note("tokens", x)
        length, local = x.shape[1], None
        for m in range(backbone.depth):
            if m < len(prompts):  # drop the old prompts, append this layer's
                x = torch.cat([x[:, :length], prompts[m].expand(len(x), -1, -1)], dim=1)  # (B, 1+N+K, D)
            if m == 0:
                x = backbone.ln_pre(x)
            note(f"layer_{m + 1}_in", x)
            asked, keys = x, None
            if m == backbone.depth - 1:
                if self.patch_matching is not None:
                    local = self.patch_matching(x[:, :length])  # (B, W, E)
                if not intermediates:  # nobody reads more than CLS
                    asked, keys = x[:, :1], x
            scale = context.scales[m] if context.scales else None
            x = block_forward(backbone.block(m), asked, keys=keys, adapter=self.adapter(m), scale=scale)
            note(f"layer_{m + 1}_out", x)

        if intermediates:
            seen["penultimate"] = seen[f"layer_{backbone.depth}_in"][:, :length]
            if self.patch_matching is not None:
                seen["windows"] = self.patch_matching.windows(seen["penultimate"])
            seen |= {name: torch.stack(t) for name, t in vars(context).items() if t}  # prompts, scales
        return Features(backbone.pool(x[:, 0]), local, seen)

    def distance(self, query: Features, gallery: Features) -> Tensor:
        """(Q, G) by `retrieval_distance`, windows weighted by `config.fusion`."""
        return retrieval_distance(query, gallery, self.config.fusion)

    def loss(self, sketch: Features, positive: Features, negative: Features, photo_ids: Tensor, epoch: int) -> Tensor:
        """The scalar of `triplet_loss`, by the settings of `config`."""
        return triplet_loss(sketch, positive, negative, photo_ids, epoch, self.config)[0]

    def train(self, mode: bool = True) -> "DPCLIP":
        """As usual, but CLIP and its local copy stay in eval mode: frozen parts must not change behaviour."""
        super().train(mode)
        self.backbone.eval()
        if self.patch_matching is not None:
            self.patch_matching.eval()
        return self

    def set_trainable(self) -> dict[str, list[nn.Parameter]]:
        """The one place that decides what trains. Freezes the rest and returns two groups for two learning rates:

        "clip"  CLIP's own, by `config.trainable`: none; norms (all layer norms of the image tower, `paper`);
                norms+embeddings (also class embedding, positions and projection, `code`);
                norms+embeddings+attention (also the projections to q, k and v: CLIP-AT as released)
        "new"   all of V-Prompt, T-Prompt and patch matching, but for the MLP and out_proj of the local layer (`code`)
        """
        visual, trainable = self.backbone.clip.visual, self.config.trainable
        norms = [p for module in visual.modules() if isinstance(module, nn.LayerNorm) for p in module.parameters()]
        clip = [] if trainable == "none" else norms
        if "embeddings" in trainable:
            clip += [visual.class_embedding, visual.positional_embedding, visual.proj]
        if "attention" in trainable:
            attentions = [block.attn for block in visual.transformer.resblocks]
            clip += [p for attention in attentions for p in (attention.in_proj_weight, attention.in_proj_bias)]
        local = self.patch_matching
        frozen = set() if local is None else {p for module in local.frozen() for p in module.parameters()}
        modules = (self.visual_prompt, self.text_prompt, local)
        new = [p for module in modules if module is not None for p in module.parameters() if p not in frozen]

        self.requires_grad_(False)
        for parameter in clip + new:
            parameter.requires_grad_(True)
        return {"clip": clip, "new": new}
