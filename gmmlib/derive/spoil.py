"""Does the engine have teeth? Spoil one side of a row at a time; every spoiled row must be refused.

A derivation journals its own calls. `spoiled_attempts` replays each from the state it was made in,
with one thing changed: a sign, a factor, an index, a term, a range, the direction of an inequality.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import sympy as sp
from sympy import Add, Indexed, Mul, Pow, Rational, Sum, log

from .chain import Attempt, Chain
from .steps import StepError

_SIDES = ("lhs", "rhs", "value", "solution", "equality")  # arguments that state mathematics


@dataclass(frozen=True)
class Spoiled:
    """One row with one thing wrong: where, what was done to it, and what it then said."""

    derivation: str
    row: int
    side: str
    kind: str
    original: sp.Basic
    spoiled: sp.Basic
    attempt: Attempt

    def refused(self) -> bool:
        """Whether the engine refuses the spoiled row."""
        twin = self.attempt.before._snapshot()
        arguments = dict(self.attempt.arguments)
        method = self.attempt.method
        if self.side == "direction":
            method = {"ge": "le", "le": "ge"}[method]
        elif self.side == "current":
            twin.current = self.spoiled
        else:
            arguments[self.side] = self.spoiled
        try:
            getattr(twin, method)(**arguments)
        except StepError:
            return True
        return False

    def __str__(self):
        return f"{self.derivation}, row {self.row}, {self.side}: {self.kind}: {self.spoiled}"


def spoiled_attempts(derivation: Chain) -> Iterator[Spoiled]:
    """Every way of spoiling one row of the derivation."""
    for row, attempt in enumerate(derivation.journal, start=1):
        sides = {side: attempt.arguments.get(side) for side in _SIDES}
        # A later row's left side is the right side of the row above, spoiled there; and many a
        # function shares a limit or a root, so only these rows are wrong when their left side is.
        if row == 1 and sides["lhs"] is None and attempt.method in ("eq", "ge", "le"):
            sides["current"] = attempt.before.current
        for side, original in sides.items():
            if original is None:
                continue
            for kind, spoiled in spoilings(original):
                yield Spoiled(derivation.name, row, side, kind, original, spoiled, attempt)
        if attempt.method in ("ge", "le"):
            yield Spoiled(derivation.name, row, "direction", "reversed", None, None, attempt)


def spoilings(expr) -> Iterator[tuple[str, sp.Basic]]:
    """The expression with one thing changed, and what it was."""
    expr = sp.sympify(expr)
    if isinstance(expr, sp.Equality):
        for kind, right in spoilings(expr.rhs):
            yield kind, sp.Eq(expr.lhs, right, evaluate=False)
        return
    seen = {expr}
    for kind, changed in _changes(expr):
        if changed not in seen and not changed.has(sp.nan, sp.zoo):
            seen.add(changed)
            yield kind, changed


def _changes(expr):
    yield "sign", -expr
    yield "factor 2", 2 * expr
    if expr == 0:
        yield "not zero", sp.Integer(1)
    for node, rebuild in _places(expr):
        for kind, changed in _node_changes(node, expr):
            try:
                yield kind, rebuild(changed)
            except (TypeError, ValueError):  # sympy can't build it: then nobody can write it either
                continue


def _places(expr, rebuild=lambda new: new):
    """Every subexpression with the function that puts another one in its place, and only there."""
    yield expr, rebuild
    if isinstance(expr, (Indexed, sp.MatrixSymbol)):
        return
    for position, arg in enumerate(expr.args):
        if isinstance(arg, sp.Tuple):  # the limits of a sum are spoiled with the sum
            continue

        def inside(new, position=position):
            args = [*expr.args[:position], new, *expr.args[position + 1 :]]
            return rebuild(expr.func(*args))

        yield from _places(arg, inside)


def _node_changes(node, expr):
    if isinstance(node, (Add, sp.MatAdd)):
        for term in node.args:
            rest = node.func(*[other for other in node.args if other is not term])
            yield "missing term", rest
            yield "sign of a term", rest - term
    if isinstance(node, (Mul, sp.MatMul)):
        for factor in node.args:
            if factor.is_Rational and factor not in (1, -1):
                yield "coefficient", node / abs(factor)
            elif isinstance(node, Mul) and len(node.args) > 1:
                yield "missing factor", Mul(*[f for f in node.args if f is not factor])
    if node == Rational(1, 2):
        yield "coefficient", sp.Integer(1)
    if isinstance(node, Pow) and node.exp == 2:
        yield "power", node.base
    if isinstance(node, log):
        yield "inverted logarithm", log(1 / node.args[0])
    if isinstance(node, sp.Inverse):
        yield "missing inverse", node.arg
    if isinstance(node, Sum):
        index, low, high = node.limits[-1]
        yield "range", Sum(node.function, *node.limits[:-1], (index, low + 1, high))
    if isinstance(node, Indexed):
        yield from _index_changes(node, expr)


def _index_changes(node, expr):
    if len(node.indices) == 2 and node.indices[0] != node.indices[1]:
        yield "swapped indices", node.base[node.indices[1], node.indices[0]]
    letters = {s for s in expr.atoms(sp.Symbol) if s.is_integer and s.name.islower()}
    for slot, index in enumerate(node.indices):
        for other in sorted(letters - set(node.indices), key=str):
            indices = [*node.indices[:slot], other, *node.indices[slot + 1 :]]
            if index.is_Symbol:
                yield "wrong index", node.base[tuple(indices)]
