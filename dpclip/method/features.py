"""What goes into the tower besides images, what comes out of it, and how far two images are apart."""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Context:
    """What a category adds to the tower, the same for each of its images, sketch or photo."""

    prompts: list[Tensor]  # (K, D) for each prompted layer: all of them, only the first, or none
    scales: list[Tensor]  # (2, r) or (4, D) for each layer, or none


@dataclass(frozen=True)
class Features:
    """Features of B images, not normalised, with W windows. `features[i:j]` is a part of the batch."""

    global_feature: Tensor  # (B, E)
    local_features: Tensor | None = None  # (B, W, E), None without patch matching
    intermediates: dict[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.global_feature)

    def __getitem__(self, rows) -> "Features":
        """`rows`: a slice, or a tensor of row numbers."""
        return Features(self.global_feature[rows], None if self.local_features is None else self.local_features[rows])

    def levels(self) -> Tensor:
        """(B, 1+W, E): the global feature, then the windows."""
        first = self.global_feature[:, None]
        return first if self.local_features is None else torch.cat([first, self.local_features], dim=1)

    @staticmethod
    def cat(parts: "list[Features]") -> "Features":
        """Join batches, without intermediates."""
        local = None if parts[0].local_features is None else torch.cat([p.local_features for p in parts])
        return Features(torch.cat([p.global_feature for p in parts]), local)


def retrieval_distance(query: Features, gallery: Features, fusion: float) -> Tensor:
    """(Q, G): d_g + fusion * sum_k d_l^k with d = 1 - cos. Section 7, `code`."""
    distance = 1 - F.normalize(query.global_feature, dim=-1) @ F.normalize(gallery.global_feature, dim=-1).T
    if query.local_features is not None:
        q, g = (F.normalize(f.local_features, dim=-1).flatten(1) for f in (query, gallery))  # (Q, W E), (G, W E)
        distance = distance + fusion * (query.local_features.shape[1] - q @ g.T)
    return distance
