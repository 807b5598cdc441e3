"""What `import dpclip` offers: a run trained, tested or asked in one call. The command line goes the same way."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from dpclip.config import preset as find_preset
from dpclip.data.benchmark import NAME as EMBEDDED
from dpclip.data.sources import read_tree
from dpclip.data.store import ImageStore
from dpclip.errors import UserError
from dpclip.evaluation.evaluate import category_test, open_bench, rank_photos
from dpclip.evaluation.gallery import INDEX, check_pictures, find_pictures, load_pictures, open_gallery, rank_gallery
from dpclip.runs.records import Run, make_run
from dpclip.runs.run import ensure, ensure_model, open_store
from dpclip.training.train import Training

SIGNS = {"tuberlin-ext": "imageresized", "quickdraw-ext": "quickdraw_"}  # how names of their folders begin


def train(preset: str = "mini", seed: int = 0, data: Path | None = None, **settings: object) -> Training:
    """The finished training of a run, with its `model`: made now, continued, or read from its checkpoint. `settings`
    are fields of RunConfig and DPCLIPConfig; `data` is the folder of a data set, as `choose_run` reads it. Raises
    UserError for what does not fit, before any training.
    """
    return ensure_model(*choose_run(preset, seed, data, settings))


def evaluate(preset: str = "mini", seed: int = 0, data: Path | None = None, **settings: object) -> dict:
    """The record of a run, tested on the unseen categories: the one that is there, or a new one after training."""
    return ensure(*choose_run(preset, seed, data, settings))


def query(
    sketch: Path,
    category: str,
    preset: str = "mini",
    seed: int = 0,
    data: Path | None = None,
    gallery: Path | None = None,
    support: Sequence[Path] = (),
    strict: bool = False,
    **settings: object,
) -> list[tuple[Path, float]]:
    """(photo, distance), nearest to the sketch first: of a category of the data set, or of the folder `gallery`, where
    `category` may be any words and `support` holds pictures of it, sketches first. A run that is not trained is. Photos
    of a gallery that cannot be read are left out and named; with `strict` they are an error. Raises UserError for a
    file or category that is not there, before any training.
    """
    check_pictures([sketch, *support])
    if gallery is not None:
        check_pictures(find_pictures(gallery)[: None if strict else 0])
        run, store = choose_run(preset, seed, data, settings)
        model = ensure_model(run, store).model
        return rank_gallery(open_gallery(model, run.name, gallery, category, list(support), INDEX), sketch)
    if support:
        raise UserError("support needs a gallery: the categories of the data set have their own support.")
    run, store = choose_run(preset, seed, data, settings)
    test = category_test(store, run.config, category, "transductive")
    bench = open_bench(ensure_model(run, store).model, store)
    found = rank_photos(bench, load_pictures(bench.model, [sketch])[0], test, test.gallery)
    paths = store.manifest.table["path"].iloc[found.rows]
    return [(store.manifest.root / path, float(d)) for path, d in zip(paths, found.distance, strict=True)]


def choose_run(preset: str, seed: int, data: Path | None, settings: dict[str, object]) -> tuple[Run, ImageStore]:
    """A run and its pictures. A folder `data` is never passed over: where the preset's data set is the embedded one and
    `settings` name no other, the run works on what the folder looks like, and stderr tells what that is.
    """
    config = find_preset(preset).set(**settings)
    if data is not None and not Path(data).is_dir():
        raise UserError(f"{data} is no folder. Name the folder of a data set.")
    if data is not None and config.dataset == EMBEDDED and "dataset" not in settings:
        config = config.set(dataset=recognise(Path(data)))
        print(f"{data} is read as data set {config.dataset!r}; --set dataset=NAME names another", file=sys.stderr)
    store = open_store(config, data and Path(data))
    return make_run(config, seed, store.manifest), store


def recognise(folder: Path) -> str:
    """The data set that a folder looks like by its names; "folder", one's own, where none fits."""
    for name in ("sketchy-ext", "sketchy"):
        with suppress(UserError):
            if len(read_tree(name, folder).rows):
                return name
    inside = {path.name.casefold() for path in (*folder.glob("*/"), *folder.glob("*/*/"))}
    return next((name for name, sign in SIGNS.items() if any(n.startswith(sign) for n in inside)), "folder")
