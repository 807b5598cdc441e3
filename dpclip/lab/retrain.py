"""Every result made again on this machine: the runs of all tables with one seed, in a folder of their own.

An interrupted call goes on where it stopped; runs that are finished, by this code, are kept.
"""

import time
from collections.abc import Callable
from pathlib import Path

from dpclip.lab.experiments import TABLES
from dpclip.lab.plan import show_time
from dpclip.lab.records import RECORDS, read_record
from dpclip.lab.runs import RETRAIN, ensure, find_record, open_store
from dpclip.lab.sweep import Job, jobs


def retrain(preset: str, data: Path | None = None, say: Callable[[str], None] = print) -> list[Job]:
    """Make what is missing of the results of a preset, telling before each run how far it is and how long the rest
    takes. The environment variable DPCLIP_RETRAIN must be 1. Returns all jobs.
    """
    wanted = result_jobs(preset, data)
    todo = [job for job in wanted if find_record(job.run, job.record.parent) is None]
    expected = expected_seconds(todo)
    say(f"retraining {len(wanted)} runs, one seed each, into {RETRAIN}: {len(wanted) - len(todo)} are done")
    if any(expected):
        say(f"about {show_time(sum(expected))} of training where the committed records were made; testing comes on top")
    stores, spent = {}, []
    for number, job in enumerate(todo):
        rest = time_left(expected, spent)
        left = f"about {show_time(rest)} left" if rest else "time left not known yet"
        say(f"[{number + 1}/{len(todo)}] {job.row}: {job.run.name}, {left}")
        begun = time.monotonic()
        name = job.run.config.dataset
        stores[name] = stores.get(name) or open_store(job.run.config, data)
        ensure(job.run, stores[name], job.record.parent)
        spent.append(time.monotonic() - begun)
    say(f"retrained: {len(wanted)} records. To make them once more, delete {RETRAIN}.")
    return wanted


def result_jobs(preset: str, data: Path | None = None) -> list[Job]:
    """The runs of all tables of results with one seed, each once. The searches by which settings were chosen are not
    among them.
    """
    tables = [name for name, table in TABLES.items() if table.split == "unseen"]
    every = [job for table in tables for job in jobs(table, preset, str(data or ""), seeds=1)[0]]
    found: dict[str, Job] = {}
    for job in every:
        found.setdefault(job.run.name, job)  # named after its first row
    return list(found.values())


def expected_seconds(todo: list[Job]) -> list[float]:
    """Training time of each run by its committed record, or else by the mean of those that have one."""
    known = [read_record(job.run.name, RECORDS) for job in todo]
    seconds = [record["seconds"] for record in known if record and record["losses"]]
    mean = sum(seconds) / len(seconds) if seconds else 0.0
    return [record["seconds"] if record else mean for record in known]


def time_left(expected: list[float], spent: list[float]) -> float:
    """Seconds for the runs behind those that took `spent`, each as much longer than expected as these were in the mean:
    testing comes on top, and the machine is another.
    """
    rest = expected[len(spent) :]
    longer = (sum(spent) - sum(expected[: len(spent)])) / len(spent) if spent else 0.0
    return max(sum(rest) + longer * len(rest), 0.0)
