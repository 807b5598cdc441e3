"""The pictures that teach the mini CLIP: openly licensed icon sets, read from their npm packages and drawn once.

An icon set `@iconify-json/NAME` is one JSON file of SVG bodies. Icons of one name in several sets and styles ("red
apple" as an emoji, an outline, a filled shape) form a *group*; a group is what one caption describes. OpenMoji, whose
drawings are the benchmark, and Quick, Draw! are not in the list. Nothing of this corpus is shipped:
`data/mini-clip/icon_sets.csv` names the packages, versions, licences and hashes it is made from.
"""

import base64
import hashlib
import io
import json
import re
import subprocess
import tarfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from dpclip.errors import UserError
from dpclip.files import DATA, sha256_file

SETS = DATA / "mini-clip" / "icon_sets.csv"
SIZE = 128  # pixels of a stored drawing
STYLE = re.compile(
    r"[- ](fill|filled|outline|outlined|bold|light|thin|duotone|rounded|round|sharp|linear|broken|line|line-duotone"
    r"|bold-duotone|regular|color|solid|twotone|\d+|\d+-regular|\d+-filled|\d+-light|\d+-color|alt|variant|remix|v1|v2)$"
)
UNWANTED = re.compile(
    r"skin-tone|(^|-)(light|medium|dark)-(skin|medium|light|dark)|^flag-|-off$|-slash$|keycap|^letter-|^regional"
)
FLUENT_SIZES = re.compile(r"-(10|12|16|20|28|32|48)-")


@dataclass(frozen=True)
class Icon:
    """One drawing of a set: `svg` is complete markup; `group` the words shared by all drawings of one thing."""

    set: str
    name: str
    group: str
    topic: str
    svg: str
    colour: bool


def sets() -> pd.DataFrame:
    """The committed list: package, version, licence, kind (emoji or icon), sha256 of the package archive."""
    return pd.read_csv(SETS, keep_default_na=False)


def fetch(folder: Path) -> list[Path]:
    """Get the archives of all sets into `folder` with `npm pack`, once; each is checked against its recorded SHA-256.

    Raises UserError when npm is missing or an archive is not the one recorded.
    """
    folder.mkdir(parents=True, exist_ok=True)
    archives = []
    for row in sets().itertuples():
        archive = folder / f"iconify-json-{row.set}-{row.version}.tgz"
        if not archive.exists():
            package = f"@iconify-json/{row.set}@{row.version}"
            try:
                subprocess.run(["npm", "pack", "-s", package], cwd=folder, check=True, capture_output=True)
            except (OSError, subprocess.CalledProcessError) as error:
                raise UserError(
                    f"cannot fetch {package}: {error}. Install npm and check the network, then repeat."
                ) from error
        if sha256_file(archive) != row.sha256:
            raise UserError(f"{archive} is not the recorded package (its SHA-256 differs). Delete it and repeat.")
        archives.append(archive)
    return archives


def group_words(name: str) -> str:
    """The words of an icon's name without its style suffixes: "apple-fill", "apple-24-filled" -> "apple"."""
    while (shorter := STYLE.sub("", name)) != name:
        name = shorter
    return name.replace("-", " ").strip()


def read_set(archive: Path, name: str) -> list[Icon]:
    """The usable icons of one archive: no flags, skin tones or crossed-out doubles; one size where a set ships many."""
    with tarfile.open(archive) as tar:
        data = json.load(tar.extractfile("package/icons.json"))
        info = json.load(tar.extractfile("package/info.json"))
        metadata = json.load(tar.extractfile("package/metadata.json"))
    topics = {icon: topic for topic, icons in metadata.get("categories", {}).items() for icon in icons}
    width, height = data.get("width", 16), data.get("height", 16)
    icons = []
    for key, icon in data["icons"].items():
        topic = topics.get(key, "")
        if icon.get("hidden") or UNWANTED.search(key) or topic == "Flags" or FLUENT_SIZES.search(key + "-"):
            continue
        box = f"{icon.get('left', 0)} {icon.get('top', 0)} {icon.get('width', width)} {icon.get('height', height)}"
        links = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
        svg = f'<svg {links} viewBox="{box}" width="{SIZE}" height="{SIZE}" color="black">{icon["body"]}</svg>'
        words = group_words(key)
        if words:
            icons.append(Icon(name, key, words, topic.lower(), svg, bool(info.get("palette"))))
    return icons


def draw(icon: Icon) -> np.ndarray | None:
    """One icon as uint8: (H, W, 4) with straight alpha, or (H, W) coverage if monochrome; None if it is nearly empty
    or full.
    """
    import resvg_py

    try:
        png = resvg_py.svg_to_bytes(svg_string=icon.svg, width=SIZE, height=SIZE, skip_system_fonts=True)
    except ValueError:
        return None
    data = base64.b64decode(png) if isinstance(png, str) else bytes(png)
    picture = Image.open(io.BytesIO(data)).convert("RGBA")
    canvas = Image.new("RGBA", (SIZE, SIZE))
    canvas.paste(picture, ((SIZE - picture.width) // 2, (SIZE - picture.height) // 2))
    pixels = np.asarray(canvas)
    if not 0.01 < (pixels[..., 3] > 127).mean() < 0.98:
        return None
    return pixels if icon.colour else pixels[..., 3].copy()


def build(folder: Path) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """The corpus, drawn once and kept in `folder`: (table, colour pictures, monochrome pictures).

    table: set, name, group, topic, colour, row; colour pictures (N, 128, 128, 4) uint8 RGBA; monochrome (M, 128, 128)
    uint8 coverage. `row` numbers a picture within its array.
    """
    table, colour, mono = folder / "corpus.csv", folder / "colour.npy", folder / "mono.npy"
    if not table.exists():
        icons = [
            icon for a, row in zip(fetch(folder), sets().itertuples(), strict=True) for icon in read_set(a, row.set)
        ]
        with ProcessPoolExecutor() as pool:
            drawn = list(pool.map(draw, icons, chunksize=200))
        stacks, rows, seen = {True: [], False: []}, [], set()
        for icon, pixels in zip(icons, drawn, strict=True):
            if pixels is None:
                continue
            digest = hashlib.sha256(pixels.tobytes()).digest()
            if digest in seen:
                continue
            seen.add(digest)
            rows.append((icon.set, icon.name, icon.group, icon.topic, icon.colour, len(stacks[icon.colour])))
            stacks[icon.colour].append(pixels)
        np.save(colour, np.stack(stacks[True]))
        np.save(mono, np.stack(stacks[False]))
        pd.DataFrame(rows, columns=["set", "name", "group", "topic", "colour", "row"]).to_csv(table, index=False)
    return pd.read_csv(table, keep_default_na=False), np.load(colour, mmap_mode="r"), np.load(mono, mmap_mode="r")
