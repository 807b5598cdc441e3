"""The runs of a page, made where they are missing; blocks of results, and verdicts, as its tables."""

from collections.abc import Iterable
from math import isnan
from pathlib import Path

import numpy as np
import pandas as pd

from dpclip.config import preset
from dpclip.data.manifest import Manifest
from dpclip.data.store import ImageStore
from dpclip.runs.experiments import find_table, table_runs
from dpclip.runs.run import ensure_rows
from dpclip.runs.table_records import TableRows, one_seed, rows_of
from dpclip.tables.blocks import DASH, Block, Kind, kind_of, missing_note
from dpclip.tables.cells import Column
from dpclip.tables.published import read_published
from dpclip_book.pages.markdown import Markdown, numbered_table
from dpclip_book.studies.verdicts import MODEST, NOT_RUN, CostVerdict, Verdict, judge, read_claims

RULE = (
    "Difference: points, first row minus second, paired by seed and query. Interval: 95 %, for other concepts and "
    "other seeds. Replicates: surely above zero. Does not: not surely, and surely below one point. "
    "Else, or with one seed: undecided. Surely: one-sided, at 2.5 %, corrected for the number of claims on all tables. "
    "Seen from: the gain that would have been found in four of five trials."
)


def make_rows(table: str, preset_name: str, store: ImageStore, folder: Path | None = None) -> TableRows:
    """The rows of a table on a page's own data. Here alone it is decided whether missing runs are made: those of `mini`
    are not, since its records come with the repository and a table of them takes hours. The trial presets take seconds
    a run, and who asks for `paper` has the data for it. Raises MissingRun as `ensure_rows` does.
    """
    split = find_table(table).split
    if preset_name != "mini":
        ensure_rows(
            table_runs(table, preset_name, store.manifest, 1 if one_seed(split) else None), store, split, folder
        )
    return rows_of(table, preset_name, store.manifest.name, folder, store.manifest.hash)


def page_rows(table: str, preset_name: str, store: ImageStore) -> tuple[TableRows, TableRows, TableRows]:
    """The runs of a page: those of its own preset, made if missing; and, of these two, one is the same and the other is
    loaded: with the backbone of the paper, and with the mini CLIP.
    """
    here, small = make_rows(table, preset_name, store), preset(preset_name).backbone == "mini"
    return here, rows_of(table, "paper") if small else here, here if small else rows_of(table, "mini")


def show_block(block: Block, name: str) -> Markdown:
    """A block as the output of a cell: numbered, named `name`, sources as citations, evidence as marks. What is the
    same in every row is said once, in the caption. A block without a row is a line to unfold.
    """
    frame, caption = block.frame.copy(), block.caption
    if frame.empty:
        return Markdown(
            f":::{{admonition}} {caption.split(': ')[0]}: no record yet\n:class: dropdown\n\n{block.notes}\n:::\n"
        )
    if block.kind is Kind.PUBLISHED:
        frame["source"] = frame["source"].map(cite)
        frame["evidence"] = frame["evidence"].map(mark)
        same = [name for name in ("venue", "source", "evidence") if len(frame) > 1 and frame[name].nunique() == 1]
        caption += f" Every row: {', '.join(frame[name].iloc[0] for name in same)}." if same else ""
        frame = frame.drop(columns=same)
    classes = f"book-table kind-{block.kind.split()[0]}"
    return numbered_table(frame, caption, name, classes=classes, notes=block.notes)


def cite(source: str) -> str:
    """A source as Markdown: a citation and the place there, if the bibliography has it; else the words as they are."""
    found = read_published("sources").set_index("source")
    return f"{{cite:t}}`{found.at[source, 'key']}`, {found.at[source, 'place']}" if source in found.index else source


def mark(evidence: str) -> str:
    return f"[{evidence}]{{.mark .mark-{evidence}}}" if evidence else DASH


