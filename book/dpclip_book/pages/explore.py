"""The page that explores recorded results: its data, its pictures, and what it shows without scripts.

Made from data/records/rankings/mini.json when the book is staged, under every preset; nothing is ranked here.
"""

import io
import json
import shutil
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from dpclip.data import benchmark
from dpclip.data.images import read_image
from dpclip.data.manifest import Manifest
from dpclip.errors import UserError
from dpclip.figures.panels import GREY, RED, save_figure
from dpclip.files import atomic_write_bytes, atomic_write_text
from dpclip.runs.experiments import MODULES, module_settings
from dpclip_book.studies.rankings import LETTERS, in_turn, rankings_path, read_rankings

ASSETS = Path(__file__).parent / "assets"
SCRIPTS = ("explore.css", "explore_data.js", "explore.js")
SIDE, COLUMNS = 80, 32  # pixels of a picture, pictures in a row of a sheet
LEVELS = 8  # grey levels of a sketch
EXAMPLE_ROWS, EXAMPLE_TOP = ("DP-CLIP", "no module", "CLIP, untrained"), 8


def write_explorer(source: Path) -> None:
    """Fill the staged book: extra/explore with scripts, data, sheets of pictures and their licences; book/_explore.md,
    the controls and what stands in their place without scripts; book/figures/explore.png.

    Raises UserError when the rankings are missing, damaged, or of other data.
    """
    manifest = benchmark.recorded()
    path = rankings_path("mini")
    content = read_rankings(path)
    if content["data_hash"] != manifest.hash:
        raise UserError(f"the rankings in {path} are of other data. Repeat: dpclip book rankings")
    extra = source / "extra" / "explore"
    extra.mkdir(parents=True, exist_ok=True)
    for name in SCRIPTS:
        shutil.copy(ASSETS / name, extra / name)
    shutil.copy(benchmark.ROOT / "NOTICE.md", extra / "LICENSES.txt")
    data = json.dumps(page_data(content, manifest), separators=(",", ":"))
    atomic_write_text(extra / "rankings.js", f"window.RANKINGS = {data};\n")
    for style in ("photo", *manifest.paired):
        atomic_write_bytes(extra / f"{style}.webp", sheet(manifest, style))
    save_figure(example_figure(content, manifest), source / "book" / "figures" / "explore.png")
    atomic_write_text(source / "book" / "_explore.md", fragment(content))


def page_data(content: dict, manifest: Manifest) -> dict:
    """What the scripts read: rankings by row name, and names and places in the sheets instead of row numbers."""
    settings = module_settings()
    rows = {
        name: row | {"modules": [part for part, field in MODULES.items() if field not in settings[name]]}
        if name in settings
        else row
        for name, row in content["rows"].items()
    }
    sheets = {style: sheet_rows(manifest, style) for style in ("photo", *manifest.paired)}
    place = {row: number for rows in sheets.values() for number, row in enumerate(rows)}
    stem = manifest.table["path"].map(lambda path: Path(path).stem)
    tests = [
        {
            **{key: test[key] for key in ("protocol", "style", "category")},
            "names": [stem[row] for row in test["queries"]],
            "pictures": [place[row] for row in test["queries"]],
            "photos": [place[row] for row in test["photos"]],
            "ranks": {name: test["found"][row["run"]]["ranks"] for name, row in rows.items()},
            "first": {name: " ".join(test["found"][row["run"]]["first"]) for name, row in rows.items()},
        }
        for test in content["tests"]
    ]
    photos = sheets["photo"]
    categories = manifest.table["category"].iloc[photos]
    names = manifest.table["instance"].iloc[photos].tolist()
    words = {category: manifest.text[category] for category in categories.unique()}
    return {
        **{"side": SIDE, "columns": COLUMNS, "letters": LETTERS, "rows": rows, "words": words, "photos": names},
        "start": {category: int(np.flatnonzero(categories == category)[0]) for category in words},
        "sheets": {style: len(rows) for style, rows in sheets.items()},
        "tests": tests,
    }


def sheet_rows(manifest: Manifest, style: str) -> list[int]:
    """Rows of the pictures of a sheet, in its order: all photos of the unseen categories, or a sketch of each."""
    rows = manifest.rows(split="unseen", style=style)
    return (rows if style == "photo" else np.intersect1d(rows, in_turn(manifest))).tolist()


