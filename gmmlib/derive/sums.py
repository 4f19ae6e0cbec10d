"""A normal form for expressions with symbolic sums, and the decisions built on it.

`sympy.simplify` does not prove ``sum_n x_n == sum_k x_k``, or that finite sums may change places.
The normal form does what a reader does without a word: it pulls constants out of a sum, splits a
sum of terms, collapses a Kronecker delta, sorts independent sums, and rewrites with what was proved
before. Two expressions with the same normal form are equal; the reverse need not hold.

Ranges: a free index, a number and an entry of a label array are taken to lie in the range of the
sum that a Kronecker delta collapses; the index of another sum only where both run over one range.
"""

from itertools import groupby, permutations, product

import sympy as sp
from sympy import Add, Dummy, Indexed, Integral, KroneckerDelta, Mul, Pow, Sum, Symbol, log

from .steps import Rewrite


def fresh(expr):
    """The same expression with every bound index renamed: no substitution can capture one."""
    if not expr.has(Sum):
        return expr
    expr = expr.func(*[fresh(arg) for arg in expr.args]) if expr.args else expr
    if not isinstance(expr, Sum):
        return expr
    new = {v: Dummy(v.name, integer=True, positive=True) for v, *_ in expr.limits}
    limits = [(new[v], low.xreplace(new), high.xreplace(new)) for v, low, high in expr.limits]
    return Sum(expr.function.xreplace(new), *limits)


def with_range_outside(limits):
    """Order of summation, innermost first: the range that comes first in the alphabet is inside."""
    return sorted(limits, key=lambda limit: str(limit[2]))


def with_range_inside(limits):
    """The opposite order; some rewrites only match this way round."""
    return sorted(limits, key=lambda limit: str(limit[2]), reverse=True)


class SumNormalForm:
    """Callable: the normal form under given rewrites and one order of independent sums."""

    def __init__(self, rules: tuple[Rewrite, ...] = (), order=with_range_outside):
        self.rules, self.order = rules, order

    def __call__(self, expr):
        return self._form(fresh(expr), ())

    def _form(self, expr, bound):
        """The normal form; `bound` are the limits of the sums around the expression.

        No index may bear one of the form's own names yet, or it is captured: hence `fresh`.
        """
        if not expr.args or not expr.has(Sum):
            return expr
        if not isinstance(expr, Sum):
            return expr.func(*[self._form(arg, bound) for arg in expr.args])
        summand, limits = expr.function, list(expr.limits)
        while isinstance(summand, Sum):
            limits, summand = list(summand.limits) + limits, summand.function
        bound = (*bound, *limits)
        indices = {limit[0] for limit in limits}
        # sum_{j < i} depends on the order of its sums; independent ones may change places
        independent = not any(b.free_symbols & indices for limit in limits for b in limit[1:])
        orders = _orders(self.order(limits)) if independent else [limits]
        return min((self._nest(summand, order, bound) for order in orders), key=str)

    def _nest(self, summand, limits, bound):
        out = self._form(summand, bound)
        for limit in limits:
            out = self._sum_over(out, limit, bound)
        return out

    def _sum_over(self, summand, limit, bound):
        index, low, high = limit
        total = []
        summand = sp.expand(summand, log=False, power_base=False)
        for term in Add.make_args(summand):
            constant, dependent = term.as_independent(index, as_Add=False)
            factors = Mul.make_args(dependent)
            delta = next((f for f in factors if _picks(f, limit, bound)), None)
            if delta is not None:
                other = _other(delta, index)
                picked = (dependent / delta).subs(index, other)
                total.append(self._form(fresh(constant * picked), bound))
            elif dependent == 1:
                total.append(constant * (high - low + 1))
            else:
                # one name per nesting depth makes equal sums structurally equal
                name = Symbol(f"_{_depth(dependent)}", integer=True, positive=True)
                inner = Sum(dependent.xreplace({index: name}), (name, low, high))
                total.append(constant * self._rewrite(inner))
        return Add(*total)

    def _rewrite(self, summation):
        for rule in self.rules:
            free = [
                s for s in summation.free_symbols if s.is_integer and s != summation.limits[0][2]
            ]
            for choice in permutations(free, len(rule.indices)):
                match = dict(zip(rule.indices, choice, strict=True))
                if rule.pattern.xreplace(match) == summation:
                    return rule.replacement.xreplace(match)
        return summation


