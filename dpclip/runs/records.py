"""Run records: one JSON file a finished run, written once, never by an unfinished one."""

import json
from pathlib import Path

from dpclip.errors import UserError
from dpclip.files import DATA, atomic_write_text

RECORDS = DATA / "records"
NEEDED = (
    *("run", "split", "config", "seed", "data_hash", "weights_hash", "probe", "metrics"),
    *("commit", "hardware", "torch", "seconds", "peak_memory_mb"),
)
SHAPE = {"config": dict, "seed": int, "split": str, "metrics": dict, "probe": dict}


def write_record(record: dict, folder: Path = RECORDS) -> Path:
    """Write a finished run's record as `folder/<run>.json`, atomically.

    Raises UserError when it is incomplete or cannot be written.
    """
    missing = [name for name in NEEDED if name not in record]
    if missing:
        raise UserError(f"the record of run {record.get('run', '?')} lacks {', '.join(missing)}: it was not written.")
    path = Path(folder) / f"{record['run']}.json"
    atomic_write_text(path, json.dumps(record, indent=1, sort_keys=True) + "\n")
    return path


def read_record(run: str, folder: Path = RECORDS) -> dict | None:
    """The record of a run, or None when there is none. Raises UserError naming a damaged file."""
    path = Path(folder) / f"{run}.json"
    if not path.exists():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is damaged ({error}). Delete it and repeat the run.") from error
    missing = [name for name in NEEDED if name not in record] if isinstance(record, dict) else ["everything"]
    if missing:
        raise UserError(f"{path} lacks {', '.join(missing)}. Delete it and repeat the run.")
    odd = [name for name, kind in SHAPE.items() if not isinstance(record[name], kind)]
    if odd or not {"fine-grained", "category-level"} <= record["metrics"].keys():
        raise UserError(f"{path} is damaged ({', '.join(odd) or 'metrics'}). Delete it and repeat the run.")
    return record
