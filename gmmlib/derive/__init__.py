"""Executable derivations: every row tried at random numbers, then proved by exact residual.

A chapter writes definitions, a chain of rows and its claim::

    D = Derivation("gibbs", "A divergence is not negative", divergence, given=[...])
    D.eq(rhs, "collect the logarithms")
    D.ge(0, "log t is at most t - 1", by=LogBound(...))
    claim = D.qed()

A row that does not hold raises `StepError`. The engine knows sympy, mpmath and numpy and nothing
of `gmmlib`'s mixtures; the book's symbols are in `gmmlib.derive.notation`.
"""

from .derivation import Derivation
from .functions import numpy_function
from .matrices import MatrixDerivation
from .rules import Jensen, LogBound, Positive, Square
from .steps import Agreement, Cited, Claim, Definition, Step, StepError, agree

__all__ = [
    "Agreement",
    "Cited",
    "Claim",
    "Definition",
    "Derivation",
    "Jensen",
    "LogBound",
    "MatrixDerivation",
    "Positive",
    "Square",
    "Step",
    "StepError",
    "agree",
    "numpy_function",
]
