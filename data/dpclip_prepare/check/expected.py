"""How many images a dataset should hold: from its list of names, or from data/sources.toml. Source: section 11."""

from functools import cache

import pandas as pd

from dpclip.data.sources import sources
from dpclip.data.splits import authors, canonical, known_categories
from dpclip.files import DATA


@cache
def published_names() -> tuple[frozenset[str], frozenset[str]]:
    """All photos and all sketches of Sketchy's aligned set, as "<category>/<name without extension>"."""
    table = pd.read_csv(DATA / "sketchy" / "names.tsv.gz", sep="\t", dtype=str)
    photos = (table["category"] + "/" + table["photo_id"]).tolist()
    numbers = table["sketch_numbers"].str.split(",")
    return frozenset(photos), frozenset(f"{photo}-{k}" for photo, ks in zip(photos, numbers, strict=True) for k in ks)


def expected_counts(name: str, unseen: str) -> dict[str, int]:
    """What -> number of images ("photos", "unseen sketches", ...), where it is known under this split."""
    listed = sources()[name].get("expected", {})
    counts = {what: number for what, number in listed.items() if isinstance(number, int)}
    if name in ("sketchy", "sketchy-ext"):
        counts |= _from_names(name, unseen)
    return counts | listed.get(unseen, {})


def _from_names(name: str, unseen: str) -> dict[str, int]:
    photos, sketches = published_names()
    counts = {
        "categories": len(known_categories(name)),
        "photos" if name == "sketchy" else "aligned photos": len(photos),
        "sketches": len(sketches),
    }
    lists = authors(name)
    if unseen in lists:
        away = set(canonical(lists[unseen], known_categories(name)).values())
        sides = {"sketches": sketches} | ({"photos": photos} if name == "sketchy" else {})
        for what, names in sides.items():
            test = sum(each.partition("/")[0] in away for each in names)
            counts |= {f"seen {what}": len(names) - test, f"unseen {what}": test}
    return counts
