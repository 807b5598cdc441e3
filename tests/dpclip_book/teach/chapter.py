"""A chapter of one exercise of each kind, for the tests of this folder."""

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

ANSWER = "```{solution} exercise-why\n:class: dropdown\n\nThe photos of a category were never shown as pairs.\n```"
CODE = '''def double(x):
    """Twice x."""
    # BEGIN SOLUTION
    twice_the_number = sum([x, x])  # added to itself
    return twice_the_number
    # END SOLUTION'''
CHECK = '''from dpclip_book.teach.exercise_check import check

with check("exercise-double"):
    assert double(2) == 4, "2 gives 4"'''
PROSE = """# A chapter

## What and why

It finds {glue:text}`share:.1f` of all. See {numref}`fig-dots`.

$$
a = b
$$ (eq-a)"""


def exercise(kind: str, label: str) -> nbformat.NotebookNode:
    return new_markdown_cell(f"```{{exercise}} {kind}\n:label: {label}\n\nDo it.\n```")


def make_chapter() -> nbformat.NotebookNode:
    """Title, parameters, a glued number in a sentence, a figure, and the exercises, as if they had run."""
    parameters = new_code_cell('preset: str = "mini"  # size', metadata={"tags": ["parameters"]}, execution_count=1)
    record = {"application/papermill.record/text/plain": "12.34"}
    glue = new_output("display_data", record, metadata={"scrapbook": {"name": "share"}})
    settings = {"mystnb": {"figure": {"caption": "Two dots.", "name": "fig-dots"}, "image": {"alt": "dots"}}}
    figure = new_code_cell("plot()", metadata=settings, outputs=[new_output("display_data", {"image/png": "AAAA\n"})])
    solution = new_code_cell(CODE, metadata={"tags": ["solution", "hide-input"]}, execution_count=4)
    passed = new_output("stream", text="exercise-double: all checks passed\n")
    cells = [
        new_markdown_cell(PROSE),
        parameters,
        new_code_cell("glue()", outputs=[glue], execution_count=2),
        figure,
        new_markdown_cell("## Summary\n\n- One.\n- Two.\n\n## Exercises"),
        exercise("Recall", "exercise-why"),
        new_markdown_cell(ANSWER, metadata={"tags": ["solution"]}),
        exercise("Code", "exercise-double"),
        solution,
        new_code_cell(CHECK, metadata={"tags": ["check"]}, outputs=[passed], execution_count=5),
        exercise("Project", "exercise-more"),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})
