"""Draws the pictures of the benchmark Icon-SBIR: of each icon one photo and five sketches, one by each hand.

Each picture has a seed of its own, so the same package versions give the same pixels whatever is drawn beside it.
"""

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from dpclip_prepare.draw.canvas import ART, png_of, rendered, seeded_for, svg_document
from dpclip_prepare.draw.hands import FIVE, on_paper, sketch_of
from dpclip_prepare.draw.icon_table import Icon
from dpclip_prepare.draw.lighting import photo_of
from dpclip_prepare.draw.regions import take_apart
from dpclip_prepare.draw.strokes import edges, trace


def picture_path(icon: Icon, kind: str, skill: int | None = None) -> str:
    """Where a picture lies below the benchmark's folder; `kind` is photo or sketch."""
    number = "" if skill is None else f"-{skill}"
    return f"images/{kind}/{icon.concept.replace(' ', '_')}/{icon.instance}{number}.png"


def draw_icon(icon: Icon) -> dict[str, bytes]:
    """The six pictures of an icon, as path -> PNG bytes. Raises UserError naming an icon that cannot be drawn."""
    parts = take_apart(rendered(svg_document(icon.body, icon.box), ART, f"{icon.set}:{icon.name}"), icon.coloured)
    lines = on_paper(trace(edges(parts.regions, parts.lines)))

    def seed(purpose: str):
        return seeded_for(icon.concept, icon.instance, purpose)

    pictures = {picture_path(icon, "photo"): png_of(photo_of(parts, seed("photo")))}
    for skill in FIVE:
        pictures[picture_path(icon, "sketch", skill)] = png_of(sketch_of(lines, skill, seed(f"sketch-{skill}")))
    return pictures


def draw_icons(icons: list[Icon], folder: Path, progress: bool = True) -> None:
    """Draws all icons below `folder`, on all cores, with a progress bar on a terminal."""
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    shown = progress and sys.stderr.isatty()
    with (
        ProcessPoolExecutor(min(os.cpu_count() or 1, 8), mp_context=get_context("spawn")) as pool,
        Progress(TextColumn("drawing"), *columns, console=Console(stderr=True), disable=not shown) as bar,
    ):
        task = bar.add_task("drawing", total=len(icons))
        for _ in pool.map(_draw_into, icons, [folder] * len(icons), chunksize=16):
            bar.advance(task)


def _draw_into(icon: Icon, folder: Path) -> None:
    for path, content in draw_icon(icon).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
