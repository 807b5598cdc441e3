"""The committed icons of the benchmark Icon-SBIR: which drawings, of which concept, and which concepts are held out.

icons.jsonl.xz has one drawing a line: concept, set, name, view box, SVG body, whether the set is coloured.
Source: `ours`.
"""

import hashlib
import json
import lzma
import re
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from dpclip.errors import UserError
from dpclip.files import DATA, atomic_write_bytes

FOLDER = DATA / "icon-sbir"
TABLE = "icons.jsonl.xz"
VALIDATION = 20  # of the seen concepts


@dataclass(frozen=True)
class Icon:
    """One artist's drawing of a concept; monochrome drawings are black."""

    concept: str  # "alarm clock"; empty before an icon is chosen
    set: str
    name: str
    box: str  # SVG view box: x y width height
    body: str  # SVG markup
    coloured: bool

    @cached_property
    def instance(self) -> str:
        """The name of its files, different for every icon of a concept."""
        return re.sub(r"[^a-z0-9]+", "-", f"{self.set}-{self.name}".lower()).strip("-")


def read_icons(folder: Path = FOLDER) -> list[Icon]:
    """All icons of the committed table, ordered by concept, set and name. Raises UserError for a damaged file."""
    path = Path(folder) / TABLE
    try:
        with lzma.open(path, "rt", encoding="utf-8") as lines:
            return [Icon(**json.loads(line)) for line in lines]
    except (OSError, ValueError, TypeError, EOFError, lzma.LZMAError) as error:
        raise UserError(f"{path} cannot be read ({error}). Restore it: git checkout -- {path}") from error


def write_icons(icons: list[Icon], folder: Path = FOLDER) -> None:
    """Write the table; sets that draw alike lie side by side in it, so that it packs well."""
    ordered = sorted(icons, key=lambda icon: (icon.concept, icon.set, icon.name))
    text = "".join(json.dumps(asdict(icon), ensure_ascii=False, separators=(",", ":")) + "\n" for icon in ordered)
    atomic_write_bytes(Path(folder) / TABLE, lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


def split_of(concepts: set[str]) -> dict[str, str]:
    """seen, val or unseen for each concept. The rule was written down before any result: a concept is unseen when the
    SHA-256 of its name, as a number, is divisible by four; of the others, the 20 with the smallest are for validation.
    """
    number = {concept: int(hashlib.sha256(concept.encode()).hexdigest(), 16) for concept in concepts}
    seen = sorted((concept for concept in concepts if number[concept] % 4), key=number.get)
    return {concept: "unseen" for concept in concepts - set(seen)} | {
        concept: "val" if place < VALIDATION else "seen" for place, concept in enumerate(seen)
    }
