"""Checks of exercises in a notebook: one clear sentence for what is not finished or not right, not a stack of calls."""

from collections.abc import Iterator
from contextlib import contextmanager


class NotYet(Exception):
    """What an exercise still lacks. Jupyter asks `_render_traceback_` what to show, and shows the sentence alone."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


@contextmanager
def check(label: str) -> Iterator[None]:
    """Around the asserts of an exercise, each with its message: prints that all passed, or raises NotYet."""
    try:
        yield
    except NotImplementedError:
        raise NotYet(f"{label} is not finished: write your code in the cell above, run it, then this cell.") from None
    except AssertionError as error:
        raise NotYet(f"{label} is not right yet: {error}") from None
    except Exception as error:
        raise NotYet(f"{label}: your code stops with {type(error).__name__}: {error}") from None
    print(f"{label}: all checks passed")
