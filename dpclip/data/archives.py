"""Unpacking of an archive from the internet: nothing outside its folder, no links, no bombs. Zip and tar. `ours`."""

import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO

from dpclip.data.files import ensure_writable
from dpclip.errors import UserError

RATIO = 100  # bytes written for each byte of the archive, at most: pictures hardly shrink, strokes about ten times
FILES = 2_000_000  # at most
CHUNK = 1 << 20
BROKEN = (OSError, EOFError, zipfile.BadZipFile, tarfile.TarError, zlib.error, RuntimeError, NotImplementedError)


@dataclass
class Member:
    """A file or folder in an archive; `handle` is the archive library's own entry."""

    name: str
    kind: str  # "file", "folder" or what else it is
    size: int  # as the archive declares it
    handle: zipfile.ZipInfo | tarfile.TarInfo


def unpack(archive: Path, folder: Path) -> int:
    """Unpack a .zip or .tar(.gz, .bz2, .xz) into the new or empty `folder`; return the number of files.

    All goes to a temporary folder that takes the place of `folder` at the end, so nothing is half unpacked. Raises
    UserError for another kind of archive, a broken one, one with a path outside or a link, one that grows
    more than RATIO times, and for a folder that is not empty, not writable or too small.
    """
    archive, folder = Path(archive), Path(folder)
    if not archive.is_file():
        raise UserError(f"{archive} is no file. Check the path of the archive.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} is not an empty folder. Choose a new one.")
    opened = _open(archive)
    limit = RATIO * archive.stat().st_size
    folder.parent.mkdir(parents=True, exist_ok=True)
    ensure_writable(folder.parent)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        with opened:
            count = _write_all(opened, archive, temporary, limit)
        if folder.exists():
            folder.rmdir()
        temporary.chmod(0o755)
        temporary.rename(folder)
    except BROKEN as error:
        raise UserError(
            f"{archive} cannot be unpacked ({error}). Download it again, or see to the disk; {folder} was not made."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return count


def _open(archive: Path) -> zipfile.ZipFile | tarfile.TarFile:
    try:
        if zipfile.is_zipfile(archive):
            return zipfile.ZipFile(archive)
        return tarfile.open(archive)
    except BROKEN as error:
        seven = archive.suffix.lower() in (".7z", ".rar")
        cure = f"Use 7-Zip: 7z x {archive.name}" if seven else "Download it again, or unpack it with its own program."
        raise UserError(f"{archive} is no .zip or .tar archive that can be read. {cure}") from error


def _write_all(opened: zipfile.ZipFile | tarfile.TarFile, archive: Path, root: Path, limit: int) -> int:
    count = written = declared = 0
    for member in _members(opened):
        target = root / safe_path(member, archive)
        declared += member.size
        count += member.kind == "file"
        if declared > limit or count > FILES:
            raise UserError(
                f"{archive} would grow to more than {RATIO} times its size or {FILES:,} files, like an archive made to "
                "fill a disk. If you trust it, unpack it with its own program."
            )
        if shutil.disk_usage(root).free < member.size:
            raise UserError(f"the disk of {root.parent} is too small for {archive}. Free some space.")
        if member.kind == "folder":
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with _read(opened, member) as source, open(target, "xb") as out:
            while chunk := source.read(CHUNK):
                written += len(chunk)
                if written > declared:
                    raise UserError(f"{archive}: {member.name} is larger than the archive says. Do not trust it.")
                out.write(chunk)
    return count


def _members(opened: zipfile.ZipFile | tarfile.TarFile) -> Iterator[Member]:
    if isinstance(opened, zipfile.ZipFile):
        for entry in opened.infolist():
            mode = stat.S_IFMT(entry.external_attr >> 16)
            plain = mode in (0, stat.S_IFREG, stat.S_IFDIR)
            kind = "folder" if entry.is_dir() else "file"
            yield Member(entry.filename, kind if plain else "link or device", entry.file_size, entry)
        return
    for entry in opened:
        kind = "folder" if entry.isdir() else "file" if entry.isreg() and not entry.issparse() else "link or device"
        yield Member(entry.name, kind, entry.size if entry.isreg() else 0, entry)


def _read(opened: zipfile.ZipFile | tarfile.TarFile, member: Member) -> BinaryIO:
    return opened.open(member.handle) if isinstance(opened, zipfile.ZipFile) else opened.extractfile(member.handle)


def safe_path(member: Member, archive: Path) -> Path:
    """Where a member goes, relative to the folder. Raises UserError for a link, a device and a path that leaves it."""
    if member.kind not in ("file", "folder"):
        raise UserError(f"{archive}: {member.name} is a {member.kind}, which no picture is. Do not trust this archive.")
    windows, name = PureWindowsPath(member.name), PurePosixPath(member.name)
    if windows.drive or windows.root or ".." in windows.parts or "\\" in member.name or "\0" in member.name:
        raise UserError(f"{archive}: {member.name!r} would be written outside the folder. Do not trust this archive.")
    return Path(name)
