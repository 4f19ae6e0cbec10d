"""What every kind of derivation shares: a chain of rows, the journal of attempts, the claim."""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps

import sympy as sp

from .latex import latex
from .steps import Claim, Shown, Step, StepError, weakest


@dataclass(frozen=True)
class Attempt:
    """One call of a step method and the derivation as it was before; spoiling replays these."""

    before: "Chain"
    method: str
    arguments: dict


def step(method: Callable) -> Callable:
    """Mark a method as a step: journal the call, time the check, add the row it returns."""

    @wraps(method)
    def checked(self, *args, **kwargs):
        names = method.__code__.co_varnames[1 : method.__code__.co_argcount]
        arguments = dict(zip(names, args, strict=False)) | kwargs
        self.journal.append(Attempt(self._snapshot(), method.__name__, arguments))
        began = time.process_time()
        row = method(self, *args, **kwargs)
        row = replace(row, seconds=time.process_time() - began)
        self.steps.append(row)
        return row

    return checked


class Chain(Shown):
    """A derivation in the making: ``start`` and the rows that lead on from it.

    Parameters
    ----------
    name : the label of the finished claim, unique in the book
    title : what the derivation shows, in a few words
    start : the expression that the first row starts from
    """

    def __init__(self, name: str, title: str, start):
        self.name, self.title = name, title
        self.start = self.current = start
        self.steps: list[Step] = []
        self.journal: list[Attempt] = []

    def qed(self, fold: bool = False):
        """Close the chain and return its claim: the start against the end.

        Parameters
        ----------
        fold : show the rows in a fold under the claim (for long algebra shown nowhere else)

        Raises
        ------
        StepError
            If there is no row, or the rows' inequalities point both ways.
        """
        rows = [row for row in self.steps if row.note != "lemma"]
        if not rows:
            raise StepError(f"derivation '{self.name}' has no step")
        relations = {row.relation for row in rows} - {"="}
        if len(relations) > 1:
            raise StepError(f"derivation '{self.name}' mixes the relations {sorted(relations)}")
        last = rows[-1]
        lhs, relation, rhs = self.start, (relations or {"="}).pop(), last.rhs
        if relation == "->":
            lhs = sp.Limit(self.start, *last.lhs.args[1:])
        if relation in ("zero at", "d="):
            lhs = last.lhs if len(rows) == 1 else self.start
        return self._finish(
            Claim(
                name=self.name,
                title=self.title,
                lhs=lhs,
                relation=relation,
                rhs=rhs,
                evidence=weakest(row.evidence for row in self.steps),
                steps=tuple(self.steps),
                fold=fold,
            )
        )

    def _opens(self) -> bool:
        """Whether the next row is the first of the chain, and so shows its left side."""
        return all(row.note == "lemma" for row in self.steps)

    def _finish(self, claim: Claim) -> Claim:
        return claim

    def _snapshot(self) -> "Chain":
        twin = copy.copy(self)
        twin.steps, twin.journal = list(self.steps), []
        return twin

    def _refuse_padding(self, lhs, rhs, why):
        if lhs == rhs or latex(lhs) == latex(rhs):
            raise StepError(self._message(lhs, "=", rhs, why, "both sides are the same: no step"))

    def _message(self, lhs, relation, rhs, why, trouble):
        return (
            f"\n  derivation '{self.name}', step {len(self.steps) + 1}: {why}"
            f"\n       {sp.sstr(lhs)}\n    {relation} {sp.sstr(rhs)}\n  {trouble}"
        )
