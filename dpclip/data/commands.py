"""`dpclip data ...`: the typer group that dpclip/cli.py mounts. Each command is one call of this wing."""

from pathlib import Path
from typing import Annotated

import typer

from dpclip.errors import UserError

app = typer.Typer(no_args_is_help=True, help="Draw the embedded benchmark; find, unpack and check data sets.")


@app.command("build")
def data_build(force: Annotated[bool, typer.Option("--force", help="Draw again what is there.")] = False) -> None:
    """Draw the photos and sketches of the embedded benchmark (about a minute)."""
    from dpclip.data.openmoji import build

    build(force=force)


@app.command("check")
def data_check(
    name: Annotated[
        str, typer.Argument(help="Data set: sketchy, sketchy-ext, tuberlin-ext, quickdraw-ext, folder.")
    ] = "",
    path: Annotated[Path | None, typer.Argument(help="Its folder.")] = None,
    unseen: Annotated[str, typer.Option(help="Split, by author; or a file with one unseen category a line.")] = "",
    decode: Annotated[bool, typer.Option("--decode", help="Read every image too (minutes).")] = False,
) -> None:
    """Compare a data set with what it should hold, and name the cure of each difference; exit status 1 when something
    is wrong.

    Without arguments, the embedded benchmark is compared with its manifest and statistics.
    """
    from dpclip.data.check import check_dataset
    from dpclip.data.openmoji import check
    from dpclip.data.openmoji_list import NAME

    if name not in ("", NAME):
        report = check_dataset(name, path, unseen, decode)
        typer.echo("\n".join(report.lines))
        if not report.ok:
            raise typer.Exit(1)
        return
    problems = check()
    if problems:
        raise UserError("\n".join(["the embedded benchmark is not in order:", *problems]))
    typer.echo("The embedded benchmark is complete and as recorded.")


@app.command("where")
def data_where(
    name: Annotated[str, typer.Argument(help="Data set: sketchy, sketchy-ext, tuberlin-ext, quickdraw-ext, folder.")],
) -> None:
    """Where to get a data set, under which terms, and what its folder must look like."""
    from dpclip.data.where import where

    typer.echo(where(name))


@app.command("unpack")
def data_unpack(
    archive: Annotated[Path, typer.Argument(help="A .zip or .tar archive (7z archives need 7-Zip).")],
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
) -> None:
    """Unpack a downloaded archive safely: nothing outside the folder, no links, a bound on its size."""
    from dpclip.data.archives import unpack

    typer.echo(f"{unpack(archive, folder):,} files in {folder}")
