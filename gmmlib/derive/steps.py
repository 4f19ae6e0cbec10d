"""What a derivation is made of: definitions, steps, claims, and the error that refuses a step."""

from dataclasses import dataclass, field

import numpy as np
import sympy as sp

#: How strong the evidence of a row is, strongest first.
EVIDENCE = ("proved", "instances", "tested", "cited")

#: Relations that a row may state. "zero at" reads: the left side vanishes exactly there.
RELATIONS = ("=", ">=", "<=", "->", "zero at", "d=")


class Shown:
    """What a notebook shows: mathematics, drawn by `render`."""

    def _repr_mimebundle_(self, include=None, exclude=None):
        from . import render  # render imports this module

        return {"text/markdown": render.myst(self), "text/html": render.html(self)}


class StepError(AssertionError):
    """A step that does not hold, or that nothing proves.

    The message names the derivation, the step and its justification, and gives the point at which
    it fails where there is one.
    """


@dataclass(frozen=True)
class Definition(Shown):
    """``head := body``: shown as the head, checked as the body.

    Parameters
    ----------
    head : Symbol or Indexed with plain index symbols, such as ``gamma[n, k]``
    body : sympy expression in the head's indices and other notation
    why : one phrase of Markdown, the reason or the reading of the definition
    label : name under which ``{eq}`` finds it; empty for an unnumbered definition
    assuming : a stated assumption, where a sign declared for the head does not follow from the body
    """

    head: sp.Expr
    body: sp.Expr
    why: str = "definition"
    label: str = ""
    assuming: str = ""
    evidence = "definition"

    def __post_init__(self):
        object.__setattr__(self, "body", sp.sympify(self.body))
        if isinstance(self.head, sp.Indexed):
            plain = all(index.is_Symbol for index in self.head.indices)
        else:
            plain = self.head.is_Symbol
        if not plain:
            raise StepError(f"{self.head} can't be defined: use a symbol, or an array at symbols")


@dataclass(frozen=True)
class Step(Shown):
    """One checked row: ``lhs relation rhs``, why it holds, and on what evidence."""

    lhs: sp.Basic
    relation: str
    rhs: sp.Basic
    why: str
    evidence: str = ""
    how: str = ""
    points: int = 0
    note: str = ""
    seconds: float = 0.0
    equality: sp.Basic | None = None  # the condition under which an inequality is an equality
    opens: bool = True  # False where the row continues the one above, so its left side is not shown


@dataclass(frozen=True)
class Claim(Shown):
    """What a finished derivation has shown; others may build on it (``given=[claim]``)."""

    name: str
    title: str
    lhs: sp.Basic
    relation: str
    rhs: sp.Basic
    evidence: str
    definitions: tuple[Definition, ...] = ()
    steps: tuple[Step, ...] = field(default=(), repr=False)

    @property
    def equality(self) -> sp.Basic | None:
        """The condition under which an inequality is an equality, where its one row states it."""
        conditions = [step.equality for step in self.steps if step.relation in (">=", "<=")]
        return conditions[0] if len(conditions) == 1 else None

    @property
    def seconds(self) -> float:
        """CPU seconds that the checks of all rows took."""
        return sum(step.seconds for step in self.steps)


@dataclass(frozen=True)
class Rewrite:
    """A proved equality used from left to right by the normal form of sums.

    ``indices`` are the free index symbols of the pattern: it holds for each value of them.
    """

    indices: tuple[sp.Symbol, ...]
    pattern: sp.Expr
    replacement: sp.Expr


def weakest(levels) -> str:
    """The weakest of several levels of evidence (definitions do not count)."""
    ranked = [level for level in levels if level in EVIDENCE]
    return max(ranked, key=EVIDENCE.index, default="proved")


@dataclass(frozen=True)
class Cited(Shown):
    """A statement that the book uses and does not derive, with its source.

    Parameters
    ----------
    name : its name in the list of what is only cited
    statement : the statement, in Markdown
    source : key in the bibliography
    """

    name: str
    statement: str
    source: str
    evidence: str = "cited"


@dataclass(frozen=True)
class Agreement(Shown):
    """A derived formula and `gmmlib`'s own number, compared on data.

    ``largest`` is the largest absolute difference relative to the largest absolute value.
    """

    name: str
    what: str
    largest: float
    tolerance: float


def agree(claim, derived, computed, what: str, tolerance: float = 1e-10) -> Agreement:
    """Compare a derived formula's value with a computed one.

    Parameters
    ----------
    claim : the claim (or labelled definition) that the formula comes from
    derived, computed : numbers or arrays of one shape
    what : what was compared and on which data, for the reader and the ledger
    tolerance : largest difference allowed, relative to the largest absolute value

    Raises
    ------
    StepError
        If the shapes or the values differ.
    """
    derived, computed = np.asarray(derived, float), np.asarray(computed, float)
    name = getattr(claim, "name", "") or claim.label
    if derived.shape != computed.shape:
        raise StepError(f"'{name}': shapes {derived.shape} and {computed.shape} ({what})")
    if not computed.size:
        raise StepError(f"'{name}': nothing to compare ({what})")
    scale = np.max(np.abs(computed))
    largest = float(np.max(np.abs(derived - computed)) / (scale if scale > 0 else 1.0))
    if not largest <= tolerance:
        hint = ""
        if scale < tolerance and np.max(np.abs(derived)) < tolerance:
            hint = "\n  hint: both are zero but for rounding, and a zero has no relative difference"
        raise StepError(
            f"'{name}': {what}: differ by {largest:.3g} relative, allowed {tolerance:g}{hint}"
        )
    return Agreement(name, what, largest, tolerance)
