"""Matrix steps: written for any dimension d, proved entry by entry for d = 1, 2, 3.

Each row is first tried with random matrices for d = 1 to 5 (differentials against central
differences of numpy arrays), then its residual is driven to zero with symbolic entries.
sympy's own derivative by a matrix symbol is never asked for: in 1.14 it returns zero for
log det(S), for a quadratic form and more, without a word. A derivative is written as a total
differential, d f = tr(G^T dX), and differentiated entry by entry.
"""

from dataclasses import replace

import numpy as np
import sympy as sp
from sympy import Determinant, Inverse, Matrix, MatrixSymbol, Symbol, Trace, Transpose

from .chain import Chain, step
from .notation import Form, d
from .proof import TOTAL_PATIENCE, time_limit
from .rational import is_zero
from .steps import Step, StepError

EXACT = (1, 2, 3)  # dimensions in which the residual is proved zero
TRIED = (*EXACT, 4, 5)  # dimensions of the random matrices
DRAWS = 3  # random points in each dimension


class MatrixDerivation(Chain):
    """A chain of equalities and differentials of matrix expressions in a symbolic dimension d.

    Parameters
    ----------
    name, title, start : see `Chain`
    positive_definite : matrix symbols that stand for symmetric positive definite matrices
    symmetric : matrix symbols that stand for symmetric matrices
    given : definitions of scalar symbols, shown folded and checked unfolded

    Evidence is "instances": exact for d = 1, 2, 3, in numbers for d = 4, 5. A logarithm is split as
    that of a positive number; where it is not one at a random point, the row fails there.
    """

    def __init__(self, name, title, start, positive_definite=(), symmetric=(), given=()):
        super().__init__(name, title, start)
        self.definitions = tuple(given)
        self.positive_definite = frozenset(positive_definite)
        self.symmetric = frozenset(symmetric) | self.positive_definite

    @step
    def eq(self, rhs, why: str, lhs=None) -> Step:
        """``lhs = rhs``; lhs is the end of the chain unless given, and then proved equal to it."""
        opening = lhs is not None or self._opens()
        lhs, rhs = self.current if lhs is None else sp.sympify(lhs), sp.sympify(rhs)
        self._refuse_padding(lhs, rhs, why)
        if lhs != self.current:
            self._prove_equal(self.current, lhs, f"the row starts from the chain's end ({why})")
        self._prove_equal(lhs, rhs, why)
        self.current = rhs
        return replace(self._row(lhs, "=", rhs, why), opens=opening)

    @step
    def differential(self, change: dict, rhs, why: str, of=None) -> Step:
        """``d f = rhs`` where f is the end of the chain; or `of`, then a lemma beside the chain.

        Parameters
        ----------
        change : the matrix symbols that vary, each with the symbol of its differential
        """
        function, rhs = self.current if of is None else sp.sympify(of), sp.sympify(rhs)
        for size, numbers in self._trials():
            claimed = evaluate(self._unfold(rhs), numbers)
            found = self._central_difference(self._unfold(function), change, numbers)
            self._agree(found, claimed, 1e-6, size, (function, "d=", rhs, why))
        for size in EXACT:
            entries = self._entries(size)
            with time_limit(TOTAL_PATIENCE):
                value = evaluate(self._unfold(function), entries, exact=True)
                total = _total_differential(value, change, entries)
                proved = _all_zero(total - evaluate(self._unfold(rhs), entries, exact=True))
            if not proved:
                self._fail(function, "d=", rhs, why, f"is not proved for d = {size}")
        row = self._row(function, "d=", rhs, why)
        if of is not None:
            return replace(row, note="lemma")
        self.current = rhs
        return row

    def _prove_equal(self, lhs, rhs, why):
        left, right = self._unfold(lhs), self._unfold(rhs)
        row = (lhs, "=", rhs, why)
        for size, numbers in self._trials():
            self._agree(evaluate(left, numbers), evaluate(right, numbers), 1e-9, size, row)
        for size in EXACT:
            entries = self._entries(size)
            with time_limit(TOTAL_PATIENCE):
                proved = _all_zero(evaluate(left, entries, True) - evaluate(right, entries, True))
            if not proved:
                self._fail(*row, f"is not proved for d = {size}")

    def _unfold(self, expr):
        for definition in reversed(self.definitions):
            expr = expr.xreplace({definition.head: definition.body})
        return expr

    def _row(self, lhs, relation, rhs, why):
        how = "entry by entry for d = 1, 2, 3; in numbers for d = 4, 5"
        return Step(lhs, relation, rhs, why, "instances", how, points=DRAWS * len(TRIED))

    def _trials(self):
        return [
            (size, Values(self, size, np.random.default_rng((size, draw))))
            for size in TRIED
            for draw in range(DRAWS)
        ]

    def _entries(self, size):
        return Values(self, size)

    @staticmethod
    def _central_difference(function, change, numbers, step=1e-5):
        evaluate(function, numbers)  # draws every symbol, so that both ends share the rest
        ends = []
        for sign in (1, -1):
            moved = numbers.copy()
            for symbol, differential in change.items():
                moved.known[symbol] = numbers[symbol] + sign * step * numbers[differential]
            ends.append(evaluate(function, moved))
        return (ends[0] - ends[1]) / (2 * step)

    def _agree(self, left, right, tolerance, size, row):
        left, right = np.asarray(left, float), np.asarray(right, float)
        if left.shape != right.shape:
            self._fail(*row, f"compares shapes {left.shape} and {right.shape} for d = {size}")
        if not np.max(np.abs(left - right)) <= tolerance * (1 + np.max(np.abs(left))):
            with np.errstate(all="ignore"):
                ratio = (left / right).ravel()
            hint = ""
            if np.all(np.isfinite(ratio)) and np.ptp(ratio) < 1e-6 * abs(ratio[0]):
                hint = f"\n  hint: left = {ratio[0]:.6g} x right: a missing factor or sign"
            self._fail(*row, f"fails for d = {size}: left = {left}, right = {right}{hint}")

    def _fail(self, lhs, relation, rhs, why, trouble):
        raise StepError(self._message(lhs, relation, rhs, why, trouble))


