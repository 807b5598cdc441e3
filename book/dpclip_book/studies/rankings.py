"""What each method found for one sketch of each photo: of the first runs of tables 1 and 3, the nearest photos of the
ranking and the rank of the true one. One file a preset, data/records/rankings/<preset>.json, from which a page can be
made without a model.

Queries and photos are row numbers of the manifest. A photo of a ranking is one letter of LETTERS: its place among all
photos of its category in the order of their rows, whatever the protocol leaves in the gallery.
"""

import json
import string
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from dpclip.config import TRIALS
from dpclip.config import preset as find_preset
from dpclip.data.batches import PROTOCOLS, TestSet
from dpclip.data.manifest import Manifest
from dpclip.data.store import ImageStore
from dpclip.errors import UserError
from dpclip.evaluation import metrics
from dpclip.evaluation.evaluate import open_bench
from dpclip.files import atomic_write_text
from dpclip.runs import machine, records
from dpclip.runs.experiments import table_runs
from dpclip.runs.records import Run, find_record, records_folder
from dpclip.runs.run import ensure, ensure_model, ship, steps_left
from dpclip.training.train import Training
from dpclip_book.studies.answers import record_tests

TABLES, SEED, TOP = ("1", "3"), 0, 10
LETTERS = string.ascii_letters + string.digits


def rankings_path(preset_name: str) -> Path:
    """Beside the committed records, also while results are made again; of a trial preset in `build`."""
    folder = records_folder(find_preset(preset_name)) if preset_name in TRIALS else records.RECORDS
    return folder / "rankings" / f"{preset_name}.json"


def in_turn(manifest: Manifest) -> np.ndarray:
    """Rows of one sketch of each photo, of the style that trains: of the first photo of a category its first sketch, of
    the next the second, round and round. So each hand of the embedded benchmark draws as many.
    """
    drawn = manifest.table.iloc[manifest.rows(style=manifest.styles[0])]
    number = drawn.groupby("category")["instance"].transform(lambda names: pd.factorize(names)[0])
    own = drawn.groupby(["category", "instance"])["path"]
    return drawn.index[own.cumcount() == number % own.transform("size")].to_numpy()


def wanted_runs(preset_name: str, store: ImageStore) -> dict[str, tuple[Run, list[str]]]:
    """Row name -> its run with SEED and the tables that it is a row of, in the tables' order."""
    found: dict[str, tuple[Run, list[str]]] = {}
    for table in TABLES:
        for row, runs in table_runs(table, preset_name, store.manifest).items():
            run = next(run for run in runs if run.seed == SEED)
            found.setdefault(row, (run, []))[1].append(table)
    return found


def record_rankings(preset_name: str, store: ImageStore, train: bool = False, path: Path | None = None) -> list[str]:
    """Rank the queries of the unseen categories with every run that is here, and write the file, after each run. What
    it holds of the same records is kept. Returns the rows that it lacks, whose run has no record or no trained model
    here; with `train` they are made first, and none is left.

    Raises UserError when no run is here, and when a model's ranks are not those of its record.
    """
    path = path or rankings_path(preset_name)
    wanted = wanted_runs(preset_name, store)
    head = {"preset": preset_name, "seed": SEED, "top": TOP, "data_hash": store.manifest.hash}
    found = _earlier(path, head)
    for row, (run, _) in wanted.items():
        record = find_record(run)
        if run.name in found and record:
            told = [(asked, _words(ranks[kept])) for _, kept, asked, ranks in recorded_tests(store.manifest, record)]
            if [(asked, own["ranks"]) for asked, own in found[run.name]] == told:
                continue
        found.pop(run.name, None)
        if train or (record and is_trained(run, store)):
            training = ensure_model(run, store)
            found[run.name] = list(rank_run(training, ensure(run, store)))
            if (preset_name, row) == ("mini", "DP-CLIP"):
                ship(training, run)
            made = {"commit": machine.commit(), "hardware": machine.hardware(store.device), "torch": torch.__version__}
            atomic_write_text(path, json.dumps(head | _content(wanted, found) | made, indent=1) + "\n")
    missing = [row for row, (run, _) in wanted.items() if run.name not in found]
    if len(missing) == len(wanted):
        raise UserError(
            f"no run of the tables {' and '.join(TABLES)} with preset {preset_name} has both its record and its "
            "trained model here. --train makes them."
        )
    return missing


def is_trained(run: Run, store: ImageStore) -> bool:
    return steps_left(run, store.manifest) == 0


