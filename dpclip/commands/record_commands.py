"""`dpclip records ...`: do the records still hold?"""

import random
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Check the records of runs, make runs again.")
Name = Annotated[str, typer.Argument(help="Name of a run, or path of its record [default: a random mini run].")]
Data = Annotated[Path | None, typer.Option("--data", help="Folder of the data set; the embedded one needs none.")]


@app.command()
def check(processes: Annotated[int, typer.Option(min=1, help="How many work side by side.")] = 2) -> None:
    """Compute the probe of every committed configuration again: does the code still do what it did when its record
    was made? Exit status 1 when it does not. Seconds a configuration.
    """
    from dpclip.runs.verify import configurations, probe_all

    chosen, wrong = configurations(), 0
    for record, found in probe_all(chosen, processes):
        wrong += bool(found)
        for line in found:
            typer.echo(f"{record['run']}, {record['split']}: {line}")
    typer.echo(f"{len(chosen) - wrong} configurations do what they did, {wrong} do not")
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
    from rich.console import Console
    from rich.table import Column, Table

    from dpclip.runs.verify import choose, compare_records, find, identical, remake, same_machine

    if not run:
        choice = random.randrange(10**6) if choice is None else choice
        typer.echo(f"random choice: --choice {choice}")
    record = find(run) if run else choose(choice)
    typer.echo(f"{record['run']}, {record['split']} categories, by commit {record['commit']} on {record['hardware']}")
    again = remake(record, data)
    lines, same = compare_records(record, again), same_machine(record, again)
    columns = (Column(title, justify="right") for title in ("recorded", "now", "difference", "allowed", ""))
    table = Table("number", *columns, title="same machine" if same else f"another machine: {again['hardware']}")
    for line in lines:
        cells = (f"{line.recorded:.5f}", f"{line.now:.5f}", f"{line.now - line.recorded:+.5f}", f"{line.allowed:.5f}")
        table.add_row(line.name, *cells, "" if line.holds else "differs")
    Console(highlight=False, soft_wrap=True, markup=False).print(table)
    differ, exact = sum(not line.holds for line in lines), identical(record, again)
    if differ or (same and not exact):
        typer.echo(f"{record['run']} differs: {differ or 'ranks or later digits, none'} of the numbers above")
        raise typer.Exit(1)
    typer.echo(f"{record['run']} holds, {'to the last digit' if exact else 'within the tolerance'}")
