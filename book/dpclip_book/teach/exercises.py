"""The exercises of a chapter: how its cells mark them.

An exercise is a text cell with an `{exercise}` directive. Its title is its kind: Recall, Code or Project. Its solution
follows, in cells tagged `solution`: a text with a `{solution}` directive, or, for Code, a function whose body stands
between BEGIN and END, followed by a cell tagged `check` that tests it.
"""

import re
from collections import Counter

import nbformat

KINDS = ("Recall", "Code", "Project")
SOLUTION, CHECK = "solution", "check"  # tags of cells
BEGIN, END = "# BEGIN SOLUTION", "# END SOLUTION"
MARKED = re.compile(rf"^(?P<indent>[ ]+){BEGIN}\n(?P<code>.*?)^(?P=indent){END}$", re.MULTILINE | re.DOTALL)
DIRECTIVE = re.compile(r"^`{3,}\{exercise\}(?P<kind>.*)\n:label: (?P<label>\S+)$", re.MULTILINE)
ANSWER = re.compile(r"^`{3,}\{solution\} ?(?P<label>\S*)", re.MULTILINE)


def is_solution(cell: nbformat.NotebookNode) -> bool:
    return SOLUTION in cell.metadata.get("tags", [])


def count_kinds(notebook: nbformat.NotebookNode) -> Counter:
    """How many exercises of each kind."""
    found = [DIRECTIVE.search(cell.source) for cell in notebook.cells if cell.cell_type == "markdown"]
    return Counter(match["kind"].strip() for match in found if match)
