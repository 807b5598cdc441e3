"""The command line: `dpclip COMMAND --help` tells what each does."""

import shlex
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from dpclip.data.files import ROOT
from dpclip.errors import UserError
from dpclip.report.commands import app as book_app
from dpclip.report.record_commands import app as records_app
from dpclip.report.record_commands import retrain
from dpclip.report.table_commands import tables as show_tables

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
data_app = typer.Typer(no_args_is_help=True, help="Draw the embedded benchmark; find, unpack and check data sets.")
app.add_typer(data_app, name="data")
app.add_typer(book_app, name="book")
app.add_typer(records_app, name="records")
app.command("tables")(show_tables)
app.command("retrain")(retrain)
console = Console()

Preset = Annotated[
    str,
    typer.Option(
        help="smoke (seconds), mini (minutes on two cores), paper (needs Sketchy and a GPU) or dry (the code of paper "
        "on a stand-in)."
    ),
]
Seed = Annotated[int, typer.Option(help="Random seed: same seed, same machine, same numbers.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Change a setting. Repeatable.")
]
Data = Annotated[
    Path | None,
    typer.Option("--data", envvar="DPCLIP_DATA", help="Folder of the data set; the embedded benchmark needs none."),
]
Records = Annotated[
    Path | None,
    typer.Option(help="Folder of the run records [default: data/records, or build/records for smoke and dry]."),
]


@data_app.command("build")
def data_build(force: Annotated[bool, typer.Option("--force", help="Draw again what is there.")] = False) -> None:
    """Draw the photos and sketches of the embedded benchmark (about a minute)."""
    from dpclip.data.openmoji import build

    build(force=force)


@data_app.command("check")
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


@data_app.command("where")
def data_where(
    name: Annotated[str, typer.Argument(help="Data set: sketchy, sketchy-ext, tuberlin-ext, quickdraw-ext, folder.")],
) -> None:
    """Where to get a data set, under which terms, and what its folder must look like."""
    from dpclip.data.where import where

    typer.echo(where(name))


@data_app.command("unpack")
def data_unpack(
    archive: Annotated[Path, typer.Argument(help="A .zip or .tar archive (7z archives need 7-Zip).")],
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
) -> None:
    """Unpack a downloaded archive safely: nothing outside the folder, no links, a bound on its size."""
    from dpclip.data.archives import unpack

    typer.echo(f"{unpack(archive, folder):,} files in {folder}")


@app.command()
def pretrain(
    steps: Annotated[
        int, typer.Option(help="Steps in all; a run already further than its decay cannot be shortened.")
    ] = 2600,
    folder: Annotated[Path, typer.Option(help="Icons, checkpoints and log are kept here.")] = ROOT / "build" / "icons",
    bf16: Annotated[bool, typer.Option("--bf16", help="Autocast, for processors with native bf16 arithmetic.")] = False,
) -> None:
    """Pre-train the mini CLIP on openly licensed icons and put it into data/mini-clip.

    Hours on two cores; continues if interrupted.
    """
    from dpclip.lab.pretrain import FOLDER, PretrainConfig, pretrain
    from dpclip.lab.ship import ship

    description, report = pretrain(PretrainConfig(steps=steps, bf16=bf16), folder)
    ship(folder, description, report, FOLDER)
    typer.echo(f"The mini CLIP is in {FOLDER}.")


def load_run(preset: str, seed: int, settings: list[str] | None, data: Path | None):
    """Identity and pictures of the run that the options name."""
    from dpclip.lab.config import parse_settings
    from dpclip.lab.runs import open_run

    return open_run(preset, seed, data, **parse_settings(settings or []))


def show_metrics(record: dict) -> None:
    """Print a record's fine-grained and category-level numbers."""
    from dpclip.lab.evaluate import SETTINGS

    table = Table(title=f"{record['run']}: {record['split']} categories")
    for column in ("protocol", "sketches", "queries", "chance@1", "Acc@1", "Acc@5", "Acc@10"):
        table.add_column(column, justify="left" if column in ("protocol", "sketches") else "right")
    for protocol, styles in record["metrics"]["fine-grained"].items():
        for style, m in styles.items():
            shares = (f"{m[name]:.3f}" for name in ("chance@1", "acc@1", "acc@5", "acc@10"))
            table.add_row(protocol, style, str(m["queries"]), *shares)
    console.print(table)
    level = record["metrics"]["category-level"]
    for setting in SETTINGS:
        values = (f"{name} {value:.3f}" for name, value in level[setting].items() if name != "ap")
        console.print(f"category-level, {setting}: {', '.join(values)}")
    console.print(f"convention: {level['convention']}")


