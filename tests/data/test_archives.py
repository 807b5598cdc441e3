"""Archives: good ones arrive whole, bad ones leave nothing behind."""

import io
import stat
import tarfile
import zipfile

import pytest

from dpclip.data import archives
from dpclip.data.archives import unpack
from dpclip.errors import UserError

FILES = {"256x256/photo/cow/a.jpg": b"photo" * 40, "256x256/sketch/cow/a-1.png": b"sketch" * 40}


def make_zip(path, files=FILES, mode=None, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = compression
            entry.external_attr = (mode or stat.S_IFREG | 0o644) << 16
            file.writestr(entry, content)
    return path


def make_tar(path, files=FILES, compression="", **fields):
    with tarfile.open(path, f"w:{compression}") as file:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            for field, value in fields.items():
                setattr(entry, field, value)
            file.addfile(entry, io.BytesIO(content))
    return path


def refused(archive, folder, message):
    """The archive is refused with `message`, and nothing of it is left."""
    before = sorted(folder.parent.rglob("*"))
    with pytest.raises(UserError, match=message):
        unpack(archive, folder)
    assert sorted(folder.parent.rglob("*")) == before


@pytest.mark.parametrize("kind", ["zip", "", "gz", "bz2", "xz"])
def test_an_archive_arrives_whole(tmp_path, kind):
    archive = make_zip(tmp_path / "a.zip") if kind == "zip" else make_tar(tmp_path / "a.tar", compression=kind)
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "new" / "data", tmp_path / "empty"):
        assert unpack(archive, folder) == 2
        assert {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()} == FILES
        assert not list(folder.parent.glob(".*"))


@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.parametrize("name", ["../evil.jpg", "/evil.jpg", "a/../../evil.jpg", "C:\\evil.jpg", "..\\evil.jpg"])
def test_no_path_leads_outside(tmp_path, make, name):
    archive = make(tmp_path / "a", {"good.jpg": b"x", name: b"x" * 50})
    refused(archive, tmp_path / "data", "written outside the folder")


def test_no_links_and_devices(tmp_path):
    refused(make_zip(tmp_path / "a.zip", mode=stat.S_IFLNK | 0o777), tmp_path / "data", "link or device")
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
        archive = make_tar(tmp_path / "b.tar", {"a.jpg": b""}, type=kind, linkname="/etc/passwd")
        refused(archive, tmp_path / "data", "link or device")


def test_bombs(tmp_path, monkeypatch):
    zeros = {"a.jpg": bytes(2_000_000)}
    refused(make_zip(tmp_path / "a.zip", zeros, compression=zipfile.ZIP_DEFLATED), tmp_path / "data", "100 times")
    refused(make_tar(tmp_path / "a.tar.gz", zeros, "gz"), tmp_path / "data", "100 times")
    monkeypatch.setattr(archives, "FILES", 1)
    refused(make_zip(tmp_path / "b.zip"), tmp_path / "data", "or 1 files")


def test_a_zip_that_lies_about_its_sizes(tmp_path):
    archive = make_zip(tmp_path / "a.zip", {"a.jpg": bytes(50_000)}, compression=zipfile.ZIP_DEFLATED)
    content = archive.read_bytes()
    archive.write_bytes(content.replace((50_000).to_bytes(4, "little"), (50).to_bytes(4, "little")))
    refused(archive, tmp_path / "data", "cannot be unpacked|larger than the archive says")


def test_broken_and_strange_archives(tmp_path):
    archive = make_tar(tmp_path / "a.tar.gz", {"a.jpg": bytes(range(256)) * 99}, "gz")
    archive.write_bytes(archive.read_bytes()[:300])
    refused(archive, tmp_path / "data", "Download it again")
    (tmp_path / "b.7z").write_bytes(b"7z\xbc\xaf\x27\x1c")
    refused(tmp_path / "b.7z", tmp_path / "data", "7z x b.7z")
    refused(tmp_path / "nowhere.zip", tmp_path / "data", "is no file")
    archive = make_zip(tmp_path / "c.zip")
    archive.write_bytes(archive.read_bytes().replace(b"photo" * 40, b"phot0" * 40))
    refused(archive, tmp_path / "data", "Bad CRC-32.*Download it again")


def test_a_full_folder_is_left_alone(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.txt").write_text("mine")
    refused(make_zip(tmp_path / "a.zip"), tmp_path / "data", "not an empty folder")


def test_a_full_disk_is_told_before(tmp_path, monkeypatch):
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10}))
    refused(make_zip(tmp_path / "a.zip"), tmp_path / "data", "too small.*Free some space")
