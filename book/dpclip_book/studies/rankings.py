"""What each method found for each query: of the first runs of tables 1 and 3, the nearest photos of every ranking and
the rank of the true one. One file a preset, data/records/rankings/<preset>.json, from which a page can be made
without a model.

Queries and photos are row numbers of the manifest. A photo of a ranking is one letter of LETTERS: its place among all
photos of its category in the order of their rows, whatever the protocol leaves in the gallery.
"""

import json
import string
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from dpclip.config import TRIALS
from dpclip.config import preset as find_preset
from dpclip.data.batches import PROTOCOLS
from dpclip.data.store import ImageStore
from dpclip.errors import UserError
from dpclip.evaluation import metrics
from dpclip.evaluation.evaluate import open_bench
from dpclip.files import atomic_write_text
from dpclip.runs import machine, records
from dpclip.runs.experiments import table_runs
from dpclip.runs.records import Run, find_record, records_folder
from dpclip.runs.run import ensure, ensure_model, steps_left
from dpclip.training.train import Training
from dpclip_book.studies.failures import record_tests

TABLES, SEED, TOP = ("1", "3"), 0, 10
LETTERS = string.ascii_letters + string.digits


def rankings_path(preset_name: str) -> Path:
    """Beside the committed records, also while results are made again; of a trial preset in `build`."""
    folder = records_folder(find_preset(preset_name)) if preset_name in TRIALS else records.RECORDS
    return folder / "rankings" / f"{preset_name}.json"


def wanted_runs(preset_name: str, store: ImageStore) -> dict[str, tuple[Run, list[str]]]:
    """Row name -> its run with SEED and the tables that it is a row of, in the tables' order."""
    found: dict[str, tuple[Run, list[str]]] = {}
    for table in TABLES:
        for row, runs in table_runs(table, preset_name, store.manifest).items():
            run = next(run for run in runs if run.seed == SEED)
            found.setdefault(row, (run, []))[1].append(table)
    return found


def record_rankings(preset_name: str, store: ImageStore, train: bool = False, path: Path | None = None) -> list[str]:
    """Rank every query of the unseen categories with every run that is here, and write the file, after each run. What
    it holds already by this code is kept. Returns the rows that it lacks, whose run has no record or no trained model
    here; with `train` they are made first, and none is left.

    Raises UserError when no run is here, and when a model's ranks are not those of its record.
    """
    path = path or rankings_path(preset_name)
    wanted = wanted_runs(preset_name, store)
    head = {"preset": preset_name, "seed": SEED, "top": TOP, "data_hash": store.manifest.hash}
    found = _earlier(path, head)
    for run, _ in wanted.values():
        record = find_record(run)
        if run.name in found and record and all(ranks(record, test) == own["ranks"] for test, own in found[run.name]):
            continue
        found.pop(run.name, None)
        if train or (record and is_trained(run, store)):
            found[run.name] = list(rank_run(ensure_model(run, store), ensure(run, store)))
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


def rank_run(training: Training, record: dict) -> Iterator[tuple[dict, dict]]:
    """One test after the other: its protocol, style and category, its `queries` and their `photos`; and what was found:
    `ranks` of the photos, and the letters of the `first` TOP photos of each query.
    """
    bench, manifest = open_bench(training.model, training.store), training.store.manifest
    for protocol in PROTOCOLS:
        for style in record["metrics"]["fine-grained"][protocol]:
            for test in record_tests(manifest, record, protocol, style):
                distance = bench.distances(test.queries, test.gallery, bench.context(test))  # (Q, G)
                photos = manifest.rows(modality="photo", category=test.category)
                first = photo_letters(photos, test.gallery[ranked(distance, test.target)[:, :TOP]])
                asked = {
                    **{"protocol": protocol, "style": style, "category": test.category},
                    **{"queries": _words(test.queries), "photos": _words(test.gallery[test.target])},
                }
                found = {"ranks": _words(metrics.target_ranks(distance, test.target)), "first": " ".join(first)}
                if found["ranks"] != ranks(record, asked):
                    raise UserError(
                        f"the model of {record['run']} ranks {style} sketches of {test.category} otherwise than its "
                        "record says: they were made by other code or on different machines. Delete both, and repeat "
                        "with --train."
                    )
                yield asked, found


def ranks(record: dict, test: dict) -> str:
    """The ranks that a record has for a test, as the file writes them."""
    recorded = record["metrics"]["fine-grained"][test["protocol"]][test["style"]]["ranks"]
    return " ".join(map(str, recorded[test["category"]]))


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
