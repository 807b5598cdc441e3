"""A committed run made again: does its record still say what comes out?"""

import math
import random
import tempfile
import tomllib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import torch

from dpclip.config import RunConfig
from dpclip.data.store import ImageStore
from dpclip.errors import UserError
from dpclip.runs import records
from dpclip.runs.probe import TOLERANCE, differences, take_probe
from dpclip.runs.records import Run, make_run
from dpclip.runs.run import ensure, open_store

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


def configurations(folder: Path = records.RECORDS) -> list[dict]:
    """One record of each committed configuration and split, that of its lowest seed."""
    found: dict[tuple[str, str], dict] = {}
    for path in committed(folder):
        record = records.read_record(path.stem, path.parent)
        found.setdefault((record["run"].rpartition("-")[0], record["split"]), record)
    return list(found.values())


def probe_all(chosen: list[dict], processes: int) -> Iterator[tuple[dict, list[str]]]:
    """Each record with what its probe, taken again, says otherwise, in words. One thread a process."""
    with ProcessPoolExecutor(processes, get_context("spawn"), torch.set_num_threads, (1,)) as pool:
        yield from zip(chosen, pool.map(probe_again, chosen), strict=True)


def probe_again(record: dict) -> list[str]:
    """What differs between a record's probe and that of its configuration here; the reason where there is none."""
    try:
        run, store = open_recorded(record)
        return differences(record["probe"], take_probe(run.config, run.seed, store, record["split"]))
    except UserError as error:
        return [str(error)]


def open_recorded(record: dict, data: Path | None = None) -> tuple[Run, ImageStore]:
    """A record's run and its pictures. UserError when data, backbone or settings here are not those of the record."""
    config = RunConfig.read(record["config"])
    store = open_store(config, data)
    run = make_run(config, record["seed"], store.manifest)
    here = Run(config, record["seed"], record["data_hash"], record["weights_hash"])
    if run.name != record["run"]:
        other = "its data or its backbone's weights" if here.name == record["run"] else "its settings"
        raise UserError(f"{record['run']} cannot be made again here: {other} are not those of this copy ({run.name}).")
    return run, store


def remake(record: dict, data: Path | None = None) -> dict:
    """Train and test a record's run from nothing; the new record is kept nowhere. Raises as `open_recorded` does."""
    run, store = open_recorded(record, data)
    with tempfile.TemporaryDirectory() as folder:
        return ensure(run, store, Path(folder) / "records", Path(folder) / "runs", record["split"])


def same_machine(record: dict, again: dict) -> bool:
    """Whether the last digit may be expected to be the same: processor, threads and torch."""
    return all(record[name] == again[name] for name in MACHINE if name in record)


def identical(record: dict, again: dict) -> bool:
    """Whether every loss, score and metric is the same number."""
    return all(record[name] == again[name] for name in MEASURED)


def compare_records(record: dict, again: dict) -> list[Line]:
    """The numbers that a reader meets, and the losses, with what data/records/tolerance.toml allows; nothing where
    `same_machine`.
    """
    bounds, exact = tomllib.loads(TOLERANCE.read_text(encoding="utf-8")), same_machine(record, again)
    losses, metrics = bounds["losses"], bounds["metrics"]
    pairs = list(zip(record["losses"], again["losses"], strict=False))
    lines = [Line("steps", len(record["losses"]), len(again["losses"]), 0)]
    for start, end, allowed in (
        (0, losses["first"], losses["first_absolute"]),
        (losses["first"], len(pairs), losses["absolute"]),
    ):
        if part := pairs[start:end]:  # of these steps the one where the losses are farthest apart
            step = start + max(range(len(part)), key=lambda n: abs(part[n][0] - part[n][1]))
            name = f"loss, step {step + 1} of {start + 1} to {start + len(part)}"
            lines.append(Line(name, *pairs[step], allowed))
    for name, queries, old, new in _metrics(record, again):
        lines.append(Line(name, old, new, max(metrics["absolute"], metrics["queries"] / queries)))
    return [replace(line, allowed=0.0) if exact else line for line in lines]


def _metrics(record: dict, again: dict) -> Iterator[tuple[str, int, float, float]]:
    """Name, number of queries, recorded value, value now."""
    old, new = record["metrics"], again["metrics"]
    for protocol, styles in old["fine-grained"].items():
        for style, values in styles.items():
            for name in ("acc@1", "acc@5", "acc@10"):
                now = new["fine-grained"][protocol][style][name]
                yield f"{protocol}, {style}, {name}", values["queries"], values[name], now
    for setting, values in old["category-level"].items():
        if isinstance(values, dict) and "map@all" in values:
            now = new["category-level"][setting]["map@all"]
            yield f"{setting}, map@all", len(values["ap"]), values["map@all"], now
