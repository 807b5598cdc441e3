"""Which concept an icon shows, by its name: the rules behind Icon-SBIR. Word lists: data/icon-sbir/concepts.toml.

The vocabulary is the names of Quick, Draw!, of the lists in data/splits.json and of OpenMoji, less a stop list. An icon
belongs to the concept that is the head noun of its name, the last one of it. The rules look at names only.
"""

import json
import re
import tomllib
from functools import cache

from dpclip.data.benchmark import ROOT as FOLDER
from dpclip.data.benchmark import Icon
from dpclip.files import DATA
from makers.icon_sets import read_csv

STYLE = re.compile(
    r"[- ](fill|filled|outline|outlined|bold|light|thin|duotone|rounded|round|sharp|linear|broken|line|line-duotone"
    r"|bold-duotone|regular|color|solid|twotone|alt|variant|remix|v1|v2|baseline|flat|free|24px|o|\d+)$"
)
PREPOSITION = re.compile(r" (?:with|without|of|in|on|for|from|to|at|by|above|under|behind) ")
ALREADY_PLURAL = set(
    "glasses scissors sunglasses jeans shorts binoculars headphones chopsticks grapes cherries pants pliers handcuffs "
    "hourglass compass goggles trousers cactus octopus walrus bus lens canvas fries high-heels heels christmas".split()
)
EMOJI = "emojione emojione-v1 fluent-emoji fxemoji noto noto-v1 openmoji streamline-emojis twemoji".split()  # families


@cache
def rules() -> dict:
    """The word lists; sets of words where order means nothing."""
    lists = tomllib.loads((FOLDER / "concepts.toml").read_text(encoding="utf-8"))
    for key in ("stop", "interface", "trailing"):
        lists[key] = {plain(word) for word in lists[key].split()}
    lists["other"] = {plain(name) for name in lists["other"]}
    return lists


def plain(name: str) -> str:
    """A name in lower case and in the singular, without brackets: "Paint_brushes" -> "paint brush"."""
    words = re.sub(r"\(.*?\)|_\(.*", "", name).replace("_", " ").replace("-", " ").lower().split()
    return " ".join(word if word in ALREADY_PLURAL else _singular(word) for word in words)


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith(("shes", "ches", "xes", "sses")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


@cache
def vocabulary() -> frozenset[str]:
    """All concepts that an icon may belong to."""
    names = {row["name"] for row in read_csv(FOLDER / "vocabulary.csv")}
    for lists in json.loads((DATA / "splits.json").read_text(encoding="utf-8")).values():
        names |= {*lists.get("categories", []), *lists.get("seen", [])}
        names |= {name for unseen in lists["unseen"].values() for name in unseen}
    alias = rules()["alias"]
    found = {plain(name) for name in names}
    return frozenset({alias.get(name, name) for name in found | set(alias.values())} - rules()["stop"])


def quickdraw_names(concepts: set[str]) -> dict[str, str]:
    """Concept -> its name in Quick, Draw!, for the concepts that people drew there."""
    found = {}
    for row in read_csv(FOLDER / "vocabulary.csv"):
        concept = rules()["alias"].get(plain(row["name"]), plain(row["name"]))
        if row["source"] == "quickdraw" and concept in concepts and found.get(concept) != concept:
            found[concept] = row["name"]  # "cake" rather than "birthday cake"
    return found


def style_free(name: str) -> str:
    """An icon's name without its style: "apple-bold-duotone" -> "apple". Numbers go too."""
    while (shorter := STYLE.sub("", name)) != name:
        name = shorter
    return name


def style_group(name: str) -> str:
    """What all styles of one drawing share; a number at the end tells drawings apart: "cat-02-bold" -> "cat-02"."""
    while not re.search(r"-0*\d+$", name) and (shorter := STYLE.sub("", name)) != name:
        name = shorter
    return name


def concept_of(icon: Icon, family: str) -> str | None:
    """The concept an icon shows, None if it shows none."""
    lists = rules()
    if f"{icon.set}:{style_group(icon.name)}" in lists["wrong"]:
        return None
    if plain(icon.name) in (lists["other"] | lists["stop"]) - vocabulary():  # "police car light" is no style of a car
        return None
    words, _, after = PREPOSITION.sub(",", plain(style_free(icon.name)), count=1).partition(",")
    if set(after.split()) & lists["interface"]:
        return None
    words = words.split()
    found = _head_noun(words)
    while not found and len(words) > 1 and words[-1] in lists["trailing"]:
        words = words[:-1]
        found = _head_noun(words)
    return found if found and _same_sense(lists["sense"].get(found, ""), family) else None


def _same_sense(rule: str, family: str) -> bool:
    """Whether drawings of this family mean what the concept means; "" allows all, "not" refuses the families named."""
    named = {name for word in rule.split() for name in (EMOJI if word == "emoji" else [word])}
    return not rule or (family in named) != ("not" in named)


def _head_noun(words: list[str]) -> str | None:
    """The longest concept that `words` end with, unless what stands before makes it another thing: a hot dog."""
    lists = rules()
    for start in range(max(0, len(words) - 3), len(words)):
        head, before = " ".join(words[start:]), words[:start]
        head = lists["alias"].get(head, head)
        if head in lists["stop"] and start < len(words) - 1:
            return None
        if head in vocabulary():
            another = len(before) > 2 or "and" in words or set(before) & lists["interface"]
            phrases = {" ".join(words[first:]) for first in range(start)}
            return None if another or phrases & lists["other"] else head
    return None


def is_exact(icon: Icon, concept: str) -> bool:
    """Whether the icon's name says the concept and nothing else."""
    name = plain(style_free(icon.name))
    return rules()["alias"].get(name, name) == concept
