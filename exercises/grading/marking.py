"""From a notebook to its marks: the answers run inside, what they give is compared out here."""

from __future__ import annotations

import ast
import json
import math
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from nbformat import NotebookNode

from exercises.grading import sandbox
from exercises.grading.master import ProblemSet
from gmmlib.exercises.check import build
from gmmlib.exercises.judge import judge
from gmmlib.exercises.questions import Question
from gmmlib.exercises.values import as_numbers

#: What stays open of a refused gmmlib.
_OPEN = ("gmmlib.data.", "gmmlib.exercises.")

#: The largest array that a suspect is asked about, in numbers; and the largest product of two: a
#: mixture keeps a number for each row and component.
MOST_ASKED, MOST_PAIRS = 100_000, 10_000_000


@dataclass(frozen=True)
class Mark:
    """A question's points, and what the learner is told (Markdown)."""

    question: str
    points: float
    of: float
    feedback: str


@dataclass(frozen=True)
class Result:
    """What a submission earned.

    Attributes
    ----------
    marks : one for each question of the set
    cells : cell id to nbformat outputs, as plain data without HTML
    notes : what had to be mended or was noticed, in words
    seconds : wall time in the sandbox
    memory : the sandbox's peak in MiB, None if unknown
    """

    marks: tuple[Mark, ...]
    cells: dict[str, list[dict[str, Any]]]
    notes: tuple[str, ...]
    seconds: float
    memory: float | None

    @property
    def points(self) -> float:
        return sum(mark.points for mark in self.marks)

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Result:
        data = json.loads(text)
        marks = tuple(Mark(**mark) for mark in data.pop("marks"))
        return cls(marks=marks, notes=tuple(data.pop("notes")), **data)


def mark(
    problem_set: ProblemSet,
    notebook: NotebookNode,
    *,
    limits: sandbox.Limits | None = None,
    unsafe: bool = False,
) -> Result:
    """Run a mended notebook's cells in the sandbox and judge what its answers give.

    Raises
    ------
    RuntimeError
        If this machine can't isolate the run and ``unsafe`` is False.
    """
    questions = problem_set.questions
    cells = [
        sandbox.Cell(cell.id, _without_checks(cell))
        for cell in notebook.cells
        if cell.cell_type == "code" and not cell.id.endswith(("-check", "certificate"))
    ]
    asks = [ask for question in questions for ask in _asks(question)]
    order = _order(asks)
    ran = sandbox.run(
        cells,
        [asks[k] for k in order],
        oracle=_oracle(questions),
        refused=problem_set.refused,
        limits=limits or sandbox.Limits(),
        unsafe=unsafe,
    )
    answers = iter([ran.answers[order.index(k)] for k in range(len(asks))])
    failed = {cell.id: cell.error for cell in ran.cells if cell.error}
    marks = []
    for question in questions:
        verdict = judge(question, [next(answers) for _ in _asks(question)])
        words = verdict.feedback
        if question.id in failed:
            words += f"\n\nThe answer's cell failed: {failed[question.id]}"
        marks.append(Mark(question.id, verdict.points, verdict.of, words))
    notes = dict.fromkeys([*_imports(notebook, problem_set.refused, problem_set.name), *ran.notes])
    outputs = {cell.id: cell.outputs for cell in ran.cells}
    return Result(tuple(marks), outputs, tuple(notes), ran.seconds, ran.memory)


def _without_checks(cell: NotebookNode) -> str:
    """The cell's code; a given one without the questions of the check, which hold right values."""
    if not cell.id.startswith("given-"):
        return cell.source
    return re.sub(r'Checks\("(\w+)", .*\)', r'Checks("\1", ...)', cell.source)


def _asks(question: Question) -> list[sandbox.Ask]:
    if question.kind == "formula":
        return [sandbox.Ask(question.id, question.name, None)]
    return [
        sandbox.Ask(
            question.id,
            question.name,
            None if case.arguments is None else tuple(case.arguments),
            f"{question.id}/{case.suspect}" if case.suspect else None,
        )
        for case in question.cases
    ]


def _order(asks: Sequence[sandbox.Ask]) -> list[int]:
    """The suspects in an order that nobody knows: it must not tell which are broken."""
    order = list(range(len(asks)))
    for question in {ask.question for ask in asks if ask.suspect}:
        places = [k for k, ask in enumerate(asks) if ask.question == question]
        shuffled = random.SystemRandom().sample(places, len(places))
        for k, other in zip(places, shuffled, strict=True):
            order[k] = other
    return order


def _oracle(questions: Sequence[Question]) -> Callable[[str, list[Any]], Any]:
    """What answers the calls of a suspect, out of the learner's reach."""
    suspects = {
        f"{question.id}/{letter}": build(source)
        for question in questions
        for letter, source in question.suspects.items()
    }

    def answer(suspect: str, arguments: list[Any]) -> Any:
        sizes = [0, 0]
        for argument in arguments:
            numbers = as_numbers(argument)
            if numbers is None or numbers.size > MOST_ASKED:
                raise ValueError(f"a suspect takes arrays of at most {MOST_ASKED} numbers")
            sizes.append(numbers.size)
        if math.prod(sorted(sizes)[-2:]) > MOST_PAIRS:
            raise ValueError("a suspect takes fewer numbers: so many rows need fewer components")
        with np.errstate(all="ignore"):
            return suspects[suspect](*arguments)

    return answer


def _imports(notebook: NotebookNode, refused: Sequence[str], name: str) -> list[str]:
    """A note for each refused module that a cell imports."""
    found = set()
    for cell in notebook.cells:
        if cell.cell_type != "code" or cell.id.startswith("given-"):
            continue
        try:
            tree = ast.parse(cell.source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue  # the run reports it
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                modules = [f"{node.module}.{alias.name}" for alias in node.names]
            else:
                continue
            for module in modules:
                if f"{module}.".startswith(_OPEN):
                    continue
                found |= {r for r in refused if f"{module}.".startswith(f"{r}.")}
    return [
        f"A cell imports {module}, which {name} asks you to write yourself: it was not there when "
        "the answers ran."
        for module in sorted(found)
    ]
