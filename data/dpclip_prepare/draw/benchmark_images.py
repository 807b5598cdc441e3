"""The embedded benchmark Icon-SBIR: builds its images from the committed icons, and checks them.

Every icon has one photo and five sketches (file name ends with the skill of the hand, 1 hurried .. 5 practised);
concepts of Quick, Draw! have 100 drawings by people. Same package versions, same bytes. Source: `ours`.
"""

import hashlib
import io
import json
import os
import shutil
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from dpclip.data.benchmark import (
    BUILD,
    BUILT,
    ICONS,
    PEOPLE,
    ROOT,
    SIGNATURE,
    Icon,
    human_drawings,
    image_path,
    read_built,
    read_icons,
    recorded,
)
from dpclip.data.images import read_image
from dpclip.data.manifest import Manifest, hash_contents
from dpclip.errors import UserError
from dpclip.files import atomic_write_bytes, atomic_write_text, sha256_file
from dpclip_prepare.draw import canvas, hands, lighting, people, regions, strokes
from dpclip_prepare.draw.icon_pictures import draw_icon

CELLS = 8  # CELLS x CELLS mean greys of every recorded picture
TOLERANCE = 3  # grey levels of 255 by which a mean may differ: another processor's last digit moves it by less


def build_key(root: Path = ROOT) -> str:
    """A hash of all that decides the images: the committed icons and drawings, the images' names, the drawing code, the
    renderer's version. It tells when they have to be drawn again, not whether they are right.
    """
    files = [Path(root) / name for name in (ICONS, PEOPLE)]
    files += [Path(module.__file__) for module in (canvas, hands, lighting, people, regions, strokes)]
    parts = [version("resvg-py"), *map(sha256_file, files), *recorded(root).table["path"]]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def is_built(root: Path = ROOT) -> bool:
    """Whether the images on disk are the ones that this version draws."""
    built = read_built(root)
    return built is not None and built["key"] == build_key(root)


def build(root: Path = ROOT) -> float:
    """Draw all images below `root`/images; return the seconds taken.

    The images are drawn in a temporary folder that takes the place of the old one at the end, so an interruption
    changes nothing. Raises UserError when the folder cannot be written or the disk is full.
    """
    root = Path(root)
    start, icons = time.perf_counter(), read_icons(root)
    folders = {icon.concept: icon.category for icon in icons}
    jobs = icons + [(folders[concept], ink) for concept, ink in human_drawings(root).items() if concept in folders]
    try:
        folder = Path(tempfile.mkdtemp(dir=root, prefix=".images-"))
    except OSError as error:
        raise UserError(
            f"cannot write in {root}: {error.strerror}. Choose a writable folder; nothing was changed."
        ) from error
    try:
        folder.chmod(0o755)
        _draw_all(jobs, folder)
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
    stamp(root)
    return time.perf_counter() - start


def stamp(root: Path) -> None:
    """Write down what the images are: their hash, and whether they look as the repository records them."""
    listing = recorded(root)
    built = {"key": build_key(root), "contents": hash_contents(root, listing.table["path"])}
    cells, faults = read_cells(listing)
    built["recorded"] = not faults and not unlike(listing, cells)
    atomic_write_text(Path(root) / BUILT, json.dumps(built) + "\n")


def _draw_all(jobs: list[Icon | tuple[str, np.ndarray]], folder: Path) -> None:
    console, workers = Console(stderr=True), min(os.cpu_count() or 1, 8)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        drawn = pool.map(_draw_one, jobs, [folder] * len(jobs), chunksize=8)
        for _ in track(drawn, "drawing", len(jobs), console=console, disable=not console.is_terminal):
            pass


def _draw_one(job: Icon | tuple[str, np.ndarray], folder: Path) -> None:
    for path, content in (draw_icon(job) if isinstance(job, Icon) else draw_people(*job)).items():
        target = folder / Path(path).relative_to("images")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def draw_people(category: str, drawings: np.ndarray) -> dict[str, bytes]:
    """The drawings of one concept by people, (100, 28, 28), as path -> PNG bytes."""
    names = [image_path("human", category, f"person-{number:02d}") for number in range(len(drawings))]
    return {name: canvas.png_of(people.drawn_by_a_person(ink)) for name, ink in zip(names, drawings, strict=True)}


def mean_greys(pixels: np.ndarray) -> np.ndarray:
    """(3, SIDE, SIDE) uint8 -> the means of its cells (CELLS, CELLS) uint8."""
    side = canvas.SIDE // CELLS
    return np.rint(pixels.mean(0).reshape(CELLS, side, CELLS, side).mean((1, 3))).astype(np.uint8)


def read_cells(listing: Manifest) -> tuple[np.ndarray, list[str]]:
    """Mean greys of every picture on disk that can be read, in the order of its rows: (N, CELLS, CELLS) uint8; and what
    is wrong with the others, one line each with its cure.
    """
    console, cells, faults = Console(stderr=True), [], []
    shown = {"console": console, "transient": True, "disable": not console.is_terminal}
    for path in track(listing.table["path"], "comparing pictures", **shown):
        try:
            cells.append(mean_greys(read_image(listing.root / path, canvas.SIDE)))
        except UserError as error:
            faults.append(str(error))
    return np.array(cells, dtype=np.uint8), faults


def write_signature(root: Path = ROOT) -> None:
    """Commit to the images on disk. Only after a wanted change of the drawing code."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, signature=read_cells(recorded(root))[0])
    atomic_write_bytes(Path(root) / SIGNATURE, buffer.getvalue())
    stamp(root)


def unlike(listing: Manifest, cells: np.ndarray) -> list[str]:
    """Paths of the pictures whose mean greys `cells` are not those recorded: all of them where none or other ones are.

    Raises UserError for a damaged signature.
    """
    path = listing.root / SIGNATURE
    if not path.exists():
        return listing.table["path"].tolist()
    try:
        with np.load(path, allow_pickle=False) as file:
            wanted = file["signature"].astype(int)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{path} cannot be read ({error}). Restore it from git.") from error
    if len(wanted) != len(cells):
        return listing.table["path"].tolist()
    return listing.table["path"][np.abs(cells - wanted).max((1, 2)) > TOLERANCE].tolist()


def check_benchmark(root: Path = ROOT) -> list[str]:
    """Everything that is wrong with the built benchmark, one line each with its cure; empty if it is as recorded."""
    root = Path(root)
    built, listing = read_built(root), recorded(root)
    if built is None or built["key"] != build_key(root):
        return [f"{root / 'images'} is missing or was drawn by another version. Run: {BUILD}"]
    cells, problems = read_cells(listing)
    if problems:
        return problems
    if hash_contents(root, listing.table["path"]) != built["contents"]:
        problems.append(f"{root / 'images'}: pictures were changed after they were drawn. Run: {BUILD} --force")
    if odd := unlike(listing, cells):
        problems.append(
            f"{root / odd[0]}{f' and {len(odd) - 1} more' * (len(odd) > 1)} do not look as recorded. Run: {BUILD} "
            "--force. If the drawing code was changed, the records are of other data."
        )
    return problems