def sheet(manifest: Manifest, style: str) -> bytes:
    """All pictures of a style in one WebP: photos in colour, sketches with LEVELS of grey and without loss."""
    rows, mode = sheet_rows(manifest, style), "RGB" if style == "photo" else "L"
    image = Image.new(mode, (COLUMNS * SIDE, -(-len(rows) // COLUMNS) * SIDE), "white")
    for number, row in enumerate(rows):
        pixels = read_image(manifest.root / manifest.table["path"][row], SIDE)
        picture = Image.fromarray(np.moveaxis(pixels, 0, 2)).convert(mode)
        image.paste(picture, (number % COLUMNS * SIDE, number // COLUMNS * SIDE))
    file = io.BytesIO()
    if style == "photo":
        image.save(file, "WEBP", quality=75)
    else:
        image.quantize(LEVELS).convert("RGB").save(file, "WEBP", lossless=True, method=3, quality=50)
    return file.getvalue()


def fragment(content: dict) -> str:
    """Controls that a script brings to life; and, in their place without scripts, a table and a picture."""
    controls = (ASSETS / "explore.html").read_text(encoding="utf-8")
    missing = f"\n\nNot recorded yet: {'; '.join(content['missing'])}." if content["missing"] else ""
    seed = f"Mini run, seed {content['seed']}."
    return (
        f"```{{raw}} html\n{controls}```\n\n"
        ":::{div} explore-static\nWithout scripts this page shows Acc@1 of its queries, in per cent, protocol "
        f"`held-out`, and one example. {seed}\n\n{accuracy_table(content).to_markdown(index=False, floatfmt='.1f')}\n\n"
        f"![One sketch, and the photos that {len(example_rows(content))} methods find for it; the true one is framed.]"
        f"(figures/explore.png)\n:::\n\n{seed} Code of commit `{content['commit']}`, {content['hardware']}. Pictures: "
        f'<a href="../explore/LICENSES.txt">authors and licences</a>.{missing}\n'
    )


def accuracy_table(content: dict) -> pd.DataFrame:
    """Acc@1 in per cent of each row over all queries of the file, protocol held-out."""
    tests = [test["found"] for test in content["tests"] if test["protocol"] == "held-out"]
    ranks = {name: [rank for own in tests for rank in own[r["run"]]["ranks"]] for name, r in content["rows"].items()}
    return pd.DataFrame([{"method": name, "Acc@1": 100 * own.count(1) / len(own)} for name, own in ranks.items()])


def example_rows(content: dict) -> list[str]:
    return [name for name in EXAMPLE_ROWS if name in content["rows"]] or list(content["rows"])[:3]


def example_figure(content: dict, manifest: Manifest) -> Figure:
    """The first sketch that the first of some methods finds and the last misses, else the first one of all, and what
    each method finds for it.
    """
    rows = example_rows(content)
    tests = [test for test in content["tests"] if test["protocol"] == "held-out"]
    found = [[test["found"][content["rows"][name]["run"]] for name in rows] for test in tests]
    asked = [(t, q) for t, test in enumerate(tests) for q in range(len(test["queries"]))]
    telling = [(t, q) for t, q in asked if found[t][0]["ranks"][q] == 1 < found[t][-1]["ranks"][q]]
    t, q = (telling or asked)[0]
    photos = manifest.rows(modality="photo", category=tests[t]["category"])
    figure, axes = plt.subplots(
        len(rows), 1 + EXAMPLE_TOP, figsize=(1.05 * (1 + EXAMPLE_TOP), 1.25 * len(rows)), squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for line, name, own in zip(axes, rows, found[t], strict=True):
        shown = [photos[LETTERS.index(letter)] for letter in own["first"][q][:EXAMPLE_TOP]]
        for axis, row in zip(line, [tests[t]["queries"][q], *shown], strict=False):
            axis.imshow(np.moveaxis(read_image(manifest.root / manifest.table["path"][row], SIDE), 0, 2))
            for side in axis.spines.values():
                side.set(color=RED if row == tests[t]["photos"][q] else GREY, linewidth=3)
        for axis in line:
            axis.set(xticks=[], yticks=[])
        line[0].set_title(f"{name}: {own['ranks'][q]}", fontsize=8)
    return figure
