"""The three modules, redrawn by our own hand; every size in them comes from a configuration.

Figures 3 and 5 of the paper show scaling and windows `paper`. Of Fig. 3 we know what its parts b and c are; that part a
is the layer as CLIP has it is `ours`.
"""

from dpclip.method.patch_match import window_tokens
from dpclip_book.figures.look_inside import window_boxes
from dpclip_book.figures.overview_diagrams import QUERY, SUPPORT, count_words, map_of_patches
from dpclip_book.figures.sheet import BLUE, FROZEN, ON_CARD, RED, SMALL, TRAINED, WINDOWS, Drawing, Sheet
from dpclip_book.pages.notation import Sizes


def draw_visual_prompt(sizes: Sizes) -> Drawing:
    """Support -> T; T and l_m -> G -> p_m -> layer m."""
    K = sizes.model.num_prompts
    sketches, photos = sizes.model.support_counts
    s = Sheet(
        720, 290,
        f"The support, {count_words(sketches, 'sketch')} and {count_words(photos, 'photo')}, is embedded to tokens T. "
        f"T and the learned tokens of layer m enter block G. Its last {K} tokens are the prompts, which enter layer m "
        "beside the image's tokens; those of the layer before are dropped.",
    )  # fmt: skip
    for n, code in enumerate(SUPPORT[: sizes.S]):
        s.picture(32, 34 + 62 * n, 54, code, sketch=n < sketches)
        s.arrow((64, 34 + 62 * n), (98, 66 + 30 * n))
    s.box(136, 96, 70, 110, "embed", FROZEN)
    s.arrow((171, 96), (236, 96))
    s.word(204, 82, "$T$")
    s.word(204, 114, f"{sizes.S * (1 + sizes.N)}", SMALL)
    s.word(204, 129, "tokens", SMALL)
    s.box(52, 244, 96, 40, "learned $l_m$", TRAINED)
    s.arrow((100, 244), (128, 244))
    s.box(186, 244, 112, 40, "linear, dropout", TRAINED)
    s.line((242, 244), (290, 244))
    s.arrow((290, 244), (290, 150))
    s.word(298, 192, f"{K} tokens", SMALL, anchor="start")
    s.box(290, 96, 104, 104, "block $G$\n\none for\nall layers", TRAINED)
    s.arrow((342, 96), (414, 96))
    s.word(378, 82, f"last {K}", SMALL)
    s.box(444, 96, 56, 40, "$p_m$")
    s.arrow((472, 96), (528, 96), colour=RED)
    s.box(616, 96, 172, 60, "layer $m$", FROZEN)
    s.arrow((616, 66), (616, 30))
    s.word(616, 16, "to layer $m+1$", SMALL)
    s.box(586, 190, 112, 40, "CLS, patches")
    s.arrow((586, 170), (586, 128))
    s.box(684, 190, 56, 40, "$p_{m-1}$")
    s.line((660, 214), (708, 166), colour=RED)
    s.word(684, 224, "dropped", SMALL, RED)
    s.word(586, 224, "from layer $m-1$", SMALL)
    s.key(440, 268)
    return s.drawing()


