"""Where a dataset is to be had, under which terms, and what its folder must look like: texts of data/sources.toml."""

from dpclip.config import preset
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
    if name == "folder":
        parts.append(f"At least\n  {minimum()}")
        return "\n\n".join(
            [*parts, "Then\n  dpclip data check folder FOLDER\n  dpclip train --preset mini --data FOLDER"]
        )
    splits = [f"{author} ({len(unseen)} unseen)" for author, unseen in authors(name).items()]
    parts.append(f"Splits, by author\n  {', '.join(splits)}; {facts['unseen']} unless you say otherwise")
    return "\n\n".join([*parts, f"Then\n  dpclip data check {name} FOLDER"])


def minimum() -> str:
    """How many pictures a folder of one's own needs under the preset `mini`: what `check_trainable` asks for."""
    config = preset("mini")
    photos = config.model.support_photos
    return (
        f"two categories, one of them unseen; {photos + 2} photos in each, {photos + 1} of them with a sketch;\n"
        f"  {config.batch} sketches in a seen category, or a smaller batch (--set batch=N)"
    )
