"""Strokes become a picture, the picture an answer; where there is no kernel a note stands in for the pad."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

from dpclip.data.store import ImageStore
from dpclip.errors import UserError
from dpclip.lab.evaluate import open_bench
from dpclip.lab.retrieve import category_test, rank_photos
from dpclip.method.config import DPCLIPConfig
from dpclip.method.model import DPCLIP
from dpclip.report.drawing_pad import NOTE, DrawingPad, drawn_answer, paint_strokes
from dpclip.report.notebooks import WIDGET, clean
from tests.toy import make_toy

LINE = {"width": 0.1, "points": [[0.25, 0.5], [0.75, 0.5]]}


def test_a_stroke_lies_where_it_was_drawn():
    picture = paint_strokes([LINE], 40)
    assert picture.shape == (3, 40, 40) and (picture[0] == picture[2]).all()
    dark = (picture[0] < 0.5).numpy()
    rows, columns = np.flatnonzero(dark.any(1)), np.flatnonzero(dark.any(0))
    assert (rows[0], rows[-1]) == (18, 21)  # a tenth of the side
    assert abs(columns[0] - 8) <= 1 and abs(columns[-1] - 31) <= 1  # a quarter to three quarters, with round ends
    dot = paint_strokes([{"width": 0.1, "points": [[0.5, 0.5]]}], 40)
    assert 10 <= int((dot[0] < 0.5).sum()) <= 16


def test_the_pad_answers_what_was_drawn():
    seen = []

    def answer(picture):
        seen.append(picture)
        return Figure(figsize=(2, 1))

    pad = DrawingPad(answer, 24)
    pad.strokes = [LINE]
    pad.asked = 1  # as the button does
    assert pad.answered == 1 and pad.message == "" and (seen[0] == paint_strokes([LINE], 24)).all()
    with Image.open(io.BytesIO(pad.picture)) as picture:
        assert picture.size == (220, 110)
    pad.strokes = []
    pad.asked = 2
    assert pad.answered == 2 and "the paper is empty" in pad.message and pad.picture == b""
    with pytest.raises(UserError, match="draw something"):
        paint_strokes([], 24)


def test_a_page_has_a_note_and_no_widget():
    bundle = DrawingPad(lambda picture: Figure(), 24)._repr_mimebundle_()
    assert bundle["text/markdown"] == NOTE and bundle[WIDGET]["model_id"]
    cell = new_code_cell("pad", outputs=[new_output("execute_result", data=bundle)])
    notebook = new_notebook(cells=[cell], metadata={"widgets": {"state": {}}})
    kept = clean(notebook)
    assert kept.cells[0].outputs[0].data == {"text/markdown": NOTE, "text/plain": "DrawingPad"}
    assert "widgets" not in kept.metadata


def test_the_answer_shows_drawing_heatmap_and_the_nearest_photos(tmp_path, tiny_backbone):
    store = ImageStore(make_toy(tmp_path, size=56), 56, cache=tmp_path / "cache")
    bench = open_bench(DPCLIP(tiny_backbone, DPCLIPConfig(window=3)), store)
    test = category_test(store, bench, "pear")
    drawn = paint_strokes([LINE], 56)
    titles = [axes.get_title() for axes in drawn_answer(bench, test, drawn, top=2).axes]
    names = store.manifest.table["instance"][rank_photos(bench, drawn, test, test.gallery).rows[:2]]
    assert titles == ["drawing", "heatmap", *(f"{place}. {name}" for place, name in enumerate(names, 1))]
