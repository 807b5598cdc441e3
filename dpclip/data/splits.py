"""Which categories are unseen: lists named by their author, a file of one's own, or a rule. Source: section 11.

Never by number: "split 1" is the list of Shen (2018) in the literature and that of Yelamarthi (2018) in some released
code, "split 2" the other one.
"""

import json
import re
from functools import cache
from pathlib import Path

from dpclip.data.spelling import canonical, closest
from dpclip.errors import UserError
from dpclip.files import DATA

LISTS = {"sketchy": "sketchy", "sketchy-ext": "sketchy", "tuberlin-ext": "tuberlin", "quickdraw-ext": "quickdraw"}


@cache
def split_lists() -> dict:
    """The content of data/splits.json."""
    return json.loads((DATA / "splits.json").read_text(encoding="utf-8"))


def authors(name: str) -> dict[str, list[str]]:
    """The unseen lists that a dataset can be split by, author -> categories; for a folder of one's own, all lists."""
    chosen = [LISTS[name]] if name in LISTS else list(dict.fromkeys(LISTS.values()))
    return {author: unseen for each in chosen for author, unseen in split_lists()[each]["unseen"].items()}


def known_categories(name: str) -> list[str]:
    """All categories of a dataset in canonical spelling; empty where the list is not known (TU-Berlin, one's own)."""
    lists = split_lists().get(LISTS.get(name, ""), {})
    if "seen" in lists:
        return sorted(lists["seen"] + lists["unseen"]["doodle2search"])
    return lists.get("categories", [])


def read_list(path: Path) -> list[str]:
    """A text file with one category a line; empty lines and lines that begin with # do not count."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path} cannot be read as a list of categories ({error}). Write UTF-8 text, one category a line."
        ) from error
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def unseen_categories(name: str, unseen: str, categories: list[str]) -> list[str]:
    """The unseen ones among `categories`: by author, by a file, or, with an empty `unseen`, every fifth in sorted
    order (the 5th, 10th, ...; the last one where there are fewer) `ours`.

    Of an author's list the categories that are not there are left out; those of a file must all be there. Raises
    UserError for an unknown author, a misspelled category, and when nothing is left on one side.
    """
    lists = authors(name)
    if not unseen:
        chosen = categories[4::5] or categories[-1:]
    elif unseen in lists:
        chosen = list(canonical_subset(lists[unseen], categories))
    elif Path(unseen).is_file():
        chosen = _from_file(Path(unseen), categories)
    else:
        numbered = " A number is not enough: the two lists of Sketchy are numbered both ways." * bool(
            re.fullmatch(r"\D*[12]", unseen)
        )
        raise UserError(
            f"{name}: unseen={unseen!r} is no split.{numbered} Use one of {', '.join(lists)}, "
            "or the path of a text file with one category a line."
        )
    if not chosen or len(chosen) >= len(categories):
        raise UserError(
            f"{name}: {len(chosen)} of {len(categories)} categories are unseen, but at least one is needed on each "
            "side. Choose another list with `unseen`, or add categories."
        )
    return sorted(chosen)


def canonical_subset(wanted: list[str], categories: list[str]) -> list[str]:
    """Those of `categories` that `wanted` names in any spelling."""
    return sorted(set(canonical(wanted, categories).values()))


def _from_file(path: Path, categories: list[str]) -> list[str]:
    wanted = read_list(path)
    matched = canonical(wanted, categories)
    for category in wanted:
        if category not in matched:
            near = closest(category, categories)
            hint = f"Did you mean {near!r}?" if near else f"The categories are: {', '.join(categories[:20])} ..."
            raise UserError(f"{path}: {category!r} is no category of this dataset. {hint}")
    return sorted(set(matched.values()))


def assign(categories: list[str], unseen: list[str], validation: int = 0) -> dict[str, str]:
    """Category -> "seen", "val" or "unseen". The `validation` categories stand evenly spaced among the sorted seen
    ones: numbers floor((i + 1/2) * seen / validation), counted from 0 `ours`.

    Raises UserError when no seen category would be left.
    """
    seen = sorted(set(categories) - set(unseen))
    if not 0 <= validation < len(seen):
        raise UserError(f"validation={validation}: choose 0 to {len(seen) - 1}, there are {len(seen)} seen categories.")
    held = {seen[(2 * i + 1) * len(seen) // (2 * validation)] for i in range(validation)}
    sides = {category: "val" if category in held else "seen" for category in seen}
    return sides | {category: "unseen" for category in unseen}
