"""The command line: `dpclip COMMAND --help` tells what each does."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from dpclip.data.files import ROOT
from dpclip.errors import UserError
from dpclip.report.commands import app as book_app

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
data_app = typer.Typer(no_args_is_help=True, help="Draw the embedded benchmark; find, unpack and check data sets.")
app.add_typer(data_app, name="data")
app.add_typer(book_app, name="book")
console = Console()

Preset = Annotated[
    str, typer.Option(help="smoke (seconds), mini (minutes on two cores) or paper (needs Sketchy and a GPU).")
]
Seed = Annotated[int, typer.Option(help="Random seed: same seed, same machine, same numbers.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Change a setting. Repeatable.")
]
Records = Annotated[
    Path | None, typer.Option(help="Folder of the run records [default: data/records, or build/records for smoke].")
]


@data_app.command("build")
def data_build(force: Annotated[bool, typer.Option("--force", help="Draw again what is there.")] = False) -> None:
    """Draw the photos and sketches of the embedded benchmark (about a minute)."""
    from dpclip.data.openmoji import build

    build(force=force)


@data_app.command("check")
def data_check() -> None:
    """Compare the drawn benchmark with its manifest and statistics; exit status 1 when something is wrong."""
    from dpclip.data.openmoji import check

    problems = check()
    if problems:
        raise UserError("\n".join(["the embedded benchmark is not in order:", *problems]))
    typer.echo("The embedded benchmark is complete and as recorded.")


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


def load_run(preset: str, seed: int, settings: list[str] | None):
    """Identity and pictures of the run that the options name."""
    from dpclip.lab.config import parse_settings
    from dpclip.lab.experiments import open_run

    return open_run(preset, seed, **parse_settings(settings or []))


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
def train(preset: Preset = "mini", seed: Seed = 0, set_: Settings = None, records: Records = None) -> None:
    """Train a run, test it on the unseen categories and leave its record.

    A finished run is only shown; an interrupted one goes on.
    """
    from dpclip.lab.experiments import ensure, records_folder

    run, store = load_run(preset, seed, set_)
    show_metrics(ensure(run, store, records))
    typer.echo((records or records_folder(preset)) / f"{run.name}.json")


@app.command()
def evaluate(preset: Preset = "mini", seed: Seed = 0, set_: Settings = None, records: Records = None) -> None:
    """Train a run and test it on the *validation* categories, leaving its record. Settings are chosen with it."""
    from dpclip.lab.experiments import ensure

    run, store = load_run(preset, seed, set_)
    show_metrics(ensure(run, store, records, split="val"))


@app.command()
def sweep(
    preset: Preset = "mini",
    table: Annotated[
        str, typer.Option(help="Which table's runs: first; rates or recipes (on the validation categories).")
    ] = "first",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list the runs.")] = False,
) -> None:
    """Make the records that a table needs, one run after the other; finished ones are skipped."""
    from dpclip.lab.config import preset as named
    from dpclip.lab.experiments import ensure, open_store, records_folder, table_runs

    store = open_store(named(preset))
    rows, split = table_runs(table, preset, store.manifest)
    for row, runs in rows.items():
        for run in runs:
            done = (records_folder(preset, split) / f"{run.name}.json").exists()
            typer.echo(f"{row}, seed {run.seed}: {run.name}{' (done)' if done else ''}")
            if not dry_run:
                ensure(run, store, split=split)


@app.command()
def query(
    sketch: Annotated[Path, typer.Argument(help="Picture of a sketch, dark lines on white.")],
    category: Annotated[str, typer.Option(help="Category whose photos are ranked.")],
    preset: Preset = "mini",
    seed: Seed = 0,
    set_: Settings = None,
    output: Annotated[Path, typer.Option(help="Where the picture of the ranking goes.")] = Path("ranking.png"),
    top: Annotated[int, typer.Option(help="How many photos are shown.")] = 10,
) -> None:
    """Rank the photos of a category for one sketch, print them and draw them."""
    from dpclip.lab.evaluate import open_bench
    from dpclip.lab.experiments import ensure_model
    from dpclip.lab.retrieve import rank_file
    from dpclip.report.figures import save_figure, show_ranking

    run, store = load_run(preset, seed, set_)
    ranking = rank_file(open_bench(ensure_model(run, store).model, store), sketch, category)
    for place, (row, distance) in enumerate(zip(ranking.rows[:top], ranking.distance[:top], strict=True), 1):
        entry = store.manifest.table.iloc[row]
        typer.echo(f"{place:3}  {distance:.4f}  {entry['instance']:32}  {entry['path']}")
    save_figure(show_ranking(store, ranking, top), output)
    typer.echo(output)


def main() -> None:
    """Run the command line; bad input ends with one line and status 1."""
    try:
        app()
    except UserError as error:
        Console(stderr=True).print(f"[bold red]error[/]: {error}", highlight=False, soft_wrap=True)
        raise SystemExit(1) from None
