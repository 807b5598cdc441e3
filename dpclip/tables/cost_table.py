"""Table 5: what each method costs, from the records of dpclip/runs/count_cost.py. Section 9; layout `ours`."""

import pandas as pd

from dpclip.runs.count_cost import BATCH, GALLERY, TRAINING_BATCH
from dpclip.tables.blocks import DASH, Block, Kind

COST_COLUMNS = {  # field of Cost -> (title, unit as a number)
    "parameters": ("parameters (M)", 1e6),
    "text_parameters": ("text encoder (M)", 1e6),
    "trained_clip": ("trained of CLIP (M)", 1e6),
    "trained_new": ("trained new (M)", 1e6),
    "image_flops": ("GFLOPs/image", 1e9),
    "category_flops": ("GFLOPs/category", 1e9),
    "text_flops": ("GFLOPs/words", 1e9),
    "query_flops": ("GFLOPs/query", 1e9),
    "image_ms": ("ms/image", 1),
    "batch_ms": (f"ms/image of {BATCH}", 1),
    "category_ms": ("ms/category", 1),
    "text_ms": ("ms/words", 1),
    "inference_mb": ("MB encoding", 1),
    "training_mb": ("MB training", 1),
}
DECIMALS = {title: 3 if unit > 1 else 0 if title.startswith("MB") else 1 for title, unit in COST_COLUMNS.values()}
COUNTED = (
    "Parameters: of all that encodes images, of CLIP's text encoder where the category's words are read, and those "
    "that train. GFLOPs: a multiply-add is 2 FLOPs; matrix products, convolutions and attention are counted, "
    "element-wise work is not. Image: encoding one, its category's prompts and scales given. Category: making those "
    "from the support images and the text feature; 0 where all categories share them. Words: the text feature of a "
    "category from its sentences, once for a data set. Query: encoding one sketch and comparing it with "
    f"{GALLERY} encoded photos."
)
CLOCKED = (
    "ms: the least of some repeats, on a processor with one thread, of an image alone and of an image in a batch of "
    f"{BATCH}; the first two methods encode alike, so what differs between them is the clock. MB: most memory "
    f"above the process without a model, while {BATCH} images are encoded and in training steps of {TRAINING_BATCH} "
    "triplets. Images are noise, weights of ViT-B-32 random."
)


def cost_table(records: list[dict]) -> pd.DataFrame:
    """One row for each method of each record, in the units of COST_COLUMNS; missing where nothing is measured."""
    rows = [
        {"backbone": record["backbone"], "method": method}
        | {title: cost[name] / unit if cost[name] is not None else None for name, (title, unit) in COST_COLUMNS.items()}
        for record in records
        for method, cost in record["costs"].items()
    ]
    return pd.DataFrame(rows, columns=["backbone", "method", *DECIMALS]).astype(dict.fromkeys(DECIMALS, float))


def cost_blocks(record: dict) -> tuple[Block, Block]:
    """One backbone's methods in two blocks: what is counted, the same on every machine, and what was clocked on one."""
    table = cost_table([record]).drop(columns="backbone")
    clocked = [title for title in DECIMALS if title.startswith(("ms", "MB"))]
    counted = [title for title in DECIMALS if title not in clocked]
    machine = f"measured on {record['hardware']}, torch {record['torch']}, commit {record['commit']}"

    def block(columns: list[str], how: str) -> Block:
        exact = table[["method", *columns]]
        return Block(Kind.COST, f"Cost at {record['backbone']}, {how}.", as_text(exact), exact)

    return block(counted, "counted: the same on every machine"), block(clocked, machine)


def as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Numbers with the decimals of their column, a dash where there is nothing to measure; heads that can be broken."""
    shown = table.astype(object)
    for title in table.columns.drop("method"):
        shown[title] = [DASH if pd.isna(value) else f"{value:.{DECIMALS[title]}f}" for value in table[title]]
    return shown.rename(columns=lambda title: title.replace("/", " per "))
