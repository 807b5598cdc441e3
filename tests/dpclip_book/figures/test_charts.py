"""Pictures of a table's rows show every seed, and say what has not run."""

import matplotlib
import numpy as np
import pytest

from dpclip_book.figures.charts import show_curves, show_rows, show_shares

matplotlib.use("Agg")


def dots(axes):
    """x of all round marks, line by line."""
    return [line.get_xdata().tolist() for line in axes.lines if line.get_marker() == "o"]


def test_every_seed_is_a_dot_and_a_missing_row_says_so():
    rows = {"a": [1.0, 2.0, 3.0], "b": [], "c": [4.0]}
    figure = show_rows({"one": rows, "two": {"a": [5.0], "b": [6.0], "c": []}}, "Acc@1", {"one": {"chance": 0.5}})
    first, second = figure.axes
    assert dots(first) == [[1.0, 2.0, 3.0], [4.0]] and dots(second) == [[5.0], [6.0]]
    assert [(text.get_text(), text.get_position()[1]) for text in first.texts] == [("not run yet", 1)]
    assert [label.get_text() for label in first.get_yticklabels()] == ["a", "b", "c"]
    assert [text.get_text() for text in figure.legends[0].texts] == ["chance"]
    interval = next(line for line in first.lines if len(line.get_xdata()) == 2 and line.get_linestyle() == "-")
    assert np.diff(interval.get_xdata()).item() == pytest.approx(2 * 4.303 / np.sqrt(3), rel=1e-3)
    assert not show_rows({"one": rows}, "Acc@1").legends


def test_curves_go_up_in_their_quantity_and_leave_out_what_has_not_run():
    (axes,) = show_curves({"rank": {64: [2.0, 3.0], 16: [1.0], 128: []}}, "Acc@1").axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["16", "64"]
    assert axes.lines[0].get_ydata().tolist() == [1.0, 2.5]


def test_shares_are_stacked():
    bars = {"a": {"base": 1.0, "added": 0.0}, "b": {"base": 1.0, "added": 2.0}}
    (axes,) = show_shares({"work": bars}, {"work": "GFLOPs"}).axes
    ends = [patch.get_x() + patch.get_width() for patch in axes.patches]
    assert ends == [1.0, 1.0, 1.0, 3.0] and axes.get_xlabel() == "GFLOPs"
