"""The table holds what the metrics give, and the picture shows the table."""

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex

from dpclip.evaluation.metrics import Convention, Denominator, Ties, average_precision, hit_ranks
from dpclip.figures.panels import RED
from dpclip_book.figures.metric_conventions import every_convention, show_conventions

matplotlib.use("Agg")


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    distance, relevant = rng.integers(0, 6, (5, 30)), rng.random((5, 30)) < 0.4
    return every_convention(distance, relevant, 8), distance, relevant


def test_table_holds_every_convention_in_per_cent(table):
    shown, distance, relevant = table
    assert shown.shape == (8, 5)
    row = shown.query("denominator == 'hits' and interpolated == 'yes'").iloc[0]
    for ties in Ties:
        value = average_precision(hit_ranks(distance, relevant, ties), 8, Convention(Denominator.HITS, True)).mean()
        assert row[f"ties {ties}"] == pytest.approx(100 * value)
    assert (shown["ties against"] <= shown["ties for"]).all()


def test_picture_shows_the_table_and_marks_ours(table):
    figure = show_conventions(table[0])
    lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 2]
    assert [tuple(line.get_xdata()) for line in lines] == list(
        zip(table[0]["ties against"], table[0]["ties for"], strict=True)
    )
    red = [row for row, line in enumerate(lines) if to_hex(line.get_color()) == RED]
    assert table[0].iloc[red][["denominator", "interpolated"]].values.tolist() == [["min(k, R)", "no"]]
    matplotlib.pyplot.close(figure)
