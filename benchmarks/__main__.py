"""Run every benchmark and print a table. Exit status 1 when a demand is missed, or when two sides do not agree."""

import sys

import torch
from rich.console import Console
from rich.table import Table

from benchmarks import gpu_step, pipeline, ranking, step
from benchmarks.timing import Comparison
from dpclip.runs.machine import hardware, peak_memory_mb


def table(results: list[Comparison]) -> Table:
    shown = Table("What", "Against", "Ours (s)", "Theirs (s)", "Ratio", "Demanded")
    for r in results:
        demand = f"{r.demand:g}, {'missed' if r.missed else 'met'}" if r.demand else "-"
        shown.add_row(r.what, r.rival, f"{r.ours:.3f}", f"{r.theirs:.3f}", f"{r.ratio:.2f}", demand)
    return shown


def main() -> int:
    print(f"{hardware()}, torch {torch.__version__}; this takes minutes")
    results = []
    for benchmark in (step, ranking, pipeline):
        print(benchmark.__doc__.splitlines()[0], flush=True)
        results += benchmark.compare()
    Console().print(table(results))
    print(f"peak memory: {peak_memory_mb()} MB")
    return int(any(result.missed for result in results) or gpu_step.main())


if __name__ == "__main__":
    sys.exit(main())
