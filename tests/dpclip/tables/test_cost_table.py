"""Table 5 says what the records say, in every format."""

import io
import json

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from dpclip.commands.table_commands import tables
from dpclip.errors import UserError
from dpclip.runs import count_cost
from dpclip.runs.count_cost import RECORDED, Cost
from dpclip.tables.cost_table import DECIMALS, cost_blocks, cost_table

CHEAP = dict.fromkeys(Cost.__dataclass_fields__, 0) | {"image_flops": 8_232_069_120, "training_mb": None}
DEAR = dict.fromkeys(Cost.__dataclass_fields__, 2_000_000) | {"image_ms": 12.345, "training_mb": 700.4}


def record(backbone):
    values = (backbone, "abc123", "a processor", "2.0", {"CLIP": CHEAP, "DP-CLIP": DEAR})
    return dict(zip(RECORDED, values, strict=True))


@pytest.fixture
def run(monkeypatch):
    """run("5", "--format", "csv") -> result of the command, on made-up records."""
    monkeypatch.setattr(count_cost, "read_costs", record)
    app = typer.Typer()
    app.command()(tables)
    return lambda *words: CliRunner().invoke(app, words)


def test_cells_in_their_units():
    table = cost_table([record("mini"), record("ViT-B-32")])
    assert table["backbone"].tolist() == ["mini", "mini", "ViT-B-32", "ViT-B-32"]
    assert table["method"].tolist() == ["CLIP", "DP-CLIP"] * 2
    assert table["GFLOPs/image"].tolist()[:2] == [8.23206912, 0.002] and table["parameters (M)"][1] == 2
    assert table["ms/image"][1] == 12.345 and table["MB training"][1] == 700.4
    assert table["MB training"].isna().tolist() == [True, False, True, False]
    assert list(DECIMALS) == list(table.columns[2:]) and len(DECIMALS) == len(Cost.__dataclass_fields__)


def test_json_parses_back(run):
    read = json.loads(run("5", "--format", "json").stdout)
    assert read["table"] == 5 and "a multiply-add is 2 FLOPs" in read["caption"]
    expected = cost_table([record("ViT-B-32"), record("mini")])
    assert read["rows"][0]["MB training"] is None
    pd.testing.assert_frame_equal(pd.DataFrame(read["rows"]).astype(expected.dtypes), expected)


def test_csv_parses_back(run):
    read = pd.read_csv(io.StringIO(run("5", "--format", "csv").stdout))
    pd.testing.assert_frame_equal(read, cost_table([record("ViT-B-32"), record("mini")]), check_dtype=False)


def test_markdown(run):
    lines = run("5").stdout.splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    assert lines[0] == "# Table 5: cost of each method" and len(cells) == 2 * (2 + 2)
    assert cells[2][0] == "CLIP" and "8.232" in cells[2] and cells[6][-1] == "–"
    assert cells[7][-1] == "700" and "12.3" in cells[7]


def test_unknown_table(run):
    error = run("6").exception
    assert isinstance(error, UserError)
    assert str(error).startswith("there is no table 6 here. There is: 1: fine-grained retrieval; 2:")
    assert run("5", "--format", "pdf").exit_code == 2


def test_counts_and_clocks_are_blocks_of_their_own():
    counted, clocked = cost_blocks(record("mini"))
    assert list(counted.values)[1:] + list(clocked.values)[1:] == list(DECIMALS)
    assert "counted" in counted.caption and "measured on a processor" in clocked.caption
    assert counted.frame.set_index("method").at["CLIP", "GFLOPs per image"] == "8.232"
    assert clocked.frame.set_index("method").loc["CLIP", "MB training"] == "–"
    assert clocked.frame.set_index("method").at["DP-CLIP", "ms per image"] == "12.3"
    assert counted.kind == "measured"
