"""Batches for pre-training: which pictures, in which views, with which captions. All pictures lie on the device."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dpclip_prepare.clip.corpus import Taught
from dpclip_prepare.clip.renderings import Renderings
from dpclip_prepare.clip.views import double_views, flat_views, line_views, photo_views

CAPTIONS = (
    "{}", "a {}", "an icon of a {}", "a picture of a {}", "a drawing of a {}", "a sketch of a {}", "a photo of a {}",
    "this is a {} in the image.",
)  # fmt: skip
OBJECTS = 0.6  # share of pictures that show an object
HELD_OUT = 10  # one icon in so many, of labels with several, is never trained on, up to 1,000
LABELLED = 0.7  # chance that a caption says the label and not the icon's own words


@dataclass(frozen=True)
class Batch:
    """views (2B, 3, S, S) in [0, 1], first views first; tokens (B, T); labels (B,)."""

    views: Tensor
    tokens: Tensor
    labels: Tensor


class Batches:
    """Draws batches that depend on nothing but the seed and the step."""

    def __init__(self, corpus: Sequence[Taught], pictures: Renderings, tokenizer, size: int, device: str) -> None:
        self.size, self.device = size, device
        self.flat = torch.from_numpy(np.array(pictures.flat)).to(device)
        self.photos = torch.from_numpy(np.array(pictures.photos)).to(device)
        self.lines = torch.from_numpy(np.array(pictures.lines)).to(device)
        self.mono = torch.tensor([not taught.icon.coloured for taught in corpus], device=device)
        names = sorted({taught.label for taught in corpus})
        number = {name: place for place, name in enumerate(names)}
        self.labels = np.array([number[taught.label] for taught in corpus])
        self.place = np.full(len(corpus), -1)  # of an icon among those that give photos and lines
        self.place[pictures.drawn] = np.arange(len(pictures.drawn))
        objects = np.array([taught.thing for taught in corpus])
        held = self._held_out()
        self.free = np.setdiff1d(np.arange(len(corpus)), held)
        self.weights = {
            "flat": self._weights(self.free, objects),
            "drawn": self._weights(self.free[self.place[self.free] >= 0], objects),
        }
        self.tokenizer, self.corpus = tokenizer, corpus
        self.around = [[tokenizer.encode(part) for part in caption.split("{}")] for caption in CAPTIONS]
        self.ids = {word: tokenizer.encode(word) for taught in corpus for word in (taught.label, taught.words, "and a")}
        self.held_out = self._held_pictures(held)

    def _held_out(self) -> np.ndarray:
        """Icons never trained on: of labels with many drawings that give photos, up to 1,000, the same every time."""
        members = defaultdict(list)
        for row in np.flatnonzero(self.place >= 0):
            members[self.labels[row]].append(row)
        rows = [row for label in sorted(members) for row in members[label][HELD_OUT - 1 :: HELD_OUT]]
        return np.random.default_rng(0).permutation(rows)[:1000].astype(int)

    def _held_pictures(self, held: np.ndarray) -> dict[str, tuple[Tensor, list[str]]]:
        """Their pictures (N, 3, size, size) in [0, 1] and words, flat, as photos and as lines."""
        if not len(held):
            return {}
        flat = self.flat[held].permute(0, 3, 1, 2).float() / 255
        kinds = {
            "flat": flat[:, :3] * flat[:, 3:] + 1 - flat[:, 3:],
            "photo": self.photos[self.place[held], 0].permute(0, 3, 1, 2).float() / 255,
            "line": self.lines[self.place[held], 0][:, None].float().expand(-1, 3, -1, -1) / 255,
        }
        words = [self.corpus[row].label for row in held]
        return {kind: (F.interpolate(pictures, size=self.size, mode="area"), words) for kind, pictures in kinds.items()}

    def _weights(self, rows: np.ndarray, objects: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows with the cumulative chance of each: OBJECTS for objects in all; among them and among the others, a label
        counts by the root of its number of icons.
        """
        count = np.bincount(self.labels[rows], minlength=self.labels.max() + 1)
        weight = 1 / np.sqrt(count[self.labels[rows]])
        good = objects[rows]
        for part, share in ((good, OBJECTS), (~good, 1 - OBJECTS)):
            weight[part] *= share / max(weight[part].sum(), 1e-9)
        return rows, np.cumsum(weight / weight.sum())

    def _rows(self, kind: str, count: int, random: np.random.Generator) -> np.ndarray:
        rows, chances = self.weights[kind]
        return rows[np.minimum(np.searchsorted(chances, random.random(count)), len(rows) - 1)]

    def _captions(self, words: list[list[str]], random: np.random.Generator) -> Tensor:
        """Tokens of one caption for each list of words, (B, T), as the tokenizer gives them for the whole text."""
        length, start, end = self.tokenizer.context_length, self.tokenizer.sot_token_id, self.tokenizer.eot_token_id
        tokens = np.zeros((len(words), length), dtype=np.int64)
        for row, some in enumerate(words):
            before, after = self.around[random.integers(len(CAPTIONS))]
            ids = [start, *before, *(number for word in some for number in self.ids[word]), *after][: length - 1]
            tokens[row, : len(ids) + 1] = [*ids, end]
        return torch.from_numpy(tokens)

    def draw(self, config, step: int) -> Batch:
        """The batch of a step."""
        random = np.random.default_rng([config.seed, step])
        generator = torch.Generator(self.device).manual_seed(int(random.integers(2**62)))
        photos, lines = self._rows("drawn", config.photos, random), self._rows("drawn", config.lines, random)
        flats = self._rows("flat", config.flats, random)
        one, two = self._rows("flat", config.doubles, random), self._rows("flat", config.doubles, random)
        views = [self._views(photos, lines, flats, one, two, random, generator) for _ in range(2)]
        singles, corpus = np.concatenate([photos, lines, flats]), self.corpus
        labelled = random.random(len(singles)) < LABELLED
        words = [[corpus[row].label if by else corpus[row].words] for row, by in zip(singles, labelled, strict=True)]
        words += [[corpus[a].label, "and a", corpus[b].label] for a, b in zip(one, two, strict=True)]
        pairs = self.labels.max() + 1 + np.arange(len(one))  # no two alike
        labels = torch.from_numpy(np.concatenate([self.labels[singles], pairs]))
        tokens = self._captions(words, random)
        return Batch(torch.cat(views), *(part.to(self.device, non_blocking=True) for part in (tokens, labels)))

    def _views(self, photos, lines, flats, one, two, random, generator) -> Tensor:
        """One view of each picture: (B, 3, size, size)."""
        each = self.photos.shape[1]
        photo = self.photos[self.place[photos], random.integers(each, size=len(photos))].permute(0, 3, 1, 2)
        line = self.lines[self.place[lines], random.integers(each, size=len(lines))][:, None]
        flat = [self.flat[rows].permute(0, 3, 1, 2).float() / 255 for rows in (flats, one, two)]
        return torch.cat(
            [
                photo_views(photo.float() / 255, self.size, generator),
                line_views(line.float() / 255, self.size, generator),
                flat_views(flat[0], self.mono[flats], self.size, generator),
                double_views(flat[1], flat[2], torch.stack([self.mono[one], self.mono[two]]), self.size, generator),
            ]
        )
