"""The published numbers are the gathered ones, complete, and every convention belongs to one of them."""

import pytest

from dpclip.data.files import ROOT
from dpclip.data.published import PUBLISHED, read_published
from dpclip.errors import UserError
from dpclip.lab.metrics import Denominator

GATHERED = ROOT.parent / "shared" / "published" / "peers.csv"


@pytest.mark.skipif(not GATHERED.is_file(), reason="the gathered numbers are not beside this checkout")
def test_peers_are_the_gathered_ones():
    assert (PUBLISHED / "peers.csv").read_bytes() == GATHERED.read_bytes()


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


def test_a_missing_table_is_named(tmp_path):
    (tmp_path / "peers.csv").write_text("method,value\n")
    with pytest.raises(UserError, match=r"rivals\.csv is missing; .* holds peers"):
        read_published("rivals", tmp_path)
