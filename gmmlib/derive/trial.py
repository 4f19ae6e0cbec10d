"""Try an expression at random numbers, sharing nothing with sympy's calculus.

Derivatives are central differences, integrals quadrature, sums loops. sympy 1.14 returns some
derivatives as zero without a word; an evaluator that never asks it for one can't be fooled with it.
"""

import random

import mpmath as mp
import sympy as sp
from sympy import Derivative, Indexed, Integral, KroneckerDelta, Product, Sum
from sympy.core.function import AppliedUndef

DIGITS = 30


class Point(dict):
    """Random values, drawn when first asked for, each within its symbol's assumptions.

    A capital integer symbol is the size of a range (2 or 3), a small one an index (1 or 2).
    Keys are symbols, or ``(array, index, ...)`` for an entry of an array.
    """

    def __init__(self, seed: int, spread: float = 1.0, values=()):
        super().__init__(values)
        self.random = random.Random(seed)
        self.spread = spread
        self.whole = set()  # the keys of whole numbers

    def key(self, atom):
        """The key under which the value of a symbol or of an array's entry is kept."""
        if isinstance(atom, Indexed):
            return (str(atom.base.label), *[int(_evaluate(i, self)) for i in atom.indices])
        return atom

    def value(self, atom):
        key = self.key(atom)
        if key not in self:
            self[key] = self._draw(atom)
            if atom.is_integer:
                self.whole.add(key)
        return self[key]

    def _draw(self, atom):
        if atom.is_integer:
            size = atom.is_Symbol and atom.name[0].isupper()
            return mp.mpf(self.random.choice((2, 3) if size else (1, 2)))
        if atom.is_positive:
            return mp.exp(mp.mpf(self.random.gauss(0, 0.6 * self.spread)))
        if atom.is_nonnegative:
            return abs(mp.mpf(self.random.gauss(0, self.spread)))
        if atom.is_nonpositive:
            return -mp.exp(mp.mpf(self.random.gauss(0, 0.6 * self.spread)))
        return mp.mpf(self.random.gauss(0, 1.2 * self.spread))

    def smooth_function(self, applied):
        """A random smooth function of the non-integer arguments, one for each set of indices."""
        indices = [int(_evaluate(a, self)) for a in applied.args if a.is_integer]
        key = (applied.func.__name__ + "()", *indices)
        variables = [a for a in applied.args if not a.is_integer]
        if key not in self:
            draws = [mp.mpf(self.random.gauss(0, 0.7)) for _ in range(1 + 2 * len(variables))]
            self[key] = tuple(draws)
        level, *coefficients = self[key]
        for i, variable in enumerate(variables):
            t = _evaluate(variable, self)
            level += coefficients[2 * i] * t + coefficients[2 * i + 1] * mp.sin(t)
        return mp.exp(level) if applied.is_positive else level

    def nearby(self):
        """A point with the same whole numbers and functions, everything else a little changed."""
        twin = Point(0, self.spread, self)
        twin.random, twin.whole = self.random, self.whole
        for key, value in self.items():
            if key not in self.whole and not isinstance(value, tuple):
                twin[key] = value * mp.exp(mp.mpf(self.random.gauss(0, 0.3)))
        return twin

    def __str__(self):
        def name(key):
            return (
                f"{key[0]}[{','.join(map(str, key[1:]))}]" if isinstance(key, tuple) else key.name
            )

        shown = {
            name(key): value
            for key, value in self.items()
            if not isinstance(key, sp.Dummy) and not isinstance(value, tuple)
        }
        return ", ".join(f"{key} = {mp.nstr(shown[key], 4)}" for key in sorted(shown))


def try_at(count: int, *exprs, seed: int = 0, spread: float = 1.0):
    """Values of expressions at random points: ``[(point, [value, ...]), ...]``, `count` of them.

    A point where one of them divides by zero (a class without members, say) is passed over.
    """
    found = []
    for i in range(20 * count):
        point = Point(1000 * seed + i, spread)
        try:
            found.append((point, [evaluate(expr, point) for expr in exprs]))
        except ZeroDivisionError:
            continue
        if len(found) == count:
            return found
    raise ZeroDivisionError(f"fewer than {count} of {20 * count} random points are usable")


