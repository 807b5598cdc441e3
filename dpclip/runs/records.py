"""Which run is meant, where its record lies, and the record: one JSON file a finished run, written once and never by an
unfinished one. No model is needed for it, so nothing heavy is imported.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from dpclip.config import TRIALS, DPCLIPConfig, RunConfig
from dpclip.data.manifest import Manifest
from dpclip.errors import UserError
from dpclip.files import BUILD_FOLDER, DATA, MINI, atomic_write_text, sha256_file

RECORDS = DATA / "records"
RECORDS_VARIABLE = "DPCLIP_RECORDS"  # a folder of records to use instead of the repository's
PRIVATE = BUILD_FOLDER / "records"  # of runs whose numbers mean nothing, or are nobody else's business
LARGEST_SEED = 2**32 - 1
NEEDED = (
    *("run", "split", "config", "seed", "data_hash", "weights_hash", "probe", "metrics"),
    *("commit", "hardware", "torch", "seconds", "peak_memory_mb"),
)
SHAPE = {"config": dict, "seed": int, "split": str, "metrics": dict, "probe": dict}


@dataclass(frozen=True)
class Run:
    """One training with one seed. `name` is its identity: settings, data and backbone weights."""

    config: RunConfig
    seed: int
    data_hash: str
    weights_hash: str

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= LARGEST_SEED:
            raise UserError(f"seed {self.seed}: choose a whole number from 0 to {LARGEST_SEED}.")

    @property
    def name(self) -> str:
        return self._named(self.config)

    @property
    def model(self) -> str:
        """The identity of what is trained: how it is tested does not matter."""
        tested = {"category_level": True, "swapped": "none", "generalised": False}
        if self.config.model.checkpoint == "last":  # else tests choose it
            tested["fusion"] = DPCLIPConfig.fusion
        return self._named(self.config.set(**tested))

    def _named(self, config: RunConfig) -> str:
        identity = f"{config.key()} {self.data_hash} {self.weights_hash}"
        return f"{config.preset}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}-{self.seed}"


def weights_hash(config: RunConfig) -> str:
    """12 hexadecimal digits of the backbone's weights; "random" when they are drawn from the seed."""
    if config.backbone == "mini":
        return sha256_file((Path(config.weights) if config.weights else MINI) / "manifest.json")[:12]
    return sha256_file(Path(config.weights))[:12] if Path(config.weights).is_file() else config.weights or "random"


def make_run(config: RunConfig, seed: int, manifest: Manifest) -> Run:
    """Raises UserError for a seed out of range."""
    return Run(config, seed, manifest.hash, weights_hash(config))


def records_named() -> Path | None:
    """The folder that the environment variable DPCLIP_RECORDS names: of results made again, with one seed each."""
    named = os.environ.get(RECORDS_VARIABLE)
    return Path(named) if named else None


def records_folder(config: RunConfig, split: str = "unseen", folder: Path | None = None) -> Path:
    """Where the records of runs with this preset and data set lie: in `folder`, in the one that the environment
    variable DPCLIP_RECORDS names, or in the repository. Trial runs and those on a folder of one's own are private.
    Runs tested on validation categories have a place of their own inside, so that neither is taken for the other.
    """
    private = config.preset in TRIALS or config.dataset == "folder"
    folder = folder or (PRIVATE if private else records_named() or RECORDS)
    return folder if split == "unseen" else folder / "validation"


def find_record(run: Run, split: str = "unseen", folder: Path | None = None) -> dict | None:
    """The record of a run, None when there is none; `folder` as in `records_folder`."""
    return read_record(run.name, records_folder(run.config, split, folder))


def write_record(record: dict, folder: Path = RECORDS) -> Path:
    """Write a finished run's record as `folder/<run>.json`, atomically. Raises UserError when it is incomplete or
    cannot be written.
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
