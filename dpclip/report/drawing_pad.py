"""A pad to draw on in JupyterLab: its strokes become a picture, and the picture a ranking with a heatmap.

A stroke is {"width": w, "points": [[x, y], ...]}, in shares of the paper's side. The page `try` draws with the same
script.
"""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import anywidget
import matplotlib.pyplot as plt
import numpy as np
import torch
import traitlets
from matplotlib.figure import Figure
from PIL import Image, ImageDraw
from torch import Tensor

from dpclip.data.batches import TestSet
from dpclip.errors import UserError
from dpclip.lab.evaluate import Bench
from dpclip.lab.retrieve import rank_photos
from dpclip.lab.similarity import similarity
from dpclip.report.figures import GREY, grid, short, tile
from dpclip.report.heatmaps import largest, show_map
from dpclip.report.notebooks import WIDGET

ASSETS = Path(__file__).parent / "web" / "assets"
SIDE = 448  # pixels of the paper, as in the browser
NOTE = "*Here JupyterLab shows a pad to draw on. It needs a running kernel; the page “Try it” of the book needs none.*"


class DrawingPad(anywidget.AnyWidget):
    """`answer` turns a picture (3, S, S) in [0, 1] into a figure, which is shown below the pad when Find is pressed."""

    _esm = "\n".join((ASSETS / name).read_text(encoding="utf-8") for name in ("drawing.js", "pad.js"))
    strokes = traitlets.List().tag(sync=True)  # set by the browser, before `asked`
    asked = traitlets.Int(0).tag(sync=True)
    picture = traitlets.Bytes(b"").tag(sync=True)  # PNG; set here, before `answered`
    message = traitlets.Unicode("").tag(sync=True)
    answered = traitlets.Int(0).tag(sync=True)

    def __init__(self, answer: Callable[[Tensor], Figure], size: int) -> None:
        super().__init__()
        self._answer, self._size = answer, size
        self.observe(self._find, "asked")

    def _find(self, change: dict) -> None:
        try:
            figure = self._answer(paint_strokes(self.strokes, self._size))
        except UserError as error:
            png, message = b"", str(error)
        else:
            buffer, message = io.BytesIO(), ""
            figure.savefig(buffer, format="png", dpi=110)
            plt.close(figure)
            png = buffer.getvalue()
        with self.hold_sync():
            self.picture, self.message, self.answered = png, message, self.asked

    def _repr_mimebundle_(self, **kwargs: object) -> dict:
        """The widget, and a note where there is no kernel."""
        view = super()._repr_mimebundle_(**kwargs)
        bundle = view[0] if isinstance(view, tuple) else view
        return {WIDGET: bundle[WIDGET], "text/markdown": NOTE, "text/plain": "DrawingPad"}


def paint_strokes(strokes: Sequence[dict], size: int) -> Tensor:
    """Black strokes on white paper -> a picture (3, S, S) in [0, 1], made smaller as files are. Raises UserError when
    nothing is drawn.
    """
    if not strokes:
        raise UserError("the paper is empty: draw something, then press Find.")
    fine = 2 * SIDE  # drawn without smoothing, twice as large
    paper = Image.new("L", (fine, fine), 255)
    pen = ImageDraw.Draw(paper)
    for stroke in strokes:
        points = [(fine * x, fine * y) for x, y in stroke["points"]]
        radius = fine * stroke["width"] / 2
        pen.line(points, fill=0, width=max(round(2 * radius), 1), joint="curve")
        for x, y in points:  # round ends, and a dot for a single point
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=0)
    grey = paper.resize((size, size), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.asarray(grey, dtype=np.float32) / 255).expand(3, -1, -1)


def drawn_answer(bench: Bench, test: TestSet, drawn: Tensor, top: int = 9) -> Figure:
    """A drawing (3, S, S), its heatmap under the test's category (mean over layers, its own scale), and the nearest
    photos of the gallery.
    """
    ranking = rank_photos(bench, drawn, test, test.gallery)
    heat = similarity(bench.model, drawn[None].to(bench.store.device), bench.context(test)).mean(1)[0]
    names, rows = bench.store.manifest.table["instance"], ranking.rows[:top]
    figure, axes = grid(2 + len(rows))
    tile(axes[0], drawn, "drawing", frame=GREY)
    show_map(axes[1], heat, largest([heat]), drawn)
    axes[1].set_title("heatmap", fontsize=8)
    for place, (axis, row, image) in enumerate(zip(axes[2:], rows, bench.store[rows], strict=True), 1):
        tile(axis, image, f"{place}. {short(names[row])}")
    return figure
