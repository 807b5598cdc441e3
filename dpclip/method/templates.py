"""Sentences that put a category into words for CLIP's text encoder.

63 templates as in the released code `code`; their wording is `ours`, but for the first one, which Fig. 2 shows `paper`.
Short and plain, so that a small vocabulary and a short context suffice.
"""

from dpclip.errors import UserError

SILENT_H = ("heir", "honest", "honor", "honour", "hour")  # spoken with a vowel first
SPOKEN_Y_OR_W = (  # written with a vowel first, but spoken with a consonant
    "eu", "ewe", "one", "once", "ufo", "ukulele", "unic", "unif", "unio", "unit", "univ", "use", "usu", "uten",
)  # fmt: skip
_PICTURES = (
    "photo", "picture", "drawing", "sketch", "painting", "doodle", "cartoon", "rendering", "line drawing",
)  # fmt: skip

TEMPLATES = (
    "This is a {} in the image.",
    "a {}.",
    *(f"a {picture} of {article} {{}}." for article in ("a", "the", "one") for picture in _PICTURES),
    *(f"a {quality} photo of a {{}}." for quality in ("good", "bad", "bright", "dark", "clean", "dirty", "blurry")),
    *(f"a photo of a {quality} {{}}." for quality in ("small", "large", "nice", "strange", "clean", "dirty", "hidden")),
    *(f"a {quality} sketch of a {{}}." for quality in ("good", "bad", "simple", "rough", "quick", "careful")),
    *(f"a {quality} photo of a {{}}." for quality in ("black and white", "close", "cropped")),
    *(f"a photo of {article} {{}}." for article in ("many", "my")),
    "an image of a {}.",
    "an icon of a {}.",
    "art of a {}.",
    *(f"a {{}} {way}." for way in ("on a white background", "drawn by hand", "drawn with a pen")),
    "the outline of a {}.",
    "there is a {} in the scene.",
    "a toy {}.",
)


def sentences(category: str, count: int) -> list[str]:
    """The first 1 or 63 templates with the words of `category`, "a" or "an" by sound; UserError for another count."""
    if count not in (1, len(TEMPLATES)):
        raise UserError(f"templates={count}: choose 1 or {len(TEMPLATES)}.")
    words = " ".join(category.replace("_", " ").replace("-", " ").split())
    if not words:
        raise UserError("a category without words has no text feature: name it.")
    start = words.lower()
    vowel = start[0] in "aeiou" and not start.startswith(SPOKEN_Y_OR_W)
    article = "an" if vowel or start.startswith(SILENT_H) else "a"
    return [t.replace("a {}", f"{article} {words}").replace("{}", words) for t in TEMPLATES[:count]]
