"""From answers to points, and to words that help.

The notebook's check and the grading outside it call the same function, with other inputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gmmlib.exercises.formulas import FormulaError, evaluate
from gmmlib.exercises.questions import Case, Group, Question
from gmmlib.exercises.values import Formula, Raised, agree, as_numbers


@dataclass(frozen=True)
class Answer:
    """What an answer gave for one case.

    Attributes
    ----------
    value : the decoded value, None if there is none
    error : type and message of what it raised, or why there is no value, in words
    changed : whether the call changed its arguments
    """

    value: Any = None
    error: str | None = None
    changed: bool = False


@dataclass(frozen=True)
class Verdict:
    """A question's points and what to say about them (Markdown)."""

    question: str
    points: float
    of: float
    feedback: str

    @property
    def solved(self) -> bool:
        return self.points == self.of


def judge(question: Question, answers: Sequence[Answer]) -> Verdict:
    """What some answers are worth.

    Parameters
    ----------
    question : with the right values
    answers : one for each of ``question.cases``, in their order; for a formula one alone

    Returns
    -------
    Verdict : the points of all groups whose cases are right; or of a known mistake that explains
        every answer, if that is more. Its feedback ends with one hint, the most specific there is.
    """
    if question.kind == "formula":
        answers = _at_points(question, answers[0])
    cases = question.cases
    if len(answers) != len(cases):
        raise ValueError(f"{len(answers)} answers to {len(cases)} cases of {question.id}")
    if all(answer.value is None and answer.error is None for answer in answers):
        return _say(question, 0, "Not answered yet: " + _empty(question))

    right = [_is_right(question, c.right, a) for c, a in zip(cases, answers, strict=True)]
    by_group = _split(question.groups, right)
    passed = [all(flags) for flags in by_group]
    if all(passed):
        return _say(question, question.points, "Right.")

    blocked = any(g.required and not ok for g, ok in zip(question.groups, passed, strict=True))
    earned = (
        0 if blocked else sum(g.points for g, ok in zip(question.groups, passed, strict=True) if ok)
    )
    for number, mistake in enumerate(question.mistakes):
        if all(
            _is_right(question, c.wrong[number], a) for c, a in zip(cases, answers, strict=True)
        ):
            # The stated score, whatever groups the mistake happens to pass.
            return _say(
                question,
                mistake.points,
                f"**{mistake.name}.** {mistake.hint}",
                question.groups,
                passed,
            )
    first = right.index(False)
    group = next(g for g, ok in zip(question.groups, passed, strict=True) if not ok)
    if question.kind == "invariant":
        words = _missed(question, by_group)
        if not any(isinstance(answer.value, bool) for answer in answers):
            got = answers[first].error or f"`{_short(answers[first].value)}`"
            words = f"`{question.name}` must return `True` or `False`; instead: {got}"
    else:
        words = _explain(question, cases[first], answers[first])
        if group.hint:
            words += f"\n\nHint: {group.hint}"
    return _say(question, earned, words, question.groups, passed)


def _at_points(question: Question, answer: Answer) -> list[Answer]:
    """The formula's values at the question's points, as answers."""
    if answer.error or answer.value is None:
        return [answer] * len(question.cases)
    formula = answer.value
    if as_numbers(formula) is not None and np.ndim(formula) == 0:
        return [answer] * len(question.cases)  # a number is a constant formula
    if not isinstance(formula, Formula):
        return [Answer(error="this is not a formula: build it from the symbols above")] * len(
            question.cases
        )
    try:
        return [Answer(evaluate(formula, case.arguments)) for case in question.cases]
    except FormulaError as error:
        return [Answer(error=str(error))] * len(question.cases)


def _is_right(question: Question, right: Any, answer: Answer) -> bool:
    if answer.changed:
        return False
    if isinstance(right, Raised):  # a mistake that ends in an error
        return (answer.error or "").split(":")[0] == right
    return answer.error is None and agree(answer.value, right, relative=question.relative)


def _split(groups: Sequence[Group], flags: Sequence[bool]) -> list[list[bool]]:
    rest = iter(flags)
    return [[next(rest) for _ in group.cases] for group in groups]


def _empty(question: Question) -> str:
    if question.kind in ("value", "formula"):
        return f"`{question.name}` is still `None`."
    return f"`{question.name}` returns `None`. Is a `return` missing?"


def _say(
    question: Question,
    points: float,
    words: str,
    groups: Sequence[Group] = (),
    passed: Sequence[bool] = (),
) -> Verdict:
    lines = []
    if len(groups) > 1 and question.kind != "invariant":
        lines = [
            f"- {'✓' if ok else '✗'} {group.name}" for group, ok in zip(groups, passed, strict=True)
        ]
    feedback = "\n".join([*lines, "", words]) if lines else words
    return Verdict(question.id, points, question.points, feedback)


