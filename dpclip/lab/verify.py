"""A committed run made again: does its record still say what comes out?"""

import math
import random
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from dpclip.errors import UserError
from dpclip.lab import records
from dpclip.lab.config import RunConfig
from dpclip.lab.runs import Run, ensure, make_run, open_store
from dpclip.lab.staleness import CONFIRMED, add_confirmation, changes, code_of
from dpclip.method.config import DPCLIPConfig

TOLERANCE = records.RECORDS / "tolerance.toml"
MEASURED = ("losses", "scores", "metrics")
MACHINE = ("hardware", "arithmetic", "torch")


@dataclass(frozen=True)
class Line:
    """One number of a record, the same number now, and how far apart they may be."""

    name: str
    recorded: float
    now: float
    allowed: float

    @property
    def holds(self) -> bool:
        return abs(self.now - self.recorded) <= self.allowed or math.isclose(self.now, self.recorded, rel_tol=1e-12)


def committed(folder: Path = records.RECORDS) -> list[Path]:
    """The files of all trained runs in the repository: results, searches on the validation categories, smoke."""
    return sorted(path for path in folder.glob("**/*-*-*.json") if path.parent.name != "cost")


def find(run: str, folder: Path = records.RECORDS) -> dict:
    """The record of a run by its name or its path. Raises UserError when there is none."""
    fitting = [path for path in committed(folder) if path.stem == run or path.resolve() == Path(run).resolve()]
    if not fitting:
        raise UserError(f"there is no record {run!r} in {folder}. `dpclip records check` lists all.")
    return records.read_record(fitting[0].stem, fitting[0].parent)


def choose(seed: int, folder: Path = records.RECORDS) -> dict:
    """A random record of a trained mini run, the same for the same seed and the same records."""
    found = [records.read_record(path.stem, path.parent) for path in committed(folder) if path.stem.startswith("mini-")]
    return random.Random(seed).choice([record for record in found if record["losses"]])


def config_of(record: dict) -> RunConfig:
    """Raises UserError for settings that this code does not have."""
    try:
        return RunConfig(**{**record["config"], "model": DPCLIPConfig(**record["config"]["model"])})
    except TypeError as error:
        raise UserError(f"{record['run']} has settings that this code does not know ({error}).") from error


def remake(record: dict, data: Path | None = None) -> dict:
    """Train and test a record's run from nothing; the new record is kept nowhere.

    Raises UserError when data, backbone or settings here are not those of the record.
    """
    config = config_of(record)
    store = open_store(config, data)
    run = make_run(config, record["seed"], store.manifest)
    here = Run(config, record["seed"], record["data_hash"], record["weights_hash"])
    if run.name != record["run"]:
        other = "its data or its backbone's weights" if here.name == record["run"] else "its settings"
        raise UserError(f"{record['run']} cannot be made again here: {other} are not those of this copy ({run.name}).")
    with tempfile.TemporaryDirectory() as folder:
        return ensure(run, store, Path(folder) / "records", Path(folder) / "runs", record["split"])


def same_machine(record: dict, again: dict) -> bool:
    """Whether the last digit may be expected to be the same: processor, threads and torch."""
    return all(record[name] == again[name] for name in MACHINE if name in record)


def identical(record: dict, again: dict) -> bool:
    """Whether every loss, score and metric is the same number."""
    return all(record[name] == again[name] for name in MEASURED)


def compare(record: dict, again: dict) -> list[Line]:
    """The numbers that a reader meets, and the losses, with what data/records/tolerance.toml allows; nothing where
    `same_machine`.
    """
    bounds, exact = tomllib.loads(TOLERANCE.read_text(encoding="utf-8")), same_machine(record, again)
    pairs = list(zip(record["losses"], again["losses"], strict=False))
    first = bounds["losses"]["first"]
    lines = [Line("steps", len(record["losses"]), len(again["losses"]), 0)]
    lines += [_widest(pairs, range(min(first, len(pairs))), bounds["losses"]["first_absolute"])]
    lines += [_widest(pairs, range(first, len(pairs)), bounds["losses"]["absolute"])]
    old, new = record["metrics"], again["metrics"]
    for protocol, styles in old["fine-grained"].items():
        for style, values in styles.items():
            allowed = max(bounds["metrics"]["absolute"], bounds["metrics"]["queries"] / values["queries"])
            for name in ("acc@1", "acc@5", "acc@10"):
                now = new["fine-grained"][protocol][style][name]
                lines.append(Line(f"{protocol}, {style}, {name}", values[name], now, allowed))
    for setting, values in old["category-level"].items():
        if isinstance(values, dict) and "map@all" in values:
            allowed = max(bounds["metrics"]["absolute"], bounds["metrics"]["queries"] / len(values["ap"]))
            now = new["category-level"][setting]["map@all"]
            lines.append(Line(f"{setting}, map@all", values["map@all"], now, allowed))
    return [Line(line.name, line.recorded, line.now, 0.0 if exact else line.allowed) for line in lines if line]


def _widest(pairs: list[tuple[float, float]], steps: range, allowed: float) -> Line | None:
    """Of some steps the one where the losses are farthest apart; None without steps."""
    if not steps:
        return None
    step = max(steps, key=lambda n: abs(pairs[n][0] - pairs[n][1]))
    return Line(f"loss, step {step + 1} of {steps[0] + 1} to {steps[-1] + 1}", *pairs[step], allowed)


def confirm(record: dict, again: dict, why: str, path: Path = CONFIRMED) -> dict[str, list[str | None]]:
    """Write down that the code changed since a record was made, and its numbers did not: module -> [before, after].

    `why` says what makes this true of runs with other settings too. Raises UserError when a number differs, when the
    code of the record is not known or is the same, and when the code here is not committed.
    """
    before, commit = code_of(record), again["commit"]
    if not identical(record, again):
        raise UserError(f"{record['run']} made again has other numbers: the change is none of words. Repeat the runs.")
    if before is None:
        raise UserError(f"nobody knows which code made {record['run']} (commit {record['commit']}): repeat the run.")
    if commit.endswith("+"):
        raise UserError(f"the code differs from commit {commit[:-1]}. Commit it, then confirm.")
    changed = changes(before, again["code"])
    if not changed:
        raise UserError(f"{record['run']} was made by this very code: there is nothing to confirm.")
    add_confirmation({"modules": changed, "run": record["run"], "commit": commit, "why": why}, path)
    return changed
