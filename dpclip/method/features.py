"""What the method says about images: one global feature, and one for each window."""

from dataclasses import dataclass, field

import torch
from torch import Tensor


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
