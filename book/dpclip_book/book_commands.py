"""`dpclip book ...`: the typer group that dpclip/cli.py mounts. Options are checked first, slow imports come after."""

import os
import signal
from pathlib import Path
from typing import Annotated

import typer

from dpclip.config import preset as find_preset
from dpclip.errors import UserError
from dpclip_book.chapters import EDITIONS, check_edition, find_chapters, read_parameters

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
    typer.Option("--data", help="Folder of the data set of the presets paper and dry; or set DPCLIP_DATA."),
]
Weights = Annotated[
    Path | None,
    typer.Option("--weights", help="OpenAI's ViT-B-32.pt, instead of downloading it; or set DPCLIP_WEIGHTS."),
]
NoTrain = Annotated[
    bool,
    typer.Option(
        "--no-train", help="Train nothing: a chapter whose runs are missing says which, and how long they would take."
    ),
]
Processes = Annotated[
    int | None,
    typer.Option(min=1, help="Chapters side by side [default: 2 on two cores and more; with the preset paper 1]."),
]
Edition = Annotated[str, typer.Option(help="teacher: exercises with solutions; student: without.")]
Records = Annotated[Path | None, typer.Option(help="Folder of the records to show [default: those of the repository].")]


def check(
    preset: str,
    only: list[str] | None = None,
    parameter: list[str] | None = None,
    edition: str = EDITIONS[0],
    **places: Path | None,
) -> dict[str, object]:
    """The parameters as `run_chapters` takes them. Raises UserError for any wrong option, before slow imports."""
    config = find_preset(preset)
    check_edition(edition)
    unused = {"data": config.dataset == find_preset("mini").dataset, "weights": config.weights != "openai"}
    for name, path in places.items():
        if path and not path.exists():
            raise UserError(f"--{name} {path}: there is no such file or folder.")
        if path and unused.get(name):
            raise UserError(
                f"--{name} {path}: the preset {preset} brings its own. Leave it out, or choose --preset paper."
            )
    return read_parameters(parameter or [], find_chapters(preset, only=only))


def prepare(data: Path | None, weights: Path | None, no_train: bool = False, records: Path | None = None) -> None:
    """Tell the chapters' kernels, which inherit the environment, where data, weights and records are, and whether they
    may train. From now on SIGTERM does what Ctrl-C does: it ends the kernels too.
    """
    from dpclip.method.weights import use_weights
    from dpclip.runs.records import RECORDS_VARIABLE
    from dpclip.runs.run import FOLDER_VARIABLE, NO_TRAIN_VARIABLE

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    use_weights(weights)
    if data:
        os.environ[FOLDER_VARIABLE] = str(data.resolve())
    if no_train:
        os.environ[NO_TRAIN_VARIABLE] = "1"
    if records:
        os.environ[RECORDS_VARIABLE] = str(records.resolve())


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
    processes: Processes = None,
) -> None:
    """Run what changed, build the site, check its pages; the last line is the path of index.html."""
    parameters = check(preset, only, parameter, edition, data=data, weights=weights, records=records)
    from dpclip_book.builder.site import make_book

    prepare(data, weights, no_train, records)
    make_book(preset, edition, only=only, force=force, parameters=parameters, processes=processes)


@app.command()
def run(
    preset: Preset = "mini",
    only: Only = None,
    force: Force = False,
    parameter: Parameters = None,
    data: Data = None,
    weights: Weights = None,
    no_train: NoTrain = False,
    processes: Processes = None,
) -> None:
    """Run the chapters that changed, without building pages."""
    parameters = check(preset, only, parameter, data=data, weights=weights)
    from dpclip_book.builder.runner import run_chapters

    prepare(data, weights, no_train)
    chapters = run_chapters(preset, only=only, force=force, parameters=parameters, processes=processes)
    stopped = [chapter.name for chapter in chapters if "missing" in chapter.record]
    waiting = f"; {len(stopped)} lack runs: {', '.join(stopped)}" if stopped else ""
    typer.echo(f"{len(chapters) - len(stopped)} chapters ran without an error, preset {preset}{waiting}")


@app.command()
def site(preset: Preset = "mini", edition: Edition = "teacher") -> None:
    """Build the pages from the chapters as they were last run."""
    check(preset, edition=edition)
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
    check(preset)
    from dpclip_book.builder.site import make_pdf

    typer.echo(make_pdf(preset))


@app.command("check")
def check_(html: Annotated[Path, typer.Argument(help="Folder of a built site.")] = Path("_build/mini/html")) -> None:
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
    check(preset, only, data=data, weights=weights)
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
    check(preset)
    from dpclip.runs.run import open_store
    from dpclip_book.studies.rankings import rankings_path, record_rankings

    missing = record_rankings(preset, open_store(find_preset(preset)), train)
    if missing:
        command = f"dpclip book rankings --preset {preset} --train"
        typer.echo(f"not here, and left out: {', '.join(missing)}. This makes them: {command}")
    typer.echo(rankings_path(preset))
