"""Does what the paper says hold in our runs? Its claims as data, and a verdict on each, computed from records.

A claim sets one row of a table against another, and one rule holds for all: paired by seed and query, the 95 %
interval of the difference over seeds and queries (intervals.compare_seeds) lies above zero (replicates), below it
(does not), or holds it (undecided). `ours`
"""

from collections.abc import Iterable
from dataclasses import dataclass

from dpclip.evaluation.intervals import Comparison, compare_seeds, hits, precisions
from dpclip.runs.experiments import RECIPE

REPLICATES, FAILS = "replicates", "does not"
UNDECIDED, NOT_RUN = "undecided at this scale", "not run yet"
VERDICTS = {"better": REPLICATES, "worse": FAILS, "undecided": UNDECIDED}
FULL, RANK = "DP-CLIP", "side-way, r = "


@dataclass(frozen=True)
class Claim:
    """`better` should beat `worse`, two rows of a table. `evidence`: `paper` or `derived` where the paper or its
    numbers say so, `ours` where the design implies it and we know no number. `setting`: of category-level retrieval.
    """

    text: str
    better: str
    worse: str
    evidence: str = "ours"
    setting: str = ""


CLAIMS = {
    "1": [
        Claim("the full model beats the state of the art", FULL, "CLIP-AT", "derived"),
        Claim("the full model beats CLIP as it is", FULL, "CLIP, untrained"),
        Claim("the full model beats CLIP with tuned norms", FULL, "CLIP, norms tuned"),
    ],
    "2": [
        Claim(f"the full model{how} beats CLIP {state}", row, rival, setting=setting)
        for row, how in ((FULL, ""), (f"{FULL}, {RECIPE}", " with our recipe"))
        for rival, state in (("CLIP, untrained", "as it is"), ("CLIP, norms tuned", "with tuned norms"))
        for setting in ("blind", "generic")
    ],
    "3": [
        Claim("visual prompts help, alone", "+V", "no module"),
        Claim("visual prompts help, beside the others", FULL, "+T +patch"),
        Claim("text scaling helps, alone", "+T", "no module"),
        Claim("text scaling helps, beside the others", FULL, "+V +patch", "paper"),
        Claim("patch matching helps, alone", "+patch", "no module"),
        Claim("patch matching helps, beside the others", FULL, "+V +T"),
    ],
    "4": [
        Claim("both kinds of support beat sketches only", FULL, "from sketches only", "paper"),
        Claim("both kinds of support beat photos only", FULL, "from photos only", "paper"),
        Claim("matched support beats unmatched", FULL, "unmatched support"),
        Claim("matched support beats random", FULL, "random support"),
        Claim("matched support beats generic prompts", FULL, "generic, no support"),
        Claim("side-way scaling beats none", FULL, "no scaling", "paper"),
        Claim("side-way scaling beats its paths without text", FULL, "low-rank, no text", "paper"),
        Claim("side-way scaling beats direct", FULL, "direct scaling"),
    ],
}


@dataclass(frozen=True)
class Verdict:
    """`comparison`: `better` minus `worse`, as shares; None where a row has not run. `seeds`: that both rows have."""

    claim: Claim
    comparison: Comparison | None
    seeds: int

    @property
    def word(self) -> str:
        """One seed cannot tell how much seeds differ, so it decides nothing."""
        if self.comparison is None:
            return NOT_RUN
        return VERDICTS[self.comparison.verdict] if self.seeds > 1 else UNDECIDED


def claims_of(table: str, rows: Iterable[str]) -> list[Claim]:
    """The claims on a table that has these rows: those with both of their rows, and one for each higher rank."""
    rows = list(rows)
    ranks = [
        Claim(f"rank {row.removeprefix(RANK)} beats the rank of DP-CLIP", row, FULL, "paper")
        for row in rows
        if row.startswith(RANK)
    ]
    known = [claim for claim in CLAIMS.get(table, []) if claim.better in rows and claim.worse in rows]
    return known + (ranks if FULL in rows else [])


def judge(table: str, rows: dict[str, list[dict]], style: str, protocol: str = "held-out") -> list[Verdict]:
    """A verdict on each claim of a table from its records: Acc@1 under a protocol with a style of sketches; for claims
    with a setting, mAP@all, which is held-out and with the style that trains.
    """
    found = []
    for claim in claims_of(table, rows):
        better, worse = ({r["seed"]: r for r in rows[name]} for name in (claim.better, claim.worse))
        seeds = sorted(set(better) & set(worse))
        values = precisions if claim.setting else hits  # (Q,) each
        asked = (claim.setting,) if claim.setting else (protocol, style)
        pairs = ([values(row[seed], *asked) for seed in seeds] for row in (better, worse))
        found.append(Verdict(claim, compare_seeds(*pairs) if seeds else None, len(seeds)))
    return found