def evaluate(expr, point: Point, digits: int = DIGITS):
    """The value of an unevaluated sympy expression at a point, as an mpmath number.

    Raises NotImplementedError for a function that mpmath does not have under sympy's name.
    """
    with mp.workdps(digits):
        return _evaluate(sp.sympify(expr), point)


def _evaluate(expr, point):
    expr = sp.sympify(expr)
    if expr.is_Symbol or isinstance(expr, Indexed):
        return point.value(expr)
    if expr.is_Rational:
        return mp.mpf(expr.p) / expr.q
    if expr.is_Float:
        return mp.mpf(str(expr))
    for kind, rule in _RULES:
        if isinstance(expr, kind):
            return rule(expr, point)
    function = getattr(mp, type(expr).__name__, None)
    if function is None:
        raise NotImplementedError(f"no numeric rule for {type(expr).__name__}")
    return function(*[_evaluate(arg, point) for arg in expr.args])


def _constant(expr, point):
    return {sp.pi: +mp.pi, sp.E: +mp.e, sp.oo: mp.inf, -sp.oo: -mp.inf}[expr]


def _loop(expr, point):
    index, low, high = expr.limits[-1]
    inner = expr.func(expr.function, *expr.limits[:-1]) if expr.limits[:-1] else expr.function
    terms, outside = [], point.get(index)
    for i in range(int(_evaluate(low, point)), int(_evaluate(high, point)) + 1):
        point[index] = mp.mpf(i)
        terms.append(_evaluate(inner, point))
    _restore(point, index, outside)
    return mp.fsum(terms) if isinstance(expr, Sum) else mp.fprod(terms)


def _difference(expr, point):
    variable, order = expr.variable_count[-1]
    inner = (
        Derivative(expr.expr, *expr.variable_count[:-1]) if expr.variable_count[:-1] else expr.expr
    )
    key, here = point.key(variable), point.value(variable)

    def at(t):
        point[key] = t
        return _evaluate(inner, point)

    try:
        return mp.diff(at, here, int(order))
    finally:
        point[key] = here


def _quadrature(expr, point):
    variable, low, high = expr.limits[-1]
    inner = Integral(expr.function, *expr.limits[:-1]) if expr.limits[:-1] else expr.function
    outside = point.get(variable)

    def at(t):
        point[variable] = t
        return _evaluate(inner, point)

    low, high = _evaluate(low, point), _evaluate(high, point)
    # the random points live within a few units of zero: cut there, so that no peak is missed
    cuts = [low, *[mp.mpf(c) for c in (-6, -2, 0, 2, 6) if low < c < high], high]
    with mp.workdps(15):
        value = mp.quad(at, cuts)
    _restore(point, variable, outside)
    return value


def _restore(point, key, value):
    point.pop(key, None)
    if value is not None:
        point[key] = value


_RULES = [
    ((sp.NumberSymbol, sp.core.numbers.Infinity, sp.core.numbers.NegativeInfinity), _constant),
    (sp.Add, lambda e, w: mp.fsum(_evaluate(a, w) for a in e.args)),
    (sp.Mul, lambda e, w: mp.fprod(_evaluate(a, w) for a in e.args)),
    (sp.exp, lambda e, w: mp.exp(_evaluate(e.args[0], w))),
    (sp.Pow, lambda e, w: _evaluate(e.base, w) ** _evaluate(e.exp, w)),
    ((Sum, Product), _loop),
    (Derivative, _difference),
    (Integral, _quadrature),
    (KroneckerDelta, lambda e, w: mp.mpf(_evaluate(e.args[0], w) == _evaluate(e.args[1], w))),
    (sp.UnevaluatedExpr, lambda e, w: _evaluate(e.args[0], w)),
    (AppliedUndef, lambda e, w: w.smooth_function(e)),
]
