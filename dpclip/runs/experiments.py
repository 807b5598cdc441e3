"""The run list: every row of every table as data. A table's runs, and nothing of how they are made.

Tables 1 to 4 are those of the book, "decisions" that of the page Decisions; "rates", "hints" and "recipes" are
the searches on the validation categories by which settings were chosen. Layout `ours` (section 9).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import combinations

from dpclip.config import TRIALS, RunConfig, preset
from dpclip.data.manifest import Manifest
from dpclip.errors import UserError
from dpclip.method.rivals import PLAIN, RIVALS
from dpclip.runs.records import Run, make_run

METHODS = {name: rival.changes for name, rival in RIVALS.items()} | {"DP-CLIP": {}}  # name -> settings
# Learning rates of a method where they are not its preset's: chosen below, or as published (section 13 `paper`).
METHOD_RATES = {
    "mini": {
        "CLIP, norms tuned": {"clip_rate": 1e-2},
        "VPT": {"new_rate": 3e-4},
        "LoRA": {"new_rate": 3e-3},
        "CLIP-AT": {"clip_rate": 3e-3, "new_rate": 3e-3},
    },
    "paper": {"CLIP-AT": {"clip_rate": 1e-5, "new_rate": 1e-5}},
}
# Method -> the learning rates (clip_rate, new_rate) tried on the validation categories -> with how many seeds: three
# pairs or more with three seeds each, until the best is not at an end; beyond it, one seed each. The best mean of
# Acc@1 over protocols and seeds stands in `mini`. DP-CLIP keeps the paper's relation: CLIP's own at a tenth of the new.
RATES = {
    "DP-CLIP": {(1e-4, 1e-3): 3, (3e-4, 3e-3): 3, (3e-5, 3e-4): 3},
    "CLIP, norms tuned": {(1e-2, 1e-3): 3, (3e-3, 1e-3): 3, (1e-3, 1e-3): 3, (3e-2, 1e-3): 1, (1e-1, 1e-3): 1},
    # VPT and LoRA train nothing of CLIP: its rate is the preset's
    "VPT": {(1e-4, 1e-2): 3, (1e-4, 3e-3): 3, (1e-4, 1e-3): 3, (1e-4, 3e-4): 3, (1e-4, 1e-4): 1},
    "LoRA": {(1e-4, 1e-2): 3, (1e-4, 3e-3): 3, (1e-4, 1e-3): 3},
    "CLIP-AT": {(1e-2, 1e-2): 3, (3e-3, 3e-3): 3, (1e-3, 1e-3): 3},
}
SHORTER = {"epochs": 12, "hard_every": 2}  # hard negatives grow over the same share of it
# Ways to train for category-level retrieval, `ours`, tried on the validation categories with three seeds and one pair
# of rates. The highest mAP@all, by the better of blind and generic, is RECIPE.
RECIPE_RATES = {"clip_rate": 1e-4, "new_rate": 1e-3}
OTHERS, WIDE = {"negatives": "category"}, {"negatives": "category", "margin": 0.3}
RECIPES = {
    "as for fine-grained": {},
    "negatives of other categories": OTHERS,
    "the same, margin 0.3": WIDE,
    "the same, generic prompts and text loss": WIDE
    | {"text_weight": 1.0, "visual_prompt": "generic", "scaling": "unscaled"},
}
RECIPE = "negatives of other categories"
MODULES = {"V": "visual_prompt", "T": "scaling", "patch": "patch_matching"}  # name -> the field that switches it
SUPPORTS = {
    "from sketches only": {"support": "sketch"},
    "from photos only": {"support": "photo"},
    "generic, no support": {"visual_prompt": "generic"},
    "random support": {"support": "random"},
    "unmatched support": {"support": "unmatched"},
}
SWAPS = {"support": "another's support at the test", "words": "another's words at the test"}  # field's value -> row
KINDS = {"no scaling": "none", "low-rank, no text": "unscaled", "direct scaling": "direct"}
SCALINGS = {name: {"scaling": kind} for name, kind in KINDS.items()}
RANKS = (16, 64, 256, 768)  # of side-way scaling; more than the backbone's width has no use
PROMPTS = (1, 3, 8)  # a layer
# Where the paper is silent or its released code differs, and we chose: what else could have been chosen. The page
# Decisions says why; book/decisions.toml names each label once.
OTHER_CHOICES = {
    "norms only": {"trainable": "norms"},
    "ImageNet's statistics": {"normalisation": "imagenet"},
    "one prompt a layer": {"num_prompts": 1},
    "eight prompts a layer": {"num_prompts": 8},
    "first layer only": {"visual_prompt": "shallow"},
    "no visual prompts": {"visual_prompt": "none"},
    **SUPPORTS,
    "one sentence": {"templates": 1},
    **SCALINGS,
    "rank 64": {"rank": 64},
    "rank 192, the full width": {"rank": 192},
    "nine windows of three": {"window": 3, "windows": 9},
    "no patch matching": {"patch_matching": False},
    "fusion as in the loss": {"fusion": 0.1},
    "random negatives only": {"hard_every": 0},
    "with a text loss": {"text_weight": 1.0},
    "best on validation": {"checkpoint": "val"},
    "best on the tested categories": {"checkpoint": "test"},
    "negatives of other categories": {"negatives": "category"},
}


@dataclass(frozen=True)
class Row:
    """One setting of a table, run with the seeds 0 to `seeds` - 1. Rows of one name are shown as one."""

    name: str
    config: RunConfig
    seeds: int


@dataclass(frozen=True)
class Table:
    """`rows` of a preset; tested on the categories of `split`; under `paper` on `datasets`, if not the preset's own."""

    title: str
    rows: Callable[[str], Iterable[Row]]
    split: str = "unseen"
    datasets: tuple[str, ...] = ()


