"""A dataset of random pictures with the shape of the real ones, small enough to train on within a test."""

from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor, nn

from dpclip.config import DPCLIPConfig
from dpclip.data.manifest import Manifest
from dpclip.method.interface import Context, Features, retrieval_distance

CATEGORIES = {"cat": "seen", "dog": "seen", "cup": "seen", "hat": "val", "pear": "unseen", "saw": "unseen"}


def make_toy(root: Path, instances: int = 5, sketches: int = 2, size: int = 60) -> Manifest:
    """Six categories of coloured noise; a sketch is its photo without colour, a little disturbed."""
    random = np.random.default_rng(0)
    rows = []
    for category, split in CATEGORIES.items():
        for number in range(instances):
            photo = random.integers(0, 256, (size, size, 3), dtype=np.uint8)
            name = f"{category}-{number}"
            for k in range(-1, sketches):
                path = f"photo/{category}/{name}.png" if k < 0 else f"sketch/{category}/{name}-{k + 1}.png"
                grey = np.repeat(photo.mean(2, keepdims=True), 3, 2) + random.integers(-20, 20, (size, size, 1))
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(photo if k < 0 else grey.clip(0, 255).astype(np.uint8)).save(root / path)
                modality, style = ("photo", "photo") if k < 0 else ("sketch", "warped")
                rows.append(
                    {"modality": modality, "category": category, "instance": name, "style": style, "path": path}
                    | {"split": split}
                )
    return Manifest.of("toy", root, rows, {category: category for category in CATEGORIES})


class Wordless(nn.Module):
    """A method without CLIP, words and prompts: small pictures as they are."""

    on_backbone, image_size, uses_category = False, 56, False

    def __init__(self, config: DPCLIPConfig):
        super().__init__()
        self.config = config

    @classmethod
    def trains(cls, config: DPCLIPConfig) -> bool:
        return False

    def normalise(self, images: Tensor) -> Tensor:
        return images - 0.5

    def context(self, support_images: Tensor | None, text_feature: Tensor | None) -> Context:
        return Context([], [])

    def encode(self, images: Tensor, context: Context) -> Features:
        return Features(nn.functional.avg_pool2d(images, 8).flatten(1))  # (B, 3 * 7 * 7)

    def distance(self, query: Features, gallery: Features) -> Tensor:
        return retrieval_distance(query, gallery, self.config.fusion)
