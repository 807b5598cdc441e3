"""A command on a quiet machine, and the same beside a busy loop on each core: at most twice as long.

`python -m benchmarks.load` times a chapter of the book, `python -m benchmarks.load COMMAND ...` another command. It
runs once before, untimed, so that neither side has more to do than the other: what the command keeps, such as a trained
run, is then there. `dpclip records verify RUN` keeps nothing, so it trains on both sides.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

CHAPTER = [sys.executable, "-m", "dpclip", "book", "run", "--preset", "smoke", "--only", "00", "--force"]
DEMAND = 2.0
LONGEST = 900  # seconds; a command that takes longer is stopped, and a loop ends by itself
LOOP = f"import time; end = time.monotonic() + {LONGEST}\nwhile time.monotonic() < end: pass"


@contextmanager
def busy_cores() -> Iterator[None]:
    """A loop on each core, as a process of its own, from here to the end of the block."""
    loops = [subprocess.Popen([sys.executable, "-c", LOOP]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def seconds_of(command: list[str]) -> float:
    """Raises CalledProcessError when the command fails, TimeoutExpired after LONGEST seconds."""
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=LONGEST)
    return time.perf_counter() - begun


def main(command: list[str]) -> int:
    """Print both times and their ratio; 1 when it is above DEMAND, or when the command fails."""
    try:
        seconds_of(command)
        quiet = seconds_of(command)
        with busy_cores():
            busy = seconds_of(command)
    except (OSError, subprocess.SubprocessError) as error:
        print(error)
        return 1
    ratio = busy / quiet
    print(f"quiet {quiet:.1f} s, beside {os.cpu_count()} busy loops {busy:.1f} s: {ratio:.2f} times as long", end="")
    print(f", at most {DEMAND:g} is demanded: {'missed' if ratio > DEMAND else 'met'}")
    return int(ratio > DEMAND)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or CHAPTER))
