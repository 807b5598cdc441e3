import pytest

from dpclip.errors import UserError
from dpclip.evaluation.metrics import OURS
from dpclip.tables.cells import accuracy_columns, category_columns, convention, run_table, run_values


def accuracy_table(rows):
    return run_table(rows, accuracy_columns("warped"))


def category_table(rows):
    return run_table(rows, category_columns("warped"))


def record(acc, precision=0.5, checkpoint="last", said="ties against"):
    cells = {"acc@1": acc, "acc@5": acc, "acc@10": 1.0}
    level = {"map@all": precision, "p@10": precision}
    return {
        "config": {"model": {"checkpoint": checkpoint}},
        "metrics": {
            "fine-grained": {protocol: {"warped": cells} for protocol in ("held-out", "transductive")},
            "category-level": {"oracle": level, "blind": level, "generic": level, "convention": said},
        },
    }


def test_cells_are_computed_from_records():
    table = accuracy_table({"a": [record(0.25)], "b": [record(0.1), record(0.2), record(0.3)]})
    assert table["method"].tolist() == ["a", "b"]
    assert table["held-out, Acc@1"].tolist() == ["25.0", "20.0 ± 24.8"]  # t with two degrees of freedom
    assert table["transductive, Acc@10"].tolist() == ["100.0", "100.0 ± 0.0"]


def test_category_level_cells_and_the_upper_bound_is_marked():
    table = category_table({"a": [record(0.2, 0.125)]})
    assert table["generic, mAP@all"].item() == "12.5" and table["blind, P@10"].item() == "12.5"
    assert "oracle (upper bound), mAP@all" in table


@pytest.mark.parametrize("table", [accuracy_table, category_table])
def test_an_epoch_chosen_on_the_tested_categories_is_labelled(table):
    rows = {"a": [record(0.2)], "b": [record(0.2, checkpoint="test")]}
    assert table(rows)["method"].tolist() == ["a", "b, epoch best on the tested categories"]


def test_a_row_without_a_record_has_no_line_and_seeds_are_counted():
    table = accuracy_table({"a": [record(0.2), record(0.3)], "b": []})
    assert table["method"].tolist() == ["a"] and table["seeds"].tolist() == [2]
    exact = run_values({"a": [record(0.2), record(0.3)], "b": []}, accuracy_columns("warped"))
    first = exact.iloc[0]
    assert (first["method"], first["metric"], first["protocol"]) == ("a", "Acc@1", "held-out")
    assert first["value"] == pytest.approx(25) and first["half_width"] == pytest.approx(63.5, rel=1e-3)
    assert len(exact) == 6 and exact["value"].notna().all()
    assert convention({"b": []}) == str(OURS)


def test_the_convention_is_named_and_never_mixed():
    assert convention({"a": [record(0.2)]}) == "ties against"
    with pytest.raises(UserError, match="several conventions.*ties against; ties for"):
        convention({"a": [record(0.2), record(0.2, said="ties for")]})


def test_a_record_without_the_metric_is_an_error():
    with pytest.raises(KeyError):
        accuracy_table({"a": [{"metrics": {}}]})
