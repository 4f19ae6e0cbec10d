"""A formula's value at a point, from the formula's text.

The text is sympy's ``srepr``. It is read by Python's own parser and walked; nothing in it is
executed, so that a formula from anyone may be read. The same walk serves the check in the notebook
and the grading.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy.special import digamma

from gmmlib.exercises.values import Formula

#: What a formula may be built of, beside sums, indexed symbols and constants.
FUNCTIONS: dict[str, Callable[..., float]] = {
    "Add": lambda *terms: math.fsum(terms),
    "Mul": lambda *factors: math.prod(factors),
    "Pow": lambda base, exponent: base**exponent,
    "log": math.log,
    "exp": math.exp,
    "Abs": abs,
    "KroneckerDelta": lambda i, j: float(i == j),
    # 1 + 1/2 + ... + 1/m, also between whole numbers: what sympy makes of such a sum.
    "harmonic": lambda m: float(digamma(m + 1) + np.euler_gamma),
}
CONSTANTS = {"pi": math.pi, "E": math.e}
_UNDONE = {"Derivative", "Integral", "Limit", "Subs"}

#: A formula of a problem set has some dozens of parts; a sum over a few rows takes each some times.
_MOST_STEPS = 200_000


class FormulaError(ValueError):
    """A formula that cannot be judged; the message says why, in words for its author."""


def evaluate(formula: Formula | str, point: Mapping[str, Any]) -> float:
    """The formula's value where its symbols have the values of ``point``.

    Parameters
    ----------
    formula : the ``srepr`` of a sympy expression
    point : symbol's name to a number, or to an array whose entry 1 is its first: ``x[1]``

    Returns
    -------
    float : NaN or infinity where the formula has no finite real value there

    Raises
    ------
    FormulaError
        If the text is no formula, or holds something that is not allowed or not in ``point``.
    """
    if len(formula) > 20_000:
        raise FormulaError("this formula is too long to be read")
    try:
        tree = ast.parse(str(formula), mode="eval").body
        return _Walk(point).value(tree, {})
    except (OverflowError, ZeroDivisionError):
        return math.inf
    except FormulaError:
        raise
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise FormulaError("this is not a formula") from error


class _Walk:
    def __init__(self, point: Mapping[str, Any]) -> None:
        self.point = point
        self.steps = 0

    def value(self, node: ast.expr, indices: Mapping[str, int]) -> float:
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise FormulaError("this formula takes too many steps to evaluate")
        match node:
            case ast.Name(id=name) if name in CONSTANTS:
                return CONSTANTS[name]
            case ast.Name(id=name):
                raise FormulaError(f"the formula holds {name}, which has no value here")
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self.call(name, arguments, indices)
        raise FormulaError("this is not a formula")

    def call(self, name: str, arguments: list[ast.expr], indices: Mapping[str, int]) -> float:
        match name, arguments:
            case "Integer", [number]:
                return _literal(number)
            case "Rational", [above, below]:
                return _literal(above) / _literal(below)
            case "Float", [ast.Constant(value=str(text)), *_] if len(text) < 400:
                return float(text)
            case (("Symbol" | "Dummy" | "Idx"), [first, *_]):
                return self.symbol(_name(first), indices)
            case "Indexed", [base, *places]:
                return self.indexed(_name(base), [self.value(p, indices) for p in places])
            case "Sum", [body, *ranges]:
                # Sum(f, (i, 1, N), (j, 1, i)): the last range is the outermost.
                return self.sum(body, ranges[::-1], indices)
        if name in _UNDONE:
            raise FormulaError(f"the formula still holds {name}(...): carry it out")
        if name not in FUNCTIONS:
            raise FormulaError(f"{name}(...) is not expected in this formula")
        values = [self.value(argument, indices) for argument in arguments]
        try:
            result = FUNCTIONS[name](*values)
        except (TypeError, ValueError):
            return math.nan
        return result if isinstance(result, float | int) else math.nan

    def symbol(self, name: str, indices: Mapping[str, int]) -> float:
        if name in indices:
            # A float: a power of whole numbers may have more digits than there is room for.
            return float(indices[name])
        if name not in self.point:
            known = ", ".join(self.point)
            raise FormulaError(f"the formula holds {name}, which is not one of {known}")
        number = self.point[name]
        if np.ndim(number):
            raise FormulaError(f"{name} needs an index, such as {name}[n]")
        return float(number)

    def indexed(self, name: str, places: list[float]) -> float:
        if name not in self.point:
            known = ", ".join(self.point)
            raise FormulaError(f"the formula holds {name}[...], which is not one of {known}")
        array = np.asarray(self.point[name], dtype=float)
        if array.ndim != len(places):
            raise FormulaError(f"{name} takes {array.ndim} indices here, not {len(places)}")
        place = tuple(int(at) - 1 for at in places)
        if not all(0 <= at < size for at, size in zip(place, array.shape, strict=True)):
            raise FormulaError(f"{name} has no entry {[int(at) for at in places]} here")
        return float(array[place])

    def sum(self, body: ast.expr, ranges: list[ast.expr], indices: Mapping[str, int]) -> float:
        if not ranges:
            return self.value(body, indices)
        match ranges[0]:
            case ast.Call(func=ast.Name(id="Tuple"), args=[index, first, last]):
                low, high = self.value(first, indices), self.value(last, indices)
            case _:
                raise FormulaError("a sum needs its range, such as (n, 1, N)")
        if not (math.isfinite(low) and math.isfinite(high) and high - low < 1000):
            raise FormulaError("a sum must run over a finite range, such as (n, 1, N)")
        return math.fsum(
            self.sum(body, ranges[1:], {**indices, _name(index): i})
            for i in range(int(low), int(high) + 1)
        )


def _literal(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int(number)):
            return float(number)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(number))):
            return -float(number)
    raise FormulaError("this is not a formula")


def _name(node: ast.expr) -> str:
    """The name in ``Symbol('x', real=True)``, ``IndexedBase(Symbol('x'))`` or ``'x'``."""
    match node:
        case ast.Constant(value=str(name)):
            return name
        case ast.Call(
            func=ast.Name(id="Symbol" | "IndexedBase" | "Idx" | "Dummy" | "Str"), args=[first, *_]
        ):
            return _name(first)
    raise FormulaError("this is not a formula")
