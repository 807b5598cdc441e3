"""Which run is meant, and where its record lies. No model is needed for it, so nothing heavy is imported."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from dpclip.config import TRIALS, RunConfig
from dpclip.data.manifest import Manifest
from dpclip.errors import UserError
from dpclip.files import BUILD_FOLDER, MINI, sha256_file
from dpclip.runs.records import RECORDS, read_record

RECORDS_VARIABLE = "DPCLIP_RECORDS"  # a folder of records to use instead of the repository's
PRIVATE = BUILD_FOLDER / "records"  # of runs whose numbers mean nothing, or are nobody else's business
LARGEST_SEED = 2**32 - 1


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
        identity = f"{self.config.key()} {self.data_hash} {self.weights_hash}"
        return f"{self.config.preset}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}-{self.seed}"


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
