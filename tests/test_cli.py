"""What a person sees at the command line."""

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest
from typer.testing import CliRunner

from dpclip import cli

WITH_WEIGHTS = [  # in the place of OpenAI's file one that is not
    [*words, "--weights", __file__]
    for words in (["train"], ["evaluate"], ["sweep"], ["query", "a.png", "--category", "cow"])
]
COMMANDS = ["data", "train", "evaluate", "sweep", "tables", "query", "heatmap", "book", "records"]
HEAVY = ("torch", "torchvision", "pandas", "numpy", "scipy", "matplotlib", "open_clip", "sphinx", "nbformat")


@pytest.mark.parametrize("words", [[], *[[command] for command in COMMANDS], ["data", "build"], ["data", "check"]])
def test_help_of_every_command(words):
    result = CliRunner().invoke(cli.app, [*words, "--help"])
    assert result.exit_code == 0
    assert all(command in result.output for command in (COMMANDS if not words else []))


def test_help_shows_defaults_and_that_a_first_query_trains():
    text = CliRunner().invoke(cli.app, ["query", "--help"]).output
    assert "comes trained" in text and "takes minutes" in text and "[default: mini]" in text
    assert "[default: data/records" in CliRunner().invoke(cli.app, ["train", "--help"]).output


@pytest.mark.parametrize("code", ["import dpclip", "import dpclip.cli", "import dpclip; dir(dpclip); dpclip.UserError"])
def test_nothing_heavy_is_imported_before_it_is_used(code):
    told = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*[name for name in {HEAVY} if name in sys.modules])"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout.split() == []


@pytest.mark.parametrize("words, message", [(words, f"{__file__}: its SHA-256 is") for words in WITH_WEIGHTS])
def test_weights_that_are_not_openais_are_refused(words, message, monkeypatch, capsys):
    status, error = run(monkeypatch, capsys, *words)
    assert status == 1 and message in error


def run(monkeypatch, capsys, *words: str) -> tuple[int, str]:
    """Exit status and stderr of a command."""
    monkeypatch.setattr(sys, "argv", ["dpclip", *words])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    return exit_.value.code, capsys.readouterr().err


def fail(monkeypatch, error: BaseException) -> None:
    """From now on the whole command line is one that fails."""

    def broken(**_):
        raise error

    monkeypatch.setattr(cli, "app", broken)


def test_a_mistake_of_ours_is_one_line_and_a_traceback_where_it_is_asked_for(monkeypatch, capsys):
    fail(monkeypatch, ZeroDivisionError("by\nzero"))
    status, error = run(monkeypatch, capsys, "train")
    assert status == 2 and error.count("\n") == 1
    assert "ZeroDivisionError: by zero" in error and "DPCLIP_TRACEBACK=1" in error
    monkeypatch.setenv("DPCLIP_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        cli.main()


def test_ctrl_c_is_one_line(monkeypatch, capsys):
    fail(monkeypatch, KeyboardInterrupt())
    assert run(monkeypatch, capsys, "train") == (130, "stopped\n")


def test_a_reader_that_closes_the_pipe_is_no_error():
    words = f"{sys.executable} -c 'from dpclip.cli import main; main()' query --help | head -c 1"
    told = subprocess.run(words, shell=True, capture_output=True, text=True)
    assert told.stderr == ""


@pytest.mark.parametrize("group, extra", [("data", "prepare"), ("book", "book")])
def test_packages_that_are_not_installed_are_named_with_their_extra(monkeypatch, capsys, group, extra):
    fail(monkeypatch, ModuleNotFoundError("No module named 'resvg'", name="resvg"))  # while a command runs
    line = f"error: dpclip {group} needs packages that are not installed (resvg): pip install '.[{extra}]'\n"
    assert run(monkeypatch, capsys, group, "build") == (1, line)
    fail(monkeypatch, ModuleNotFoundError("No module named 'dpclip.dta'", name="dpclip.dta"))
    assert run(monkeypatch, capsys, group, "build")[0] == 2  # that is ours


def test_a_group_that_cannot_be_loaded_says_so_only_when_it_is_asked_for(monkeypatch, capsys):
    def load(entry):
        raise ModuleNotFoundError("No module named 'resvg'", name="resvg")

    monkeypatch.setattr(EntryPoint, "load", load)
    app = cli.make_app()
    monkeypatch.setattr(cli, "app", app)
    assert CliRunner().invoke(app, ["--help"]).exit_code == 0
    status, error = run(monkeypatch, capsys, "data", "where", "--odd", "sketchy")
    assert status == 1 and "(resvg): pip install '.[prepare]'" in error
