"""The page Findings: a card for each claim of the paper, and the same as data. Everything is computed from records."""

from functools import cache
from math import isnan

import numpy as np
import pandas as pd

from dpclip.data import benchmark
from dpclip.runs.experiments import SWAPS
from dpclip.runs.table_records import rows_of
from dpclip.tables.cells import Column
from dpclip_book.studies.verdicts import (
    FAILS,
    FULL,
    MARGIN,
    NOT_RUN,
    REPLICATES,
    UNDECIDED,
    Verdict,
    judge,
)  # fmt: skip

PRESET, STYLE = "mini", "warped"  # of the runs on the page
TABLES = {  # table -> its chapter, and the heading over its claims
    "1": ("07_table1_fine_grained", "DP-CLIP and its rivals"),
    "3": ("10_table3_modules", "Each module, alone and beside the others"),
    "4": ("11_table4_prompt_design", "What the prompts are made of"),
    "2": ("09_category_level", "Any photo of the category"),
}
CLASSES = {REPLICATES: "replicates", FAILS: "fails", UNDECIDED: "undecided"}
LEFT, RIGHT, WIDTH, HEIGHT = -4.0, 12.0, 320, 46  # points at the ends of a card's axis; its size in pixels


@cache
def records() -> dict[str, dict[str, list[dict]]]:
    """Table -> row -> its records."""
    return {table: rows_of(table, PRESET).records for table in TABLES}


@cache
def verdicts() -> tuple[Verdict, ...]:
    """On all claims, in the order of the file."""
    return tuple(judge(records(), benchmark.recorded()))


def means(verdict: Verdict) -> list[float]:
    """What both rows reach, in per cent, over the seeds that both have."""
    claim = verdict.claim
    column = Column(claim.protocol, STYLE, claim.setting, "map@all" if claim.setting else "acc@1")
    rows = [records()[claim.table][name] for name in (claim.better, claim.worse)]
    shared = set.intersection(*({record["seed"] for record in row} for row in rows))
    return [float(np.mean(column.values([r for r in row if r["seed"] in shared]))) for row in rows]


def points(verdict: Verdict) -> str:
    """The difference with its interval: "+2.6 [1.9, 3.3] points"."""
    c = verdict.comparison
    return f"{100 * c.difference:+.1f} [{100 * c.low:.1f}, {100 * c.high:.1f}] points"


def findings_frame() -> pd.DataFrame:
    """One row a claim, exact: what is compared, by how much, how surely, and the verdict. Shares are in per cent."""
    lines = []
    for verdict in verdicts():
        line = vars(verdict.claim) | {"verdict": verdict.word, "seeds": verdict.seeds}
        if found := verdict.comparison:
            names = ("better_value", "worse_value", "difference", "low", "high", "smallest_gain_seen")
            shares = (found.difference, found.low, found.high, verdict.smallest)
            line |= dict(zip(names, (*means(verdict), *(100 * share for share in shares)), strict=True))
            line |= {"p_gain": verdict.gain, "p_no_gain": verdict.none}
        lines.append(line)
    return pd.DataFrame(lines)


def findings_page() -> str:
    """The generated part of the page, as MyST Markdown."""
    parts = [f"> {headline()}\n"]
    for table, (chapter, heading) in TABLES.items():
        judged = [v for v in verdicts() if v.claim.table == table and v.word != NOT_RUN]
        waiting = [v.claim.text for v in verdicts() if v.claim.table == table and v.word == NOT_RUN]
        parts.append(f"## {heading}\n")
        if judged:
            cards = "\n".join(card(verdict, chapter) for verdict in judged)
            parts.append(f"::::{{grid}} 1 1 2 2\n:gutter: 3\n:class-container: findings\n\n{cards}::::\n")
        if waiting:
            command = f"dpclip sweep --preset {PRESET} --table {table}"
            lines = "\n".join(f"- {text}" for text in waiting)
            title = f"{len(waiting)} claim{'s' * (len(waiting) > 1)} without runs"
            parts.append(f":::{{admonition}} {title}\n:class: dropdown\n\n{lines}\n\n`{command}` makes them.\n:::\n")
    return "\n".join(parts)


