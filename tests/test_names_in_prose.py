"""Files, modules and objects of the project that a page names are there."""

import re
import tomllib

import pytest

from dpclip.files import ROOT
from tests.dpclip_book.pages.test_paper_map import exists

from .prose import texts, tokens

FILE = re.compile(r"(?:dpclip|book|data|tests|notebooks|benchmarks|workflow|\.github)/[\w./-]+\.\w+")
OBJECT = re.compile(r"dpclip(?:_prepare|_book)?\.\w+(?:\.\w+)*")
WRITTEN = ("data/records/", "data/chapters/")  # files there come and go


def names(text: str) -> list[str]:
    """Code spans that name a file or an object."""
    spans = [token.content for token in tokens(text) if token.type == "code_inline"]
    return [span for span in spans if FILE.fullmatch(span) or OBJECT.fullmatch(span)]


def is_there(name: str) -> bool:
    if "/" in name:
        return name.startswith(WRITTEN) or (ROOT / name).is_file()
    return exists(name)


def data_files() -> dict[str, str]:
    """The texts of the data behind pages, as Markdown."""
    paths = [ROOT / "book" / "decisions.toml", ROOT / "book" / "paper_map.toml", ROOT / "data" / "sources.toml"]
    found = {}
    for path in paths:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        found[path.name] = "\n\n".join(re.findall(r"`[^`\n]+`", str(content)))
    return found


PAGES = {page: names(text) for page, text in (texts() | data_files()).items()}


@pytest.mark.parametrize("page", [page for page, found in PAGES.items() if found])
def test_what_a_page_names_is_there(page):
    assert [name for name in PAGES[page] if not is_there(name)] == []


@pytest.mark.parametrize(
    "name", ["dpclip/data/gone.py", "dpclip.data.gone", "dpclip.data.splits.gone", "dpclip_book.x"]
)
def test_what_is_not_there_is_found(name):
    assert names(f"See `{name}`.") == [name] and not is_there(name)