class Values:
    """A value for each symbol at one dimension: random numbers, or explicit symbolic entries."""

    def __init__(self, derivation: MatrixDerivation, size: int, random=None):
        self.derivation, self.size, self.random = derivation, size, random
        self.known = {d: size}

    def __getitem__(self, symbol):
        if symbol not in self.known:
            self.known[symbol] = self._draw(symbol)
        return self.known[symbol]

    def copy(self):
        twin = Values(self.derivation, self.size, self.random)
        twin.known = dict(self.known)
        return twin

    def _draw(self, symbol):
        if not isinstance(symbol, MatrixSymbol):
            if self.random is None:
                return symbol
            number = self.random.normal()
            return float(np.exp(number) if symbol.is_positive else number)
        rows, columns = (int(length.subs(d, self.size)) for length in symbol.shape)
        symmetric = symbol in self.derivation.symmetric
        if self.random is None:
            return Matrix(rows, columns, lambda a, b: _entry(symbol, a, b, symmetric))
        block = self.random.normal(size=(rows, columns))
        if symbol in self.derivation.positive_definite:
            return block @ block.T + np.eye(rows)
        return block + block.T if symmetric else block


def _entry(symbol, a, b, symmetric):
    a, b = (min(a, b), max(a, b)) if symmetric else (a, b)
    return Symbol(f"{symbol.name}_{a + 1}{b + 1}", real=True)


def evaluate(expr, values, exact: bool = False):
    """The value of a matrix expression, by numpy arrays or, exact, by sympy matrices.

    ``values[symbol]`` gives the value of each scalar or matrix symbol, the dimension d included.
    """
    if isinstance(expr, MatrixSymbol) or expr.is_Symbol:
        return values[expr]
    if isinstance(expr, (sp.Identity, sp.ZeroMatrix)):
        rows, columns = (int(length.subs(d, values[d])) for length in expr.shape)
        if isinstance(expr, sp.Identity):
            return sp.eye(rows) if exact else np.eye(rows)
        return sp.zeros(rows, columns) if exact else np.zeros((rows, columns))
    if expr.is_Number or expr.is_NumberSymbol:
        return expr if exact else float(expr)
    args = [evaluate(arg, values, exact) for arg in expr.args]
    if isinstance(expr, Inverse):
        return _adjugate_inverse(args[0]) if exact else np.linalg.inv(args[0])
    if isinstance(expr, sp.MatPow) and expr.exp.is_Integer:
        base, power = args[0], int(expr.exp)
        if exact:
            return (base if power > 0 else _adjugate_inverse(base)) ** abs(power)
        return np.linalg.matrix_power(base, power)
    if isinstance(expr, Transpose):
        return args[0].T
    if isinstance(expr, Trace):
        return args[0].trace()
    if isinstance(expr, Determinant):
        return args[0].det(method="berkowitz") if exact else np.linalg.det(args[0])
    if isinstance(expr, sp.MatAdd):
        return sum(args[1:], args[0])
    if isinstance(expr, sp.MatMul):
        return _product(args)
    if isinstance(expr, Form):
        return _product([args[0].T, args[1], args[2]])[0, 0]
    if expr.func not in _NUMERIC:
        raise NotImplementedError(f"no rule for {expr.func.__name__}")
    if exact:
        return expr.func(*args)
    with np.errstate(invalid="ignore", divide="ignore"):  # the comparison refuses what is no number
        return _NUMERIC[expr.func](args)


_NUMERIC = {
    sp.Add: sum,
    sp.Mul: np.prod,
    sp.Pow: lambda a: np.float64(a[0]) ** a[1],
    sp.log: lambda a: np.log(a[0]),
    sp.exp: lambda a: np.exp(a[0]),
}


def _product(factors):
    out = factors[0]
    for factor in factors[1:]:
        out = out @ factor if np.ndim(out) and np.ndim(factor) else out * factor
    return out


def _adjugate_inverse(matrix):
    # sympy's own inverse of a symbolic 3 x 3 matrix takes many times longer
    return matrix.adjugate() / matrix.det(method="berkowitz")


def _total_differential(value, change, entries):
    total = 0 * value
    for symbol, differential in change.items():
        moves = dict(zip(entries[symbol], entries[differential], strict=True))
        total = total + sum(
            (sp.diff(value, entry) * move for entry, move in moves.items()), 0 * value
        )
    return total


def _all_zero(residual):
    entries = residual if isinstance(residual, sp.MatrixBase) else [residual]
    return all(is_zero(_split_logs(sp.sympify(entry))) for entry in entries)


def _split_logs(expr):
    """Logarithms of ratios of determinants as differences; each polynomial written one way only.

    Determinants of positive definite matrices are positive, so the split is sound; a common sign
    of numerator and denominator is taken out first.
    """

    def split(argument):
        above, below = sp.fraction(sp.cancel(argument))
        if sp.Poly(below, *sorted(argument.free_symbols, key=str)).LC() < 0:
            above, below = sp.expand(-above), sp.expand(-below)
        parts = zip((1, -1), (sp.factor_list(above), sp.factor_list(below)), strict=True)
        return sum(
            sign * (sp.log(constant) + sum(power * sp.log(factor) for factor, power in factors))
            for sign, (constant, factors) in parts
        )

    return expr.replace(lambda e: isinstance(e, sp.log), lambda e: split(e.args[0]))
