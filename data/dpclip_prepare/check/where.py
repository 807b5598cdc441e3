"""Where a dataset is to be had, under which terms, and what its folder must look like: texts of data/sources.toml."""

from dpclip.data.sources import sources
from dpclip.data.splits import authors
from dpclip.errors import UserError


def where(name: str) -> str:
    """The text for one dataset. Raises UserError for an unknown name."""
    if name not in sources():
        raise UserError(f"dataset {name!r} is unknown. Known: {', '.join(sources())}.")
    facts = sources()[name]
    parts = [facts["title"]]
    for heading, field in (("Where", "get"), ("Terms", "terms"), ("Layout", "layout"), ("Note", "note")):
        if field in facts:
            parts.append(f"{heading}\n" + "\n".join(f"  {line}" for line in facts[field].strip().splitlines()))
    splits = [f"{author} ({len(unseen)} unseen)" for author, unseen in authors(name).items()]
    default = f"; {facts['unseen']} unless you say otherwise" if facts["unseen"] else ""
    parts.append(f"Splits, by author\n  {', '.join(splits)}{default}")
    parts.append(f"Then\n  dpclip data check {name} FOLDER")
    return "\n\n".join(parts)
