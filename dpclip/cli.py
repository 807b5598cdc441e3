"""The command line: `dpclip COMMAND --help` tells what each does."""

from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from dpclip.commands.record_commands import app as records_app
from dpclip.commands.table_commands import tables as show_tables
from dpclip.errors import UserError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
for entry in entry_points(group="dpclip.commands"):
    app.add_typer(entry.load(), name=entry.name)
app.add_typer(records_app, name="records")
app.command("tables")(show_tables)
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
Weights = Annotated[
    Path | None,
    typer.Option("--weights", envvar="DPCLIP_WEIGHTS", help="OpenAI's ViT-B-32.pt, instead of downloading it."),
]
Records = Annotated[
    Path | None,
    typer.Option(help="Folder of the run records [default: data/records, or build/records for smoke and dry]."),
]


def load_run(preset: str, seed: int, settings: list[str] | None, data: Path | None, weights: Path | None):
    """Identity and pictures of the run that the options name."""
    from dpclip.config import parse_settings
    from dpclip.method.openai_weights import use_weights
    from dpclip.runs.run import open_run

    use_weights(weights)
    return open_run(preset, seed, data, **parse_settings(settings or []))


def show_metrics(record: dict) -> None:
    """Print a record's fine-grained and category-level numbers."""
    from dpclip.evaluation.evaluate import SETTINGS

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
    preset: Preset = "mini",
    seed: Seed = 0,
    set_: Settings = None,
    data: Data = None,
    weights: Weights = None,
    records: Records = None,
) -> None:
    """Train a run, test it on the unseen categories and leave its record.

    A finished run is only shown; an interrupted one goes on. Several accelerators:
    torchrun --nproc-per-node N -m dpclip train --set joint=N ...
    """
    from dpclip.runs.identity import records_folder
    from dpclip.runs.run import ensure
    from dpclip.training.processes import process_group, rank

    with process_group():
        run, store = load_run(preset, seed, set_, data, weights)
        record = ensure(run, store, records)
        if rank() == 0:
            show_metrics(record)
            typer.echo(records_folder(run.config, folder=records) / f"{run.name}.json")


@app.command()
def evaluate(
    preset: Preset = "mini",
    seed: Seed = 0,
    set_: Settings = None,
    data: Data = None,
    weights: Weights = None,
    records: Records = None,
) -> None:
    """Train a run and test it on the *validation* categories, leaving its record. Settings are chosen with it."""
    from dpclip.runs.run import ensure

    run, store = load_run(preset, seed, set_, data, weights)
    show_metrics(ensure(run, store, records, split="val"))


@app.command()
def sweep(
    preset: Preset = "mini",
    table: Annotated[
        str,
        typer.Option(
            help="Whose runs: 1, 2, 3, 4 or decisions; results, all of these; or rates, recipes (on the validation "
            "categories)."
        ),
    ] = "1",
    seeds: Annotated[
        int | None, typer.Option(min=1, help="How many seeds of each row [default: as the table asks].")
    ] = None,
    data: Data = None,
    weights: Weights = None,
    records: Records = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list the runs, as commands.")] = False,
) -> None:
    """Make the records that a table needs, one run after the other; finished ones are skipped.

    All results again, in a folder of your own: --table results --seeds 1 --records FOLDER.
    Snakemake does the same list on many machines: workflow/Snakefile.
    """
    from dpclip.method.openai_weights import use_weights
    from dpclip.runs.sweep import jobs, make_records

    use_weights(weights)
    found, absent = jobs(table, preset, *(str(place or "") for place in (data, weights, records)), seeds)
    for line in absent + (found if dry_run else []):
        typer.echo(line)
    if not dry_run:
        make_records(found, data, records)


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
    weights: Weights = None,
    output: Annotated[Path, typer.Option(help="Where the picture of the ranking goes.")] = Path("ranking.png"),
    top: Annotated[int, typer.Option(help="How many photos are shown.")] = 10,
) -> None:
    """Rank photos for one sketch, print them and draw them: of a category of the data set, or of your own."""
    from dpclip.evaluation.evaluate import open_bench
    from dpclip.evaluation.gallery import open_gallery, rank_gallery
    from dpclip.evaluation.retrieve import rank_file
    from dpclip.figures.panels import save_figure, show_files
    from dpclip.runs.run import ensure_model

    if support and gallery is None:
        raise UserError("--support needs --gallery: the categories of the data set have their own support.")
    run, store = load_run(preset, seed, set_, data, weights)
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


@app.command()
def heatmap(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Pictures, photos or sketches.")],
    category: Annotated[
        list[str], typer.Option(help="Category whose prompts are compared with the pictures' patches. Repeatable.")
    ],
    support: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder with pictures of a category, one for each --category in their order, whose words may then be "
            "any: the first three by name serve."
        ),
    ] = None,
    preset: Preset = "mini",
    seed: Seed = 0,
    set_: Settings = None,
    data: Data = None,
    weights: Weights = None,
    output: Annotated[Path, typer.Option(help="Where the heatmaps go.")] = Path("heatmap.png"),
) -> None:
    """Draw where pictures resemble a category's visual prompts: red is similar, blue is not. Each picture is shown
    under the support of each category.
    """
    from dpclip.evaluation.evaluate import open_bench
    from dpclip.evaluation.gallery import load_pictures
    from dpclip.evaluation.similarity import category_contexts
    from dpclip.figures.heatmaps import heatmaps
    from dpclip.figures.panels import save_figure
    from dpclip.runs.run import ensure_model

    run, store = load_run(preset, seed, set_, data, weights)
    model = ensure_model(run, store).model
    pictures = load_pictures(model, images)
    contexts = category_contexts(open_bench(model, store), category, support)
    save_figure(heatmaps(model, pictures, contexts, [image.stem[:18] for image in images]), output)
    typer.echo(output)


def main() -> None:
    """Run the command line; bad input ends with one line and status 1."""
    try:
        app()
    except UserError as error:
        Console(stderr=True).print(f"[bold red]error[/]: {error}", highlight=False, soft_wrap=True)
        raise SystemExit(1) from None
