"""Pictures of chapters get a palette where that makes them smaller; their size in pixels and their colours stay."""

import base64
import io

import numpy as np
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

from dpclip_book.builder.lighter import lighten


def png(pixels: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def lightened(picture: str) -> str:
    output = new_output("display_data", data={"image/png": picture, "text/plain": "x"})
    notebook = new_notebook(cells=[new_code_cell("show()", outputs=[output])])
    lighten(notebook)
    return notebook.cells[0].outputs[0].data["image/png"]


def test_a_noisy_picture_gets_lighter_and_looks_the_same():
    steps = np.linspace(0, 255, 200)
    noise = np.random.default_rng(0).normal(0, 4, (200, 200, 4))
    pixels = np.clip(np.stack([np.add.outer(steps, steps) / 2] * 4, 2) + noise, 0, 255).astype(np.uint8)
    pixels[..., 3] = 255
    before = png(pixels)
    after = lightened(before)
    assert len(after) < len(before) / 2
    seen = np.asarray(Image.open(io.BytesIO(base64.b64decode(after))).convert("RGB")).astype(int)
    assert seen.shape == (200, 200, 3) and np.abs(seen - pixels[..., :3]).mean() < 10


def test_a_small_picture_stays_as_it_is():
    picture = png(np.zeros((1, 1), dtype=np.uint8))
    assert lightened(picture) == picture
