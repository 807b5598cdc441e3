"""The page Decisions: where the paper is silent or its released code differs, and what records tell of other choices.

Its entries are data, book/decisions.toml, checked when they are read.
"""

import tomllib
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import pandas as pd

from dpclip.config import preset
from dpclip.data import benchmark
from dpclip.data.manifest import Manifest
from dpclip.errors import UserError
from dpclip.evaluation.evaluate import SETTINGS
from dpclip.files import ROOT
from dpclip.runs.experiments import OTHER_CHOICES
from dpclip.runs.table_records import TableRows, rows_of
from dpclip_book.pages.markdown import numbered_table
from dpclip_book.studies.verdicts import compare_rows

SOURCE = ROOT / "book" / "decisions.toml"
PRESET, STYLE = "mini", "warped"  # of the runs on the page
NOT_RUN = {"DP-CLIP": "", "Instead of it": "", "Difference": "", "DP-CLIP is": "not run yet"}


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
    runs: list[str] = field(default_factory=list)
    compare: str = ""
    marks: list[str] = field(default_factory=list)


def read_decisions(path: Path = SOURCE) -> list[Decision]:
    """Raises UserError for an unknown or missing field, for a switch or a value that the configuration refuses, and for
    a run that is not listed.
    """
    found = []
    for entry in tomllib.loads(path.read_text(encoding="utf-8"))["decision"]:
        where = f"{path.name}, decision {entry.get('name')!r}"
        try:
            decision = Decision(**entry)
            for name, values in decision.switch.items():
                for value in values:
                    preset("paper").set(**{name: value})
        except (TypeError, UserError) as error:
            raise UserError(f"{where}: {error}") from error
        unknown = [label for label in decision.runs if label not in OTHER_CHOICES]
        if unknown:
            raise UserError(f"{where}: the run {unknown[0]!r} is not in OTHER_CHOICES of dpclip/runs/experiments.py.")
        if bool(decision.switch) == bool(decision.fixed):
            raise UserError(f"{where}: give either `switch` or `fixed`.")
        found.append(decision)
    return found


def measured(decisions: list[Decision], here: TableRows) -> pd.DataFrame:
    """One row an alternative: Acc@1 of DP-CLIP and of the alternative in per cent, their difference with its interval
    and the verdict, where all runs of both are there. Held-out, drawn sketches, unseen categories.
    """
    rows, manifest = [], benchmark.recorded()
    for decision in decisions:
        for label in decision.runs:
            first = {"Decision": decision.name, "Instead": label}
            there = not {"DP-CLIP", label} & here.missing.keys()
            rows.append(
                first | (_compared(here.records["DP-CLIP"], here.records[label], manifest) if there else NOT_RUN)
            )
    return pd.DataFrame(rows)


def inside(decisions: list[Decision], here: TableRows, level: TableRows) -> pd.DataFrame:
    """What records of DP-CLIP tell by themselves: both protocols, and those of table 2 the category-level settings."""
    rows = []
    for name in (d.name for d in decisions if d.compare == "protocols"):
        for protocol in ("held-out", "transductive"):
            values = [r["metrics"]["fine-grained"][protocol][STYLE]["acc@1"] for r in here.records["DP-CLIP"]]
            rows.append((name, protocol, "Acc@1", _mean(values)))
    for name in (d.name for d in decisions if d.compare == "settings"):
        for setting in SETTINGS:
            values = [r["metrics"]["category-level"][setting]["map@all"] for r in level.records["DP-CLIP"]]
            rows.append((name, setting, "mAP@all", _mean(values)))
    return pd.DataFrame(rows, columns=["Decision", "Choice", "Metric", "DP-CLIP"])


def _mean(values: list[float]) -> str:
    return f"{100 * sum(values) / len(values):.1f}" if values else "not run yet"


def _compared(ours: list[dict], theirs: list[dict], manifest: Manifest) -> dict[str, str]:
    c, _ = compare_rows(ours, theirs, manifest)
    own, other = ([r["metrics"]["fine-grained"]["held-out"][STYLE]["acc@1"] for r in side] for side in (ours, theirs))
    interval = f"{100 * c.difference:+.1f} [{100 * c.low:+.1f}, {100 * c.high:+.1f}]"
    verdict = c.verdict if len(ours) > 1 else "undecided"  # one seed says nothing of others
    return dict(zip(NOT_RUN, (_mean(own), _mean(other), interval, verdict), strict=True))


def decisions_page(decisions: list[Decision], folder: Path | None = None) -> str:
    """The generated part of the page, as MyST Markdown."""
    here, level, parts = *(rows_of(table, PRESET, folder=folder) for table in ("decisions", "2")), []
    count = here.seeds["DP-CLIP"]
    seeds = f"mean of {count} seeds" if count > 1 else "one seed"
    for topic, entries in groupby(decisions, key=lambda d: d.topic):
        parts.append(f"## {topic}\n")
        for d in entries:
            switch = "; ".join(f"`{name}`: {', '.join(f'`{_plain(v)}`' for v in vs)}" for name, vs in d.switch.items())
            where = f"Acts upon {d.changes}." + " Measured in {numref}`table-decisions`." * bool(d.runs)
            where += " Measured in {numref}`table-decisions-inside`." * bool(d.compare)
            parts.append(
                f"### {d.name[0].upper()}{d.name[1:]}\n\n"
                f"Open\n: {d.open}\n\n"
                f"Our reading [{d.mark}]{{.mark .mark-{d.mark}}}\n: {d.reading}\n\n"
                f"Switch\n: {switch or f'None: {d.fixed}'}. {where} See {{doc}}`/{d.page}`.\n"
            )
    parts.append(
        "## What the switches change, measured\n\n{numref}`table-decisions` is of the categories that are tested. "
        "So it chooses nothing: where another choice is ahead, that is a question for the validation categories, by "
        "which settings are chosen.\n"
    )
    caption = (
        "DP-CLIP and what it would be with another choice: mini runs, Acc@1 in per cent on unseen categories, "
        f"held-out, drawn sketches, {seeds}. Difference: DP-CLIP minus the other with its 95 % interval, as in the "
        "tables of results; with one seed all is undecided."
    )
    if here.missing:
        caption += f" `{here.command}` makes the runs that are missing."
    parts.append(numbered_table(measured(decisions, here), caption, "table-decisions", classes="book-table").data)
    caption = (
        f"Choices of evaluation: mini runs of DP-CLIP, per cent. Acc@1: drawn sketches, {seeds}. mAP@all: sketches by "
        "people, over all unseen photos, the runs of table 2."
    )
    parts.append(numbered_table(inside(decisions, here, level), caption, "table-decisions-inside").data)
    return "\n".join(parts)


def _plain(value: object) -> str:
    """As `--set` reads it."""
    return str(value).lower() if isinstance(value, bool) else str(value) or '""'
