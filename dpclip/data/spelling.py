"""Category names: one canonical spelling for the many of circulated folders, and words for the text encoder.

Source: section 11 (`car_(sedan)`/`car_sedan`, `hot-air_balloon`/`hot_air_balloon`, `jack-o-lantern`/`jack_o_lantern`);
the choice of words is `ours`.
"""

import difflib
import re
from collections.abc import Iterable

RENAMED = {"theeiffeltower": "eiffeltower", "crocodile": "crocodilian", "motorbike": "motorcycle"}  # Quick, Draw!
WORDS = {  # where underscores turned into spaces do not read well
    "carsedan": "sedan car",
    "hotairballoon": "hot air balloon",
    "hotdog": "hot dog",
    "jackolantern": "jack-o'-lantern",
    "tshirt": "t-shirt",
    "bearanimal": "bear",
    "mouseanimal": "mouse",
    "cranemachine": "construction crane",
    "pipeforsmoking": "smoking pipe",
    "eiffeltower": "Eiffel Tower",
}


def key(name: str) -> str:
    """The letters and digits of a name, in lower case: what all spellings of a category have in common."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def canonical(names: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Each of `names` that is a spelling of a known category -> that category. The others are left out."""
    spelled = {key(category): category for category in known}
    found = {}
    for name in names:
        own = key(name)
        own = own if own in spelled else RENAMED.get(own, own)
        if own in spelled:
            found[name] = spelled[own]
    return found


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known category that a misspelled one most resembles, or None when none is near."""
    spelled = {key(category): category for category in known}
    near = difflib.get_close_matches(key(name), spelled, 1)
    return spelled[near[0]] if near else None


def words(category: str) -> str:
    """What the text encoder reads: "alarm_clock" -> "alarm clock", "car_(sedan)" -> "sedan car"."""
    return WORDS.get(key(category)) or re.sub(r"[_\-\s]+", " ", category).strip()
