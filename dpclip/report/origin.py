"""Where the runs of a table come from, for its caption: made by other code, or on this machine."""

from dpclip.lab.runs import retraining
from dpclip.lab.staleness import validity


def origin_note(records: list[dict]) -> str:
    """Sentences for a caption; empty when the code of all records is this code and they are the committed ones."""
    notes = ["These runs were made on this machine, with one seed each."] if retraining() and records else []
    found = [validity(record) for record in records]
    stale = [one for one in found if one.state == "stale"]
    unknown = sum(one.state == "unknown" for one in found)
    if stale:
        modules = ", ".join(f"`{name}`" for name in sorted({name for one in stale for name in one.changed}))
        notes.append(f"{len(stale)} of {len(records)} runs were made before a change of {modules}.")
    if unknown:
        notes.append(f"Which code made {unknown} of {len(records)} runs is not known.")
    return " ".join(notes)
