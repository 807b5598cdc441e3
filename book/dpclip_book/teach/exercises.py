"""The exercises of a chapter, read from its cells, and what is wrong with their form.

An exercise is a text cell with an `{exercise}` directive. Its title is its kind: Recall, Code or Project. Its solution
follows, in cells tagged `solution`: a text with a `{solution}` directive, or, for Code, a function whose body stands
between BEGIN and END, followed by a cell tagged `check` that tests it.
"""

import re
from collections import Counter
from dataclasses import dataclass

import nbformat

KINDS = ("Recall", "Code", "Project")
SOLUTION, CHECK = "solution", "check"  # tags of cells
BEGIN, END = "# BEGIN SOLUTION", "# END SOLUTION"
MARKED = re.compile(rf"^(?P<indent>[ ]+){BEGIN}\n(?P<code>.*?)^(?P=indent){END}$", re.MULTILINE | re.DOTALL)
DIRECTIVE = re.compile(r"^`{3,}\{exercise\}(?P<kind>.*)\n:label: (?P<label>\S+)$", re.MULTILINE)
ANSWER = re.compile(r"^`{3,}\{solution\} ?(?P<label>\S*)", re.MULTILINE)


@dataclass(frozen=True)
class Exercise:
    """One exercise and the cells that follow it, up to the next one."""

    label: str
    kind: str
    after: tuple[nbformat.NotebookNode, ...]

    def problems(self) -> list[str]:
        wrong = [] if self.kind in KINDS else [f"its title is {self.kind!r}, not one of {', '.join(KINDS)}"]
        cells = [cell for cell in self.after if cell.cell_type == "code"]
        texts = [cell for cell in self.after if cell.cell_type == "markdown"]
        tags = [tag for cell in cells for tag in cell.metadata.get("tags", []) if tag in (SOLUTION, CHECK)]
        code = "".join(cell.source for cell in cells if is_solution(cell))
        if self.kind == "Code" and (tags != [SOLUTION, CHECK] or not MARKED.search(code)):
            wrong.append(
                f"a cell tagged {SOLUTION}, with {BEGIN} inside a function, and one tagged {CHECK} must follow"
            )
        if self.kind == "Recall" and not any(ANSWER.search(cell.source) for cell in texts):
            wrong.append("its answer is missing: a {solution} directive")
        for cell in texts:
            named = ANSWER.findall(cell.source)
            if not is_solution(cell) or named != [self.label]:
                wrong.append(f"a text cell follows that is not tagged {SOLUTION} with one {{solution}} of this label")
        return [f"{self.label}: {problem}" for problem in wrong]


def is_solution(cell: nbformat.NotebookNode) -> bool:
    return SOLUTION in cell.metadata.get("tags", [])


def read_exercises(notebook: nbformat.NotebookNode) -> list[Exercise]:
    """All exercises of a chapter, in order."""
    starts = [
        n for n, cell in enumerate(notebook.cells) if cell.cell_type == "markdown" and DIRECTIVE.search(cell.source)
    ]
    ends = [*starts[1:], len(notebook.cells)]
    found = []
    for start, end in zip(starts, ends, strict=True):
        match = DIRECTIVE.search(notebook.cells[start].source)
        found.append(Exercise(match["label"], match["kind"].strip(), tuple(notebook.cells[start + 1 : end])))
    return found


def count_kinds(notebook: nbformat.NotebookNode) -> Counter:
    """How many exercises of each kind."""
    return Counter(exercise.kind for exercise in read_exercises(notebook))


def find_problems(notebook: nbformat.NotebookNode) -> list[str]:
    """What is wrong with the exercises of a chapter; empty when each kind is there and every form is kept."""
    exercises = read_exercises(notebook)
    counts = Counter(exercise.kind for exercise in exercises)
    wrong = [f"no exercise of the kind {kind}" for kind in KINDS if not counts[kind]]
    several = sum(cell.source.count("{exercise}") for cell in notebook.cells if cell.cell_type == "markdown")
    if several != len(exercises):
        wrong.append("each {exercise} needs a cell of its own, with its :label: in the next line")
    return wrong + [problem for exercise in exercises for problem in exercise.problems()]