def rewrite_rule(lhs, rhs) -> Rewrite:
    """Turn the proved equality ``lhs = rhs`` (lhs a sum) into a rewrite for the normal form."""
    used = {i for entry in lhs.atoms(Indexed) for i in entry.indices if i.is_Symbol}
    free = sorted((lhs.free_symbols & used), key=str)
    indices = tuple(s for s in free if s.is_integer and not isinstance(s, Dummy))
    form = SumNormalForm()
    return Rewrite(indices, form(fresh(lhs)), form(fresh(sp.sympify(rhs))))


def _orders(limits):
    """All orders that differ only among sums of one range, which have no order of their own."""
    groups = [list(group) for _, group in groupby(limits, key=lambda limit: str(limit[2]))]
    return [sum(choice, ()) for choice in product(*map(permutations, groups))]


def _picks(factor, limit, bound):
    """A Kronecker delta that picks one value, sure to be in range, of the summation index itself.

    Not of c[index]; and not the index m of another range, nor an i that bounds this range.
    """
    index, low, high = limit
    if not isinstance(factor, KroneckerDelta) or index not in factor.args:
        return False
    other = _other(factor, index)
    ranges = {v: (start, end) for v, start, end in bound}
    if other.has(index) or low != 1 or high.free_symbols & {*ranges, *other.free_symbols}:
        return False
    if other in ranges:
        return ranges[other] == (low, high)
    return isinstance(other, Indexed) or not other.free_symbols & set(ranges)


def _other(delta, index):
    """What a Kronecker delta compares the index with."""
    return delta.args[0] if delta.args[1] == index else delta.args[1]


def _depth(expr):
    return max((len(s.limits) + _depth(s.function) for s in expr.atoms(Sum)), default=0)


def as_rational(expr):
    """Decide a rational function of sums, logarithms and other atoms: 0 if it is 0 throughout."""
    expr = _exponentials_as_powers(expr)
    roots = {
        power.base
        for power in expr.atoms(Pow)
        if power.exp.is_Rational and power.exp.q == 2 and power.base.is_positive
        if power.base.is_Symbol or isinstance(power.base, Indexed) or power.base.is_NumberSymbol
    }
    squares = {base: Dummy(positive=True) ** 2 for base in roots}  # sqrt(v) becomes a power of one
    return sp.cancel(_atomise(expr.xreplace(squares)))


def _exponentials_as_powers(expr):
    """exp(a + 2 b) becomes A B^2, so that exp(-a) is seen to cancel exp(a)."""
    expr = expr.replace(lambda e: isinstance(e, sp.tanh), lambda e: e.rewrite(sp.exp))
    exponents = {
        node: [term.as_coeff_Mul() for term in Add.make_args(sp.expand(node.args[0]))]
        for node in expr.atoms(sp.exp)
    }
    letters, parts = {}, {}
    for terms in exponents.values():
        for coefficient, rest in terms:
            letters.setdefault(rest, Dummy(positive=True))
            parts[rest] = sp.ilcm(parts.get(rest, 1), sp.Rational(coefficient).q)
    return expr.xreplace(
        {
            node: Mul(*[letters[rest] ** (c * parts[rest]) for c, rest in terms])
            for node, terms in exponents.items()
        }
    )


def _atomise(expr):
    """Replace every maximal node that is no rational operation by a symbol of its own."""
    table = {}

    def walk(node):
        if not node.args:
            return node
        rational = isinstance(node, (Add, Mul)) or (isinstance(node, Pow) and node.exp.is_Integer)
        if not rational and not (isinstance(node, Pow) and not node.free_symbols):
            return table.setdefault(node, Dummy(f"a{len(table)}"))
        return node.func(*[walk(arg) for arg in node.args])

    return walk(expr)


