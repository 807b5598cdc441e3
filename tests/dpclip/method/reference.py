"""DP-CLIP the slow way, written straight from the specification: image by image, layer by layer, head by head.

It shares no function with the package: only the parameters, looked up by name. Nothing is batched and nothing is saved:
G runs on all tokens once a layer, every window is cut out and run by itself.
"""

import math

import torch


def layer_norm(x, p, name):
    mean = x.mean(-1, keepdim=True)
    variance = ((x - mean) ** 2).mean(-1, keepdim=True)
    return (x - mean) / torch.sqrt(variance + 1e-5) * p[f"{name}.weight"] + p[f"{name}.bias"]


def linear(x, p, name):
    return x @ p[f"{name}.weight"].T + p[f"{name}.bias"]


def quick_gelu(x):
    return x / (1 + torch.exp(-1.702 * x))


def cosine(a, b):
    return (a * b).sum() / (a.norm() * b.norm())


def vit_layer(x, p, name, heads, config, side=None, scale=None):
    """x (L, D). `side`: name of the layer's low-rank paths, if it has any. `scale`: (2, r) or (4, D) or None."""
    width = x.shape[1]
    h = layer_norm(x, p, f"{name}.ln_1")
    qkv = h @ p[f"{name}.attn.in_proj_weight"].T + p[f"{name}.attn.in_proj_bias"]
    y_factor = 1
    if config.scaling == "direct" and scale is not None:
        qkv = qkv * torch.cat([1 + scale[0], 1 + scale[1], 1 + scale[2]])
        y_factor = 1 + scale[3]
    elif side is not None:
        s = torch.zeros(config.rank) if scale is None else scale[0]
        qkv = qkv + ((1 + s) * (h @ p[f"{side}.attention_path.A"].T)) @ p[f"{side}.attention_path.B"].T / 16
    q, k, v = qkv[:, :width], qkv[:, width : 2 * width], qkv[:, 2 * width :]
    size, outputs = width // heads, []
    for i in range(heads):
        part = slice(i * size, (i + 1) * size)
        weights = torch.softmax(q[:, part] @ k[:, part].T / math.sqrt(size), dim=-1)
        outputs.append(weights @ v[:, part])
    x = x + linear(torch.cat(outputs, dim=1), p, f"{name}.attn.out_proj")

    hidden = quick_gelu(linear(layer_norm(x, p, f"{name}.ln_2"), p, f"{name}.mlp.c_fc"))
    y = linear(hidden, p, f"{name}.mlp.c_proj") * y_factor
    if side is not None:
        s = torch.zeros(config.rank) if scale is None else scale[1]
        y = y + ((1 + s) * (x @ p[f"{side}.mlp_path.A"].T)) @ p[f"{side}.mlp_path.B"].T / config.rank
    return x + y


