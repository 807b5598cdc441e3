import pytest

from dpclip.report.tables import accuracy_table, category_table


def record(acc, precision=0.5):
    cells = {"acc@1": acc, "acc@5": acc, "acc@10": 1.0}
    level = {"map@all": precision, "p@10": precision}
    return {
        "metrics": {
            "fine-grained": {protocol: {"warped": cells} for protocol in ("held-out", "transductive")},
            "category-level": {"oracle": level, "blind": level},
        }
    }


def test_cells_are_computed_from_records():
    table = accuracy_table({"a": [record(0.25)], "b": [record(0.1), record(0.2), record(0.3)]}, "warped")
    assert table["method"].tolist() == ["a", "b"]
    assert table["held-out, Acc@1"].tolist() == ["25.0", "20.0 ± 24.8"]  # t with two degrees of freedom
    assert table["transductive, Acc@10"].tolist() == ["100.0", "100.0 ± 0.0"]


def test_category_level_cells():
    table = category_table({"a": [record(0.2, 0.125)]})
    assert table["oracle, mAP@all"].item() == "12.5" and table["blind, P@10"].item() == "12.5"


def test_a_record_without_the_metric_is_an_error():
    with pytest.raises(KeyError):
        accuracy_table({"a": [{"metrics": {}}]}, "warped")