def expand_logs(expr):
    """Expand logarithms; ``log(a + b)`` becomes ``log a + log(1 + b/a)``, written one way only."""
    if not expr.args:
        return expr
    expr = expr.func(*[expand_logs(arg) for arg in expr.args])
    if not isinstance(expr, log):
        return expr
    argument = expr.args[0]
    numerator, denominator = (
        sp.fraction(sp.together(argument)) if argument.is_Add else (argument, 1)
    )
    numerator = sp.expand(numerator, log=False, power_exp=False)
    if not (numerator.is_Add and all(term.is_positive for term in numerator.args)):
        return sp.expand_log(log(numerator / denominator))

    def variable_part(term):
        return sp.default_sort_key(term.as_independent(*term.free_symbols, as_Add=False)[1])

    lead = min(numerator.args, key=variable_part)
    ratio = Add(*[sp.powsimp(sp.expand(t / lead, power_exp=False)) for t in numerator.args])
    return sp.expand_log(log(lead)) + log(ratio) - sp.expand_log(log(denominator))


def combine_sums(expr):
    """Gather sums over the same ranges into one and decide its summand as a rational function."""
    by_limits, rest = {}, []
    for term in Add.make_args(sp.expand(expr, deep=False)):
        constant, summation = term.as_independent(Sum, as_Add=False)
        if not isinstance(summation, Sum):
            rest.append(term)
            continue
        names = {
            limit[0]: Symbol(f"_m{i}", integer=True, positive=True)
            for i, limit in enumerate(summation.limits)
        }
        limits = tuple(sp.Tuple(*limit).xreplace(names) for limit in summation.limits)
        by_limits.setdefault(limits, []).append(constant * summation.function.xreplace(names))
    if len(by_limits) == 1 and rest and len(next(iter(by_limits))) == 1:
        ((_, low, high),) = limits = next(iter(by_limits))
        by_limits[limits].append(Add(*rest) / (high - low + 1))  # a constant is a sum of its share
        rest = []
    decided = {limits: as_rational(Add(*terms)) for limits, terms in by_limits.items()}
    return Add(*rest) + Add(*[Sum(term, *limits) for limits, term in decided.items() if term != 0])


def evaluate_integrals(expr):
    """Integrate term by term, finite sums outside: far faster than handing sympy the whole."""

    def integrate(f, limits):
        constant, f = f.as_independent(*[limit[0] for limit in limits], as_Add=False)
        if isinstance(f, Add):
            return constant * Add(*[integrate(term, limits) for term in f.args])
        factors = Mul.make_args(f)
        inner = next((factor for factor in factors if isinstance(factor, Sum)), None)
        if inner is not None:
            renamed = fresh(inner)
            inside = integrate(f / inner * renamed.function, limits)
            return constant * Sum(inside, *renamed.limits)
        # split a polynomial factor by hand: expand(f) can push exp into a denominator and then hang
        split = next((a for a in factors if a.is_Add or _is_power_of_sum(a)), None)
        if split is not None:
            terms = split.args if split.is_Add else Add.make_args(sp.expand(split))
            return constant * Add(*[integrate(f / split * term, limits) for term in terms])
        plain = {e: Dummy(positive=e.is_positive, real=True) for e in f.atoms(Indexed)}
        f = f.xreplace(plain)
        for limit in limits:
            f = sp.integrate(f, limit)
        return constant * sp.simplify(f).xreplace({dummy: e for e, dummy in plain.items()})

    return expr.replace(
        lambda e: isinstance(e, Integral), lambda e: integrate(e.function, e.limits)
    )


def _is_power_of_sum(expr):
    return isinstance(expr, Pow) and expr.base.is_Add and expr.exp.is_Integer and expr.exp > 0
