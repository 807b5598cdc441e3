import numpy as np
import pytest
from PIL import Image

from dpclip.data.images import read_image


@pytest.mark.parametrize("mode", ["L", "RGBA", "CMYK", "I;16"])
def test_every_pixel_format_becomes_rgb(mode, tmp_path):
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    picture = Image.new("RGBA", (8, 8), (255, 0, 0, 0)) if mode == "RGBA" else Image.new(mode, (8, 8))
    picture.save(path)
    pixels = read_image(path, 8)
    assert pixels.shape == (3, 8, 8) and pixels.dtype == np.uint8
    if mode == "RGBA":
        assert (pixels == 255).all()  # transparent means white
