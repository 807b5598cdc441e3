"""book/decisions.toml, checked: where the paper is silent or its released code differs, and runs that measure it."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from dpclip.config import preset
from dpclip.errors import UserError
from dpclip.files import ROOT

SOURCE = ROOT / "book" / "decisions.toml"
PRESET, SEEDS = "mini", 3  # of the runs on the page


@dataclass(frozen=True)
class Decision:
    """One entry of the file; what its fields mean is written at the head of the file."""

    name: str
    topic: str
    open: str
    reading: str
    mark: str
    changes: str
    page: str
    switch: dict[str, list] = field(default_factory=dict)
    fixed: str = ""
    runs: dict[str, dict] = field(default_factory=dict)
    compare: str = ""
    marks: list[str] = field(default_factory=list)


def read_decisions(path: Path = SOURCE) -> list[Decision]:
    """Raises UserError for an unknown or missing field, and for a switch or a value that the configuration refuses."""
    found = []
    for entry in tomllib.loads(path.read_text(encoding="utf-8"))["decision"]:
        try:
            decision = Decision(**entry)
            for name, values in decision.switch.items():
                for value in values:
                    preset("paper").set(**{name: value})
            for changes in decision.runs.values():
                preset(PRESET).set(**changes)
        except (TypeError, UserError) as error:
            raise UserError(f"{path.name}, decision {entry.get('name')!r}: {error}") from error
        if bool(decision.switch) == bool(decision.fixed):
            raise UserError(f"{path.name}, decision {decision.name!r}: give either `switch` or `fixed`.")
        found.append(decision)
    return found
