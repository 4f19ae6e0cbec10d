"""A tiny problem set for the tests of the grading machinery: two questions, and an open one."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

MEAN = "# Answer: mean\ndef mean(x):\n    # Your code here"
SPREAD = "# Answer: spread\ndef spread(x):\n    # Your code here"


def nbgrader(grade_id: str, **more) -> dict:
    fields = {"grade": False, "locked": False, "solution": False, "task": False}
    fields |= {"grade_id": grade_id, "schema_version": 3} | more
    return {"nbgrader": fields}


def code(id: str, source: str, **more) -> NotebookNode:
    return new_code_cell(source, id=id, metadata=nbgrader(id, **more))


def text(id: str, source: str) -> NotebookNode:
    return new_markdown_cell(source, id=id)


def release() -> NotebookNode:
    """The notebook that the learner gets."""
    open_question = nbgrader("open", grade=True, solution=True, points=3)
    return new_notebook(
        cells=[
            text("text-1", "# A tiny set\n\nWith $x$ as data."),
            code("given-1", "x = [1.0, 2.0, 4.0]", locked=True),
            code("mean", MEAN, solution=True),
            code("mean-check", 'print("checked")', grade=True, locked=True, points=2),
            code("spread", SPREAD, solution=True),
            code("spread-check", 'print("checked")', grade=True, locked=True, points=3),
            text("text-2", "Why?"),
            new_markdown_cell("*Your words here.*", id="open", metadata=open_question),
        ],
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        },
    )


def solved(mean="    return sum(x) / len(x)", spread="    return max(x) - min(x)") -> NotebookNode:
    """The release with answers in it."""
    notebook = deepcopy(release())
    for id, answer in (("mean", mean), ("spread", spread)):
        cell = named(notebook, id)
        cell.source = cell.source.replace("    # Your code here", answer)
    return notebook


def named(notebook: NotebookNode, id: str) -> NotebookNode:
    return next(cell for cell in notebook.cells if cell.id == id)


def raw(notebook: NotebookNode) -> bytes:
    return json.dumps(notebook).encode("utf-8")


@dataclass(frozen=True)
class TinySet:
    """What the machinery asks of a problem set."""

    name: str = "tiny"
    title: str = "A tiny set"
    fingerprint: str = "1"

    @property
    def questions(self) -> tuple:
        return ()

    def release(self) -> NotebookNode:
        return release()
