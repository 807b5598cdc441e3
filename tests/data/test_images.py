import numpy as np
import pytest
import torch
from PIL import Image

from dpclip.data.images import ImageStore, augment, geometry, grey, read_image, turn
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


def test_the_second_store_decodes_nothing(toy, tmp_path):
    ImageStore(toy, 60, tmp_path / "cache")
    (toy.root / toy.table["path"][0]).unlink()
    assert ImageStore(toy, 60, tmp_path / "cache")[[0]].shape == (1, 3, 60, 60)


def test_a_missing_or_damaged_picture_is_named_and_leaves_no_cache(toy, tmp_path):
    path = toy.root / toy.table["path"][7]
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(UserError, match=f"{path.name}.*damaged"):
        ImageStore(toy, 60, tmp_path / "cache")
    path.unlink()
    with pytest.raises(UserError, match=f"{path.name} is missing"):
        ImageStore(toy, 60, tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("toy-*-60.npy"))


@pytest.mark.parametrize("mode", ["L", "RGBA", "CMYK", "I;16"])
def test_every_pixel_format_becomes_rgb(mode, tmp_path):
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    picture = Image.new("RGBA", (8, 8), (255, 0, 0, 0)) if mode == "RGBA" else Image.new(mode, (8, 8))
    picture.save(path)
    pixels = read_image(path, 8)
    assert pixels.shape == (3, 8, 8) and pixels.dtype == np.uint8
    if mode == "RGBA":
        assert (pixels == 255).all()  # transparent means white


def test_sketch_and_positive_turn_alike_and_the_negative_on_its_own():
    image = torch.rand(6, 3, 32, 32)
    flat = image.mean(1, keepdim=True).expand_as(image)  # greyscale changes nothing
    sketch, positive, negative = augment(flat, flat, flat, torch.Generator().manual_seed(3))
    assert torch.allclose(sketch, positive, atol=1e-5)
    assert not torch.allclose(sketch, negative, atol=1e-2)


def test_half_of_the_photos_lose_their_colour():
    images = grey(torch.rand(400, 3, 4, 4), torch.Generator().manual_seed(0))
    colourless = (images.amax(1) - images.amin(1)).amax((1, 2)) < 1e-6
    assert 150 < colourless.sum() < 250


def test_turning_fills_with_white_and_the_identity_changes_nothing():
    images = torch.rand(2, 3, 16, 16)
    identity = torch.eye(2, 3).expand(2, 2, 3)
    assert torch.allclose(turn(images, identity), images, atol=1e-5)
    angle = torch.tensor(torch.pi / 4)
    cos, sin, zero = angle.cos(), angle.sin(), 0 * angle
    rotation = torch.stack([cos, -sin, zero, sin, cos, zero]).view(1, 2, 3)
    corners = turn(torch.zeros(1, 3, 16, 16), rotation)[0, :, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners == 1).all()
    assert geometry(5, torch.Generator()).shape == (5, 2, 3)
