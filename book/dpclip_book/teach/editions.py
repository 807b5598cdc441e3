"""Two editions of one notebook. The chapter as it is kept holds the solutions: it is the teacher's edition, and what
papermill runs. The student's is made from it.
"""

import copy
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path

import nbformat

from dpclip.errors import UserError
from dpclip_book.teach.exercises import ANSWER, BEGIN, CHECK, MARKED, SOLUTION, is_solution

EDITIONS = ("teacher", "student")
PLACEHOLDER = "raise NotImplementedError  # your code here"
FOLDED = "hide-input"  # tag of a solution that a page folds up
TEXTS = {".html", ".ipynb", ".js", ".json", ".md", ".py", ".txt"}


def check_edition(edition: str) -> None:
    """Raise UserError for an unknown one."""
    if edition not in EDITIONS:
        raise UserError(f"unknown edition {edition!r}. Choose one of {', '.join(EDITIONS)}.")


def student(notebook: nbformat.NotebookNode, name: str = "notebook") -> nbformat.NotebookNode:
    """A copy without solutions: texts are left out, code between the marks becomes PLACEHOLDER, and what solutions and
    checks printed is gone. Raises UserError for a solution that has no marks or no tag.
    """
    notebook = copy.deepcopy(notebook)
    notebook.cells = [cell for cell in notebook.cells if not (cell.cell_type == "markdown" and is_solution(cell))]
    for number, cell in enumerate(notebook.cells, start=1):
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "markdown" or not {SOLUTION, CHECK} & set(tags):
            if BEGIN in cell.source or ANSWER.search(cell.source):
                raise UserError(f'{name}, cell {number} holds a solution; give it the tag "{SOLUTION}".')
            continue
        cell.outputs, cell.execution_count = [], None
        if SOLUTION in tags:
            cell.source, replaced = MARKED.subn(rf"\g<indent>{PLACEHOLDER}", cell.source)
            if not replaced:
                raise UserError(
                    f"{name}, cell {number} is a solution; put {BEGIN} and # END SOLUTION around its answer."
                )
            cell.metadata = nbformat.from_dict({"tags": [tag for tag in tags if tag != FOLDED]})
    return notebook


def find_leaks(site: Path, notebooks: Iterable[nbformat.NotebookNode]) -> list[str]:
    """Files of a student site, archives' members among them, that hold a piece of a solution: "file: piece"."""
    pieces = {piece for notebook in notebooks for piece in secret_pieces(notebook)}
    leaks = []
    for path in sorted(path for path in site.rglob("*") if path.is_file()):
        for name, content in _texts(path):
            text = _squeeze(content)
            leaks += [f"{path.relative_to(site)}{name}: {piece}" for piece in pieces if piece in text]
    return leaks


def secret_pieces(notebook: nbformat.NotebookNode) -> list[str]:
    """Letters and digits of each solution: of every line of code and every sentence that is long and not also said
    elsewhere in the chapter.
    """
    rest = _squeeze("\n".join(cell.source for cell in student(notebook).cells))
    found = []
    for cell in filter(is_solution, notebook.cells):
        if cell.cell_type == "code":
            parts = [line for match in MARKED.finditer(cell.source) for line in match["code"].splitlines()]
        else:
            plain = re.sub(r"\$[^$]*\$|`[^`]*`|\{[^}]*\}|\[[^]]*\]", "\n", cell.source.split("\n\n", 1)[-1])
            parts = re.split(r"[.:;?!\n]", plain.replace("```", ""))
        squeezed = [_squeeze(part) for part in parts]
        found += [part for part in squeezed if len(part) >= 20 and part not in rest]
    return found


def _squeeze(text: str) -> str:
    """Only letters and digits: the same for a notebook, a page with markup, and a JSON string."""
    return re.sub(r"&\w+;|<[^>]*>|\\n|[\W_]", "", text)


def _texts(path: Path) -> Iterable[tuple[str, str]]:
    """("", its text) of a text file; ("!member", text) for each text in an archive."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            for member in archive.namelist():
                if Path(member).suffix in TEXTS:
                    yield f"!{member}", archive.read(member).decode("utf-8", errors="replace")
    elif path.suffix in TEXTS:
        yield "", path.read_text(encoding="utf-8", errors="replace")
