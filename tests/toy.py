"""A dataset of random pictures with the shape of the real ones, small enough to train on within a test."""

from pathlib import Path

import numpy as np
from PIL import Image

from dpclip.data.manifest import Manifest

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
