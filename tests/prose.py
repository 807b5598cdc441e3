"""Markdown as tests read it: its fenced blocks, and the commands that it names."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from dpclip.files import ROOT

PLACES = ("*.md", "book/*.md", "data/*/README.md", "benchmarks/*.md", ".github/**/*.md")
OURS = re.compile(r"(?:.* && )?(?P<program>dpclip|make)(?= |$)(?P<rest>.*)|.* -m dpclip (?P<module>.*)")
SHELL = ("", "bash", "console")  # fenced blocks with commands; those marked `sh` are run by test_contributing.py


@dataclass(frozen=True)
class Command:
    """`words` after the program, "dpclip" or "make". `whole`: a line to be typed, not a name in a sentence."""

    page: str
    program: str
    words: tuple[str, ...]
    whole: bool

    def __str__(self) -> str:
        return f"{self.page}: {self.program} {shlex.join(self.words)}"


def texts(root: Path = ROOT) -> dict[str, str]:
    """Page -> its Markdown, of all prose of the project: files, and the text cells of chapters."""
    found = {}
    for path in sorted({path for place in PLACES for path in root.glob(place)}):
        found[path.relative_to(root).as_posix()] = path.read_text(encoding="utf-8")
    for path in sorted(root.glob("notebooks/*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
        found[path.relative_to(root).as_posix()] = "\n\n".join(sources)
    return found


def tokens(text: str) -> Iterator[Token]:
    """Code spans and fenced blocks of a Markdown text, also those inside of a directive (```{table})."""
    for token in MarkdownIt().parse(text):
        if token.type == "fence" and token.info.startswith("{") and not token.info.startswith(("{code", "{math")):
            yield from tokens(token.content)
        elif token.type == "fence":
            yield token
        else:
            yield from (child for child in token.children or () if child.type == "code_inline")


def commands(text: str, page: str) -> list[Command]:
    """What a text tells its reader to run. Comments (` # ...`) are cut off, and so is what follows a pipe."""
    found = []
    for token in tokens(text):
        if token.type == "fence" and token.info.strip() not in SHELL:
            continue
        for line in token.content.splitlines():
            match = OURS.fullmatch(line.strip())
            if match:
                words = shlex.split(match["rest"] or match["module"] or "", comments=True)
                words = words[: words.index("|")] if "|" in words else words
                found.append(Command(page, match["program"] or "dpclip", tuple(words), token.type == "fence"))
    return found
