"""Two editions of one notebook. The chapter as it is kept holds the solutions: it is the teacher's edition, and what
papermill runs. The student's is made from it.
"""

import copy

import nbformat

from dpclip.errors import UserError
from dpclip_book.teach.exercises import ANSWER, BEGIN, CHECK, MARKED, SOLUTION, is_solution

PLACEHOLDER = "raise NotImplementedError  # your code here"
FOLDED = "hide-input"  # tag of a solution that a page folds up


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