def draw_scalings(sizes: Sizes) -> Drawing:
    """Figure 3: a linear map without scaling, with direct and with side-way scaling, side by side."""
    r = sizes.model.rank
    s = Sheet(
        720, 330,
        "Three columns. a: a map W from h to its output. b: the same, and a product with one plus s after it; s comes "
        "from the category's text feature by a small network. c: W stays as it is; a path beside it, A to "
        f"{r} numbers, product with one plus s, B back to the width, is added to its output.",
    )  # fmt: skip
    top, bottom, middle = 64, 300, 190
    for x, title in ((90, "(a) as in CLIP"), (282, "(b) direct scaling"), (566, "(c) side-way scaling")):
        s.word(x, 16, title, bold=True)

    s.word(90, bottom, "$h$")
    s.arrow((90, bottom - 16), (90, middle + 26))
    s.box(90, middle, 88, 50, "$W$", FROZEN)
    s.arrow((90, middle - 26), (90, top - 16))

    s.word(340, bottom, "$h$")
    s.arrow((340, bottom - 16), (340, middle + 26))
    s.box(340, middle, 88, 50, "$W$", FROZEN)
    s.arrow((340, middle - 26), (340, 128))
    s.box(340, 110, 88, 34, "× (1 + $s$)")
    s.arrow((340, 92), (340, top - 16))
    s.word(224, bottom, "$t_c$", colour=BLUE)
    s.arrow((224, bottom - 16), (224, middle + 22), colour=BLUE)
    s.box(224, middle, 76, 40, "MLP$_m$", TRAINED)
    s.line((224, middle - 21), (224, 110), colour=BLUE)
    s.arrow((224, 110), (294, 110), colour=BLUE)
    s.word(258, 98, f"$s$: {sizes.D}", SMALL, BLUE)

    s.word(470, bottom, "$h$")
    s.arrow((470, bottom - 16), (470, middle + 26))
    s.box(470, middle, 72, 50, "$W$", FROZEN)
    s.arrow((470, middle - 26), (470, top + 10))
    s.plus(470, top)
    s.arrow((470, top - 10), (470, top - 32))
    s.line((470, 270), (562, 270))
    s.arrow((562, 270), (562, 256))
    s.box(562, 238, 88, 34, "$A$", TRAINED)
    s.arrow((562, 221), (562, 196))
    s.word(570, 208, f"$r$ = {r}", SMALL, anchor="start")
    s.box(562, 178, 88, 34, "× (1 + $s$)")
    s.arrow((562, 161), (562, 136))
    s.box(562, 118, 88, 34, "$B$", TRAINED)
    s.line((562, 101), (562, top))
    s.arrow((562, top), (480, top))
    s.word(676, bottom, "$t_c$", colour=BLUE)
    s.arrow((676, bottom - 16), (676, 252), colour=BLUE)
    s.box(676, 230, 76, 40, "MLP$_m$", TRAINED)
    s.line((676, 209), (676, 178), colour=BLUE)
    s.arrow((676, 178), (608, 178), colour=BLUE)
    s.word(652, 166, f"$s$: {r}", SMALL, BLUE)
    s.key(24, 326 - 4, 84)
    return s.drawing()


def draw_windows(sizes: Sizes) -> Drawing:
    """Figure 5: windows of the map that enters the last layer, of a sketch and of a photo, compared place by place."""
    model, grid = sizes.model, sizes.grid
    boxes = window_boxes(window_tokens(grid, model.window, model.windows), grid)
    s = Sheet(
        720, 364,
        f"A sketch and a photo of a duck, each with a map of {grid} by {grid} patches and {model.windows} windows of "
        f"{model.window} by {model.window} that overlap. Each window, with a copy of the CLS token, goes through one "
        "copy of the last layer and becomes a local feature. Features of the sketch and the photo are compared window "
        "by window.",
    )  # fmt: skip
    rows = ((84, "sketch", True), (268, "photo", False))
    per_row = round(len(boxes) ** 0.5)
    for y, name, sketch in rows:
        s.picture(76, y, 136, QUERY, sketch)
        cell = 136 / grid
        s.word(76, y + 82, f"{name}, {grid} × {grid} patches", SMALL)
        s.arrow((150, y), (180, y))
        small = 62 / grid
        for k, (row, column, side) in enumerate(boxes):
            colour = WINDOWS[k % len(WINDOWS)]
            inset = 1 + 1.6 * k  # so that edges do not hide
            corner = (8 + column * cell + inset, y - 68 + row * cell + inset)
            length = side * cell - 2 * inset
            s.frame(*corner, length, length, ON_CARD[k % len(ON_CARD)], line=2, radius=2)
            left, upper = 188 + 72 * (k % per_row), y - 68 + 72 * (k // per_row)
            map_of_patches(s, left, upper, small, grid)
            place = (left + column * small, upper + row * small, side * small, side * small)
            s.frame(*place, colour, fill=FROZEN, line=2.5, radius=1)
        right = 188 + 72 * per_row
        s.arrow((right - 2, y), (right + 28, y))
        for k in range(len(boxes)):
            height = y + (k - (len(boxes) - 1) / 2) * 34
            s.frame(540, height - 10, 54, 20, WINDOWS[k % len(WINDOWS)], line=2, radius=3)
            s.word(567, height, f"$f_l^{k + 1}$", SMALL)
        s.arrow((right + 150, y), (532, y))
    right = 188 + 72 * per_row
    words = f"copy of\nlayer {sizes.M},\none for all\n\nnorm and\nprojection,\none a window"
    s.box(right + 90, 176, 116, 300, words, TRAINED)
    for k in range(len(boxes)):
        one, two = (y + (k - (len(boxes) - 1) / 2) * 34 for y, *_ in rows)
        x = 614 + 18 * k
        s.arrow((596, one), (x, one), (x, two), (596, two), colour=WINDOWS[k % len(WINDOWS)], both=True)
    s.word(631, 348, "one distance\na window", SMALL)
    return s.drawing()
