"""A question as data: what is asked of an answer, what is right, and which mistakes are known.

The master of a problem set (`exercises/ps1.md`) is where questions are written; from it the values
here are computed, once with inputs that the learner may see and once with hidden ones.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

from gmmlib.exercises.values import decode, encode


@dataclass(frozen=True)
class Case:
    """One thing that is asked.

    Attributes
    ----------
    arguments : what the answer is called with; for a formula the point, a dictionary; None asks for
        the answer's own value
    right : the value that a right answer gives
    wrong : the values that the known mistakes give, in the order of ``Question.mistakes``
    suspect : name of the implementation that an invariant is asked about, if it is
    """

    arguments: Any
    right: Any
    wrong: tuple[Any, ...] = ()
    suspect: str | None = None


@dataclass(frozen=True)
class Group:
    """Cases that earn points together: all of them right, or no points.

    Attributes
    ----------
    name : what the cases have in common, such as ``far from every bell``
    points : of the question's points
    cases : at least one
    required : whether a failure here leaves the whole question without points
    hint : what to say to somebody who fails here with no known mistake
    """

    name: str
    points: float
    cases: tuple[Case, ...]
    required: bool = False
    hint: str = ""


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that people give, and what helps them; ``points`` is what it is worth."""

    name: str
    hint: str
    points: float = 0


@dataclass(frozen=True)
class Question:
    """A question with everything that judging an answer takes.

    Attributes
    ----------
    id : such as ``log-density``
    name : the variable that holds the answer
    kind : ``value``, ``function``, ``formula`` or ``invariant``
    groups, mistakes : see there
    relative : the relative difference up to which numbers agree
    suspects : source text of the implementations that an invariant is asked about, by their names
    """

    id: str
    name: str
    kind: str
    groups: tuple[Group, ...]
    mistakes: tuple[Mistake, ...] = ()
    relative: float = 1e-6
    suspects: dict[str, str] = field(default_factory=dict)

    @property
    def points(self) -> float:
        return sum(group.points for group in self.groups)

    @property
    def cases(self) -> tuple[Case, ...]:
        return tuple(case for group in self.groups for case in group.cases)


def pack(questions: tuple[Question, ...]) -> str:
    """The questions as one line of text that a notebook can carry.

    Base64 keeps an accidental glance from spoiling a hint; it hides nothing from anyone who looks.
    """
    data = json.dumps([_to_data(question) for question in questions], separators=(",", ":"))
    return base64.b64encode(data.encode()).decode()


def unpack(text: str) -> tuple[Question, ...]:
    """The questions that ``pack`` made ``text`` of."""
    return tuple(_from_data(data) for data in json.loads(base64.b64decode(text)))


def _to_data(question: Question) -> dict[str, Any]:
    return {
        "id": question.id,
        "name": question.name,
        "kind": question.kind,
        "relative": question.relative,
        "suspects": question.suspects,
        "mistakes": [[m.name, m.hint, m.points] for m in question.mistakes],
        "groups": [
            {
                "name": group.name,
                "points": group.points,
                "required": group.required,
                "hint": group.hint,
                "cases": [
                    [encode(c.arguments), encode(c.right), [encode(w) for w in c.wrong], c.suspect]
                    for c in group.cases
                ],
            }
            for group in question.groups
        ],
    }


def _from_data(data: dict[str, Any]) -> Question:
    groups = tuple(
        Group(
            group["name"],
            group["points"],
            tuple(
                Case(decode(arguments), decode(right), tuple(decode(w) for w in wrong), suspect)
                for arguments, right, wrong, suspect in group["cases"]
            ),
            group["required"],
            group["hint"],
        )
        for group in data["groups"]
    )
    mistakes = tuple(Mistake(*mistake) for mistake in data["mistakes"])
    return Question(
        data["id"], data["name"], data["kind"], groups, mistakes, data["relative"], data["suspects"]
    )
