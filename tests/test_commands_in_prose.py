"""Every command that a page names exists, takes the options it is given, and every target of make is documented."""

import re
import subprocess

import pytest
import typer
from typer.exceptions import TyperException
from typer.testing import CliRunner

from dpclip.cli import app
from dpclip.config import RunConfig, parse_settings, preset
from dpclip.errors import UserError
from dpclip.files import ROOT

from .prose import Command, commands, texts

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^\.PHONY: (\S+)$", MAKEFILE, re.MULTILINE))
HELP = dict(re.findall(r"^([a-z]+):.*?## (.+)$", MAKEFILE, re.MULTILINE))
VARIABLES = set(re.findall(r"^([A-Z]+) \?=", MAKEFILE, re.MULTILINE))
PAGES = {page: commands(text, page) for page, text in texts().items()}
PLACEHOLDER = re.compile(r"\.\.\.|[A-Z]+(=[A-Z]+)?|[a-z]+\|.*")  # in a sentence: `dpclip COMMAND --help`


def fault(command: Command) -> str:
    """What is wrong with a command; "" when nothing is."""
    return fault_of_make(command) if command.program == "make" else fault_of_dpclip(command)


def fault_of_make(command: Command) -> str:
    for word in command.words:
        name, equals, _ = word.partition("=")
        if equals and name not in VARIABLES:
            return f"make has no variable {name}"
        if not equals and word not in TARGETS:
            return f"make has no target {word}"
    return ""


def fault_of_dpclip(command: Command) -> str:
    """Arguments may be missing where a sentence only names a command."""
    node, words = typer.main.get_command(app), list(command.words)
    while hasattr(node, "commands") and words and not words[0].startswith("-"):
        if not command.whole and PLACEHOLDER.fullmatch(words[0]):
            return ""
        if words[0] not in node.commands:
            return f"dpclip has no command {words[0]}"
        node, words = node.commands[words[0]], words[1:]
    if hasattr(node, "commands") and not words:
        return ""  # the name of a group, or of the program
    try:
        given = node.make_context("dpclip", words).params
        chosen = preset(given["preset"]) if given.get("preset") else RunConfig()
        plain = [word for word in given.get("set_") or () if not PLACEHOLDER.fullmatch(word)]
        chosen.set(**parse_settings(plain))
    except typer.Exit:
        return ""  # --help
    except TyperException as error:
        message = error.format_message()
        incomplete = message.startswith("Missing") or message.endswith("requires an argument.")
        return "" if incomplete and not command.whole else message
    except UserError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("page", [page for page, found in PAGES.items() if found])
def test_commands_of_a_page_exist_and_parse(page):
    wrong = {str(command): fault(command) for command in PAGES[page]}
    assert {command: why for command, why in wrong.items() if why} == {}


def test_the_pages_that_tell_what_to_run_are_read():
    assert {"README.md", "CONTRIBUTING.md", "book/rerun.md", "notebooks/15_data_and_splits.ipynb"} <= {
        page for page, found in PAGES.items() if found
    }
    whole = {command.program for command in PAGES["book/rerun.md"] if command.whole}
    assert whole == {"dpclip", "make"} and any("--data" in command.words for command in PAGES["book/rerun.md"])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("`make bok`", "no target bok"),
        ("`make book ONY=03`", "no variable ONY"),
        ("`dpclip trian`", "no command trian"),
        ("`dpclip train --sed 1`", "No such option"),
        ("```\ndpclip book run --only\n```", "requires an argument"),
        ("```\ndpclip data where\n```", "Missing"),
        ("```\nsource x && dpclip data wher sketchy  # why\n```", "no command wher"),
        ("```\ntorchrun -m dpclip train --set rnk=3\n```", "unknown config field 'rnk'"),
        ("`dpclip train --preset tiny`", "unknown preset 'tiny'"),
        ("````{note}\n```\nmake nothing\n```\n````", "no target nothing"),
    ],
)
def test_each_kind_of_fault_is_found(text, why):
    (command,) = commands(text, "page")
    assert why in fault(command)


@pytest.mark.parametrize(
    "text",
    [
        "`make`, `dpclip --help`, `dpclip COMMAND --help`, `dpclip records check|verify`, `dpclip data where`",
        "```\nmake book PRESET=paper DATA=/data/sketchy\ndpclip train --set FIELD=VALUE   # any\n```",
        "```python\nmake bok\n```",
        "`dpclip query --gallery` ranks; `dpclip data where` tells",
    ],
)
def test_what_is_right_passes(text):
    assert [fault(command) for command in commands(text, "page") if fault(command)] == []


def test_every_target_has_a_help_text_that_is_shown():
    assert TARGETS == set(HELP)
    shown = subprocess.run(["make", "--silent", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert all(f"make {target}" in shown and text in shown for target, text in HELP.items())
    targets = set(re.findall(r"^([\w-]+):(?!=)", MAKEFILE, re.MULTILINE))
    assert targets == TARGETS, "every target is .PHONY and has lower-case letters only: `make help` shows no others"


def test_every_command_that_a_page_names_has_a_help_text():
    named = {c.words for found in PAGES.values() for c in found if c.program == "dpclip" and not fault(c)}
    groups = {"data", "book", "records"}
    paths = {words[: 2 if words[0] in groups else 1] for words in named if words and not words[0].startswith("-")}
    paths = {path for path in paths if not any(PLACEHOLDER.fullmatch(word) for word in path)}
    assert len(paths) > 10
    for path in sorted(paths):
        result = CliRunner().invoke(app, [*path, "--help"])
        assert result.exit_code == 0 and "Usage" in result.output, path
