"""Decide whether a rational function is identically zero, without a common divisor in sight.

The residual of a matrix step has hundreds of terms over powers of one determinant. `sympy.cancel`
finds greatest common divisors, which takes seconds; to see a zero it is enough to bring all terms
to one denominator, kept as a product of powers, and to look at the numerator.
"""

from collections import Counter
from dataclasses import dataclass
from functools import reduce
from math import prod

import sympy as sp
from sympy.polys.rings import PolyElement


@dataclass(frozen=True)
class _Fraction:
    """A numerator over a product of powers of polynomials."""

    above: PolyElement
    below: Counter  # polynomial -> power

    def __add__(self, other: "_Fraction") -> "_Fraction":
        common = self.below | other.below  # the larger of the two powers
        above = self.above * _product(common - self.below)
        return _Fraction(above + other.above * _product(common - other.below), common)

    def __mul__(self, other: "_Fraction") -> "_Fraction":
        return _Fraction(self.above * other.above, self.below + other.below)

    def inverse(self) -> "_Fraction":
        if self.above == 0:
            raise ZeroDivisionError("a denominator is identically zero")
        return _Fraction(self.above.ring.one * _product(self.below), Counter({self.above: 1}))


def _product(powers: Counter):
    return prod(polynomial**power for polynomial, power in powers.items())


def is_zero(expr) -> bool:
    """Whether an expression is zero as a rational function of its symbols.

    Anything that is no rational operation (a logarithm, pi) counts as a symbol of its own, so
    True is a proof and False is not. Raises ZeroDivisionError where a denominator is zero.
    """
    atoms = sorted(_atoms(expr), key=sp.default_sort_key)
    names = [sp.Dummy(f"a{i}") for i in range(max(len(atoms), 1))]
    ring = sp.ring(names, sp.QQ)[0]
    generators = dict(zip(atoms, ring.gens, strict=False))

    def walk(node) -> _Fraction:
        if node in generators:
            return _Fraction(generators[node], Counter())
        if node.is_Rational:
            return _Fraction(ring(sp.QQ(node.p, node.q)), Counter())
        if node.is_Add:
            return reduce(_Fraction.__add__, map(walk, node.args))
        if node.is_Mul:
            return reduce(_Fraction.__mul__, map(walk, node.args))
        base = walk(node.base)  # an integer power: nothing else is left
        power = reduce(_Fraction.__mul__, [base] * abs(int(node.exp)))
        return power.inverse() if node.exp < 0 else power

    return walk(expr).above == 0


def _atoms(expr) -> set:
    if expr.is_Rational:
        return set()
    if expr.is_Add or expr.is_Mul or (expr.is_Pow and expr.exp.is_Integer and expr.exp != 0):
        return set().union(*map(_atoms, expr.args[:1] if expr.is_Pow else expr.args))
    return {expr}
