"""The loss of one batch, from row numbers to a number: what a training step differentiates."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from dpclip.config import RunConfig
from dpclip.data.augmentation import augment
from dpclip.data.batches import FOREIGN, Batch, support_places
from dpclip.data.store import ImageStore
from dpclip.errors import UserError
from dpclip.method import losses
from dpclip.method.interface import Features, Method

VIEWED = ("sketch", "positive", "negative")  # pictures of a batch that are augmented


@dataclass(frozen=True)
class Pictures:
    """The pictures of a batch as uint8 on the device: (B, 1 or 3, S, S) each, support (S, 3, S, S) or empty."""

    sketch: Tensor
    positive: Tensor
    negative: Tensor
    support: Tensor

    @classmethod
    def load(cls, store: ImageStore, batch: Batch) -> "Pictures":
        """From the store's files to its device; pinned memory makes the copy to an accelerator asynchronous."""
        parts = [store.load(rows) for rows in (batch.sketch, batch.positive, batch.negative, batch.support)]
        if store.device != "cpu":
            parts = [part.pin_memory().to(store.device, non_blocking=True) for part in parts]
        return cls(*parts)


@dataclass(frozen=True)
class Work:
    """One batch and what its loss needs besides the model."""

    batch: Batch
    pictures: Pictures
    other: Batch | None  # a batch of another category, for relative distances
    epoch: int
    number: int  # of the batch within the epoch


class Objective(nn.Module):
    """Section 7: sketch, positive and negative of a batch go through the tower together; then the loss of section 6. A
    module, so that DistributedDataParallel can wrap it.
    """

    def __init__(self, model: Method, store: ImageStore, words: dict[str, Tensor], config: RunConfig, seed: int):
        super().__init__()
        self.model, self.store, self.words, self.config, self.seed = model, store, words, config, seed
        self.look = torch.compile(model.encode) if config.compile else model.encode

    def forward(self, work: Work) -> Tensor:
        """The loss, a scalar; every random draw is a function of (seed, epoch, number). Raises UserError when it is not
        finite.
        """
        batch, pictures = work.batch, work.pictures
        torch.manual_seed(hash_seed(self.seed, work.epoch, work.number, 1))  # dropout, which has draws of its own
        generator = torch.Generator().manual_seed(hash_seed(self.seed, work.epoch, work.number))
        self.model.train()
        ids = torch.from_numpy(batch.positive).to(pictures.positive.device)
        views = augment(pictures.sketch, pictures.positive, pictures.negative, generator)
        with torch.autocast(ids.device.type, torch.bfloat16, enabled=self.config.precision == "bf16"):
            support = self.support_views(views, pictures, generator)
            triplet = self.encode(views, support, batch)
            loss = self.model.loss(*triplet, ids, work.epoch)
            loss = loss + self.added_losses(views, support, triplet, work, generator)
        if not torch.isfinite(loss):
            paths = self.store.manifest.table["path"]
            shown = (f"{part}: {', '.join(paths.iloc[getattr(batch, part)])}" for part in VIEWED)
            raise UserError(
                f"the loss is {loss.item()} at epoch {work.epoch}, batch {work.number}, category {batch.category}. "
                f"Lower the learning rates; the last checkpoint is kept. Its pictures: {'; '.join(shown)}."
            )
        return loss

    def support_views(self, views: tuple[Tensor, ...], pictures: Pictures, generator: torch.Generator) -> Tensor:
        """The support images as the batch shows them, augmented `code`; those of other categories with draws of their
        own `ours`: (S, 3, S, S).
        """
        config = self.config.model
        if config.support not in FOREIGN:
            own, theirs = support_places(config, len(views[0]))
            return torch.cat([views[0][own], views[1][theirs]])
        parts = enumerate(pictures.support.split(config.support_counts))
        return torch.cat([augment(part, part, part, generator)[number] for number, part in parts if len(part)])

    def encode(self, views: tuple[Tensor, ...], support: Tensor, batch: Batch) -> list[Features]:
        """Views (B, 3, S, S) each, prompted for the category of the batch, in one pass -> their features."""
        model = self.model
        context = model.context(model.normalise(support) if len(support) else None, self.words[batch.category])
        features = self.look(model.normalise(torch.cat(views)), context)
        size = len(views[0])
        return [features[i * size : (i + 1) * size] for i in range(len(views))]

    def added_losses(self, views: tuple[Tensor, ...], support: Tensor, triplet: list, work: Work, generator):
        """The losses of CLIP-AT that the config gives a weight, weighted; 0 for DP-CLIP."""
        config, batch, added = self.config.model, work.batch, 0.0
        sketch, positive, negative = (features.global_feature for features in triplet)
        if config.shuffle_weight:
            one, two = losses.two_orders(len(sketch), generator)
            orders = ((views[0], one), (views[1], one), (views[1], two))
            shuffled = tuple(losses.shuffle_patches(view, order) for view, order in orders)
            features = [f.global_feature for f in self.encode(shuffled, support, batch)]
            added = added + config.shuffle_weight * losses.shuffle_loss(*features, config.margin)
        if config.relative_weight and work.other:
            theirs = self.relative_distances(work.other, generator)
            ours = losses.relative_distances(sketch, positive, negative)
            added = added + config.relative_weight * losses.relative_loss(ours, theirs)
        if config.text_weight:
            names = self.store.manifest.categories("seen")
            texts, scale = torch.stack([self.words[name] for name in names]), self.model.backbone.clip.logit_scale.exp()
            loss = losses.text_loss(torch.cat([sketch, positive]), texts, names.index(batch.category), scale)
            added = added + config.text_weight * loss
        return added

    @torch.no_grad()
    def relative_distances(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Of another category's batch, which is only compared with: (B,)."""
        pictures = Pictures.load(self.store, batch)
        views = augment(pictures.sketch, pictures.positive, pictures.negative, generator)
        support = self.support_views(views, pictures, generator)
        return losses.relative_distances(*(f.global_feature for f in self.encode(views, support, batch)))


def hash_seed(*numbers: int) -> int:
    """One 63-bit seed from several numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)