@app.command()
def train(
    preset: Preset = "mini", seed: Seed = 0, set_: Settings = None, data: Data = None, records: Records = None
) -> None:
    """Train a run, test it on the unseen categories and leave its record.

    A finished run is only shown; an interrupted one goes on. Several accelerators:
    torchrun --nproc-per-node N -m dpclip train --set joint=N ...
    """
    from dpclip.lab.ranks import process_group, rank
    from dpclip.lab.runs import ensure, records_folder

    with process_group():
        run, store = load_run(preset, seed, set_, data)
        record = ensure(run, store, records)
        if rank() == 0:
            show_metrics(record)
            typer.echo((records or records_folder(preset)) / f"{run.name}.json")


@app.command()
def evaluate(
    preset: Preset = "mini", seed: Seed = 0, set_: Settings = None, data: Data = None, records: Records = None
) -> None:
    """Train a run and test it on the *validation* categories, leaving its record. Settings are chosen with it."""
    from dpclip.lab.runs import ensure

    run, store = load_run(preset, seed, set_, data)
    show_metrics(ensure(run, store, records, split="val"))


@app.command()
def sweep(
    preset: Preset = "mini",
    table: Annotated[
        str, typer.Option(help="Whose runs: 1, 2, 3, 4; or rates, recipes (on the validation categories).")
    ] = "1",
    seeds: Annotated[
        int | None, typer.Option(min=1, help="How many seeds of each row [default: as the table asks].")
    ] = None,
    data: Data = None,
    records: Records = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list the runs, as commands.")] = False,
) -> None:
    """Make the records that a table needs, one run after the other; finished ones are skipped.

    Snakemake does the same list on many machines: workflow/Snakefile.
    """
    from dpclip.lab.runs import ensure, open_store
    from dpclip.lab.sweep import jobs

    stores = {}
    for job in jobs(table, preset, str(data or ""), str(records or ""), seeds):
        typer.echo(f"{job.row}, {job.record.name}{' (done)' if job.record.exists() else ''}: {shlex.join(job.words)}")
        if not dry_run:
            name = job.run.config.dataset
            stores[name] = stores.get(name) or open_store(job.run.config, data)
            ensure(job.run, stores[name], job.record.parent, split=job.split)


@app.command()
def query(
    sketch: Annotated[Path, typer.Argument(help="Picture of a sketch, dark lines on white.")],
    category: Annotated[str, typer.Option(help="Category whose photos are ranked; with --gallery, any words.")],
    gallery: Annotated[Path | None, typer.Option(help="Folder of photos of your own, indexed once.")] = None,
    support: Annotated[
        list[Path] | None, typer.Option(help="With --gallery: pictures of the category, sketches first. Repeatable.")
    ] = None,
    preset: Preset = "mini",
    seed: Seed = 0,
    set_: Settings = None,
    data: Data = None,
    output: Annotated[Path, typer.Option(help="Where the picture of the ranking goes.")] = Path("ranking.png"),
    top: Annotated[int, typer.Option(help="How many photos are shown.")] = 10,
) -> None:
    """Rank photos for one sketch, print them and draw them: of a category of the data set, or of your own."""
    from dpclip.lab.evaluate import open_bench
    from dpclip.lab.gallery import open_gallery, rank_gallery
    from dpclip.lab.retrieve import rank_file
    from dpclip.lab.runs import ensure_model
    from dpclip.report.figures import save_figure, show_files

    if support and gallery is None:
        raise UserError("--support needs --gallery: the categories of the data set have their own support.")
    run, store = load_run(preset, seed, set_, data)
    model = ensure_model(run, store).model
    if gallery is not None:
        ranking = rank_gallery(open_gallery(model, run.name, gallery, category, support or []), sketch)
    else:
        found = rank_file(open_bench(model, store), sketch, category)
        paths = [store.manifest.root / store.manifest.table["path"][row] for row in found.rows]
        ranking = list(zip(paths, found.distance, strict=True))
    for place, (file, distance) in enumerate(ranking[:top], 1):
        typer.echo(f"{place:3}  {distance:.4f}  {file}")
    save_figure(show_files(sketch, [file for file, _ in ranking[:top]], model.image_size), output)
    typer.echo(output)


def main() -> None:
    """Run the command line; bad input ends with one line and status 1."""
    try:
        app()
    except UserError as error:
        Console(stderr=True).print(f"[bold red]error[/]: {error}", highlight=False, soft_wrap=True)
        raise SystemExit(1) from None