class Reference:
    """Built from a DPCLIP: takes its parameters and its sizes, nothing else. No dropout."""

    def __init__(self, model):
        self.p, self.config = dict(model.named_parameters()), model.config
        backbone = model.backbone
        self.depth, self.heads, self.grid, self.patch = backbone.depth, backbone.heads, backbone.grid, backbone.patch
        self.has_side = self.config.scaling in ("unscaled", "sideway")

    def tokens(self, image):
        """Section 2: one image (3, H, W) -> (1+N, D)."""
        p, size = self.p, self.patch
        kernel = p["backbone.clip.visual.conv1.weight"].flatten(1)
        rows = [p["backbone.clip.visual.class_embedding"]]
        for i in range(self.grid):
            for j in range(self.grid):
                rows.append(kernel @ image[:, i * size : (i + 1) * size, j * size : (j + 1) * size].flatten())
        return torch.stack(rows) + p["backbone.clip.visual.positional_embedding"]

    def prompts(self, support):
        """Section 3: p_m of every layer that has one."""
        p, kind = self.p, self.config.visual_prompt
        if kind == "none":
            return []
        prompts = []
        for m in range(1 if kind in ("shallow", "generic-shallow") else self.depth):
            learned = linear(p["visual_prompt.learned"][m], p, "visual_prompt.linear")
            if kind not in ("generic", "generic-shallow"):
                everything = torch.cat([*(self.tokens(image) for image in support), learned])
                everything = vit_layer(everything, p, "visual_prompt.block", self.heads, self.config)
                learned = everything[-self.config.num_prompts :]
            prompts.append(learned)
        return prompts

    def scales(self, text):
        """Section 4: what the text says to each layer."""
        if self.config.scaling not in ("direct", "sideway"):
            return [None] * self.depth
        scales = []
        for m in range(self.depth):
            hidden = linear(text, self.p, f"text_prompt.mlps.{m}.0").clamp(min=0)
            parts = 4 if self.config.scaling == "direct" else 2
            scales.append(torch.stack(linear(hidden, self.p, f"text_prompt.mlps.{m}.2").chunk(parts)))
        return scales

    def image(self, image, prompts, scales):
        """One image -> [global feature, feature of window 1, 2, ...]."""
        p, visual, count = self.p, "backbone.clip.visual", 1 + self.grid**2
        x = self.tokens(image)
        for m in range(self.depth):
            if m == 0:
                x = layer_norm(torch.cat([x, *prompts[:1]]), p, f"{visual}.ln_pre")
            elif m < len(prompts):
                x = torch.cat([x[:count], prompts[m]])
            if m == self.depth - 1:
                penultimate = x[:count]
            side = f"text_prompt.adapters.{m}" if self.has_side else None
            x = vit_layer(x, p, f"{visual}.transformer.resblocks.{m}", self.heads, self.config, side, scales[m])
        features = [layer_norm(x[0], p, f"{visual}.ln_post") @ p[f"{visual}.proj"]]
        return features + (self.windows(penultimate) if self.config.patch_matching else [])

    def windows(self, x):
        """Section 5."""
        size, side = self.config.window, int(self.config.windows**0.5)
        step = (self.grid - size) / (side - 1) if side > 1 else 0
        first = 0 if side > 1 else (self.grid - size) // 2
        features = []
        for i in range(side):
            for j in range(side):
                rows, columns = range(first + round(i * step), self.grid), range(first + round(j * step), self.grid)
                chosen = [x[0]] + [x[1 + r * self.grid + c] for r in rows[:size] for c in columns[:size]]
                path = "patch_matching.adapter" if self.has_side else None
                out = vit_layer(torch.stack(chosen), self.p, "patch_matching.block", self.heads, self.config, path)
                k = len(features)
                out = layer_norm(out[0], self.p, f"patch_matching.norms.{k}")
                features.append(out @ self.p["patch_matching.proj"][k])
        return features

    def encode(self, images, support, text):
        """-> list over images of lists over levels."""
        prompts, scales = self.prompts(support), self.scales(text)
        return [self.image(image, prompts, scales) for image in images]

    def distance(self, query, gallery):
        """Section 7, one pair."""
        d = [1 - cosine(q, g) for q, g in zip(query, gallery, strict=True)]
        return d[0] + self.config.fusion * sum(d[1:])

    def loss(self, sketch, positive, negative, photo_ids, epoch):
        """Section 6, over lists from `encode`."""
        c, count, random, hard = self.config, len(sketch), 0, 0
        for level in range(len(sketch[0])):
            weight = 1 if level == 0 else c.local_weight
            for i in range(count):
                d_positive = 1 - cosine(sketch[i][level], positive[i][level])
                d_random = 1 - cosine(sketch[i][level], negative[i][level])
                random = random + weight * (d_positive - d_random + c.margin).clamp(min=0) / count
                others = [positive[j] for j in range(count) if photo_ids[j] != photo_ids[i]]
                if c.negatives == "category":
                    others = negative
                if others:
                    d_hard = min(1 - cosine(sketch[i][level], photo[level]) for photo in others)
                    hard = hard + weight * (d_positive / 2 - d_hard / 2 + c.margin).clamp(min=0) / count
        w = 0.25 * math.floor(epoch / c.hard_every) if c.hard_every else 0
        return w * hard if w >= 1 else (1 - w) * random + w * hard
