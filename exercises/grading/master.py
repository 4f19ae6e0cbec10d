"""From the text of a problem set to its notebooks and its tests.

A master is a MyST notebook (`exercises/ps1.md`) that holds everything about a set once:

- a code cell whose first line is ``# Answer: some-id`` holds the solution between
  ``### BEGIN SOLUTION`` and ``### END SOLUTION``;
- a code cell that starts with ``check("some-id", name)`` shows the check, and hides, between
  ``### BEGIN HIDDEN TESTS`` and ``### END HIDDEN TESTS``, a call of ``question(...)`` with the
  inputs, the mistakes that people make, and the points;
- a Markdown cell with ``open: 3`` in its metadata is graded by hand.

The right values are those of the solution. A mistake is the solution with a few words exchanged,
so its values are computed too; nothing is typed twice.
"""

from __future__ import annotations

import hashlib
import random
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import numpy as np
import yaml
from nbformat import NotebookNode

from gmmlib.exercises.check import build
from gmmlib.exercises.formulas import evaluate
from gmmlib.exercises.judge import Answer, judge
from gmmlib.exercises.questions import Case, Group, Mistake, Question, pack
from gmmlib.exercises.values import Raised, decode, encode

FOLDER = Path(__file__).parents[1]
#: What stands where a solution was cut out; nbgrader is told to write the same.
STUB = "# Your code here"

#: The modules whose change makes a comparison out of date; the others collect and report.
_JUDGES = ("master", "marking", "sandbox", "bubble", "channel", "worker")

#: The last cells of every set.
CLOSING = (
    ("markdown", """## What you have solved

Save the notebook, then run the next cell. It writes `certificate.html` beside your notebooks: a
page with what the checks of all your saved problem sets last showed."""),
    ("code", """from gmmlib.exercises import certificate

print("Written:", certificate())  # or certificate("Your name")"""),
)  # fmt: skip

_REGION = r"^([ \t]*)### BEGIN {0}\n(.*?)^[ \t]*### END {0}[ \t]*\n?"
_SOLUTION = re.compile(_REGION.format("SOLUTION"), flags=re.M | re.S)
_HIDDEN = re.compile(_REGION.format("HIDDEN TESTS"), flags=re.M | re.S)
_ANSWER = re.compile(r"# Answer: ([a-z0-9-]+)\n")
_CHECK = re.compile(r'check\("([a-z0-9-]+)", (\w+)\)')


class MasterError(ValueError):
    """A master that contradicts itself; the message names file, question and fault."""


@dataclass(frozen=True)
class Inputs:
    """A group of cases as the master states it.

    Attributes
    ----------
    name, points, required, hint : as in ``gmmlib.exercises.questions.Group``
    make : from a numpy Generator to what the answer is called with: a tuple of arguments, or a list
        of tuples; for a formula the point, a dictionary, or a list of them; None asks for the value
    """

    name: str
    points: float
    make: Callable[[np.random.Generator], Any] | None = None
    required: bool = False
    hint: str = ""


@dataclass(frozen=True)
class Slip:
    """A mistake as the master states it: the solution with other words, or other code.

    Attributes
    ----------
    name, hint, points : as in ``gmmlib.exercises.questions.Mistake``
    edits : text in the solution to the text in its place; each must occur
    instead : code for the whole solution, where edits do not say it
    """

    name: str
    hint: str
    points: float = 0
    edits: Mapping[str, str] = field(default_factory=dict)
    instead: str | None = None


@dataclass(frozen=True)
class Suspect:
    """An implementation for *catch the bug*: a text that defines a function.

    Attributes
    ----------
    source : its last function is the one that an invariant gets
    points : for telling that it is broken; None for one that obeys every law
    hint : for whoever takes a broken one for right or a right one for broken
    """

    source: str
    points: float | None = None
    hint: str = ""


@dataclass(frozen=True)
class _Asked:
    """One call of ``question(...)``."""

    groups: tuple[Inputs, ...]
    mistakes: tuple[Slip, ...]
    suspects: tuple[Suspect, ...]
    relative: float


