"""Chooses the icons that teach the mini CLIP: `PYTHONPATH=data python -m makers.corpus FOLDER`, with npm and a network.

All openly licensed sets of things in the npm package @iconify/json, less every picture of the benchmark and whatever
looks like one. Source: `ours`.
"""

import json
import re
import subprocess
import sys
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from scipy.ndimage import gaussian_filter

from dpclip.data.benchmark import Icon, read_icons
from dpclip.errors import UserError
from dpclip.files import DATA, sha256_file
from dpclip_prepare.clip.corpus import Taught, write_corpus
from dpclip_prepare.draw.canvas import rendered, svg_document
from makers.concepts import EMOJI, concept_of, plain, style_free, style_group, vocabulary
from makers.icon_sets import ONE_SIZE, UNWANTED, families

OPEN = "MIT Apache-2.0 CC-BY-4.0 CC-BY-3.0 CC-BY-SA-4.0 CC-BY-SA-3.0 CC0-1.0 OFL-1.1 ISC MPL-2.0 BSD-3-Clause Unlicense"
NO_OBJECTS = {"Logos", "Flags / Maps", "Programming"}  # categories of sets
OBJECTS = "arcticons"  # counted among the logos, but full of objects
KIN = {
    "ic": "material-symbols",
    "material-symbols-light": "material-symbols",
    "fa7-solid": "fa6-solid",
    "fa-solid": "fa6-solid",
}
PACKAGE = "@iconify/json@2.2.535"
SHA256 = "1a545f86fa224d6531d8fb101dcbe83aac2b28689a21cbed6fc68318a5af4d91"  # of its archive
STYLE_FIRST = re.compile(r"^(?:baseline|outline|round|sharp|twotone)-(?=.)")  # of the set ic
SIDE, CELLS = 96, 32  # pixels of a look; side of its blurred edge map
ALIKE = 0.85  # cosine of two blurred edge maps from which two drawings are one
SAME = 0.97  # the same for two icons of one label, of which one is enough
FILLED = 0.82  # share of the frame that the longer side of an icon takes up
LONGEST = 8000  # characters of an icon's body
STYLES = 2  # renderings of one drawing that are kept, of a drawing that shows no object
COMMON = 7  # icons that a label needs which shows no object


