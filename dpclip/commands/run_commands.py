"""The commands that make, test and ask runs: train, evaluate, sweep, query, heatmap."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from dpclip.errors import UserError

PRESET = "smoke (seconds), mini (minutes on two cores), paper (Sketchy and a GPU) or dry (paper's code on a stand-in)."
DATA = "Folder of the data set; the embedded benchmark needs none. Where a preset needs one, DPCLIP_DATA may name it."
RECORDS = "Folder of the run records [default: data/records, or build/records for smoke and dry]."
SUPPORT = "Folder with pictures of a category, one for each --category in their order, whose words may then be any."
TABLE = "Whose runs: 1, 2, 3, 4, decisions; results, all these; or rates, hints, recipes (on validation categories)."
Preset = Annotated[str, typer.Option(help=PRESET)]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Same seed, same machine, same numbers.")]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Change it. Repeatable.")]
Data = Annotated[Path | None, typer.Option(help=DATA)]
Weights = Annotated[Path | None, typer.Option(envvar="DPCLIP_WEIGHTS", help="OpenAI's ViT-B-32.pt, else downloaded.")]
Records = Annotated[Path | None, typer.Option(help=RECORDS)]
Output = Annotated[Path, typer.Option(help="Where the picture goes, a PNG.")]
HELP = {
    "unseen": "Train a run, test it on the unseen categories and leave its record.\n\nA finished run is only shown; an "
    "interrupted one goes on. Several accelerators: torchrun --nproc-per-node N -m dpclip train --set joint=N ...",
    "val": "Train a run and test it on the *validation* categories, leaving its record. Settings are chosen with it.",
}


def record_command(split: str) -> Callable[..., None]:
    """The command that trains a run and tests it on the categories of `split`."""

    def command(
        preset: Preset = "mini",
        seed: Seed = 0,
        set_: Settings = None,
        data: Data = None,
        weights: Weights = None,
        records: Records = None,
    ) -> None:
        from dpclip.api import choose_run
        from dpclip.runs.records import records_folder
        from dpclip.runs.run import ensure
        from dpclip.training.processes import process_group

        with process_group():
            run, store = choose_run(*_choice(preset, seed, set_, data, weights))
            record = ensure(run, store, records, split=split)
            if record is not None:  # of several processes only the first has it
                _show_metrics(record)
                typer.echo(records_folder(run.config, split, records) / f"{run.name}.json")

    command.__doc__ = HELP[split]
    return command


def _choice(preset: str, seed: int, settings: list[str] | None, data: Path | None, weights: Path | None) -> tuple:
    """The options that name a run, as `choose_run` takes them."""
    from dpclip.config import parse_settings
    from dpclip.method.weights import use_weights

    use_weights(weights)
    return preset, seed, data, parse_settings(settings or [])


def _show_metrics(record: dict) -> None:
    from rich.console import Console
    from rich.table import Column, Table

    from dpclip.data.batches import PROTOCOLS
    from dpclip.evaluation.evaluate import CUTS, SETTINGS

    found, level = record["metrics"]["fine-grained"], record["metrics"]["category-level"]
    columns = (Column(title, justify="right") for title in ("queries", "chance@1", *(f"Acc@{k}" for k in CUTS)))
    table = Table("protocol", "sketches", *columns, title=f"{record['run']}: {record['split']} categories")
    for protocol in PROTOCOLS:
        for style, m in sorted(found[protocol].items(), reverse=True):
            shares = (f"{m[name]:.3f}" for name in ("chance@1", *(f"acc@{k}" for k in CUTS)))
            table.add_row(protocol, style, str(m["queries"]), *shares)
    Console(markup=False).print(table)
    for setting in SETTINGS:
        values = [f"{name} {value:.3f}" for name, value in sorted(level[setting].items()) if name != "ap"]
        typer.echo(f"category-level, {setting}: {', '.join(values) or '-'}")
    if not level["oracle"]["ap"]:
        typer.echo("category-level is not defined here: of a single category, every photo would be relevant")
    typer.echo(f"convention: {level['convention']}")


def sweep(
    preset: Preset = "mini",
    table: Annotated[str, typer.Option(help=TABLE)] = "1",
    seeds: Annotated[int | None, typer.Option(min=1, help="Of each row [default: as the table asks].")] = None,
    data: Data = None,
    weights: Weights = None,
    records: Records = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list the runs, as commands.")] = False,
) -> None:
    """Make the records that a table needs, one run after the other; finished ones are skipped.

    All results again, in a folder of your own: --table results --seeds 1 --records FOLDER.
    Snakemake does the same list on many machines: workflow/Snakefile.
    """
    from dpclip.method.weights import use_weights
    from dpclip.runs.sweep import jobs, make_records

    use_weights(weights)
    found, absent = jobs(table, preset, *(str(place or "") for place in (data, weights, records)), seeds)
    for line in absent + (found if dry_run else []):
        typer.echo(line)
    if not dry_run:
        make_records(found, data, records)


def query_command(
    sketch: Annotated[Path, typer.Argument(help="Picture of a sketch, dark lines on white.")],
    category: Annotated[str, typer.Option(help="Category whose photos are ranked; with --gallery, any words.")],
    gallery: Annotated[Path | None, typer.Option(help="Folder of photos of your own, indexed once.")] = None,
    support: Annotated[list[Path] | None, typer.Option(help="For --gallery: pictures of it, sketches first.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse a gallery with an unreadable photo.")] = False,
    preset: Preset = "mini",
    seed: Seed = 0,
    set_: Settings = None,
    data: Data = None,
    weights: Weights = None,
    output: Output = Path("ranking.png"),
    top: Annotated[int, typer.Option(min=1, help="How many photos are shown.")] = 10,
) -> None:
    """Rank photos for one sketch, print them and draw them: of a category of the data set, or of your own. The run of
    preset mini with seed 0 comes trained; another is trained by the first call, which takes minutes.
    """
    from dpclip.api import query
    from dpclip.figures.panels import save_figure, show_files

    _check_output(output)
    *choice, changes = _choice(preset, seed, set_, data, weights)
    ranking = query(sketch, category, *choice, gallery, support or [], strict, **changes)[:top]
    for place, (file, distance) in enumerate(ranking, 1):
        typer.echo(f"{place:3}  {distance:.4f}  {file}")
    save_figure(show_files(sketch, [file for file, _ in ranking]), output)
    typer.echo(output)


def _check_output(file: Path) -> None:
    from dpclip.files import ensure_writable

    if file.is_dir():
        raise UserError(f"{file} is a folder. Name a file for the picture, such as {file / 'ranking.png'}.")
    ensure_writable(file.parent)


def heatmap(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Pictures, photos or sketches.")],
    category: Annotated[list[str], typer.Option(help="Whose prompts are compared with the pictures. Repeatable.")],
    support: Annotated[list[Path] | None, typer.Option(help=SUPPORT)] = None,
    preset: Preset = "mini",
    seed: Seed = 0,
    set_: Settings = None,
    data: Data = None,
    weights: Weights = None,
    output: Output = Path("heatmap.png"),
) -> None:
    """Draw where pictures resemble a category's visual prompts: red is similar, blue is not. Each picture is shown
    under the support of each category. A run that is not trained yet is.
    """
    from dpclip.api import choose_run
    from dpclip.evaluation.evaluate import open_bench
    from dpclip.evaluation.gallery import check_pictures, load_pictures
    from dpclip.evaluation.prompt_similarity import category_contexts, check_prompts, find_supports
    from dpclip.figures.heatmaps import heatmaps
    from dpclip.figures.panels import save_figure
    from dpclip.runs.run import ensure_model

    _check_output(output)
    check_pictures(images)
    run, store = choose_run(*_choice(preset, seed, set_, data, weights))
    check_prompts(run.config)
    find_supports(store, run.config, category, support)
    model = ensure_model(run, store).model
    contexts = category_contexts(open_bench(model, store), category, support)
    save_figure(heatmaps(model, load_pictures(model, images), contexts, [image.stem[:18] for image in images]), output)
    typer.echo(output)