@dataclass(frozen=True)
class ProblemSet:
    """A problem set: its notebooks and its questions.

    Attributes
    ----------
    name : such as ``ps1``
    text : of the master
    overlay : text of the private tests, executed after the public ones; empty if there are none
    seed : of the hidden inputs
    """

    name: str
    text: str
    overlay: str = ""
    seed: int = 1

    @cached_property
    def _cells(self) -> list[NotebookNode]:
        closing = [
            nbformat.from_dict({"cell_type": kind, "source": source, "metadata": {}})
            for kind, source in CLOSING
        ]
        return jupytext.reads(self.text, fmt="md:myst").cells + closing

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The master's ``exercises:`` block: ``refused`` modules."""
        front = yaml.safe_load(self.text.split("---", 2)[1])
        return front.get("exercises", {})

    @property
    def ids(self) -> tuple[str, ...]:
        """The questions' ids, in the order of the text."""
        return tuple(self._asked)

    @property
    def refused(self) -> tuple[str, ...]:
        return tuple(self.settings.get("refused", ()))

    @cached_property
    def title(self) -> str:
        return next(
            line.lstrip("# ") for line in self._cells[0].source.splitlines() if line.startswith("#")
        )

    @cached_property
    def fingerprint(self) -> str:
        """Changes when the tests or what judges by them change."""
        parts = [self.name, self.text, self.overlay, str(self.seed)]
        judges = [FOLDER / "grading" / f"{name}.py" for name in _JUDGES]
        judges += sorted((FOLDER.parent / "gmmlib" / "exercises").glob("*.py"))
        parts += [path.read_text(encoding="utf-8") for path in judges]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    # --- Notebooks

    def source(self) -> NotebookNode:
        """nbgrader's source notebook: with solutions, without hidden tests.

        The tests never pass through nbgrader, which would lay them beside the answers.
        """
        return self._notebook(lambda source: source)

    def release(self) -> NotebookNode:
        """The student's notebook."""
        return self._notebook(lambda source: _SOLUTION.sub(rf"\1{STUB}\n", source))

    def solution(self) -> NotebookNode:
        """The student's notebook, solved."""
        return self.answered({})

    def answered(self, answers: Mapping[str, str]) -> NotebookNode:
        """The solved notebook with other solutions for some questions (question id to code)."""

        def fill(source: str) -> str:
            match = _ANSWER.match(source)
            code = answers.get(match[1]) if match else None
            return _SOLUTION.sub(lambda region: code or region[2], source)

        return self._notebook(fill)

    def _notebook(self, fill: Callable[[str], str]) -> NotebookNode:
        cells = []
        counts = {"given": 0, "text": 0}
        for cell in self._cells:
            source = cell.source
            check, answer = _CHECK.match(source), _ANSWER.match(source)
            if cell.cell_type == "markdown" and "open" in cell.metadata:
                meta = _nbgrader("open", grade=True, solution=True, points=cell.metadata["open"])
                made = nbformat.v4.new_markdown_cell(source, metadata=meta, id="open")
            elif cell.cell_type == "markdown":
                counts["text"] += 1
                made = nbformat.v4.new_markdown_cell(source, id=f"text-{counts['text']}")
            elif check:
                points = self._points[check[1]]
                meta = _nbgrader(f"{check[1]}-check", grade=True, locked=True, points=points)
                source = _HIDDEN.sub("", source).rstrip()
                made = nbformat.v4.new_code_cell(source, metadata=meta, id=f"{check[1]}-check")
            elif answer:
                meta = _nbgrader(answer[1], solution=True)
                made = nbformat.v4.new_code_cell(fill(source).rstrip(), metadata=meta, id=answer[1])
            else:
                counts["given"] += 1
                name = f"given-{counts['given']}" if source != CLOSING[1][1] else "certificate"
                meta = _nbgrader(name, locked=True)
                if "Checks(" in source:
                    source = self._with_checks(source)
                    meta["jupyter"] = {"source_hidden": True}
                made = nbformat.v4.new_code_cell(source, metadata=meta, id=name)
            cells.append(made)
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
        return nbformat.v4.new_notebook(cells=cells, metadata=metadata)

    def _with_checks(self, source: str) -> str:
        refused = f", refused={list(self.refused)!r}" if self.refused else ""
        call = f'Checks("{self.name}", "{pack(self.visible)}"{refused})'
        return re.sub(r"Checks\([^)]*\)", lambda _: call, source)

    # --- Questions

    @cached_property
    def visible(self) -> tuple[Question, ...]:
        """The questions with the inputs that the student's notebook carries."""
        return self._questions(seed=0, copies=1)

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """The questions with the hidden inputs."""
        return self._questions(seed=self.seed, copies=2)

    def tests(self) -> str:
        """The hidden tests as one Python text: the solution, and after each answer its question."""
        parts = []
        for cell in self._cells:
            if cell.cell_type != "code":
                continue
            check = _CHECK.match(cell.source)
            hidden = _HIDDEN.search(cell.source)
            if check and hidden:
                parts.append(f'with_id("{check[1]}", "{check[2]}")\n{hidden[2]}')
            elif not check and "gmmlib.exercises" not in cell.source:
                parts.append(_SOLUTION.sub(lambda region: region[2], cell.source))
        return "\n\n".join([*parts, self.overlay]).strip() + "\n"

    def mistakes(self, question: str) -> dict[str, tuple[Mistake, str]]:
        """The known mistakes of a question: name to (mistake, the code of its answer)."""
        return {
            slip.name: (Mistake(slip.name, slip.hint, slip.points), self._slipped(question, slip))
            for slip in self._asked[question][1].mistakes
        }

    @cached_property
    def _points(self) -> dict[str, float]:
        points = {}
        for name, (_, asked) in self._asked.items():
            earned = [group.points for group in asked.groups]
            earned += [suspect.points or 0 for suspect in asked.suspects]
            points[name] = sum(earned)
        return points

    @cached_property
    def _space(self) -> dict[str, Any]:
        """The solution's variables, and the questions under ``asked``."""
        asked: dict[str, tuple[str, _Asked]] = {}
        current: list[str] = []

        def with_id(question: str, variable: str) -> None:
            current[:] = [question, variable]

        def question(
            *groups: Inputs,
            mistakes: tuple[Slip, ...] | list[Slip] = (),
            suspects: tuple[Suspect, ...] | list[Suspect] = (),
            relative: float = 1e-6,
        ) -> None:
            name, variable = current
            asked[name] = (variable, _Asked(groups, tuple(mistakes), tuple(suspects), relative))

        space = {
            "with_id": with_id, "question": question, "Inputs": Inputs, "Slip": Slip,
            "Suspect": Suspect, "code_of": self._code_of, "asked": asked,
        }  # fmt: skip
        exec(compile(self.tests(), f"<tests of {self.name}>", "exec"), space)
        return space

    @property
    def _asked(self) -> dict[str, tuple[str, _Asked]]:
        return self._space["asked"]

    def _code_of(self, question: str) -> str:
        """An answer cell's text with its solution."""
        for cell in self._cells:
            match = _ANSWER.match(cell.source)
            if match and match[1] == question:
                return _SOLUTION.sub(lambda region: region[2], cell.source)
        raise MasterError(f"{self.name} has no answer cell {question!r}")

    def _region_of(self, question: str) -> str:
        for cell in self._cells:
            match = _ANSWER.match(cell.source)
            if match and match[1] == question:
                return _SOLUTION.search(cell.source)[2]
        raise MasterError(f"{self.name} has no answer cell {question!r}")

    def _slipped(self, question: str, slip: Slip) -> str:
        if slip.instead is not None:
            return slip.instead.strip("\n") + "\n"
        code = self._region_of(question)
        for old, new in slip.edits.items():
            if old not in code:
                raise MasterError(
                    f"{self.name}, {question}, {slip.name}: the solution has no {old!r}"
                )
            code = code.replace(old, new)
        return code

    def _value(self, question: str, variable: str, code: str | None) -> Any:
        """The answer's variable, in the solution or with other code."""
        if code is None:
            return self._space[variable]
        for cell in self._cells:
            match = _ANSWER.match(cell.source)
            if match and match[1] == question:
                space = dict(self._space)
                exec(_SOLUTION.sub(lambda region: code, cell.source), space)
                return space[variable]
        raise MasterError(f"{self.name} has no answer cell {question!r}")

    def _questions(self, seed: int, copies: int) -> tuple[Question, ...]:
        return tuple(
            self._question(name, variable, asked, seed, copies)
            for name, (variable, asked) in self._asked.items()
        )

    def _question(
        self, name: str, variable: str, asked: _Asked, seed: int, copies: int
    ) -> Question:
        rng = np.random.default_rng([zlib.crc32(name.encode()), seed])
        right = self._value(name, variable, None)
        slips = [self._value(name, variable, self._slipped(name, s)) for s in asked.mistakes]
        mistakes = tuple(Mistake(s.name, s.hint, s.points) for s in asked.mistakes)
        kind = _kind(right, asked)
        suspects: dict[str, str] = {}
        if kind == "invariant":
            groups, suspects = _line_up(asked.suspects, copies, rng)
            called = {key: build(source) for key, source in suspects.items()}
        else:
            groups = tuple(
                Group(
                    g.name,
                    g.points,
                    tuple(Case(a, None) for a in _made(g, rng)),
                    g.required,
                    g.hint,
                )
                for g in asked.groups
            )
            called = {}
        groups = tuple(
            Group(
                g.name,
                g.points,
                tuple(
                    Case(
                        c.arguments,
                        _result(kind, right, c, called),
                        tuple(_result(kind, slip, c, called) for slip in slips),
                        c.suspect,
                    )
                    for c in g.cases
                ),
                g.required,
                g.hint,
            )
            for g in groups
        )
        question = Question(name, variable, kind, groups, mistakes, asked.relative, suspects)
        self._refuse_contradictions(question, slips)
        return question

    def _refuse_contradictions(self, question: Question, slips: Sequence[Any]) -> None:
        """Each mistake must be told from the right answer and from the others."""
        where = f"{self.name}, {question.id}"
        for case in question.cases:
            if isinstance(case.right, Raised):
                raise MasterError(f"{where}: the solution raises {case.right} on its own inputs")
        if question.kind == "invariant":
            for group in question.groups:
                for case in group.cases:
                    if case.right is not group.required:
                        raise MasterError(
                            f"{where}: the solution takes suspect {case.suspect} for "
                            f"{'broken' if group.required else 'right'} ({group.hint})"
                        )
        for number, mistake in enumerate(question.mistakes):
            if question.kind == "formula":
                answers = [Answer(decode(encode(slips[number])))]
            else:
                answers = [_as_answer(case.wrong[number]) for case in question.cases]
            verdict = judge(question, answers)
            if mistake.hint not in verdict.feedback or verdict.points != mistake.points:
                raise MasterError(
                    f"{where}: the mistake {mistake.name!r} is judged as {verdict.points:g} "
                    f"points, {verdict.feedback!r}"
                )


