"""`dpclip records ...` and `dpclip retrain`: do the records still hold?"""

import os
import random
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from dpclip.errors import UserError

app = typer.Typer(no_args_is_help=True, help="Check the records of runs, and make runs again.")
Name = Annotated[str, typer.Argument(help="Name of a run, or path of its record [default: a random mini run].")]
Data = Annotated[
    Path | None,
    typer.Option("--data", envvar="DPCLIP_DATA", help="Folder of the data set; the embedded benchmark needs none."),
]
SHOWN = 5  # changed modules of a record
console = Console(highlight=False, soft_wrap=True)


@app.command()
def check() -> None:
    """List the committed records that were made by other code than this; exit status 1 when a result is among them.

    Records of the searches on the validation categories tell how settings were chosen, at their time: they are listed
    and do not count.
    """
    from dpclip.lab.records import read_record
    from dpclip.lab.staleness import validity
    from dpclip.lab.verify import committed

    counts, wrong = {}, 0
    for path in committed():
        record = read_record(path.stem, path.parent)
        found = validity(record)
        counts[found.state] = counts.get(found.state, 0) + 1
        if found.state in ("stale", "unknown"):
            result = record["split"] == "unseen"
            wrong += result
            modules = ", ".join(found.changed[:SHOWN]) + (", ..." if len(found.changed) > SHOWN else "")
            count = f"{len(found.changed)} modules changed since {record['commit']}: "
            about = count + modules if modules else f"commit {record['commit']} is not known here"
            typer.echo(f"{found.state}, {'result' if result else 'search'} {path.stem}: {about}")
    typer.echo(
        ", ".join(f"{count} {state}" for state, count in sorted(counts.items())) + f"; {wrong} results to repeat"
    )
    if wrong:
        raise typer.Exit(1)


@app.command()
def verify(
    run: Name = "",
    choice: Annotated[int | None, typer.Option(help="Seed of the random choice [default: another every time].")] = None,
    data: Data = None,
) -> None:
    """Make a committed run again and compare: to the last digit on the same machine, else within
    data/records/tolerance.toml. Exit status 1 when it differs.
    """
    from dpclip.lab.verify import choose, find

    if not run:
        choice = random.randrange(10**6) if choice is None else choice
        typer.echo(f"random choice: --choice {choice}")
    show(find(run) if run else choose(choice), data)


def retrain(
    preset: Annotated[str, typer.Option(help="mini, or smoke to try it; paper needs Sketchy and a GPU.")] = "mini",
    data: Data = None,
) -> None:
    """Make every result again on this machine, with one seed, into build/retrain; the committed records stay as they
    are. Repeated, it goes on where it was stopped. `dpclip book make --retrain` then shows these.
    """
    from dpclip.lab.retrain import retrain
    from dpclip.lab.runs import RETRAIN_VARIABLE

    os.environ[RETRAIN_VARIABLE] = "1"
    retrain(preset, data, console.print)


@app.command()
def confirm(
    run: Annotated[str, typer.Argument(help="Name of a run, or path of its record.")],
    why: Annotated[str, typer.Option(help="Why the change alters the numbers of no other run either.")],
    data: Data = None,
) -> None:
    """Show by one run, made again to the last digit, that a change of the code alters no number, and write that down.

    All records then count as made by this code, as far as the same modules changed.
    """
    from dpclip.lab.verify import confirm as write
    from dpclip.lab.verify import find

    if not why.strip():
        raise UserError("--why is empty: say why no other run differs either.")
    record = find(run)
    changed = write(record, show(record, data), why)
    typer.echo(f"confirmed: {', '.join(changed)}")


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
    from dpclip.lab.config import preset as find_preset
    from dpclip.lab.rankings import rankings_path, record_rankings
    from dpclip.lab.runs import open_store

    missing = record_rankings(preset, open_store(find_preset(preset)), train)
    if missing:
        command = f"dpclip records rankings --preset {preset} --train"
        typer.echo(f"not here, and left out: {', '.join(missing)}. This makes them: {command}")
    typer.echo(rankings_path(preset))


def show(record: dict, data: Path | None) -> dict:
    """Make a record's run again, print recorded and new numbers, return the new record. Exit status 1 when a difference
    is too large.
    """
    from dpclip.lab.staleness import validity
    from dpclip.lab.verify import compare, identical, remake, same_machine

    found = validity(record)
    typer.echo(f"{record['run']}, {record['split']} categories, by commit {record['commit']} on {record['hardware']}")
    typer.echo(f"its code is {found.state}{': ' if found.changed else ''}{', '.join(found.changed)}")
    again = remake(record, data)
    lines, same = compare(record, again), same_machine(record, again)
    table = Table(title="same machine" if same else f"another machine: {again['hardware']}")
    for column in ("number", "recorded", "now", "difference", "allowed", ""):
        table.add_column(column, justify="left" if column == "number" else "right")
    for line in lines:
        cells = (f"{line.recorded:.5f}", f"{line.now:.5f}", f"{line.now - line.recorded:+.5f}", f"{line.allowed:.5f}")
        table.add_row(line.name, *cells, "" if line.holds else "differs")
    console.print(table)
    differ = [line.name for line in lines if not line.holds]
    if differ or (same and not identical(record, again)):
        typer.echo(f"{record['run']} differs: {len(differ) or 'ranks or later digits, none'} of the numbers above")
        raise typer.Exit(1)
    typer.echo(f"{record['run']} holds, {'to the last digit' if identical(record, again) else 'within the tolerance'}")
    return again