def method_config(name: str, preset_name: str) -> RunConfig:
    """The settings of a method of METHODS under a preset."""
    return preset(preset_name).set(**(METHODS[name] | METHOD_RATES.get(preset_name, {}).get(name, {})))


def method_rows(preset_name: str, seeds: int = 5) -> list[Row]:
    """Table 1: DP-CLIP and its rivals."""
    return [Row(name, method_config(name, preset_name), seeds) for name in METHODS]


def category_rows(preset_name: str) -> list[Row]:
    """Table 2: the same methods, and DP-CLIP with the recipe for category-level retrieval."""
    base = preset(preset_name)
    rates = RECIPE_RATES if base.backbone == "mini" else {}  # with another backbone, the preset's own
    recipe = Row(f"DP-CLIP, {RECIPE}", base.set(**rates, **RECIPES[RECIPE]), 3)
    rows = [*method_rows(preset_name, 3), recipe]
    return [Row(row.name, row.config.set(category_level=True), row.seeds) for row in rows]


def module_settings() -> dict[str, dict[str, object]]:
    """DP-CLIP with none, one, two and all of its modules: "no module", "+V", ..., "DP-CLIP" -> settings. All train of
    CLIP what DP-CLIP trains.
    """
    rows = {}
    for kept in (kept for count in range(len(MODULES) + 1) for kept in combinations(MODULES, count)):
        name = "DP-CLIP" if len(kept) == len(MODULES) else " ".join(f"+{part}" for part in kept) or "no module"
        rows[name] = {field: PLAIN[field] for part, field in MODULES.items() if part not in kept}
    return rows


def module_rows(preset_name: str) -> list[Row]:
    """Table 3: the modules on and off, at one pair of learning rates."""
    return [Row(name, preset(preset_name).set(**changes), 5) for name, changes in module_settings().items()]


def design_rows(preset_name: str) -> list[Row]:
    """Table 4: where prompts come from, how text scales, how many prompts; one thing changed at a time."""
    from dpclip.method.backbone import vision_config

    base = preset(preset_name)
    ranks = dict.fromkeys(min(rank, vision_config(base.backbone)["width"]) for rank in RANKS)
    settings = {"DP-CLIP": {}} | SUPPORTS | {row: {"swapped": what} for what, row in SWAPS.items()} | SCALINGS
    settings |= {f"side-way, r = {rank}": {"rank": rank} for rank in ranks if rank != base.model.rank}
    counts = [k for k in PROMPTS if k != base.model.num_prompts]
    settings |= {f"{k} prompt{'s' * (k > 1)} a layer": {"num_prompts": k} for k in counts}
    return [Row(name, base.set(**changes), 3) for name, changes in settings.items()]