def recorded_tests(manifest: Manifest, record: dict) -> Iterator[tuple[TestSet, np.ndarray, dict, np.ndarray]]:
    """A record's tests one after the other: the test; which of its queries are shown (Q,); protocol, style, category,
    `queries` and their `photos` as the file has them; and the recorded rank of every query (Q,).
    """
    shown = in_turn(manifest)
    for protocol in PROTOCOLS:
        for style, found in record["metrics"]["fine-grained"][protocol].items():
            for test in record_tests(manifest, record, protocol, style):
                kept = np.isin(test.queries, shown)
                asked = {
                    **{"protocol": protocol, "style": style, "category": test.category},
                    **{"queries": _words(test.queries[kept]), "photos": _words(test.gallery[test.target[kept]])},
                }
                yield test, kept, asked, np.array(found["ranks"][test.category])


def rank_run(training: Training, record: dict) -> Iterator[tuple[dict, dict]]:
    """Of one test after the other what was asked, as `recorded_tests` names it, and what was found: `ranks` of the
    photos, and the letters of the `first` TOP photos of each query. All queries are ranked, as the record's were.
    """
    bench, manifest = open_bench(training.model, training.store), training.store.manifest
    for test, kept, asked, recorded in recorded_tests(manifest, record):
        distance = bench.distances(test.queries, test.gallery, bench.context(test))  # (Q, G)
        ranks = metrics.target_ranks(distance, test.target)
        if not np.array_equal(ranks, recorded):
            raise UserError(
                f"the model of {record['run']} ranks {asked['style']} sketches of {test.category} otherwise than its "
                "record says: other code or another machine made one of them. Delete both, and repeat with --train."
            )
        photos = manifest.rows(modality="photo", category=test.category)
        first = photo_letters(photos, test.gallery[ranked(distance[kept], test.target[kept])[:, :TOP]])
        yield asked, {"ranks": _words(ranks[kept]), "first": " ".join(first)}


def _content(wanted: dict[str, tuple[Run, list[str]]], found: dict[str, list]) -> dict:
    """`rows`: row name -> its run and tables, for runs that were found; `tests`: what each found, side by side."""
    rows = {row: {"run": run.name, "tables": tables} for row, (run, tables) in wanted.items() if run.name in found}
    tests = {}
    for name in {row["run"]: None for row in rows.values()}:
        for test, own in found[name]:
            tests.setdefault(tuple(test.values()), test | {"found": {}})["found"][name] = own
    return {"rows": rows, "missing": [row for row in wanted if row not in rows], "tests": list(tests.values())}


def _earlier(path: Path, head: dict) -> dict[str, list]:
    """Name of a run -> its tests with what it found, from a file with the same head; else nothing."""
    found: dict[str, list] = {}
    content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if all(content.get(name) == value for name, value in head.items()):
        for test in content["tests"]:
            for name, own in test.pop("found").items():
                found.setdefault(name, []).append((dict(test), own))
    return found


def ranked(distance: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Places in the gallery, nearest first, the query's own after those at the same distance, as its rank counts them:
    distance (Q, G), target (Q,) -> (Q, G).
    """
    own = np.arange(distance.shape[1]) == target[:, None]
    return np.lexsort((own, distance), axis=1)


def photo_letters(photos: np.ndarray, rows: np.ndarray) -> list[str]:
    """Rows of a category's `photos` (P,), sorted, as letters: rows (Q, K) -> Q words of K letters.

    Raises UserError for more photos than letters.
    """
    if len(photos) > len(LETTERS):
        raise UserError(
            f"a category has {len(photos)} photos, but rankings name at most {len(LETTERS)}. They are meant for the "
            "embedded benchmark: use the preset mini."
        )
    return ["".join(LETTERS[place] for place in line) for line in np.searchsorted(photos, rows)]


def read_rankings(path: Path) -> dict:
    """The content of the file, `queries`, `photos` and `ranks` as lists of numbers, `first` as lists of words.

    Raises UserError for a missing or damaged file.
    """
    cure = "Make it: dpclip book rankings"
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        for test in content["tests"]:
            test |= {name: _numbers(test[name]) for name in ("queries", "photos")}
            for found in test["found"].values():
                found |= {"ranks": _numbers(found["ranks"]), "first": found["first"].split()}
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing. {cure}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{path} is damaged ({error!r}). {cure}") from error
    return content


def _words(numbers: np.ndarray) -> str:
    """One line of the file, which would else have a line for each number."""
    return " ".join(map(str, numbers.tolist()))


def _numbers(words: str) -> list[int]:
    return [int(word) for word in words.split()]
