"""`dpclip data ...`: the typer group that joins the command line when this package's extra is installed."""

from pathlib import Path
from typing import Annotated

import typer

from dpclip.errors import UserError
from dpclip.files import BUILD_FOLDER

app = typer.Typer(no_args_is_help=True, help="Draw the benchmark, pre-train its CLIP; find and check data.")


@app.command("build")
def data_build(force: Annotated[bool, typer.Option("--force", help="Draw again what is there.")] = False) -> None:
    """Draw the photos and sketches of the embedded benchmark (about three minutes)."""
    from dpclip_prepare.draw.benchmark_images import build, is_built

    if is_built() and not force:
        typer.echo("The embedded benchmark is drawn already.")
        return
    typer.echo("Drawing the embedded benchmark, about three minutes on two free cores.", err=True)
    typer.echo(f"The embedded benchmark is drawn, in {build():.0f} seconds.")


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

    Without arguments, the embedded benchmark is compared with its manifest and its recorded pictures.
    """
    from dpclip.data.benchmark import NAME
    from dpclip_prepare.check.folders import check_dataset
    from dpclip_prepare.draw.benchmark_images import check_benchmark

    typer.echo(f"Checking {name or NAME}{', every image of it' * decode} ...", err=True)
    if name not in ("", NAME):
        report = check_dataset(name, path, unseen, decode)
        typer.echo("\n".join(report.lines))
        if not report.ok:
            raise typer.Exit(1)
        return
    problems = check_benchmark()
    if problems:
        raise UserError("\n".join(["the embedded benchmark is not in order:", *problems]))
    typer.echo("The embedded benchmark is complete and as recorded.")


@app.command("where")
def data_where(
    name: Annotated[str, typer.Argument(help="Data set: sketchy, sketchy-ext, tuberlin-ext, quickdraw-ext, folder.")],
) -> None:
    """Where to get a data set, under which terms, and what its folder must look like."""
    from dpclip_prepare.check.where import where

    typer.echo(where(name))


@app.command("pretrain")
def data_pretrain(
    steps: Annotated[int, typer.Option(help="Steps in all.")] = 12_000,
    device: Annotated[str, typer.Option(help="cpu or cuda; minutes on a GPU, days on two cores.")] = "cpu",
    folder: Annotated[Path, typer.Option(help="Icons, checkpoints and log are kept here.")] = BUILD_FOLDER / "clip",
) -> None:
    """Pre-train the mini CLIP on openly licensed icons and put it into data/mini-clip. Continues if interrupted."""
    from dpclip_prepare.clip.corpus import read_corpus
    from dpclip_prepare.clip.pretrain import FOLDER, PretrainConfig, pretrain
    from dpclip_prepare.clip.renderings import render
    from dpclip_prepare.clip.ship import ship

    corpus = read_corpus(folder)
    pictures = render(corpus, folder / "pictures.npz")
    description, report = pretrain(PretrainConfig(steps=steps), corpus, pictures, folder, device)
    ship(folder, description, report, FOLDER)
    typer.echo(f"The mini CLIP is in {FOLDER}.")
