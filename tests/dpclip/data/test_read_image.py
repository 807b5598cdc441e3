"""Every kind of picture becomes upright RGB; what cannot be read is named with its cure."""

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from dpclip.data.benchmark import ROOT
from dpclip.data.images import read_image
from dpclip.errors import UserError

RED = (255, 0, 0)


def saved(picture: Image.Image, path, **options) -> np.ndarray:
    picture.save(path, **options)
    pixels = read_image(path, 8)
    assert pixels.shape == (3, 8, 8) and pixels.dtype == np.uint8
    return pixels


def test_greyscale_and_black_and_white(tmp_path):
    assert (saved(Image.new("L", (8, 8), 77), tmp_path / "a.png") == 77).all()
    assert (saved(Image.new("1", (8, 8), 1), tmp_path / "b.png") == 255).all()


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path):
    ramp = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    for name in ("a.png", "a.tif"):
        pixels = saved(Image.fromarray(ramp), tmp_path / name)
        assert np.abs(pixels[0] - ramp / 257).max() <= 1


def test_palette_with_and_without_transparency(tmp_path):
    picture = Image.new("P", (8, 8), 1)
    picture.putpalette([0, 0, 0, *RED])
    assert (saved(picture, tmp_path / "a.png")[:, 0, 0] == RED).all()
    assert (saved(picture, tmp_path / "b.png", transparency=1) == 255).all()
    assert (saved(picture, tmp_path / "c.gif")[:, 0, 0] == RED).all()


def test_cmyk(tmp_path):
    pixels = saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), tmp_path / "a.jpg")
    assert np.abs(pixels[:, 4, 4].astype(int) - RED).max() < 8


@pytest.mark.parametrize("mode, colour", [("RGBA", (0, 0, 0, 0)), ("LA", (0, 0))])
def test_alpha_lies_over_white(tmp_path, mode, colour):
    assert (saved(Image.new(mode, (8, 8), colour), tmp_path / "a.png") == 255).all()


def test_half_transparent_and_marked_colour(tmp_path):
    assert np.abs(saved(Image.new("RGBA", (8, 8), (*RED, 128)), tmp_path / "a.png")[1].astype(int) - 127).max() <= 1
    assert (saved(Image.new("RGB", (8, 8), RED), tmp_path / "b.png", transparency=RED) == 255).all()


def test_exif_orientation(tmp_path):
    picture = Image.new("RGB", (8, 8), "white")
    picture.paste(RED, (0, 0, 8, 4))  # red above; "rotate by 90 degrees clockwise to see it upright"
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = saved(picture, tmp_path / "a.jpg", exif=exif, quality=100, subsampling=0)
    assert pixels[1, :, 7].max() < 60 and pixels[1, :, 0].min() > 200  # red at the right


@pytest.mark.parametrize("name", ["A.PNG", "A.Jpg", "A.JPEG", "A#1.png"])
def test_spelling_of_the_extension(tmp_path, name):
    saved(Image.new("RGB", (8, 8)), tmp_path / name)


@pytest.mark.parametrize("extension", ["jpg", "png", "gif", "webp"])
def test_a_truncated_file_is_named(tmp_path, extension):
    path = tmp_path / f"cow.{extension}"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    content = path.read_bytes()
    for size in (len(content) // 2, 20, 0):
        path.write_bytes(content[:size])
        with pytest.raises(UserError, match=f"cow.{extension} is damaged.*original file in its place.*--decode"):
            read_image(path, 8)


def test_cure_fits_the_dataset(tmp_path):
    with pytest.raises(UserError, match="cow.jpg is missing. Put the original"):
        read_image(tmp_path / "cow.jpg", 8)
    with pytest.raises(UserError, match="nothing.png is missing. Run: dpclip data build --force"):
        read_image(ROOT / "images" / "nothing.png", 8)


HEIC, PDF, SVG = b"\0\0\0\x18ftypheic\0\0\0\0", b"%PDF-1.7\n", b'<svg xmlns="http://www.w3.org/2000/svg"/>'


@pytest.mark.parametrize("start", [HEIC, PDF, SVG, b"<html>not found</html>", b"%!PS-Adobe-3.0 EPSF-3.0"])
def test_a_kind_that_is_not_read_is_not_called_damaged(tmp_path, start):
    path = tmp_path / "cow.jpg"
    path.write_bytes(start + b"\0" * 100)
    with pytest.raises(UserError, match="cow.jpg is of a kind that is not read. Convert it: JPEG, PNG, WEBP,"):
        read_image(path, 8)


def test_too_large_a_picture_is_not_called_damaged(tmp_path, monkeypatch):
    Image.new("L", (100, 100)).save(tmp_path / "c.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(UserError, match="c.png is too large a picture: at most 2,000 pixels are read. Scale it down"):
        read_image(tmp_path / "c.png", 8)


def test_pictures_that_are_refused(tmp_path):
    Image.new("F", (8, 8)).save(tmp_path / "a.tif")
    with pytest.raises(UserError, match="a.tif holds floating-point numbers, which are not read"):
        read_image(tmp_path / "a.tif", 8)
    with pytest.raises(UserError, match="cannot be read .Is a directory.. Name a picture"):
        read_image(tmp_path, 8)
    info = PngImagePlugin.PngInfo()
    info.add_text("comment", "x" * 2_000_000, zip=True)
    Image.new("L", (8, 8)).save(tmp_path / "d.png", pnginfo=info)
    with pytest.raises(UserError, match="d.png is damaged"):
        read_image(tmp_path / "d.png", 8)
