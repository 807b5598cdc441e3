"""How many images a dataset should hold: from its list of names, or from data/sources.toml. Source: section 11."""

from dpclip.data.sketchy import published_names
from dpclip.data.sources import sources
from dpclip.data.spelling import canonical
from dpclip.data.splits import authors, known_categories


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
