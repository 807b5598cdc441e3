"""What a person sees at the command line."""

import sys

import pytest
from typer.testing import CliRunner

from dpclip import cli

WITH_WEIGHTS = [  # in the place of OpenAI's file one that is not
    [*words, "--weights", __file__]
    for words in (["train"], ["evaluate"], ["sweep"], ["query", "a.png", "--category", "cow"], ["book", "make"])
]
COMMANDS = ["data", "train", "evaluate", "sweep", "tables", "query", "heatmap", "book"]
COMMANDS += ["records", "retrain"]


@pytest.mark.parametrize("words", [[], *[[command] for command in COMMANDS], ["data", "build"], ["data", "check"]])
def test_help_of_every_command(words):
    result = CliRunner().invoke(cli.app, [*words, "--help"])
    assert result.exit_code == 0
    assert all(command in result.output for command in (COMMANDS if not words else []))


@pytest.mark.parametrize(
    "words, message",
    [
        (["train", "--preset", "huge"], "unknown preset 'huge'"),
        (["train", "--preset", "smoke", "--set", "rnk=3"], "Did you mean 'rank'"),
        (["query", "nowhere.png", "--category", "animal-bird", "--preset", "smoke"], "nowhere.png is missing"),
        (["query", "nowhere.png", "--category", "dragons", "--preset", "smoke"], "category 'dragons' is not in"),
        (["heatmap", "nowhere.png", "--category", "animal-bird", "--preset", "smoke"], "nowhere.png is missing"),
        (["sweep", "--preset", "smoke", "--table", "nine"], "unknown table 'nine'"),
        *((words, f"{__file__}: its SHA-256 is") for words in WITH_WEIGHTS),
    ],
)
def test_bad_input_is_one_clear_line(words, message, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["dpclip", *words])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    error = capsys.readouterr().err
    assert exit_.value.code == 1 and message in error and "Traceback" not in error
