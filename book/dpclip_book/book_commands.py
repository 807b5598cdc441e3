"""`dpclip book ...`: the typer group that dpclip/cli.py mounts. Each command is one call of this wing."""

import os
from pathlib import Path
from typing import Annotated

import typer
import yaml

from dpclip.errors import UserError

app = typer.Typer(no_args_is_help=True, help="Run the chapters and build the book.")
Preset = Annotated[
    str, typer.Option(help="The runs behind the pages: smoke (seconds), mini, paper (real data) or dry (its stand-in).")
]
Only = Annotated[list[str] | None, typer.Option(help="Run only chapters whose names begin so, e.g. 03. Repeatable.")]
Force = Annotated[bool, typer.Option("--force", help="Run unchanged chapters too.")]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--parameter", metavar="NAME=VALUE", help="A further parameter of the chapters that run. Repeatable."),
]
Data = Annotated[
    Path | None,
    typer.Option("--data", envvar="DPCLIP_DATA", help="Folder of the data set; the embedded benchmark needs none."),
]
Weights = Annotated[
    Path | None,
    typer.Option("--weights", envvar="DPCLIP_WEIGHTS", help="OpenAI's ViT-B-32.pt, instead of downloading it."),
]
NoTrain = Annotated[
    bool,
    typer.Option(
        "--no-train", help="Train nothing: a chapter whose runs are missing says which, and how long they would take."
    ),
]
Edition = Annotated[str, typer.Option(help="teacher: exercises with solutions; student: without.")]
Records = Annotated[Path | None, typer.Option(help="Folder of the records to show [default: those of the repository].")]


def prepare(data: Path | None, weights: Path | None, no_train: bool = False, records: Path | None = None) -> None:
    """Tell the chapters' kernels, which inherit the environment, where data, weights and records are, and whether they
    may train.
    """
    from dpclip.method.openai_weights import use_weights
    from dpclip.runs.identity import RECORDS_VARIABLE
    from dpclip.runs.run import FOLDER_VARIABLE, NO_TRAIN_VARIABLE

    use_weights(weights)
    if data:
        os.environ[FOLDER_VARIABLE] = str(data.resolve())
    if no_train:
        os.environ[NO_TRAIN_VARIABLE] = "1"
    if records:
        os.environ[RECORDS_VARIABLE] = str(records.resolve())


def parse_parameters(texts: list[str] | None) -> dict:
    """["seed=1", "style=warped"] -> {"seed": 1, "style": "warped"}; values are YAML. Raises UserError without "="."""
    parameters = {}
    for text in texts or []:
        name, found, value = text.partition("=")
        if not found:
            raise UserError(f"--parameter {text!r}: write NAME=VALUE, for example --parameter seed=1.")
        parameters[name] = yaml.safe_load(value)
    return parameters


@app.command()
def make(
    preset: Preset = "mini",
    only: Only = None,
    force: Force = False,
    parameter: Parameters = None,
    data: Data = None,
    weights: Weights = None,
    no_train: NoTrain = False,
    records: Records = None,
    edition: Edition = "teacher",
) -> None:
    """Run what changed, build the site, check its pages; the last line is the path of index.html."""
    from dpclip_book.builder.site import make_book

    prepare(data, weights, no_train, records)
    make_book(preset, edition, only=only, force=force, parameters=parse_parameters(parameter))


@app.command()
def run(
    preset: Preset = "mini",
    only: Only = None,
    force: Force = False,
    parameter: Parameters = None,
    data: Data = None,
    weights: Weights = None,
    no_train: NoTrain = False,
) -> None:
    """Run the chapters that changed, without building pages."""
    from dpclip_book.builder.chapters import run_chapters

    prepare(data, weights, no_train)
    chapters = run_chapters(preset, only=only, force=force, parameters=parse_parameters(parameter))
    stopped = [chapter.name for chapter in chapters if "missing" in chapter.record]
    waiting = f"; {len(stopped)} lack runs: {', '.join(stopped)}" if stopped else ""
    typer.echo(f"{len(chapters) - len(stopped)} chapters ran without an error, preset {preset}{waiting}")


@app.command()
def site(preset: Preset = "mini", edition: Edition = "teacher") -> None:
    """Build the pages from the chapters as they were last run."""
    from dpclip_book.builder.site import build_site

    typer.echo(build_site(preset, edition=edition))


@app.command("class")
def class_() -> None:
    """Pack this working copy, with student's notebooks, as a zip to hand out; prints its path."""
    from dpclip_book.teach.handout import make_handout

    typer.echo(make_handout())


@app.command()
def pdf(preset: Preset = "mini") -> None:
    """Print the whole book from the chapters as they were last run; needs a Chromium, no TeX."""
    from dpclip_book.builder.site import make_pdf

    typer.echo(make_pdf(preset))


@app.command()
def check(html: Annotated[Path, typer.Argument(help="Folder of a built site.")] = Path("_build/mini/html")) -> None:
    """Check the built pages: links, alt text, weight, and that nothing is loaded from elsewhere."""
    from dpclip_book.builder.page_checks import check_site

    if not (html / "index.html").is_file():
        raise UserError(f"{html} holds no index.html; build the site first with `dpclip book make`.")
    problems = check_site(html)
    if problems:
        raise UserError("\n- ".join([f"{html} has {len(problems)} problems:", *problems]))
    typer.echo(f"{len(list(html.rglob('*.html')))} pages: links, alt text, sources and weight are in order")


@app.command()
def store(preset: Preset = "mini", only: Only = None, data: Data = None, weights: Weights = None) -> None:
    """Run what changed and store the outputs in notebooks/."""
    from dpclip_book.builder.site import store_outputs

    prepare(data, weights)
    store_outputs(preset, only=only)


@app.command()
def rankings(
    preset: Annotated[str, typer.Option(help="mini, or smoke to try it.")] = "mini",
    train: Annotated[
        bool, typer.Option("--train", help="Make the runs whose record or trained model is not here.")
    ] = False,
) -> None:
    """Write down what the runs of tables 1 and 3 with seed 0 find for each sketch, for the page that shows it.

    Takes the runs that are here, with record and trained model, and names the others.
    """
    from dpclip.config import preset as find_preset
    from dpclip.runs.run import open_store
    from dpclip_book.studies.rankings import rankings_path, record_rankings

    missing = record_rankings(preset, open_store(find_preset(preset)), train)
    if missing:
        command = f"dpclip book rankings --preset {preset} --train"
        typer.echo(f"not here, and left out: {', '.join(missing)}. This makes them: {command}")
    typer.echo(rankings_path(preset))
