"""Does what the paper says hold in our runs? Its claims as data, and a verdict on each, computed from records.

A claim sets one row of a table against another. One rule holds for all, written down before the runs it judges
`ours`. The difference, paired by seed and query, has a standard error for which concepts, photos, sketches and seeds
are drawn again (intervals.compare_runs). A claim

    replicates  when the difference is surely above zero
    does not    when that is not sure, but the gain is surely below one point (MARGIN)
    undecided   otherwise, and with one seed

Surely: one-sided, at LEVEL, corrected for the number of claims by Holm's method, for either question apart.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from dpclip.data.manifest import Manifest
from dpclip.evaluation.intervals import LEVEL, Comparison, compare_runs
from dpclip.files import DATA
from dpclip_book.studies.answers import hits, precisions

REPLICATES, FAILS = "replicates", "does not"
UNDECIDED, NOT_RUN = "undecided at this scale", "not run yet"
CLAIMS = DATA / "published" / "claims.toml"
MARGIN = 0.01  # a gain below it, on the scale of shares, counts as none
FULL, RANK = "DP-CLIP", "side-way, r = "


@dataclass(frozen=True)
class Claim:
    """One entry of CLAIMS; what its fields mean is written at the head of the file."""

    table: str
    text: str
    better: str
    worse: str
    evidence: str = "ours"
    setting: str = ""
    protocol: str = "held-out"


@dataclass(frozen=True)
class Verdict:
    """`comparison`: `better` minus `worse`, as shares; None where a row has not run. `seeds`: that both rows have.
    `gain`, `none`: corrected p-values of "above zero" and "below MARGIN"; `smallest`: the gain that this test, for as
    many claims, would have found in four of five trials.
    """

    claim: Claim
    comparison: Comparison | None = None
    seeds: int = 0
    gain: float = 1.0
    none: float = 1.0
    smallest: float = float("nan")

    @property
    def word(self) -> str:
        """One seed cannot tell how much seeds differ, so it decides nothing."""
        if self.comparison is None:
            return NOT_RUN
        if self.seeds > 1 and self.gain < LEVEL:
            return REPLICATES
        return FAILS if self.seeds > 1 and self.none < LEVEL else UNDECIDED


def read_claims() -> list[Claim]:
    """All claims but those on ranks."""
    return [Claim(**entry) for entry in tomllib.loads(CLAIMS.read_text(encoding="utf-8"))["claim"]]


def claims_of(table: str, rows: Iterable[str]) -> list[Claim]:
    """The claims on a table that has these rows: those with both of their rows, and one for each higher rank."""
    rows = list(rows)
    ranks = [
        Claim("4", f"rank {row.removeprefix(RANK)} beats the rank of DP-CLIP", row, FULL, "paper")
        for row in rows
        if row.startswith(RANK) and FULL in rows
    ]
    return [c for c in read_claims() if c.table == table and c.better in rows and c.worse in rows] + ranks


def judge(tables: dict[str, dict[str, list[dict]]], manifest: Manifest) -> list[Verdict]:
    """A verdict on each claim, from the records of each table's rows: Acc@1 with the sketches that train, or, for
    claims with a setting, mAP@all. Raises UserError for records of other data.
    """
    compared = [
        (claim, *compare_rows(rows[claim.better], rows[claim.worse], manifest, claim.protocol, claim.setting))
        for table, rows in tables.items()
        for claim in claims_of(table, rows)
    ]
    judged = [comparison for _, comparison, seeds in compared if seeds > 1]
    gains, nones = (iter(holm(ps)) for ps in ([c.p_above(0) for c in judged], [c.p_below(MARGIN) for c in judged]))
    found = []
    for claim, comparison, seeds in compared:
        verdict = Verdict(claim, comparison, seeds)
        if seeds > 1:
            smallest = comparison.smallest_seen(LEVEL / len(judged))
            verdict = Verdict(claim, comparison, seeds, next(gains), next(nones), smallest)
        found.append(verdict)
    return found


def compare_rows(
    better: list[dict], worse: list[dict], manifest: Manifest, protocol: str = "held-out", setting: str = ""
) -> tuple[Comparison | None, int]:
    """Two rows over the seeds that both have, and how many these are: Acc@1 or, with a `setting`, mAP@all."""
    ours, theirs = ({record["seed"]: record for record in row} for row in (better, worse))
    seeds = sorted(set(ours) & set(theirs))
    if not seeds:
        return None, 0

    def answers(row: dict[int, dict]) -> pd.DataFrame:
        if setting:
            return pd.DataFrame({seed: precisions(manifest, row[seed], setting) for seed in seeds})
        return pd.DataFrame({seed: hits(manifest, row[seed], protocol, manifest.styles[0]) for seed in seeds})

    return compare_runs(answers(ours), answers(theirs)), len(seeds)


def holm(values: list[float]) -> list[float]:
    """p-values corrected for their number by Holm's step-down method (1979), in the same order."""
    adjusted, worst = [1.0] * len(values), 0.0
    for step, place in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        worst = max(worst, min(1.0, (len(values) - step) * values[place]))
        adjusted[place] = worst
    return adjusted


# A method that adds as much as CLIP costs could be replaced by two CLIPs. "Modest" has to be clearly less: half. `ours`
MODEST = 0.5


@dataclass(frozen=True)
class CostVerdict:
    """`share`: what DP-CLIP adds or trains, as a share of what CLIP's image tower has."""

    text: str
    share: float

    @property
    def word(self) -> str:
        return REPLICATES if self.share < MODEST else FAILS


def judge_cost(record: dict) -> list[CostVerdict]:
    """Whether DP-CLIP's cost is modest, from a cost record. The numbers are exact counts, so nothing is undecided."""
    clip, full = record["costs"]["CLIP, untrained"], record["costs"][FULL]
    trained = full["trained_clip"] + full["trained_new"]
    return [
        CostVerdict("operations added to encoding an image", full["image_flops"] / clip["image_flops"] - 1),
        CostVerdict("operations added to answering a query", full["query_flops"] / clip["query_flops"] - 1),
        CostVerdict("parameters trained, of CLIP's", trained / clip["parameters"]),
    ]
