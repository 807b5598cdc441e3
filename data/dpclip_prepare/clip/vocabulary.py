"""A small byte-pair vocabulary for the mini CLIP's text tower, in the file format of CLIP's own."""

import gzip
import json
from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from dpclip.files import atomic_write_bytes

BYTES = 256  # CLIP's alphabet: each byte alone and each byte at the end of a word
SPECIAL = 2  # start and end of text


def learn_merges(texts: list[str], count: int) -> list[str]:
    """The `count` most useful merges ("t h", "th e</w>", ...) of lower-cased `texts`."""
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(vocab_size=100_000, min_frequency=2, show_progress=False, end_of_word_suffix="</w>")
    tokenizer.train_from_iterator((text.lower() for text in texts), trainer)
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    return [" ".join(pair) for pair in merges if "".join(pair).isascii()][:count]


def write_merges(merges: list[str], path: Path) -> int:
    """Write CLIP's merge file (gzip, a version line first), the same bytes for the same merges; returns the
    vocabulary size.
    """
    text = "\n".join(["#version: 0.2", *merges]) + "\n"
    atomic_write_bytes(path, gzip.compress(text.encode("utf-8"), mtime=0))
    return 2 * BYTES + len(merges) + SPECIAL