def page_verdicts(here: TableRows, manifest: Manifest) -> list[Verdict]:
    """The verdicts on a page's table. The claims of the other tables count in the correction for their number."""
    names = dict.fromkeys(claim.table for claim in read_claims())
    tables = {table: rows_of(table, here.preset, here.dataset, data_hash=manifest.hash).records for table in names}
    judged = judge(tables | {here.table: here.records}, manifest)
    return [verdict for verdict in judged if verdict.claim.table == here.table]


def verdict_frame(verdicts: list[Verdict], marks: bool = False) -> pd.DataFrame:
    """One row a claim whose two rows have run. `marks`: its evidence as a mark of the page."""
    lines = []
    for verdict in (verdict for verdict in verdicts if verdict.comparison):
        claim, found = verdict.claim, verdict.comparison
        line = {"claim": claim.text, "said by": mark(claim.evidence) if marks else claim.evidence}
        line |= {"first row": claim.better, "second row": claim.worse}
        line |= {"setting": claim.setting} if claim.setting else {}
        line |= {"difference": f"{100 * found.difference:+.1f}"}
        line |= {"interval": f"[{100 * found.low:+.1f}, {100 * found.high:+.1f}]"}
        line |= {"seen from": DASH if isnan(verdict.smallest) else f"{100 * verdict.smallest:.1f}"}
        lines.append(line | {"seeds": verdict.seeds, "verdict": verdict.word})
    return pd.DataFrame(lines)


def verdict_table(verdicts: list[Verdict], rows: TableRows, name: str) -> Markdown:
    """A table's verdicts as the output of a cell; a sentence where its rows allow none. Claims that wait for runs are
    named below.
    """
    frame, waiting = verdict_frame(verdicts, marks=True), [v.claim.text for v in verdicts if v.word == NOT_RUN]
    notes = f"*Not judged yet, for want of runs: {'; '.join(waiting)}.* {missing_note(rows)}" if waiting else ""
    if not verdicts:
        return Markdown(f"*No claim has both of its rows with the preset {rows.preset}.*")
    if frame.empty:  # the text refers to a table
        frame, notes = pd.DataFrame({"claim": waiting, "verdict": NOT_RUN}), missing_note(rows)
    level = any(verdict.claim.setting for verdict in verdicts)
    what = "mAP@all over all unseen photos" if level else "Acc@1 within the query's category"
    caption = f"{kind_of(rows.preset).capitalize()}s, preset `{rows.preset}`: verdicts by {what}. {RULE}"
    return numbered_table(frame, caption, name, classes="book-table", notes=notes)


def cost_verdict_table(verdicts: dict[str, list[CostVerdict]], name: str) -> Markdown:
    """Backbone -> its verdicts on cost, as the output of a cell."""
    lines = [
        {"backbone": backbone, "what": verdict.text, "share": f"{100 * verdict.share:.1f} %", "verdict": verdict.word}
        for backbone, found in verdicts.items()
        for verdict in found
    ]
    caption = f"Is the cost modest? It is, by our rule, while a share of what CLIP has is below {100 * MODEST:.0f} %."
    return numbered_table(pd.DataFrame(lines), caption, name, classes="book-table")


def summary(verdicts: list[Verdict]) -> str:
    """How many claims got which verdict, in words: "2 replicates, 1 undecided at this scale"."""
    words = [verdict.word for verdict in verdicts]
    return ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(sorted(words))) or "none can be judged"


def in_words(rows: TableRows, column: Column, names: Iterable[str]) -> str:
    """A column's means in some rows: "Mini runs, held-out, Acc@1: DP-CLIP 35.3 %; LoRA not run yet"."""
    values = {name: column.values(rows.records.get(name, [])) for name in names}
    said = [f"{name} {np.mean(found):.1f} %" if found else f"{name} {NOT_RUN}" for name, found in values.items()]
    return f"{kind_of(rows.preset).capitalize()}s, {column.title}: {'; '.join(said)}"
