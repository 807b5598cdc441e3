"""A block holds one kind of rows, names what is missing, and keeps every published number."""

import json
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from dpclip.commands.table_commands import tables
from dpclip.runs.table_records import TableRows
from dpclip.tables import blocks
from dpclip.tables.blocks import (
    EXACT,
    accuracy_block,
    as_csv,
    as_markdown,
    category_block,
    kind_of,
    published_block,
    published_blocks,
    run_block,
    table_blocks,
)
from dpclip.tables.published import published_rows

from .test_cells import record


def some(table="1", preset="mini", dataset="icon-sbir", **records):
    """Rows a (2 seeds wanted) and b of a table."""
    return TableRows(table, preset, dataset, {"a": [], "b": []} | records, {"a": 2, "b": 2})


def test_kinds():
    assert [kind_of(name) for name in ("smoke", "mini", "paper", "dry")] == [
        "mini run",
        "mini run",
        "paper run",
        "trial run",
    ]


@pytest.mark.parametrize("table", ["1", "2", "3", "4"])
def test_every_published_number_is_in_one_block_with_its_evidence(table):
    blocks = published_blocks(table)
    shown = [block.frame.astype(str) for block in blocks]
    printed = [
        cell for frame in shown for name in frame if "@" in name for cell in frame[name] if "computed" not in name
    ]
    assert sorted(cell for cell in printed if cell != "–") == sorted(
        published_rows(table)["printed"].loc[lambda p: p != ""]
    )
    assert all("nan" not in set(frame.to_numpy().ravel()) for frame in shown)
    for block in blocks:
        assert block.kind == "published" and "seeds" not in block.frame
        assert "DP-CLIP" in " ".join(block.frame["method"])


def test_category_level_blocks_name_conventions():
    frame = published_block("2", "TU-Berlin-Ext").frame.set_index("method")
    assert frame.at["ZSE-RN", "mAP@all computed"] == "R, interpolated"
    assert frame.at["SpLIP", "mAP@all computed"] == "unknown"
    assert set(frame.loc["DP-CLIP", ["mAP@all", "P@100"]]) == {"–"} and "not known" in frame.at["DP-CLIP", "note"]
    assert "computed" not in " ".join(published_block("1").frame)


def test_what_is_missing_is_said_once_with_its_command():
    block = accuracy_block(some(b=[record(0.25)]), "warped")
    assert block.kind == "mini run"
    assert block.notes == (
        "*Not run yet: a; b (1 of 2 seeds).* What makes the missing runs: `dpclip sweep --preset mini --table 1`."
    )
    assert set(block.values["method"]) == set(block.frame["method"]) == {"b"}
    assert "every row" in accuracy_block(some(preset="paper", dataset="sketchy"), "human").notes
    assert accuracy_block(some(a=[record(0.2)] * 2, b=[record(0.2)] * 2), "warped").notes == ""


def test_captions_name_preset_data_convention_and_seeds():
    caption = accuracy_block(some(), "warped").caption
    for words in ("Mini runs, preset `mini`", "the embedded benchmark", "drawn sketches", "ties against", "2 seeds"):
        assert words in caption
    caption = category_block(some("2", "paper", "sketchy-ext"), "human").caption
    for words in ("Paper runs", "`sketchy-ext` (shen)", "denominator min(k, R)", "P@k over k"):
        assert words in caption


def test_captions_count_the_seeds_that_ran():
    both = accuracy_block(some(a=[record(0.2)] * 2), "warped").caption
    assert both.endswith("; 2 seeds, mean ± half-width of the 95 % interval over seeds.")
    assert accuracy_block(some(a=[record(0.2)]), "warped").caption.endswith("; 1 seed.")  # of the 2 that are wanted


def test_fine_grained_retrieval_asks_with_the_sketches_that_train_and_category_level_with_those_by_people():
    tables = (some(), some(preset="paper", dataset="sketchy"), some("2"))
    assert ["by people" in run_block(rows).caption for rows in tables] == [False, True, True]


@pytest.fixture
def run(monkeypatch, tmp_path):
    """run("1", "--format", "csv") -> result of the command, on no records at all."""
    monkeypatch.setattr("dpclip.runs.records.RECORDS", tmp_path)
    monkeypatch.setattr("dpclip.runs.records.PRIVATE", tmp_path)
    monkeypatch.setattr("dpclip.runs.run.ensure_rows", None)  # would train
    app = typer.Typer()
    app.command()(tables)
    return lambda *words: CliRunner().invoke(app, words)


def test_the_command_keeps_kinds_apart_and_trains_nothing(run):
    read = json.loads(run("1", "--format", "json").stdout)
    assert [block["kind"] for block in read["blocks"]] == ["published", "paper run", "mini run"]
    for block in read["blocks"]:
        assert {row["kind"] for row in block["rows"]} <= {block["kind"]}
    assert [bool(block["rows"]) for block in read["blocks"]] == [True, False, False]
    assert "`dpclip sweep --preset paper --table 1 --data FOLDER`" in read["blocks"][1]["notes"]
    assert "`dpclip sweep --preset smoke --table 3`" in run("3", "--preset", "smoke").stdout


def test_in_the_terminal_our_runs_come_first_and_a_row_that_has_not_run_has_no_line():
    blocks = [published_block("1"), accuracy_block(some(preset="paper", dataset="sketchy"), "human")]
    blocks += [accuracy_block(some(b=[record(0.25)]), style) for style in ("warped", "warped")]
    lines = as_markdown("1", "x", blocks).splitlines()
    assert [line for line in lines if line.startswith("#")] == [
        *("# Table 1: x", "## Mini runs", "## Paper runs", "## Published")
    ]
    assert not [line for line in lines if "not run |" in line]
    mini, paper = (lines[lines.index(f"## {kind} runs") :] for kind in ("Mini", "Paper"))
    assert [line.split("|")[1].strip() for line in mini if line.startswith("| b")] == ["b"]  # the second block is equal
    command = "`dpclip sweep --preset paper --table 1 --data FOLDER`"
    assert paper[2] == f"*Not run yet: every row.* What makes the missing runs: {command}."
    assert sum("dpclip sweep" in line for line in lines) == 2


def test_a_table_from_records_takes_no_torch():
    program = "import sys; from dpclip.commands.table_commands import Format, show_table; "
    program += "show_table(1, 'mini', Format.md); assert not {'torch', 'open_clip', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_csv_has_a_line_for_every_number():
    blocks = [published_block("1"), accuracy_block(some(a=[record(0.25), record(0.5)]), "warped")]
    lines = as_csv(blocks).splitlines()
    assert lines[0] == ",".join(EXACT)
    assert any(line.startswith("mini run,mini,icon-sbir,a,Acc@1,37.5,") for line in lines)
    assert sum(line.startswith("mini run") for line in lines) == 6


def test_table_2_has_a_paper_block_for_each_data_set(monkeypatch):
    monkeypatch.setattr(blocks, "rows_of", lambda table, name, dataset: some(table, name, dataset))
    kinds = [block.kind for block in table_blocks("2", "mini")]
    assert kinds == ["published"] * 4 + ["paper run"] * 3 + ["mini run"]
    assert [block.kind for block in table_blocks("1", "paper")] == ["published", "paper run"]
