"""Batches of icon groups for pre-training: which pictures, which captions, and which icons are held out."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from dpclip_prepare.clip import icons
from dpclip_prepare.clip.icon_views import canonical, random_views

CAPTIONS = (
    "{}", "a {}", "an icon of a {}", "a picture of a {}", "a drawing of a {}", "a sketch of a {}", "a photo of a {}",
    "this is a {} in the image.", "{}, {topic}", "a {topic} icon: {}",
)  # fmt: skip
TOPICS = ("activities", "animals", "food", "objects", "travel")  # of emoji sets: things, not faces or signs
HELD_OUT = 1000  # groups of which one picture is kept from training
TOPIC_SHARE = 0.5  # share of a batch drawn from one topic, so that alike things meet
EMOJI_SHARE = 0.6  # share of the rest drawn from groups that have an emoji


@dataclass
class Corpus:
    """The icon table with its pictures, grouped; `held_out` are table rows never trained on, one of each of 1,000
    groups.
    """

    table: pd.DataFrame
    colour: np.ndarray
    mono: np.ndarray
    held_out: np.ndarray

    def __post_init__(self) -> None:
        train = self.table.drop(index=self.held_out)
        self.members = {group: rows.to_numpy() for group, rows in train.groupby("group").groups.items()}
        emoji = set(icons.sets().query("kind == 'emoji'")["set"])
        is_emoji = train["set"].isin(emoji)
        self.all_groups = np.array(sorted(self.members))
        self.emoji_groups = np.array(sorted(train[is_emoji]["group"].unique()))
        words = train["topic"].str.split().str[0].replace({"activity": "activities", "nature": "animals"})
        topics = train["group"][is_emoji & words.isin(TOPICS)].groupby(words)
        self.topics = [np.array(sorted(set(groups))) for _, groups in topics]
        first = train[train["topic"] != ""].drop_duplicates("group")
        self.topic_of = dict(zip(first["group"], first["topic"], strict=True))

    def taught(self, others: int) -> np.ndarray:
        """Rows the teacher looks at: every coloured picture, every picture of a group with an emoji, and some
        `others`.
        """
        wanted = self.table["colour"] | self.table["group"].isin(self.emoji_groups)
        extra = self.table[~wanted].sample(min(others, int((~wanted).sum())), random_state=0).index
        return np.sort(np.concatenate([np.flatnonzero(wanted), extra]))

    def draw_groups(self, count: int, random: np.random.Generator) -> list[str]:
        """`count` different groups: half of one topic, the rest from everywhere with emoji preferred."""
        topic = self.topics[random.integers(len(self.topics))]
        chosen = dict.fromkeys(random.permutation(topic)[: int(count * TOPIC_SHARE)].tolist())
        while len(chosen) < count:
            pool = self.emoji_groups if random.random() < EMOJI_SHARE else self.all_groups
            chosen[str(pool[random.integers(len(pool))])] = None
        return list(chosen)

    def draw_pairs(self, groups: list[str], random: np.random.Generator) -> np.ndarray:
        """Two table rows of each group, different where it has two: (2, B)."""
        pairs = []
        for group in groups:
            rows = self.members[group]
            pairs.append(random.choice(rows, 2, replace=False) if len(rows) > 1 else rows[[0, 0]])
        return np.array(pairs).T

    def captions(self, groups: list[str], random: np.random.Generator) -> list[str]:
        """One caption a group, in a random template."""
        texts = []
        for group in groups:
            topic = self.topic_of.get(group, "")
            template = CAPTIONS[random.integers(len(CAPTIONS) if topic else len(CAPTIONS) - 2)]
            texts.append(template.format(group, topic=topic))
        return texts

    def pictures(self, rows: np.ndarray) -> tuple[Tensor, Tensor, np.ndarray]:
        """Coloured RGBA (B, 4, S, S) and monochrome coverage (M, 1, S, S) in [0, 1], and the order that puts coloured
        rows first.
        """
        is_colour = self.table["colour"].to_numpy()[rows]
        order = np.argsort(~is_colour, kind="stable")
        place, split = self.table["row"].to_numpy()[rows][order], int(is_colour.sum())
        colour = torch.from_numpy(self.colour[place[:split]]).permute(0, 3, 1, 2).float().div_(255)
        return colour, torch.from_numpy(self.mono[place[split:]])[:, None].float().div_(255), order

    def views(self, rows: np.ndarray, size: int, generator: torch.Generator) -> Tensor:
        """A random view of each row: (B, 3, size, size) in [0, 1]."""
        colour, mono, order = self.pictures(rows)
        return random_views(colour, mono, size, generator)[torch.from_numpy(np.argsort(order))]

    def canonical(self, rows: np.ndarray) -> Tensor:
        """The pictures as they are, on white: (B, 3, S, S)."""
        colour, mono, order = self.pictures(rows)
        images = torch.cat([canonical(colour), (1 - mono).expand(-1, 3, -1, -1)])
        return images[torch.from_numpy(np.argsort(order))]


def open_corpus(folder: Path) -> Corpus:
    """Draw the corpus if needed and hold out one picture of each of 1,000 groups that have three or more, fixed by a
    seed.
    """
    table, colour, mono = icons.build(folder)
    emoji = set(icons.sets().query("kind == 'emoji'")["set"])
    sizes = table.groupby("group")["set"].transform("size")
    candidates = table[table["set"].isin(emoji) & (sizes >= 3)].sample(frac=1, random_state=0).drop_duplicates("group")
    return Corpus(table, colour, mono, np.sort(candidates.index.to_numpy()[:HELD_OUT]))
