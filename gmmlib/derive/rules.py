"""Rules that prove inequalities. Each checks its premises and says when equality holds.

A rule contributes an ``instance``: an expression that it has shown to be nonnegative. A step
``a >= b`` stands when ``a - b`` equals the sum of its rules' instances, residual exactly zero.
"""

from dataclasses import dataclass

import sympy as sp
from sympy import Sum, Symbol, log

from .proof import Context
from .steps import StepError


@dataclass(frozen=True)
class Instance:
    """A nonnegative expression, why it is, and the equations that hold exactly when it is zero."""

    expr: sp.Expr
    how: str
    zero_when: tuple[sp.Basic, ...]


def _require(holds, premise):
    if not holds:
        raise StepError(f"a premise of the rule fails: {premise}")


def _is(context: Context, expr, sign: str) -> bool:
    expr = sp.sympify(expr)
    return bool(getattr(expr, f"is_{sign}") or getattr(context.unfold(expr), f"is_{sign}"))


def _sum(expr, limits):
    return Sum(expr, *limits) if limits else expr


@dataclass(frozen=True)
class Jensen:
    """Concave f, weights w > 0 with sum 1: ``f(sum w t) - sum w f(t) >= 0``.

    Parameters
    ----------
    f : callable on sympy expressions, strictly concave on t > 0 (checked by its second derivative)
    weights, points : w and t, expressions in the index of ``over``; t must be positive
    over : limits of the averaging sum, such as ``(k, 1, K)``
    outer : limits of sums around the whole, such as ``((n, 1, N),)``
    """

    f: object
    weights: sp.Expr
    points: sp.Expr
    over: tuple
    outer: tuple = ()

    def instance(self, context: Context) -> Instance:
        u = Symbol("u", positive=True)
        _require(not self.f(u).has(self.over[0]), f"{self.f} is the same at every {self.over[0]}")
        curvature = sp.simplify(sp.diff(self.f(u), u, 2))
        _require(curvature.is_negative, f"{self.f} is strictly concave (f'' = {curvature})")
        _require(_is(context, self.weights, "positive"), f"the weights {self.weights} are positive")
        _require(_is(context, self.points, "positive"), f"the points {self.points} are positive")
        total = context.prove_zero(Sum(self.weights, self.over) - 1)
        _require(total, f"the weights {self.weights} sum to one")
        mean = Sum(self.weights * self.points, self.over)
        gap = self.f(mean) - Sum(self.weights * self.f(self.points), self.over)
        constant = sp.Eq(self.points, mean, evaluate=False)
        return Instance(_sum(gap, self.outer), "Jensen's inequality", (constant,))


@dataclass(frozen=True)
class LogBound:
    """``t - 1 - log t >= 0`` for t > 0, zero only at t = 1, summed with weights c > 0."""

    weight: sp.Expr
    t: sp.Expr
    over: tuple = ()

    def instance(self, context: Context) -> Instance:
        u = Symbol("u", positive=True)
        f = u - 1 - log(u)  # convex, and both zero and flat at 1: so 1 is its only zero
        lemma = f.subs(u, 1) == 0 and f.diff(u).subs(u, 1) == 0 and f.diff(u, 2).is_positive
        _require(lemma, "log t <= t - 1")
        _require(_is(context, self.weight, "positive"), f"the weight {self.weight} is positive")
        _require(_is(context, self.t, "positive"), f"{self.t} is positive")
        term = self.weight * (self.t - 1 - log(self.t))
        return Instance(_sum(term, self.over), "log t <= t - 1", (sp.Eq(self.t, 1),))


@dataclass(frozen=True)
class Square:
    """``c r^2 >= 0`` for real r and c > 0, zero only at r = 0, summed."""

    weight: sp.Expr
    root: sp.Expr
    over: tuple = ()

    def instance(self, context: Context) -> Instance:
        _require(_is(context, self.weight, "positive"), f"the weight {self.weight} is positive")
        _require(_is(context, self.root, "real"), f"{self.root} is real")
        zero = sp.Eq(self.root, 0, evaluate=False)
        return Instance(
            _sum(self.weight * self.root**2, self.over), "a square is not negative", (zero,)
        )


@dataclass(frozen=True)
class Positive:
    """A term that is positive by the assumptions on its parts; equality is never reached."""

    expr: sp.Expr
    over: tuple = ()

    def instance(self, context: Context) -> Instance:
        _require(_is(context, self.expr, "positive"), f"{self.expr} is positive")
        return Instance(_sum(self.expr, self.over), "a positive term", (sp.false,))
