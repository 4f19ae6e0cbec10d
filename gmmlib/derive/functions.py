"""The numpy function of a derived expression: the same formula, evaluated on real data.

Indices run from 1 in the text and from 0 in the arrays. Sums become sums over an axis; a defined
array such as gamma[n, k] is computed once, whole, and then looked up.
"""

from collections.abc import Callable

import numpy as np
import sympy as sp
from scipy.stats import norm
from sympy import Indexed, KroneckerDelta, Sum

from .notation import Normal
from .proof import base

_ARITHMETIC = (sp.Add, sp.Mul, sp.Pow, Normal, KroneckerDelta, sp.UnevaluatedExpr)
_ELEMENTWISE = {sp.exp: np.exp, sp.log: np.log, sp.tanh: np.tanh, sp.cosh: np.cosh}


def numpy_function(expr, *arguments, given=(), over=()) -> Callable:
    """A function of arrays that evaluates ``expr``.

    Parameters
    ----------
    expr : a derived expression without derivatives or integrals
    arguments : the symbols and arrays (IndexedBase) that the function takes, in this order
    given : the definitions that ``expr`` is written with
    over : free indices of ``expr``, which become the axes of the result in this order

    Returns
    -------
    function(*values) -> float, or an array with one axis for each index in `over`; sizes such as N
    and K are read off the arrays' shapes. It raises ValueError for a wrong number of values, a
    value that is missing, arrays that disagree on a size and indices off their ends, and
    NotImplementedError for a node it has no rule for.
    """

    def function(*values):
        if len(values) != len(arguments):
            raise ValueError(f"expected {len(arguments)} values {arguments}, got {len(values)}")
        table = _Table(dict(zip(arguments, values, strict=True)), given, body)
        result = table.whole(body, over)
        return result if over else float(result)

    body = sp.sympify(expr)
    return function


class _Table:
    """The arrays known so far: the arguments, and each definition once it is computed."""

    def __init__(self, values, given, expr):
        self.arrays = {key: np.asarray(value, float) for key, value in values.items()}
        self.definitions = {base(d.head): d for d in given}
        written = sp.Tuple(expr, *(d.body for d in given))
        self.limits = [(*limit, s.function) for s in written.atoms(Sum) for limit in s.limits]

    def whole(self, expr, indices):
        """The expression for all values of its free indices: one axis each."""
        scope = {}
        for index in reversed(indices):
            scope = self._with_axis(scope, index, self._range(index, expr))
        result = self._value(expr, scope)
        shape = tuple(self._range(index, expr) for index in indices)
        return np.broadcast_to(result, shape)

    @staticmethod
    def _with_axis(scope, index, size, low=1):
        """The scope with one more index, on a new leading axis; older ones broadcast behind it."""
        numbers = np.arange(low, low + size).reshape((size,) + (1,) * len(scope))
        return scope | {index: numbers}

    def _array(self, name):
        """The array of a name: passed in, or computed from its definition, or a size."""
        if name not in self.arrays:
            if name in self.definitions:
                definition = self.definitions[name]
                indices = definition.head.indices if isinstance(definition.head, Indexed) else ()
                self.arrays[name] = self.whole(definition.body, indices)
            else:
                self.arrays[name] = np.asarray(self._size(name), float)
        return self.arrays[name]

    def _size(self, name) -> int:
        """A size N, K, ...: the length of the axes that the indices running up to it count."""
        ranges = ((index, body) for index, _, high, body in self.limits if high == name)
        lengths = set().union(*(self._lengths(index, body) for index, body in ranges))
        if not lengths:
            raise ValueError(f"no value for {name}: pass it, or give its definition")
        if len(lengths) > 1:
            raise ValueError(f"the arrays disagree on {name}: {sorted(lengths)}")
        return lengths.pop()

    def _range(self, index, expr) -> int:
        """How far a free index runs: the length of the axes that it counts."""
        lengths = self._lengths(index, expr)
        if len(lengths) != 1:
            found = f"axes of lengths {sorted(lengths)}" if lengths else "no axis"
            raise ValueError(f"can't tell how far {index} runs: it counts {found} in {expr}")
        return lengths.pop()

    def _lengths(self, index, expr) -> set[int]:
        found = set()
        for entry in expr.atoms(Indexed):
            definition = self.definitions.get(entry.base)
            for slot in (slot for slot, used in enumerate(entry.indices) if used == index):
                if entry.base in self.arrays:
                    found.add(self._axes(entry)[slot])
                elif definition is not None:
                    found |= self._lengths(definition.head.indices[slot], definition.body)
        return found

    def _axes(self, entry) -> tuple[int, ...]:
        shape = self._array(entry.base).shape
        if len(shape) != len(entry.indices):
            raise ValueError(f"{entry} has another number of indices than its array of {shape}")
        return shape

    def _value(self, expr, scope):
        if expr in scope:
            return scope[expr]
        if isinstance(expr, Indexed):
            places = [self._value(i, scope).astype(int) - 1 for i in expr.indices]
            for place, length in zip(places, self._axes(expr), strict=True):
                if np.min(place, initial=0) < 0 or np.max(place, initial=0) >= length:
                    raise ValueError(f"an index of {expr} runs outside 1 ... {length}")
            return self._array(expr.base)[tuple(places)]
        if expr.is_Symbol:
            return self._array(expr)
        if expr.is_number:
            return np.asarray(float(expr))
        if isinstance(expr, Sum):
            return self._sum(expr, scope)
        if not isinstance(expr, _ARITHMETIC) and expr.func not in _ELEMENTWISE:
            raise NotImplementedError(f"no numpy rule for {expr.func.__name__}")
        args = [self._value(arg, scope) for arg in expr.args]
        if isinstance(expr, sp.Add):
            return sum(args)
        if isinstance(expr, sp.Mul):
            return np.prod(np.broadcast_arrays(*args), axis=0)
        if isinstance(expr, sp.Pow):
            return args[0] ** args[1]
        if isinstance(expr, Normal):
            return norm.pdf(args[0], args[1], np.sqrt(args[2]))
        if isinstance(expr, KroneckerDelta):
            return (args[0] == args[1]).astype(float)
        if isinstance(expr, sp.UnevaluatedExpr):
            return args[0]
        return _ELEMENTWISE[expr.func](args[0])

    def _sum(self, expr, scope):
        *inner, (index, low, high) = expr.limits
        body = Sum(expr.function, *inner) if inner else expr.function
        first = int(self._value(low, scope))
        last = self._value(high, scope)
        size = int(np.max(last)) - first + 1
        inside = self._with_axis(scope, index, size, first)
        terms = self._value(body, inside)
        if np.ndim(last):  # the range depends on an index further out, as in sum_{m < i}
            return np.where(inside[index] <= last, terms, 0.0).sum(axis=0)
        # a body that does not depend on the index comes back without the new axis
        return terms.sum(axis=0) if terms.ndim > len(scope) else terms * size
