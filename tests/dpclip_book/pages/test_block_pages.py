"""Blocks of results as tables of a page."""

import re

import pandas as pd

from dpclip.files import ROOT
from dpclip.runs.table_records import TableRows
from dpclip.tables.blocks import accuracy_block, published_block
from dpclip.tables.published import read_published
from dpclip_book.pages.markdown import numbered_table
from dpclip_book.pages.result_tables import cite, show_block


def test_a_published_block_cites_and_marks():
    page = show_block(published_block("1"), "table-x").data
    assert page.startswith(":::{table} Published numbers on Sketchy (21 unseen, Yelamarthi): Acc@1, Acc@5 in per cent")
    assert ":name: table-x\n:class: book-table kind-published\n" in page
    assert "| 33.45 | 66.71 | [seen]{.mark .mark-seen} | {cite:t}`singha2024splip`, Table 3 |" in page
    assert "| 35.98 | – | [derived]{.mark .mark-derived} |" in page


def test_what_has_not_run_is_a_line_to_unfold():
    rows = TableRows("1", "mini", "icon-sbir", {"a": [], "b": []}, {"a": 2, "b": 2})
    page = show_block(accuracy_block(rows, "warped"), "x").data
    assert page.startswith(
        ":::{admonition} Mini runs, preset `mini`, on the embedded benchmark, drawn sketches, unseen"
    )
    assert "categories: no record yet\n:class: dropdown\n" in page and "|" not in page
    assert page.count("dpclip sweep") == 1


def test_sources_lead_to_the_bibliography():
    keys = set(re.findall(r"^@\w+\{(\w+),", (ROOT / "book" / "references.bib").read_text(encoding="utf-8"), re.M))
    sources = read_published("sources")
    assert set(sources["key"]) <= keys
    assert set(sources["source"]) <= {*read_published("peers")["source"], *read_published("paper")["source"]}
    assert cite("SpLIP (ECCV 2024), Table 3") == "{cite:t}`singha2024splip`, Table 3"
    assert cite("somebody's notes") == "somebody's notes"


def test_columns_of_numbers_stand_right_and_notes_below():
    frame = pd.DataFrame(
        {"row": ["1 a", "b"], "mean": ["1.5 ± 0.2", "not run"], "gap": ["[-0.5, +0.1]", "–"], "n": [1, 2]}
    )
    table = numbered_table(frame, "Caption.", "x", classes="book-table", notes="*Below.*").data
    assert "| :-- | --: | --: | --: |" in table and ":class: book-table\n" in table
    assert table.endswith(":::\n\n*Below.*\n")
    assert ":class:" not in numbered_table(frame, "Caption.", "x").data
