"""The command line: `dpclip COMMAND --help` tells what each does."""

import os
import sys
from collections.abc import Callable
from importlib.metadata import entry_points

import typer

from dpclip.commands.record_commands import app as records_app
from dpclip.commands.run_commands import heatmap, query_command, record_command, sweep
from dpclip.commands.table_commands import tables
from dpclip.errors import UserError

EXTRAS = {"data": "prepare", "book": "book"}  # commands of another package -> the extra with what they need
TRACEBACK_VARIABLE = "DPCLIP_TRACEBACK"


def make_app() -> typer.Typer:
    """All commands: ours, and those that other packages add by entry points, where what they need is installed."""
    whole = typer.Typer(
        no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None, help=__doc__
    )
    own = {"train": record_command("unseen"), "evaluate": record_command("val"), "sweep": sweep, "tables": tables}
    for name, command in (own | {"query": query_command, "heatmap": heatmap}).items():
        whole.command(name)(command)
    whole.add_typer(records_app, name="records")
    for entry in entry_points(group="dpclip.commands"):
        try:
            whole.add_typer(entry.load(), name=entry.name)
        except ModuleNotFoundError as error:
            anything = {"allow_extra_args": True, "ignore_unknown_options": True}
            whole.command(entry.name, context_settings=anything, help="Not installed.")(_refuse(error))
    return whole


def _refuse(error: ModuleNotFoundError) -> Callable[[], None]:
    def command() -> None:
        raise error

    return command


app = make_app()


def main() -> None:
    """Run the command line. Whatever goes wrong ends with one line: status 1 for what the user can mend, 2 for a wrong
    option or a mistake of ours, 130 for Ctrl-C. With DPCLIP_TRACEBACK=1 a mistake of ours shows its traceback.
    """
    sys.stdout.reconfigure(errors="backslashreplace")  # the name of a file need not be text
    try:
        status = app(standalone_mode=False) or 0
        sys.stdout.flush()
    except KeyboardInterrupt:
        status = 130
    except BrokenPipeError:  # who reads our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    except Exception as error:
        text, status = explain(error)
        typer.echo(text, err=True)
    if status == 130:
        typer.echo("stopped", err=True)
    raise SystemExit(status)


def explain(error: Exception) -> tuple[str, int]:
    """What is said of an error, and the exit status. What a terminal would obey is made visible."""
    text, status, group, name = str(error), 2, "".join(sys.argv[1:2]), getattr(error, "name", None) or "dpclip."
    if isinstance(error, UserError):
        status = 1
    elif isinstance(error, typer.TyperException):
        text = error.format_message()
        if "\n" in text:
            return text, 2  # the help, where nothing was asked
        text = f"{text.rstrip('.')}. See: {error.ctx.command_path} --help" if getattr(error, "ctx", None) else text
    elif isinstance(error, ModuleNotFoundError) and group in EXTRAS and not name.startswith("dpclip."):
        text = f"dpclip {group} needs packages that are not installed ({name}): pip install '.[{EXTRAS[group]}]'"
        status = 1
    elif os.environ.get(TRACEBACK_VARIABLE):
        raise error
    else:
        text = " ".join(f"{type(error).__name__}: {error}. This is a mistake of dpclip; run with ".split())
        text += f" {TRACEBACK_VARIABLE}=1 and report it"
    text = "".join(letter if letter.isprintable() or letter == "\n" else repr(letter)[1:-1] for letter in text)
    return f"{typer.style('error', fg='red', bold=True)}: {text}", status