def load(name: str, private: Path | None = None) -> ProblemSet:
    """The problem set of a master, with an instructor's own tests and seed if there are any.

    Parameters
    ----------
    name : such as ``ps1``
    private : a folder that may hold ``ps1.py`` (more calls of ``question``, after ``with_id``) and
        ``seed`` (a whole number, in words of digits)

    Raises
    ------
    MasterError
        If there is no such master, or the folder holds neither.
    """
    path = FOLDER / f"{name}.md"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in FOLDER.glob("ps*.md")))
        raise MasterError(f"there is no problem set {name!r}; there are {known}")
    text = path.read_text(encoding="utf-8")
    if private is None:
        return ProblemSet(name, text)
    tests, seed = private / f"{name}.py", private / "seed"
    if not tests.is_file() and not seed.is_file():
        raise MasterError(f"{private} holds neither {tests.name} nor a file named seed")
    overlay = tests.read_text(encoding="utf-8") if tests.is_file() else ""
    number = int(seed.read_text(encoding="utf-8")) if seed.is_file() else 1
    return ProblemSet(name, text, overlay, number)


def _nbgrader(
    grade_id: str,
    grade: bool = False,
    locked: bool = False,
    solution: bool = False,
    points: float | None = None,
) -> dict[str, Any]:
    data = {
        "grade": grade, "grade_id": grade_id, "locked": locked, "schema_version": 3,
        "solution": solution, "task": False,
    }  # fmt: skip
    return {"nbgrader": data | ({} if points is None else {"points": points})}


