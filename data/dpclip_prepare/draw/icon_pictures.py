"""Draws the pictures of one icon of the benchmark: a photo, and five sketches, one by each hand.

Each picture has a seed of its own, so the same package versions give the same pixels whatever is drawn beside it.
Source: `ours`.
"""

from dpclip.data.benchmark import Icon, image_path
from dpclip_prepare.draw.canvas import ART, png_of, rendered, seeded_for, svg_document
from dpclip_prepare.draw.hands import FIVE, on_paper, sketch_of
from dpclip_prepare.draw.lighting import photo_of
from dpclip_prepare.draw.regions import take_apart
from dpclip_prepare.draw.strokes import edges, trace


def draw_icon(icon: Icon) -> dict[str, bytes]:
    """The six pictures of an icon, as path -> PNG bytes. Raises UserError naming an icon that cannot be drawn."""
    parts = take_apart(rendered(svg_document(icon.body, icon.box), ART, f"{icon.set}:{icon.name}"), icon.coloured)
    lines = on_paper(trace(edges(parts.regions, parts.lines)))

    def seed(purpose: str):
        return seeded_for(icon.concept, icon.instance, purpose)

    pictures = {image_path("photo", icon.category, icon.instance): png_of(photo_of(parts, seed("photo")))}
    for skill in FIVE:
        path = image_path("sketch", icon.category, f"{icon.instance}-{skill}")
        pictures[path] = png_of(sketch_of(lines, skill, seed(f"sketch-{skill}")))
    return pictures
