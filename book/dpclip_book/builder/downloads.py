"""The files that the page Downloads offers: notebooks, records, tables and, where it was made, the PDF of the book."""

import io
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

import nbformat

from dpclip.commands.table_commands import TABLES, Format, show_table
from dpclip.files import ROOT, atomic_write_bytes, atomic_write_text
from dpclip_book.builder.notebooks import title
from dpclip_book.pages.findings import findings_frame

EPOCH = (1980, 1, 1, 0, 0, 0)  # one date for all files, so that the same content gives the same bytes


def write_downloads(target: Path, notebooks: Sequence[Path], pdf: Path, preset: str, root: Path = ROOT) -> str:
    """Fill the folder `target` and return the Markdown that lists it, with sizes. `notebooks` are the executed ones."""
    target.mkdir(parents=True, exist_ok=True)
    for folder in ("notebooks", "tables", "published"):
        (target / folder).mkdir(exist_ok=True)
    parts = ["## The book\n"]
    if pdf.is_file():
        shutil.copy(pdf, target / pdf.name)
        parts.append(f"- {link(target / pdf.name, target)}: all chapters, as they were when it was printed.")
    else:
        parts.append(
            f"- The PDF is not part of this copy: `make pdf PRESET={preset}` prints it, and `make book` then adds it."
        )
    parts.append("\n## Notebooks, as they were run\n")
    for path in notebooks:
        shutil.copy(path, target / "notebooks" / path.name)
        parts.append(f"- {link(target / 'notebooks' / path.name, target)}: {title(nbformat.read(path, as_version=4))}")
    records = sorted(path for path in (root / "data" / "records").rglob("*") if path.is_file())
    atomic_write_bytes(target / "records.zip", archive(records, root / "data"))
    what = f"{len(records)} files, a record for each run and what was measured besides."
    parts += ["\n## Records of runs\n", f"- {link(target / 'records.zip', target)}: {what}"]
    parts.append("\n## Tables\n")
    for number, what in TABLES.items():
        path = target / "tables" / f"table{number}.csv"
        atomic_write_text(path, show_table(number, preset, Format.csv))
        parts.append(f"- {link(path, target)}: table {number}, {what}; exact numbers.")
    frame = findings_frame()
    atomic_write_text(target / "findings.csv", frame.to_csv(index=False))
    atomic_write_text(target / "findings.json", frame.to_json(orient="records", indent=1) + "\n")
    parts.append("\n## Findings\n")
    parts += [
        f"- {link(target / f'findings.{kind}', target)}: claims, verdicts, intervals." for kind in ("csv", "json")
    ]
    parts.append("\n## Published numbers\n")
    for path in sorted((root / "data" / "published").glob("*.csv")):
        shutil.copy(path, target / "published" / path.name)
        parts.append(f"- {link(target / 'published' / path.name, target)}")
    return "\n".join(parts) + "\n"


def link(path: Path, target: Path) -> str:
    """A link from a page of book/, with the size."""
    name = path.relative_to(target).as_posix()
    size = path.stat().st_size
    words = f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{max(1, round(size / 1000))} kB"
    return f'<a href="../downloads/{name}" download>{name}</a> ({words})'


def archive(files: Sequence[Path], base: Path) -> bytes:
    """A zip of `files` with names relative to `base`; the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for path in files:
            entry = zipfile.ZipInfo(path.relative_to(base).as_posix(), EPOCH)
            entry.external_attr = 0o644 << 16
            zipped.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, 9)
    return buffer.getvalue()