def headline() -> str:
    """A paragraph to quote."""
    of = {(v.claim.worse, v.claim.protocol): v for v in verdicts() if v.claim.better == FULL and not v.claim.setting}
    words = [verdict.word for verdict in verdicts()]
    counts = [f"{words.count(word)} {told}" for word, told in (
        (REPLICATES, "replicate"), (FAILS, "do not"), (UNDECIDED, "are undecided"), (NOT_RUN, "have not run")
    ) if word in words]  # fmt: skip
    said = [
        f"Of {len(words)} claims that the paper makes or implies, tried on icons with a mini CLIP, {', '.join(counts)}."
    ]
    for rival, told in (("CLIP, untrained", "CLIP as it is"), ("CLIP, norms tuned", "CLIP with tuned norms")):
        verdict = of[rival, "held-out"]
        if verdict.comparison:
            ours, theirs = means(verdict)
            said.append(f"DP-CLIP finds {ours:.1f} % of the photos first, {told} {theirs:.1f} %: {points(verdict)}.")
    swap = of[SWAPS["support"], "held-out"]
    if swap.comparison:
        told = {
            REPLICATES: "The support of its own category helps it at the test",
            FAILS: "Whose support it is given at the test makes no difference of a point",
        }.get(swap.word, "Whether the support of its own category helps it at the test is undecided")
        said.append(f"{told}: {points(swap)} against another category's.")
    return " ".join(said)


def card(verdict: Verdict, chapter: str) -> str:
    """A claim: verdict, number with interval, a plot, what could have been seen, and where it is from."""
    claim, (ours, theirs) = verdict.claim, means(verdict)
    metric = f"mAP@all, {claim.setting}" if claim.setting else f"Acc@1, {claim.protocol}"
    seen = "" if isnan(verdict.smallest) else f" A gain of {100 * verdict.smallest:.1f} points would have been seen."
    return (
        f":::{{grid-item-card}} {claim.text[0].upper()}{claim.text[1:]}\n"
        f":class-card: finding finding-{CLASSES[verdict.word]}\n\n"
        f"**{verdict.word}**: {points(verdict)}\n\n{interval_plot(verdict)}\n\n"
        f"*{claim.better}* {ours:.1f} %, *{claim.worse}* {theirs:.1f} % ({metric}; {verdict.seeds} "
        f"seed{'s' * (verdict.seeds > 1)}).{seen} {{doc}}`Table {claim.table} <../notebooks/{chapter}>`\n:::\n"
    )


def interval_plot(verdict: Verdict) -> str:
    """The interval on an axis of points, as SVG; the band is what counts as no gain."""
    c = verdict.comparison

    def x(share: float) -> float:
        return round(WIDTH * (float(np.clip(100 * share, LEFT, RIGHT)) - LEFT) / (RIGHT - LEFT), 1)

    axis = "".join(
        f'<text x="{x(p / 100)}" y="44" text-anchor="middle" font-size="12">{f"{p:+d}" if p else 0}</text>'
        for p in (-3, 0, 5, 10)
    )
    return (
        f'<svg class="interval" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" fill="currentColor" stroke="none" '
        f'aria-label="{points(verdict)}, 95 % interval">'
        f'<rect x="{x(0)}" y="4" width="{x(MARGIN) - x(0):.1f}" height="26" opacity="0.15"/>'
        f'<path d="M{x(0)} 2V32M0 30H{WIDTH}" stroke="currentColor" opacity="0.5" fill="none"/>'
        f'<path d="M{x(c.low)} 16H{x(c.high)}" stroke="currentColor" stroke-width="3" fill="none"/>'
        f'<circle cx="{x(c.difference)}" cy="16" r="5"/>{axis}</svg>'
    )
