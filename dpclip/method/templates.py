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
    *(f"a {picture} of a {{}}." for picture in _PICTURES),
    *(f"a {picture} of the {{}}." for picture in _PICTURES),
    *(f"a {picture} of one {{}}." for picture in _PICTURES),
    *(f"a {quality} photo of a {{}}." for quality in ("good", "bad", "bright", "dark", "clean", "dirty", "blurry")),
    *(f"a photo of a {quality} {{}}." for quality in ("small", "large", "nice", "strange", "clean", "dirty", "hidden")),
    *(f"a {quality} sketch of a {{}}." for quality in ("good", "bad", "simple", "rough", "quick", "careful")),
    "a black and white photo of a {}.",
    "a close photo of a {}.",
    "a cropped photo of a {}.",
    "a photo of many {}.",
    "a photo of my {}.",
    "an image of a {}.",
    "an icon of a {}.",
    "art of a {}.",
    "a {} on a white background.",
    "a {} drawn by hand.",
    "a {} drawn with a pen.",
    "the outline of a {}.",
    "there is a {} in the scene.",
    "a toy {}.",
)


def sentences(category: str, count: int) -> list[str]:
    """The first `count` templates (1 or 63) with the words of `category`, "a" made "an" by sound.

    Underscores and hyphens of the category become spaces. Raises UserError for another count or empty words.
    """
    if count not in (1, len(TEMPLATES)):
        raise UserError(f"templates={count}: choose 1 or {len(TEMPLATES)}.")
    words = " ".join(category.replace("_", " ").replace("-", " ").split())
    if not words:
        raise UserError("a category without words has no text feature: name it.")
    start = words.lower()
    article = (
        "an" if start.startswith(SILENT_H) or (start[0] in "aeiou" and not start.startswith(SPOKEN_Y_OR_W)) else "a"
    )
    return [t.replace("a {}", f"{article} {words}").replace("{}", words) for t in TEMPLATES[:count]]