def fetched(folder: Path) -> Path:
    """The archive of the package in `folder`, from `npm pack` if it is not there. UserError if it is another one."""
    archive = folder / f"{PACKAGE.replace('/', '-').replace('@', '-').strip('-')}.tgz"
    if not archive.exists():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run(["npm", "pack", "-s", PACKAGE], cwd=folder, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise UserError(f"cannot fetch {PACKAGE}: {error}. Install npm, check the network, repeat.") from error
    if sha256_file(archive) != SHA256:
        raise UserError(f"{archive} is not the recorded package (its SHA-256 differs). Delete it and repeat.")
    return archive


def write_sets(archive: Path, corpus: Iterable[Taught], path: Path) -> None:
    """A table of the sets that teach: name, licence, author, page, and how many icons of it."""
    count = Counter(taught.icon.set for taught in corpus)
    rows = []
    for name, about, _ in open_sets(archive):
        author, licence = about["author"], about["license"]
        if count[name]:
            rows.append(
                [name, licence["spdx"], author["name"], licence.get("url") or author.get("url", ""), count[name]]
            )
    pd.DataFrame(rows, columns=["set", "licence", "author", "page", "icons"]).to_csv(path, index=False)


def open_sets(archive: Path) -> Iterator[tuple[str, dict, dict]]:
    """Name, description and icons of each openly licensed set of things in the package."""
    with tarfile.open(archive) as tar:
        collections = json.load(tar.extractfile("package/collections.json"))
        for name, about in sorted(collections.items()):
            licence = about.get("license", {}).get("spdx", "")
            if licence in OPEN.split() and (about.get("category") not in NO_OBJECTS or name == OBJECTS):
                yield name, about, json.load(tar.extractfile(f"package/json/{name}.json"))


def candidates(archive: Path) -> Iterator[Taught]:
    """Every usable icon whose drawing is not one of the benchmark's by name."""
    drawings = {_drawing(icon.set, icon.name) for icon in read_icons()}
    renderings = defaultdict(int)
    for name, about, data in open_sets(archive):
        for key, found in sorted(data["icons"].items()):
            drawing = _drawing(name, key)
            renderings[drawing] += 1
            unwanted = found.get("hidden") or UNWANTED.search(key) or ONE_SIZE.search(key + "-")
            if unwanted or drawing in drawings or len(found["body"]) > LONGEST:
                continue
            size = [found.get(side, data.get(side, 16)) for side in ("width", "height")]
            box = " ".join(map(str, [found.get("left", 0), found.get("top", 0), *size]))
            icon = Icon("", name, STYLE_FIRST.sub("", key), box, found["body"], bool(about.get("palette")))
            concept, words = concept_of(icon, drawing[0]), plain(style_free(icon.name))
            if concept or (words and renderings[drawing] <= STYLES and not words.isdigit()):
                label, thing = concept or words, families().get(name, name) in EMOJI
                known = label in vocabulary()
                yield Taught(replace(icon, name=key), label, words, known, known or thing)


def _drawing(name: str, key: str) -> tuple[str, str]:
    """What all renderings of one drawing share: a family of sets, and the name without its style."""
    family = KIN.get(name, name)
    return families().get(family, family), style_group(STYLE_FIRST.sub("", key))


def blurred_edges(rgba: np.ndarray) -> np.ndarray:
    """The edges of a drawing (SIDE, SIDE, 4) in [0, 1], blurred: (CELLS * CELLS,) of zero mean and unit length."""
    picture = np.dstack([rgba[..., :3] * rgba[..., 3:], rgba[..., 3]])
    steps = sum(np.abs(np.diff(picture, axis=axis, append=0)).max(2) for axis in (0, 1))
    soft = Image.fromarray(gaussian_filter(np.minimum(steps, 1).astype(np.float32), 2.7))
    flat = np.asarray(soft.resize((CELLS, CELLS), Image.Resampling.BOX)).ravel()
    flat = flat - flat.mean()
    return flat / max(float(np.linalg.norm(flat)), 1e-6)


def looked_at(icon: Icon) -> tuple[Icon, np.ndarray] | None:
    """The icon in a frame that it fills, and its blurred edges; None where there is nothing to see."""
    x, y, width, height = map(float, icon.box.split())
    frame = max(width, height)
    x, y = x - (frame - width) / 2, y - (frame - height) / 2
    try:
        first = rendered(svg_document(icon.body, f"{x} {y} {frame} {frame}"), SIDE, icon.name)
        ys, xs = np.nonzero(first[..., 3] > 0.2)
        if not 0.01 < len(xs) / SIDE**2 < 0.98:
            return None
        unit = frame / SIDE
        low, high = np.array([xs.min(), ys.min()]), np.array([xs.max() + 1, ys.max() + 1])
        side = (high - low).max() * unit / FILLED
        corner = np.array([x, y]) + (low + high) / 2 * unit - side / 2
        fitted = replace(icon, box=f"{corner[0]:.4g} {corner[1]:.4g} {side:.4g} {side:.4g}")
        return fitted, blurred_edges(rendered(svg_document(fitted.body, fitted.box), SIDE, icon.name))
    except UserError:
        return None


@cache
def benchmark_edges() -> np.ndarray:
    """Blurred edges of all icons of the benchmark, (N, CELLS * CELLS)."""
    return np.stack([look[1] for icon in read_icons() if (look := looked_at(icon))])


def unlike_the_benchmark(found: Iterable[Taught]) -> list[Taught]:
    """Those that look like no icon of the benchmark and like none before them of their label, in fitted frames; of
    labels that show no object only the common ones.
    """
    found, by_label = list(found), defaultdict(list)
    with ProcessPoolExecutor() as pool:
        looks = list(pool.map(looked_at, [taught.icon for taught in found], chunksize=200))
    for taught, look in zip(found, looks, strict=True):
        if look is not None:
            by_label[taught.label].append((replace(taught, icon=look[0]), look[1]))
    kept = [list(_unlike(by_label[label])) for label in sorted(by_label)]
    return [taught for some in kept for taught in some if taught.thing or len(some) >= COMMON]


def _unlike(looks: list[tuple[Taught, np.ndarray]]) -> Iterator[Taught]:
    """Of icons of one label with their blurred edges, those unlike the benchmark's and unlike those before them."""
    edges = np.stack([look for _, look in looks])
    free = likeness(edges, benchmark_edges()).max(1) <= ALIKE
    alike, kept = likeness(edges, edges), []
    for number, (taught, _) in enumerate(looks):
        if free[number] and alike[number, kept].max(initial=0) <= SAME:
            kept.append(number)
            yield taught


def likeness(edges: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Cosines of two lists of blurred edges, (A, CELLS * CELLS) and (B, CELLS * CELLS), at the best shift by at most a
    cell: (A, B). What fits its frame a little otherwise is no other drawing.
    """
    maps = edges.reshape(-1, CELLS, CELLS)
    shifts = [np.roll(maps, (down, right), (1, 2)).reshape(edges.shape) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return np.max([shifted @ others.T for shifted in shifts], axis=0)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    chosen = unlike_the_benchmark(candidates(fetched(place)))
    write_corpus(chosen, place)
    write_sets(fetched(place), chosen, DATA / "mini-clip" / "icon_sets.csv")
