"""The published numbers are the gathered ones, complete, and every convention belongs to one of them."""

import re

import pandas as pd
import pytest

from dpclip.errors import UserError
from dpclip.evaluation.metrics import Denominator
from dpclip.files import ROOT
from dpclip.tables.published import OWN, PUBLISHED, computed, published_rows, read_published

SHARED = ROOT.parent / "shared"
GATHERED = [SHARED / "published" / name for name in ("peers.csv", "additions.csv")]
SPECIFICATION = SHARED / "PAPER.md"
NAMES = ["dataset", "method", "metric"]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the gathered numbers are not beside this checkout")
def test_peers_are_the_gathered_ones():
    """Every number and its source, in their order; notes and a venue were corrected since."""
    names = ["task", "dataset", "method", "metric", "value", "evidence", "source"]
    gathered = pd.concat(pd.read_csv(path, dtype=str, keep_default_na=False) for path in GATHERED)[names]
    peers = pd.read_csv(PUBLISHED / "peers.csv", dtype=str, keep_default_na=False)[names]
    pd.testing.assert_frame_equal(peers, gathered.reset_index(drop=True))


def test_every_peer_has_a_value_and_a_source():
    peers = read_published("peers")
    assert list(peers) == ["task", "dataset", "method", "venue", "metric", "value", "evidence", "source", "note"]
    assert set(peers["task"]) == {"fine-grained", "category-level"}
    assert set(peers["evidence"]) <= {"seen", "second-hand", "derived"}
    assert set(peers["metric"]) == {"Acc@1", "Acc@5", "Acc@10", "mAP@all", "mAP@200", "P@100", "P@200"}
    assert peers["value"].between(0, 100).all()
    assert (peers[["dataset", "method", "source"]] != "").all(axis=None)
    assert not peers.duplicated(["task", "dataset", "method", "metric"]).any()


def test_conventions_use_the_words_of_the_readme_and_belong_to_peers():
    conventions, peers = read_published("conventions"), read_published("peers")
    assert set(conventions["denominator"]) <= {*Denominator, "other"}
    assert set(conventions["interpolated"]) <= {"yes", "no", ""}
    assert ((conventions["interpolated"] == "") == conventions["metric"].str.startswith("P@")).all()
    assert set(conventions["ties"]) <= {"grouped", "unspecified"}
    assert set(conventions["mean"]) <= {"queries", "categories"}
    assert set(conventions["status"]) <= {"run", "not called", "commented out"}
    assert conventions["source"].str.fullmatch(r"https://github\.com/[\w-]+/[\w-]+ [\w/.]+\.py").all()
    assert (conventions.loc[conventions["denominator"] == "other", "note"] != "").all()
    pairs = conventions[["method", "metric"]].drop_duplicates()
    assert len(pairs.merge(peers[["method", "metric"]].drop_duplicates())) == len(pairs)
    assert not conventions.drop(columns="note").duplicated().any()


def test_the_papers_own_numbers_are_those_gathered_with_the_peers():
    paper, peers = read_published("paper"), read_published("peers")
    assert list(paper) == ["table", *peers.columns] and set(paper["table"]) == {"1", "2", "3", "4"}
    own = peers[peers["venue"] == OWN].set_index(NAMES)["value"]
    known = paper[paper["value"].notna()].drop_duplicates(NAMES).set_index(NAMES)["value"]
    assert known.sort_index().equals(own.sort_index())
    assert set(paper["venue"]) == {OWN}


def test_a_blank_of_the_paper_has_a_note_and_a_number_has_evidence():
    paper = read_published("paper")
    blank = paper["value"].isna()
    assert blank.any() and (paper.loc[blank, "note"] != "").all()
    assert set(paper.loc[~blank, "evidence"]) == {"paper", "derived"}
    assert set(paper["evidence"]) == {"paper", "derived", ""} and (paper.loc[~blank, "source"] != "").all()


@pytest.mark.skipif(not SHARED.is_dir(), reason="the specification is not beside this checkout")
def test_the_papers_own_numbers_are_those_of_the_specification():
    section = re.search(r"## 8\..*?(?=\n## 9\.)", SPECIFICATION.read_text(encoding="utf-8"), re.DOTALL)[0]
    wanted = re.findall(r"(\d+\.\d+)/(\d+\.\d+)/(\d+\.\d+)", section)
    rows = published_rows("4")
    rows = rows[rows["value"].notna()].groupby("method", sort=False)["printed"].agg(tuple)
    assert len(wanted) == 8 and sorted(rows) == sorted(wanted)
    full = published_rows("1").query("method == 'DP-CLIP' and metric == 'Acc@1'")
    assert f"about {full['printed'].item()} `derived`" in section and full["evidence"].item() == "derived"


def test_a_table_shows_each_own_number_once_and_blanks_as_blanks():
    first = published_rows("1")
    assert first.query("method == 'DP-CLIP' and metric == 'Acc@1'").shape[0] == 1
    assert first["method"].iloc[-1] == "DP-CLIP" and "SpLIP" in set(first["method"])
    assert not first["method"].str.contains("rank").any()
    random = published_rows("4").query("method.str.contains('random')")
    assert len(random) == 3 and random["value"].isna().all() and (random["printed"] == "").all()


def test_conventions_become_words():
    assert computed("TCN", "mAP@200") == "min(k, R), interpolated or hits, not interpolated"
    assert computed("CVAE", "P@200") == "k" and computed("PSKD", "mAP@all") == "unknown"


def test_a_missing_table_is_named(tmp_path):
    (tmp_path / "peers.csv").write_text("method,value\n")
    with pytest.raises(UserError, match=r"rivals\.csv is missing; .* holds peers"):
        read_published("rivals", tmp_path)
