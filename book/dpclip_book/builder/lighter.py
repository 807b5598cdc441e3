"""Pictures of executed chapters, made lighter when the book is staged: 256 colours each."""

import base64
import io

import nbformat
from PIL import Image

COLOURS = 256


def lighten(notebook: nbformat.NotebookNode) -> None:
    """Replace each PNG of the outputs by one with a palette, in place, where that is smaller. Sizes stay the same."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                png = base64.b64decode(output.data["image/png"])
                output.data["image/png"] = base64.b64encode(min(png, with_palette(png), key=len)).decode("ascii")


def with_palette(png: bytes) -> bytes:
    """The picture on white with at most COLOURS colours, without dithering, which would cost more than it shows."""
    picture = Image.open(io.BytesIO(png)).convert("RGBA")
    flat = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    buffer = io.BytesIO()
    flat.quantize(COLOURS, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
