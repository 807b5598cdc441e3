"""Categories: which are unseen; one spelling for the many of circulated folders; words for the text encoder `ours`.

Section 11. A list is never named by number: "split 1" is Shen's (2018) in the literature, Yelamarthi's (2018) in code.
"""

import difflib
import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from dpclip.errors import UserError
from dpclip.files import DATA

UNSEEN = "unseen.txt"  # in a folder of one's own: its unseen categories, one a line
LISTS = {"sketchy": "sketchy", "sketchy-ext": "sketchy", "tuberlin-ext": "tuberlin", "quickdraw-ext": "quickdraw"}
RENAMED = {"theeiffeltower": "eiffeltower", "crocodile": "crocodilian", "motorbike": "motorcycle"}  # Quick, Draw!
READING = {  # where underscores turned into spaces do not read well, or the released code reads otherwise
    "carsedan": "car sedan",
    "hotairballoon": "hot-air balloon",
    "hotdog": "hotdog",
    "jackolantern": "jack-o-lantern",
    "tshirt": "t-shirt",
    "bearanimal": "bear",
    "mouseanimal": "mouse",
    "cranemachine": "construction crane",
    "pipeforsmoking": "smoking pipe",
    "eiffeltower": "Eiffel Tower",
}


@cache
def split_lists() -> dict:
    """The content of data/splits.json."""
    return json.loads((DATA / "splits.json").read_text(encoding="utf-8"))


def authors(name: str) -> dict[str, list[str]]:
    """The unseen lists that a dataset can be split by, author -> categories; for a folder of one's own, all lists."""
    chosen = [LISTS[name]] if name in LISTS else dict.fromkeys(LISTS.values())
    return {author: unseen for each in chosen for author, unseen in split_lists()[each]["unseen"].items()}


def known_categories(name: str) -> list[str]:
    """All categories of a dataset in canonical spelling; empty where the list is not known (TU-Berlin, one's own)."""
    lists = split_lists().get(LISTS.get(name, ""), {})
    if "seen" in lists:
        return sorted(lists["seen"] + lists["unseen"]["doodle2search"])
    return lists.get("categories", [])


def unseen_categories(name: str, unseen: str, categories: list[str]) -> list[str]:
    """The unseen ones among `categories`: by author, by a file, or, if empty, every fifth in sorted order (or the last)
    `ours`. An author's that are not there are left out; a file's must all be there, and may be all there are.
    Raises UserError for an unknown author, a misspelled category, and when nothing is left on one side.
    """
    lists = authors(name)
    if not unseen:
        chosen = categories[4::5] or categories[-1:]
    elif unseen in lists:
        chosen = sorted(set(canonical(lists[unseen], categories).values()))
    elif Path(unseen).is_file():
        return _from_file(Path(unseen), categories)
    else:
        both = " A number is not enough: the two lists of Sketchy are numbered both ways."
        numbered = both if re.fullmatch(r"\D*[12]", unseen) else ""
        use = f"Use one of {', '.join(lists)}, or the path of a text file with one category a line."
        raise UserError(f"{name}: unseen={unseen!r} is no split.{numbered} {use}")
    if not chosen or len(chosen) >= len(categories):
        way = f" To test a trained run on them all, list them in a file, one a line: {UNSEEN} in the folder."
        what = f"{len(chosen)} of {len(categories)} categories are unseen, but at least one is needed on each side"
        raise UserError(f"{name}: {what}. Add categories, or choose another list with `unseen`.{way * bool(chosen)}")
    return sorted(chosen)


def _from_file(path: Path, categories: list[str]) -> list[str]:
    """The categories that a text file names, one a line, but for empty lines and those that begin with #."""
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read ({error}). Write UTF-8 text, one category a line.") from error
    wanted = [line for line in lines if line and not line.startswith("#")]
    matched = canonical(wanted, categories)
    if unknown := [category for category in wanted if category not in matched]:
        near = closest(unknown[0], categories)
        hint = f"Did you mean {near!r}?" if near else f"The categories are: {', '.join(categories[:20])} ..."
        raise UserError(f"{path}: {unknown[0]!r} is no category of this dataset. {hint}")
    if not matched:
        raise UserError(f"{path} lists no category. Write at least one, one a line.")
    return sorted(set(matched.values()))


def assign(categories: list[str], unseen: list[str], validation: int = 0) -> dict[str, str]:
    """Category -> "seen", "val" or "unseen". The `validation` categories stand evenly spaced among the sorted seen
    ones: numbers floor((i + 1/2) * seen / validation), from 0 `ours`. UserError when none would stay seen.
    """
    seen = sorted(set(categories) - set(unseen))
    if validation and not 0 < validation < len(seen):
        most = max(len(seen) - 1, 0)
        raise UserError(f"val_categories={validation}: choose 0 to {most}, there are {len(seen)} seen categories.")
    held = {seen[(2 * i + 1) * len(seen) // (2 * validation)] for i in range(validation)}
    sides = {category: "val" if category in held else "seen" for category in seen}
    return sides | {category: "unseen" for category in unseen}


def spelling_key(name: str) -> str:
    """The letters and digits of a name, in lower case: what all spellings of a category have in common."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def canonical(names: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Each of `names` that is a spelling of a known category -> that category. The others are left out."""
    spelled = {spelling_key(category): category for category in known}
    keys = {name: spelling_key(name) for name in names}
    found = {name: spelled.get(key) or spelled.get(RENAMED.get(key)) for name, key in keys.items()}
    return {name: category for name, category in found.items() if category}


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known category that a misspelled one most resembles, or None when none is near."""
    spelled = {spelling_key(category): category for category in known}
    near = difflib.get_close_matches(spelling_key(name), spelled, 1)
    return spelled[near[0]] if near else None


def category_words(category: str) -> str:
    """What the text encoder reads: "alarm_clock" -> "alarm clock", "car_(sedan)" -> "sedan car"."""
    return READING.get(spelling_key(category)) or re.sub(r"[_\-\s]+", " ", category).strip()
