"""The check of a problem set, in the learner's own notebook."""

from __future__ import annotations

import copy
import random
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gmmlib.exercises.judge import Answer, Verdict, judge
from gmmlib.exercises.questions import Case, Question, unpack
from gmmlib.exercises.values import agree, decode, encode

#: Under this type a verdict lies in the notebook's saved outputs; the certificate reads it there.
VERDICT_TYPE = "application/vnd.cake-shop.verdict+json"


class Checks:
    """The checks of one problem set: ``check = Checks("ps1", "...")``, then ``check(id, answer)``.

    Parameters
    ----------
    problem_set : its name, such as ``ps1``
    packed : the questions with the inputs that may be seen, as `questions.pack` writes them; the
        student's notebook carries them. Three dots, as in the master, hold none.
    refused : modules that the answers may not use, since they hold what is asked for
    """

    def __init__(
        self, problem_set: str, packed: str | types.EllipsisType, refused: Sequence[str] = ()
    ) -> None:
        self.problem_set = problem_set
        self.refused = tuple(refused)
        self.questions = {} if packed is ... else {q.id: q for q in unpack(packed)}

    def __call__(self, question: str, answer: Any) -> Checked | None:
        """Say what ``answer`` is worth on the visible inputs, and what would help.

        Raises
        ------
        ValueError
            If the set has no such question.
        """
        if not self.questions:
            return None
        if question not in self.questions:
            known = ", ".join(self.questions)
            raise ValueError(f"{self.problem_set} has no question {question!r}; it has {known}")
        asked = self.questions[question]
        verdict = judge(asked, _answers(asked, answer))
        return Checked(self.problem_set, verdict, _borrowed(answer, self.refused))

    def suspect(self, question: str, name: str) -> Callable[..., Any]:
        """One of the implementations that an invariant is asked about, to try it by hand.

        Raises
        ------
        ValueError
            Where answers are graded: the notebook's own suspects are not there.
        """
        if not self.questions:
            raise ValueError("the suspects that can be tried by hand are in the notebook only")
        return build(self.questions[question].suspects[name])


@dataclass(frozen=True)
class Checked:
    """A verdict as a notebook shows it."""

    problem_set: str
    verdict: Verdict
    borrowed: str | None = None

    def __repr__(self) -> str:
        verdict = self.verdict
        text = (
            f"{verdict.question}: {verdict.points:g} of {verdict.of:g} points. {verdict.feedback}"
        )
        return text + (f"\n{self._warning()}" if self.borrowed else "")

    def _warning(self) -> str:
        return (
            f"Careful: this answer uses `{self.borrowed}`, which {self.problem_set} asks you to "
            "write; it is not there when your answers are graded."
        )

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, Any]:
        verdict = self.verdict
        sign = "✓" if verdict.solved else "✗"
        markdown = (
            f"**{sign} {verdict.points:g} of {verdict.of:g} points** ({verdict.question})\n\n"
            + verdict.feedback
            + (f"\n\n{self._warning()}" if self.borrowed else "")
        )
        saved = {
            "problem_set": self.problem_set,
            "question": verdict.question,
            "points": verdict.points,
            "of": verdict.of,
        }
        return {"text/plain": repr(self), "text/markdown": markdown, VERDICT_TYPE: saved}


def build(source: str) -> Callable[..., Any]:
    """The last function that a source text defines."""
    space: dict[str, Any] = {}
    exec(source, space)
    return [value for value in space.values() if isinstance(value, types.FunctionType)][-1]


def _answers(question: Question, answer: Any) -> list[Answer]:
    if question.kind == "formula":
        return [_plain(answer)]
    cases = list(enumerate(question.cases))
    if question.kind == "invariant":  # the order must not tell which suspects are broken
        random.shuffle(cases)
    answers = {place: _ask(question, case, answer) for place, case in cases}
    return [answers[place] for place in range(len(cases))]


def _ask(question: Question, case: Case, answer: Any) -> Answer:
    if question.kind == "value":
        return _plain(answer)
    if not callable(answer):
        if answer is None:
            return Answer()
        return Answer(error=f"`{question.name}` is not a function")
    if question.kind == "invariant":
        arguments = [build(question.suspects[case.suspect])]
    else:
        arguments = copy.deepcopy(list(case.arguments))
    try:
        value = answer(*arguments)
    except Exception as error:
        return Answer(error=f"{type(error).__name__}: {error}")
    changed = question.kind == "function" and not all(
        agree(now, before, 0, 0) for now, before in zip(arguments, case.arguments, strict=True)
    )
    return _plain(value, changed)


def _plain(value: Any, changed: bool = False) -> Answer:
    """The value as it would reach the grader: plain data or an error."""
    try:
        return Answer(decode(encode(value)), changed=changed)
    except (TypeError, ValueError) as error:
        return Answer(error=f"{type(error).__name__}: {error}")


def _borrowed(answer: Any, refused: Sequence[str]) -> str | None:
    """The refused module that a function's names lead to, or that it imports, if any."""
    code = getattr(answer, "__code__", None)
    for name in code.co_names if code else ():
        used = getattr(answer, "__globals__", {}).get(name)
        home = getattr(used, "__module__", None) or getattr(used, "__name__", None) or name
        for module in refused:
            if isinstance(home, str) and f"{home}.".startswith(f"{module}."):
                return home
    return None
