"""The idea and the architecture, redrawn by our own hand; every size in them comes from a configuration.

Figures 1 and 2 of the paper show the same things `paper`; of the first we know the caption only.
"""

from dpclip_book.figures.sheet import BLUE, FROZEN, RED, SMALL, TRAINED, Drawing, Sheet
from dpclip_book.pages.notation import Sizes

# OpenMoji's birds: the query is a duck, the support shows other birds.
QUERY, SUPPORT = "1F986", ("1F413", "1F99C", "1F427")
GALLERY = ("1F986", "1F983", "1F9A2", "1F9A4", "1F985", "1F9A9")


def draw_idea(sizes: Sizes) -> Drawing:
    """Figure 1: a sketch, and a hint about its category in pictures and words, go in; ranked photos come out."""
    sketches, photos = sizes.model.support_counts
    s = Sheet(
        720, 330,
        "A sketch of a duck and, as a hint, "
        f"{count_words(sketches, 'sketch')}, {count_words(photos, 'photo')} and the name of its category, bird, "
        "enter CLIP's image tower. Out come the photos of the category, nearest first; the first one is the duck.",
    )  # fmt: skip
    s.word(75, 18, "What is searched", bold=True)
    s.picture(75, 84, 100, QUERY, sketch=True)
    s.word(75, 148, "a sketch, the query", SMALL)
    s.arrow((131, 84), (288, 84))

    s.frame(8, 182, 262, 140, dashed=True, line=1)
    s.word(139, 200, "A hint about the category", bold=True)
    side, step = 52, 58
    cards = [(code, n < sketches) for n, code in enumerate(SUPPORT[: sketches + photos])]
    for n, (code, sketch) in enumerate(cards):
        s.picture(42 + step * n, 248, side, code, sketch)
    s.word(
        42 + step * (len(cards) - 1) / 2,
        304,
        f"{count_words(sketches, 'sketch')}, {count_words(photos, 'photo')}",
        SMALL,
    )
    s.box(226, 248, 64, 28, "“bird”")
    s.word(226, 304, "its name", SMALL)
    s.line((270, 252), (320, 252), colour=RED)
    s.arrow((320, 252), (320, 137), colour=RED)
    s.word(330, 190, "visual", SMALL, RED, anchor="start")
    s.word(330, 205, "prompts", SMALL, RED, anchor="start")
    s.line((270, 278), (400, 278), colour=BLUE)
    s.arrow((400, 278), (400, 137), colour=BLUE)
    s.word(410, 190, "textual", SMALL, BLUE, anchor="start")
    s.word(410, 205, "prompts", SMALL, BLUE, anchor="start")

    s.box(360, 84, 140, 104, "CLIP’s\nimage tower", FROZEN)
    s.arrow((432, 84), (496, 84))

    s.word(608, 18, "Photos, nearest first", bold=True)
    for n, code in enumerate(GALLERY):
        x, y = 536 + 72 * (n % 3), 72 + 94 * (n // 3)
        s.picture(x, y, 62, code)
        if n == 0:
            s.frame(x - 36, y - 36, 72, 72, colour=RED, line=3)
        s.word(x, y + 46, str(n + 1), SMALL)
    s.word(608, 256, "The duck comes first, though no\nbird was in the sketch training.", SMALL)
    return s.drawing()


def draw_architecture(sizes: Sizes) -> Drawing:
    """Figure 2: the tower in the middle, V-Prompt above it, T-Prompt below it, patch matching at its end."""
    model, last = sizes.model, sizes.M
    sketches, photos = model.support_counts
    s = Sheet(
        760, 470,
        f"The image tower of {last} layers. Above it, support images and learned tokens pass the block G and become "
        f"{model.num_prompts} visual prompts for every layer. Below it, the category's name becomes a text feature and "
        "then scales for every layer. After the last layer comes the global feature; of the tokens that enter it, "
        f"{model.windows} windows go to a copy of that layer and become local features.",
    )  # fmt: skip
    layers = {"layer 1": 268, "layer 2": 344, f"layer {last}": 500}
    tower, above, below = 236, 136, 330

    # V-Prompt
    s.word(8, 14, "V-Prompt", bold=True, anchor="start", colour=RED)
    for n, (code, sketch) in enumerate([(c, n < sketches) for n, c in enumerate(SUPPORT[: sketches + photos])]):
        s.picture(32 + 52 * n, 62, 46, code, sketch)
    s.word(8, 100, f"{count_words(sketches, 'sketch')}, {count_words(photos, 'photo')}", SMALL, anchor="start")
    s.arrow((164, 62), (186, 62))
    s.box(218, 62, 60, 40, "embed", FROZEN)
    s.arrow((250, 62), (300, 62))
    s.word(272, 48, "$T$")
    s.box(340, 62, 76, 62, "block $G$", TRAINED)
    s.word(340, 20, "one for all layers", SMALL)
    s.box(520, 62, 112, 40, f"$l_1$ … $l_{{{last}}}$", TRAINED)
    s.word(520, 20, f"{model.num_prompts} learned tokens a layer", SMALL)
    s.arrow((463, 62), (380, 62))
    s.line((340, 94), (340, above), colour=RED)
    s.line((layers["layer 1"], above), (layers[f"layer {last}"], above), colour=RED)

    # T-Prompt
    s.word(8, 454, "T-Prompt", bold=True, anchor="start", colour=BLUE)
    s.box(42, 396, 68, 34, "“bird”")
    s.arrow((77, 396), (104, 396))
    s.box(150, 396, 90, 44, "text\nencoder", FROZEN)
    s.arrow((196, 396), (238, 396))
    s.word(216, 382, "$t_c$")
    s.box(292, 396, 104, 44, f"MLP$_1$ … MLP$_{{{last}}}$", TRAINED, SMALL)
    s.word(292, 432, "one a layer", SMALL)
    s.line((292, 374), (292, below), colour=BLUE)
    s.line((layers["layer 1"], below), (layers[f"layer {last}"], below), colour=BLUE)

    # the tower
    s.picture(30, tower - 28, 48, QUERY, sketch=True)
    s.picture(30, tower + 28, 48, QUERY)
    s.arrow((58, tower), (80, tower))
    s.box(112, tower, 60, 40, "embed", FROZEN)
    s.arrow((143, tower), (172, tower))
    s.box(200, tower, 54, 40, "ln_pre", FROZEN)
    s.arrow((228, tower), (239, tower))
    for number, (name, x) in enumerate(layers.items()):
        layer = {0: "1", 1: "2", 2: str(last)}[number]
        s.box(x, tower, 56, 64, name.replace(" ", "\n"), FROZEN)
        s.arrow((x, above), (x, tower - 34), colour=RED)
        s.word(x + 6, 176, f"$p_{{{layer}}}$", anchor="start", colour=RED)
        s.arrow((x, below), (x, tower + 34), colour=BLUE)
        s.word(x + 6, 302, f"$s_{{{layer}}}$", anchor="start", colour=BLUE)
    s.arrow((297, tower), (315, tower))
    s.arrow((373, tower), (396, tower))
    s.word(412, tower, "…", 18)
    s.arrow((428, tower), (471, tower))
    s.arrow((529, tower), (556, tower))
    s.box(602, tower, 90, 40, "ln_post, proj", FROZEN, SMALL)
    s.arrow((648, tower), (684, tower))
    s.word(704, tower, "$f_g$", 16)
    s.word(704, tower + 24, "the whole", SMALL)

    # patch matching
    s.word(752, 454, "Patch matching", bold=True, anchor="end")
    s.hop(446, tower, below, 396)
    s.arrow((446, 396), (470, 396))
    side = 9 * sizes.grid
    map_of_patches(s, 472 + 4, 396 - side / 2, 9, sizes.grid)
    s.frame(476, 396 - side / 2, 9 * model.window, 9 * model.window, colour=RED, line=2.5, radius=1)
    s.word(476 + side / 2, 432 + 8, f"{model.windows} windows", SMALL)
    s.arrow((478 + side, 396), (560, 396))
    s.box(600, 396, 78, 44, f"copy of\nlayer {last}", TRAINED, SMALL)
    s.word(600, 440, "with norms, proj", SMALL)
    s.arrow((640, 396), (684, 396))
    s.word(706, 396, "$f_l^k$", 16)
    s.word(706, 420, "windows", SMALL)
    s.key(560, 340, 76)
    return s.drawing()


def map_of_patches(s: Sheet, x: float, y: float, cell: float, grid: int) -> None:
    """The map of patches by its upper left corner, thin lines."""
    side = cell * grid
    s.frame(x, y, side, side, line=1, radius=1)
    for n in range(1, grid):
        s.line((x + n * cell, y), (x + n * cell, y + side), line=0.5)
        s.line((x, y + n * cell), (x + side, y + n * cell), line=0.5)


def count_words(number: int, word: str) -> str:
    """3, "photo" -> "three photos"."""
    words = ("no", "one", "two", "three", "four")
    plural = word if number == 1 else f"{word}es" if word.endswith("ch") else f"{word}s"
    return f"{words[number] if number < len(words) else number} {plural}"
