"""What every kind of derivation shares: a chain of rows, the journal of attempts, the claim."""

import copy
import inspect
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
    """Mark a method as a step: journal the call, time the check, add the row it returns.

    The row's evidence is never stronger than that of what it argues from. A row that can't even be
    evaluated (sympy and numpy fail in many ways on what makes no sense) is refused as well.
    """
    signature = inspect.signature(method)

    @wraps(method)
    def checked(self, *args, **kwargs):
        arguments = dict(signature.bind(self, *args, **kwargs).arguments)
        del arguments["self"]
        self.journal.append(Attempt(self._snapshot(), method.__name__, arguments))
        began = time.process_time()
        try:
            row = method(self, **arguments)
        except StepError:
            raise
        except Exception as error:
            raise StepError(
                f"\n  derivation '{self.name}', step {len(self.steps) + 1}: {arguments['why']}"
                f"\n  can't be checked: {type(error).__name__}: {error}"
            ) from error
        evidence = weakest((row.evidence, *self.grounds))
        row = replace(row, evidence=evidence, seconds=time.process_time() - began)
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
        self.grounds: tuple[str, ...] = ()  # the evidence of the claims that the rows argue from

    def qed(self) -> Claim:
        """Close the chain and return its claim: the start against the end.

        Raises
        ------
        StepError
            If there is no row, the rows' inequalities point both ways, or more than one row takes
            a limit or a differential.
        """
        rows = [row for row in self.steps if row.note != "lemma"]
        if not rows:
            raise StepError(f"derivation '{self.name}' has no step")
        turns = [row for row in rows if row.relation != "="]
        relations = {row.relation for row in turns}
        if len(relations) > 1:
            raise StepError(f"derivation '{self.name}' mixes the relations {sorted(relations)}")
        relation = (relations or {"="}).pop()
        if len(turns) > 1 and relation not in (">=", "<="):
            raise StepError(f"derivation '{self.name}' has {len(turns)} rows '{relation}', not one")
        lhs = self.start
        if relation == "->":
            lhs = sp.Limit(self.start, *turns[0].lhs.args[1:])
        return self._finish(
            Claim(
                name=self.name,
                title=self.title,
                lhs=lhs,
                relation=relation,
                rhs=rows[-1].rhs,
                evidence=weakest(row.evidence for row in self.steps),
                steps=tuple(self.steps),
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
