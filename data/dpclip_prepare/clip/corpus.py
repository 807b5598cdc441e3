"""The icons that teach the mini CLIP, each with its words: all openly licensed sets of the npm package @iconify/json,
less every picture of the benchmark and whatever looks like one. data/makers/corpus.py chooses them; they are not
shipped. Source: `ours`.
"""

import json
import lzma
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from dpclip.data.benchmark import Icon
from dpclip.errors import UserError
from dpclip.files import atomic_write_bytes

CHOSEN = "corpus.jsonl.xz"


@dataclass(frozen=True)
class Taught:
    """An icon of the corpus. Its *label* is the concept that its name ends with ("cat" of "sleeping-cat"), or the name
    itself; icons of one label are right answers to each other's captions.
    """

    icon: Icon
    label: str
    words: str  # its own: "sleeping cat"
    concept: bool  # whether the label is a concept, of the benchmark or not
    thing: bool  # whether it is a concept, or the icon an emoji: what the mini CLIP shall know best


def read_corpus(folder: Path) -> list[Taught]:
    """The icons that `write_corpus` wrote. Raises UserError where they are not there."""
    path = Path(folder) / CHOSEN
    if not path.exists():
        raise UserError(f"{path} is missing. Choose the icons: PYTHONPATH=data python -m makers.corpus {folder}")
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        rows = map(json.loads, lines)
        return [Taught(Icon(**row.pop("icon")), **row) for row in rows]


def write_corpus(corpus: Sequence[Taught], folder: Path) -> None:
    """One icon a line, packed."""
    ordered = sorted(corpus, key=lambda taught: (taught.icon.set, taught.icon.name))
    text = "".join(json.dumps(asdict(taught), ensure_ascii=False, separators=(",", ":")) + "\n" for taught in ordered)
    atomic_write_bytes(Path(folder) / CHOSEN, lzma.compress(text.encode(), preset=9))
