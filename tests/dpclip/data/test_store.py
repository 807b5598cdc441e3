import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from dpclip.data.images import read_image
from dpclip.data.manifest import Manifest
from dpclip.data.store import ImageStore, as_float, luminance
from dpclip.errors import UserError
from tests.toy import make_toy


@pytest.fixture
def toy(tmp_path):
    return make_toy(tmp_path / "toy")


def test_a_store_holds_the_pixels_of_the_files(toy, tmp_path):
    store = ImageStore(toy, 60, tmp_path / "cache")
    row = toy.rows(modality="photo", category="cup")[1]
    pixels = np.asarray(Image.open(toy.root / toy.table["path"][row])).transpose(2, 0, 1)
    assert torch.equal(store[[row]][0], torch.from_numpy(pixels.copy()).float() / 255)


def test_the_second_store_decodes_nothing(toy, tmp_path, monkeypatch):
    ImageStore(toy, 60, tmp_path / "cache")
    monkeypatch.setattr("dpclip.data.store.read_image", None)
    assert ImageStore(toy, 60, tmp_path / "cache")[[0]].shape == (1, 3, 60, 60)


def test_replaced_pictures_are_decoded_anew(toy, tmp_path):
    """Under their old names, and in a manifest that knows nothing of it."""
    path = toy.root / toy.table["path"][0]
    before = ImageStore(toy, 60, tmp_path / "cache").load([0])
    Image.new("RGB", (60, 60)).save(path)
    assert before.any() and not ImageStore(toy, 60, tmp_path / "cache").load([0]).any()


def test_two_folders_with_the_same_names_share_nothing(toy, tmp_path):
    other = make_toy(tmp_path / "other")
    for name in other.table["path"]:
        Image.new("RGB", (60, 60), "red").save(other.root / name)
    assert toy.hash == other.hash  # a list of names, without a word of what the files hold
    stores = [ImageStore(each, 60, tmp_path / "cache") for each in (toy, other)]
    assert (stores[0].photos != stores[1].photos).any() and (stores[0].sketches != stores[1].sketches).any()


def test_another_order_of_the_same_files_is_another_cache(toy, tmp_path):
    ImageStore(toy, 60, tmp_path / "cache")
    rows = toy.table.assign(instance=[f"{9 - int(name[-1])}" for name in toy.table["instance"]])
    turned = Manifest.of("toy", toy.root, rows, toy.text)
    assert turned.table["path"].tolist() != toy.table["path"].tolist()
    store, row = ImageStore(turned, 60, tmp_path / "cache"), turned.rows(modality="photo")[1]
    assert (store.load([row])[0].numpy() == read_image(toy.root / turned.table["path"][row], 60)).all()


@pytest.mark.parametrize("damage", ["cut off", "empty", "of other bytes", "of another shape"])
def test_a_damaged_cache_is_decoded_anew(toy, tmp_path, damage):
    whole = ImageStore(toy, 60, tmp_path / "cache")
    for path in (tmp_path / "cache").glob("*.npy"):
        content = path.read_bytes()
        if damage == "of another shape":
            np.save(path, np.zeros((3, 3, 60, 60), np.uint8))
        else:
            path.write_bytes({"cut off": content[:-1000], "empty": b"", "of other bytes": b"x" * len(content)}[damage])
    again = ImageStore(toy, 60, tmp_path / "cache")
    rows = np.arange(len(toy.table))
    expected = [read_image(toy.root / name, 60) for name in toy.table["path"]]
    assert torch.equal(again[rows], as_float(torch.from_numpy(np.stack(expected))))
    assert whole.key == again.key


def test_of_two_processes_one_decodes_and_the_other_waits(toy, tmp_path, monkeypatch):
    decoded = []
    decode = ImageStore._decode
    monkeypatch.setattr(ImageStore, "_decode", lambda *a: decoded.append(a[1]) or time.sleep(0.2) or decode(*a))
    with ThreadPoolExecutor(2) as pool:
        stores = list(pool.map(lambda _: ImageStore(toy, 60, tmp_path / "cache"), range(2)))
    assert sorted(decoded) == ["photo", "sketch"]
    assert torch.equal(stores[0][[3]], stores[1][[3]])


def test_a_missing_or_damaged_picture_is_named_and_leaves_no_cache(toy, tmp_path):
    path = toy.root / toy.table["path"][7]
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(UserError, match=f"{path.name}.*damaged"):
        ImageStore(toy, 60, tmp_path / "cache")
    path.unlink()
    with pytest.raises(UserError, match=f"{path.name} cannot be read .No such file.*Check the file"):
        ImageStore(toy, 60, tmp_path / "cache")
    assert not list((tmp_path / "cache").glob(f"*-{toy.table['modality'][7]}.npy"))


def test_a_cache_without_room_or_that_cannot_be_written_is_told_before_decoding(toy, tmp_path, monkeypatch):
    monkeypatch.setattr("dpclip.data.store.read_image", None)  # decoding would fail
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        ImageStore(toy, 60, tmp_path / "file" / "cache")
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=2**10))
    with pytest.raises(UserError, match="has 0 MB free, but [0-9]+ MB are needed"):
        ImageStore(toy, 60, tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("*.npy"))


def test_sketches_keep_one_channel_and_mixed_rows_their_order(toy, tmp_path):
    store = ImageStore(toy, 60, tmp_path / "cache")
    sketches, photos = toy.rows(modality="sketch")[:2], toy.rows(modality="photo")[:2]
    assert store.load(sketches).shape == (2, 1, 60, 60) and store.load(photos).shape == (2, 3, 60, 60)
    mixed = np.array([sketches[1], photos[0], sketches[0], photos[1]])
    expected = [read_image(toy.root / toy.table["path"][row], 60) for row in mixed]
    assert torch.equal(store[mixed], as_float(torch.from_numpy(np.stack(expected))))


def test_luminance_is_that_of_pillow_and_keeps_grey():
    random = np.random.default_rng(0)
    picture = random.integers(0, 256, (3, 40, 40), dtype=np.uint8)
    pillow = np.asarray(Image.fromarray(picture.transpose(1, 2, 0)).convert("L"))
    assert (luminance(picture)[0] == pillow).all()
    grey = np.arange(256, dtype=np.uint8).reshape(1, 16, 16).repeat(3, 0)
    assert (luminance(grey)[0] == grey[0]).all()