def decision_rows(preset_name: str) -> list[Row]:
    """The page Decisions: DP-CLIP, and with another choice each time."""
    settings = {"DP-CLIP": {}} | OTHER_CHOICES
    return [Row(name, preset(preset_name).set(**changes), 3) for name, changes in settings.items()]


def rate_rows(preset_name: str) -> list[Row]:
    """The runs among which each method's learning rates were chosen."""
    chosen = [
        Row(name, method_config(name, preset_name).set(clip_rate=c, new_rate=n), seeds)
        for name, rates in RATES.items()
        for (c, n), seeds in rates.items()
    ]
    shorter = Row("DP-CLIP", preset(preset_name).set(**SHORTER), 3)
    return [*chosen, shorter]


def hint_rows(preset_name: str) -> list[Row]:
    """Other ways to train, each with its own category's support and words at the test, and with another's."""
    base = preset(preset_name)
    ways = {
        "DP-CLIP": {},
        "without dropout": {"prompt_dropout": 0.0},
        "prompts at the first layer": {"visual_prompt": "shallow"},
        "twice as long": {"epochs": 2 * base.epochs, "hard_every": 2 * base.model.hard_every},
    }
    return [
        Row(f"{way}, {row}" if row else way, base.set(**changes, swapped=what), 1)
        for way, changes in ways.items()
        for what, row in ({"none": ""} | SWAPS).items()
    ]


def recipe_rows(preset_name: str) -> list[Row]:
    """The runs among which the category-level recipe was chosen."""
    base = preset(preset_name).set(**RECIPE_RATES, category_level=True)
    return [Row(name, base.set(**changes), 3) for name, changes in RECIPES.items()]


TABLES = {
    "1": Table("fine-grained retrieval", method_rows),
    "2": Table("category-level retrieval", category_rows, datasets=("sketchy-ext", "tuberlin-ext", "quickdraw-ext")),
    "3": Table("modules on and off", module_rows),
    "4": Table("prompt design", design_rows),
    "decisions": Table("other choices than ours", decision_rows),
    "rates": Table("choice of learning rates", rate_rows, "val"),
    "hints": Table("does the category's hint help, and when", hint_rows, "val"),
    "recipes": Table("choice of the category-level recipe", recipe_rows, "val"),
}
RESULTS = "results"  # stands for all tables that are not searches


def find_table(name: str) -> Table:
    """Raises UserError for an unknown one."""
    if name not in TABLES:
        known = "; ".join(f"{number}, {table.title}" for number, table in TABLES.items())
        raise UserError(f"unknown table {name!r}. Choose one of: {known}; or {RESULTS}, all on unseen categories.")
    return TABLES[name]


def datasets(name: str, preset_name: str) -> tuple[str, ...]:
    """Names of the data sets of a table under a preset. Raises UserError for an unknown table."""
    own = find_table(name).datasets if preset_name == "paper" else ()
    return own or (preset(preset_name).dataset,)


def table_seeds(name: str, preset_name: str, dataset: str, seeds: int | None = None) -> dict[str, list]:
    """Row name -> its runs as (settings, seed), in the table's order: with the table's number of seeds or with `seeds`.
    A trial preset has one seed, and the first two rows and the last: what the others add is tested elsewhere, in less
    time. Raises UserError for an unknown table.
    """
    rows = list(find_table(name).rows(preset_name))
    found: dict[str, list[tuple[RunConfig, int]]] = {}
    for row in (*rows[:2], rows[-1]) if preset_name in TRIALS else rows:
        count = seeds or (1 if preset_name in TRIALS else row.seeds)
        config = row.config.set(dataset=dataset)
        found.setdefault(row.name, []).extend((config, seed) for seed in range(count))
    return found


def table_runs(name: str, preset_name: str, manifest: Manifest, seeds: int | None = None) -> dict[str, list[Run]]:
    """Row name -> its runs on a data set, as `table_seeds` lists them."""
    found = table_seeds(name, preset_name, manifest.name, seeds)
    return {row: [make_run(config, seed, manifest) for config, seed in runs] for row, runs in found.items()}