def _missed(question: Question, by_group: Sequence[Sequence[bool]]) -> str:
    """Which implementations an invariant takes for what they are not, with one hint."""
    missed: dict[bool, list[str]] = {True: [], False: []}
    hint = ""
    for group, flags in zip(question.groups, by_group, strict=True):
        names = [c.suspect for c, ok in zip(group.cases, flags, strict=True) if not ok]
        missed[group.required] += names
        hint = hint or (group.hint if names else "")
    lines = []
    if missed[True]:
        lines.append(f"It does not accept {_list(missed[True])}, though no law is broken there.")
    if missed[False]:
        lines.append(f"It does not refuse {_list(missed[False])}, where a law is broken.")
    return " ".join(lines) + (f"\n\nHint: {hint}" if hint else "")


def _list(names: Sequence[str]) -> str:
    *most, last = sorted(names)
    return f"{', '.join(most)} and {last}" if most else last


def _explain(question: Question, case: Case, answer: Answer) -> str:
    """What is wrong in the first case that is."""
    where = _where(question, case)
    if answer.error is not None:
        return f"No value{where}: {answer.error}"
    if answer.changed:
        return f"The call changed its own arguments{where}: work on a copy."
    if answer.value is None:
        return f"`{question.name}` returns `None`{where}. Is a `return` missing?"
    if question.kind == "value":
        return f"`{question.name}` is `{_short(answer.value)}`: not the value that is asked for."
    if isinstance(case.right, list) and not isinstance(answer.value, list):
        return f"One result came back{where}; there should be {len(case.right)}."
    yours, right = as_numbers(answer.value), as_numbers(case.right)
    if yours is None or right is None:
        return _compare(answer.value, case.right, where)
    if yours.shape != right.shape and yours.size != 1:
        swapped = yours.shape == right.shape[::-1]
        return f"The shape is {yours.shape}{where}; it should be {right.shape}." + (
            " The two axes are swapped." if swapped else ""
        )
    return _compare(answer.value, case.right, where) + _pattern(yours, right)


def _compare(yours: Any, right: Any, where: str) -> str:
    if isinstance(yours, list) and isinstance(right, list):
        if len(yours) != len(right):
            return f"{len(yours)} results came back{where}; there should be {len(right)}."
        for number, (mine, theirs) in enumerate(zip(yours, right, strict=True), start=1):
            if not agree(mine, theirs):
                return f"Result {number} of {len(right)}: " + _compare(mine, theirs, where)
    digits = 6 if _short(yours) != _short(right) else 12
    return f"Yours is `{_short(yours, digits)}`{where}; right is `{_short(right, digits)}`."


def _pattern(yours: np.ndarray, right: np.ndarray) -> str:
    """What the two have in common, if anything."""
    if not yours.size or not right.size:
        return ""
    yours, right = np.broadcast_arrays(yours, right)
    if not np.isfinite(yours).all():
        return " A value that is not finite has lost its information: look for exp, log or 1/x."
    finite = np.isfinite(right)
    with np.errstate(all="ignore"):
        ratio, shift = yours[finite] / right[finite], yours[finite] - right[finite]
        if ratio.size and np.allclose(ratio, ratio[0], rtol=1e-6) and not np.isclose(ratio[0], 0):
            if np.isclose(ratio[0], -1):
                return " The sign is turned round."
            if ratio.size > 1 or ratio[0] in (0.5, 2.0):
                return f" Yours is {ratio[0]:.4g} times the right value."
        if shift.size > 1 and np.allclose(shift, shift[0], rtol=1e-6):
            return f" Yours is the right value {shift[0]:+.4g} everywhere."
        if np.allclose(yours, np.exp(right), rtol=1e-6):
            return " Yours is the exponential of the right value."
        if np.allclose(yours, np.log(right), rtol=1e-6):
            return " Yours is the logarithm of the right value."
    return ""


def _where(question: Question, case: Case) -> str:
    if question.kind == "formula":
        point = ", ".join(f"{name} = {_short(value)}" for name, value in case.arguments.items())
        return f" at {point}"
    if case.arguments is None:
        return ""
    inputs = ", ".join(_short(argument) for argument in case.arguments)
    return f" for `{question.name}({inputs})`" if len(inputs) <= 300 else " for the first case here"


def _short(value: Any, digits: int = 6) -> str:
    if isinstance(value, np.ndarray):
        text = np.array2string(value, precision=digits - 2, threshold=12, separator=", ")
        return " ".join(text.split())
    if isinstance(value, float):
        return f"{value:.{digits}g}"
    if isinstance(value, list):
        shown = [_short(item, digits) for item in value[:12]] + ["..."] * (len(value) > 12)
        text = "[" + ", ".join(shown) + "]"
        return text if len(text) <= 500 else text[:497] + "..."
    text = repr(str(value) if isinstance(value, str) else value)
    return text if len(text) <= 120 else text[:117] + "..."
