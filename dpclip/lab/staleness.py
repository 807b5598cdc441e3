"""Whether a record still holds: is the code that matters to its numbers the code that made it?

A change that alters no number is confirmed by making one run again (`verify.confirm`). data/records/confirmed.json
keeps which modules changed from what to what, which run showed it, and why no other run differs either; it speaks for
all records.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from dpclip.data.files import atomic_write_text
from dpclip.lab.fingerprint import USUAL, code_at, code_here
from dpclip.lab.records import RECORDS

CONFIRMED = RECORDS / "confirmed.json"


@dataclass(frozen=True)
class Validity:
    """`state`: current | confirmed (only confirmed changes since) | stale | unknown (which code made it). `changed`:
    the modules that differ; of a stale record, only those whose change is not confirmed.
    """

    state: str
    changed: tuple[str, ...] = ()


def validity(record: dict, confirmed: Path = CONFIRMED) -> Validity:
    """Of a record, by its own list of modules or else by its commit, against the code that is here."""
    made_by, now = code_of(record), code_here(_method(record))
    if made_by is None:
        return Validity("unknown")
    changed = changes(made_by, now)
    if not changed:
        return Validity("current")
    steps = {(m, old): new for entry in confirmations(confirmed) for m, (old, new) in entry["modules"].items()}
    open_ = tuple(module for module in changed if not _leads(steps, module, made_by.get(module), now.get(module)))
    return Validity("stale", open_) if open_ else Validity("confirmed", tuple(changed))


def code_of(record: dict) -> dict[str, str] | None:
    """Module -> hash of the code that made a record; None when it is not known."""
    return record.get("code") or code_at(record["commit"], _method(record))


def _method(record: dict) -> str:
    return record["config"].get("method", USUAL)


def changes(before: dict[str, str], after: dict[str, str]) -> dict[str, list[str | None]]:
    """Module -> [hash before, hash after] where they differ; None for a module that is not there."""
    names = sorted(before.keys() | after.keys())
    return {name: [before.get(name), after.get(name)] for name in names if before.get(name) != after.get(name)}


def confirmations(path: Path = CONFIRMED) -> list[dict]:
    """Entries {"modules": {module: [before, after]}, "run": ..., "why": ..., "commit": ...}."""
    return json.loads(path.read_text(encoding="utf-8"))["confirmed"] if path.exists() else []


def add_confirmation(entry: dict, path: Path = CONFIRMED) -> None:
    content = {"confirmed": [*confirmations(path), entry]}
    atomic_write_text(path, json.dumps(content, indent=1, sort_keys=True) + "\n")


def _leads(steps: dict, module: str, old: str | None, new: str | None) -> bool:
    """Whether confirmed changes lead from one version of a module to another."""
    seen = set()
    while old != new and old not in seen and (module, old) in steps:
        seen.add(old)
        old = steps[module, old]
    return old == new
