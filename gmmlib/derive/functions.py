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
    and K are read off the arrays' shapes. It raises ValueError for a wrong number of values and
    NotImplementedError for a node it has no rule for.
    """

    def function(*values):
        if len(values) != len(arguments):
            raise ValueError(f"expected {len(arguments)} values {arguments}, got {len(values)}")
        table = _Table(dict(zip(arguments, values, strict=True)), given)
        result = table.whole(sp.sympify(expr), over)
        return result if over else float(result)

    return function


class _Table:
    """The arrays known so far: the arguments, and each definition once it is computed."""

    def __init__(self, values, given):
        self.arrays = {key: np.asarray(value, float) for key, value in values.items()}
        self.definitions = {_name(d.head): d for d in given}
        self.sizes = {}  # the sizes N, K, ... as the arrays' shapes tell them

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

    def _array(self, base):
        if base not in self.arrays:
            if base not in self.definitions:
                raise ValueError(f"no value for {base}: pass it, or give its definition")
            definition = self.definitions[base]
            indices = definition.head.indices if isinstance(definition.head, Indexed) else ()
            self.arrays[base] = self.whole(definition.body, indices)
        return self.arrays[base]

    def _range(self, index, expr) -> int:
        """How far a free index runs: the length of an axis that it counts."""
        for entry in sorted(expr.atoms(Indexed), key=str):
            for slot, used in enumerate(entry.indices):
                if used == index:
                    if entry.base in self.arrays:
                        return self.arrays[entry.base].shape[slot]
                    definition = self.definitions[entry.base]
                    return self._range(definition.head.indices[slot], definition.body)
        raise ValueError(f"can't tell how far the index {index} runs in {expr}")

    def _value(self, expr, scope):
        if expr in scope:
            return scope[expr]
        if isinstance(expr, Indexed):
            places = [self._value(i, scope).astype(int) - 1 for i in expr.indices]
            return self._array(expr.base)[tuple(places)]
        if expr.is_Symbol:
            return self.sizes[expr] if expr in self.sizes else self._array(expr)
        if expr.is_number:
            return np.asarray(float(expr))
        if isinstance(expr, Sum):
            return self._sum(expr, scope)
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
        if expr.func in _ELEMENTWISE:
            return _ELEMENTWISE[expr.func](args[0])
        raise NotImplementedError(f"no numpy rule for {expr.func.__name__}")

    def _sum(self, expr, scope):
        *inner, (index, low, high) = expr.limits
        body = Sum(expr.function, *inner) if inner else expr.function
        first = int(self._value(low, scope))
        if high.is_Symbol and high not in self.sizes and high not in self.arrays:
            self.sizes[high] = np.asarray(self._range(index, body))
        size = int(self._value(high, scope)) - first + 1
        terms = self._value(body, self._with_axis(scope, index, size, first))
        # a body that does not depend on the index comes back without the new axis
        return terms.sum(axis=0) if terms.ndim > len(scope) else terms * size


def _name(head):
    return head.base if isinstance(head, Indexed) else head