def _kind(right: Any, asked: _Asked) -> str:
    if asked.suspects:
        return "invariant"
    if callable(right) and not hasattr(right, "free_symbols"):
        return "function"
    return "formula" if hasattr(right, "free_symbols") else "value"


def _made(inputs: Inputs, rng: np.random.Generator) -> list[Any]:
    """The group's arguments, as an answer will get them."""
    if inputs.make is None:
        return [None]
    made = inputs.make(rng)
    return [decode(encode(case)) for case in (made if isinstance(made, list) else [made])]


def _result(kind: str, answer: Any, case: Case, called: Mapping[str, Any]) -> Any:
    """What an answer gives for a case, as plain data."""
    if kind == "value":
        return decode(encode(answer))
    if kind == "formula":
        data = decode(encode(answer))
        return evaluate(data, case.arguments) if isinstance(data, str) else float(data)
    arguments = [called[case.suspect]] if kind == "invariant" else decode(encode(case.arguments))
    try:
        with np.errstate(all="ignore"):
            return decode(encode(answer(*arguments)))
    except Exception as error:
        return Raised(type(error).__name__)


def _as_answer(value: Any) -> Answer:
    return Answer(error=f"{value}: ") if isinstance(value, Raised) else Answer(value)


def _line_up(
    suspects: tuple[Suspect, ...], copies: int, rng: np.random.Generator
) -> tuple[tuple[Group, ...], dict[str, str]]:
    """The suspects under letters, in an order that tells nothing."""
    order = [number for number in range(len(suspects)) for _ in range(copies)]
    random.Random(int(rng.integers(2**32))).shuffle(order)
    letters = {}
    for place, number in enumerate(order):
        letters.setdefault(number, []).append(_letter(place))
    sources = {_letter(place): suspects[number].source for place, number in enumerate(order)}
    groups = tuple(
        Group(
            "obeys every law" if s.points is None else f"broken suspect {letters[number][0]}",
            s.points or 0,
            tuple(Case(None, None, (), letter) for letter in letters[number]),
            required=s.points is None,
            hint=s.hint,
        )
        for number, s in enumerate(suspects)
    )
    return groups, dict(sorted(sources.items()))


def _letter(place: int) -> str:
    return chr(ord("A") + place)
