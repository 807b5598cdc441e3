"""Contact sheets: every concept of the benchmark at a glance, for eyes to check. Source: `ours`."""

from collections import defaultdict
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from dpclip.data.benchmark import Icon, image_path, split_by_name
from dpclip_prepare.draw.canvas import rendered, svg_document
from dpclip_prepare.draw.icon_pictures import draw_icon

CELL, CAPTION = 56, 11  # pixels
WIDTH = 920  # of the committed sheet, pixels: a page may be no heavier
SHOWN = ("photo", ""), ("sketch", "-5")  # kinds of pictures, and the hand, on a sheet
WIDE = 18  # icons in a row


def icon_sheets(icons: list[Icon], folder: Path, height: int = 1500) -> None:
    """All icons as their artists drew them, a block of rows for each concept, as PNG pages in `folder`."""
    by_concept = _grouped(icons)
    pages, strips, used = [], [], 0
    for concept in sorted(by_concept):
        strip = _strip(by_concept[concept], f"{concept} ({len(by_concept[concept])})")
        if used + strip.height > height:
            pages, strips, used = [*pages, strips], [], 0
        strips, used = [*strips, strip], used + strip.height
    folder.mkdir(parents=True, exist_ok=True)
    for number, page in enumerate([*pages, strips]):
        tiles = [(0, sum(above.height for above in page[:place]), strip) for place, strip in enumerate(page)]
        _pasted(tiles).save(folder / f"{number:02d}.png")


def picture_sheet(icons: list[Icon], path: Path, across: int = 10) -> None:
    """One icon of each concept: its photo and the sketch of the most skilled hand; unseen concepts in red."""
    by_concept, tiles = _grouped(icons), []
    splits = split_by_name(set(by_concept))
    for number, concept in enumerate(sorted(by_concept)):
        icon = by_concept[concept][len(by_concept[concept]) // 2]
        pictures = draw_icon(icon)
        x, y = number % across * (2 * CELL + 4), number // across * (CELL + CAPTION)
        names = [
            image_path(kind, icon.category, icon.instance + end) for kind, end in (("photo", ""), ("sketch", "-5"))
        ]
        for place, name in enumerate(names):
            picture = Image.open(BytesIO(pictures[name])).convert("RGB").resize((CELL, CELL), Image.Resampling.LANCZOS)
            tiles.append((x + place * CELL, y + CAPTION, picture))
        colour = {"unseen": "#b00", "val": "#06c"}.get(splits[concept], "black")
        tiles.append((x, y, _caption(f"{concept}", 2 * CELL, colour)))
    sheet = _pasted(tiles)
    sheet.resize((WIDTH, sheet.height * WIDTH // sheet.width), Image.Resampling.LANCZOS).save(path, quality=45)


def _grouped(icons: list[Icon]) -> dict[str, list[Icon]]:
    by_concept = defaultdict(list)
    for icon in icons:
        by_concept[icon.concept].append(icon)
    return by_concept


def _strip(icons: list[Icon], title: str) -> Image.Image:
    tiles = [(0, 0, _caption(title, WIDE * CELL, "black", "#ddd"))]
    for number, icon in enumerate(icons):
        pixels = rendered(svg_document(icon.body, icon.box), CELL, icon.name)
        flat = pixels[..., :3] * pixels[..., 3:] + 1 - pixels[..., 3:]
        picture = Image.fromarray(np.rint(flat * 255).astype(np.uint8))
        x, y = number % WIDE * CELL, CAPTION + number // WIDE * (CELL + CAPTION)
        tiles += [(x, y, picture), (x, y + CELL, _caption(icon.name[:9], CELL, "#666"))]
    return _pasted(tiles)


def _caption(text: str, width: int, colour: str, ground: str = "white") -> Image.Image:
    image = Image.new("RGB", (width, CAPTION), ground)
    ImageDraw.Draw(image).text((1, -1), text, fill=colour)
    return image


def _pasted(tiles: list[tuple[int, int, Image.Image]]) -> Image.Image:
    sheet = Image.new("RGB", (max(x + t.width for x, _, t in tiles), max(y + t.height for _, y, t in tiles)), "white")
    for x, y, tile in tiles:
        sheet.paste(tile, (x, y))
    return sheet
