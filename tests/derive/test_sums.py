"""The normal form of symbolic sums: what it identifies, and what it keeps apart."""

import mpmath as mp
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from sympy import Integral, KroneckerDelta, Sum, Symbol, exp, log, oo

from gmmlib.derive.notation import (
    K,
    N,
    component,
    counts,
    d,
    i,
    j,
    joint,
    k,
    l,
    m,
    means,
    n,
    q,
    responsibilities,
    variances,
    weights,
    x,
    z,
)
from gmmlib.derive.proof import Context
from gmmlib.derive.sums import (
    SumNormalForm,
    as_rational,
    combine_sums,
    evaluate_integrals,
    expand_logs,
    fresh,
    rewrite_rule,
    with_range_inside,
    with_range_outside,
)
from gmmlib.derive.trial import Point, evaluate

A, B = sp.symbols("a b", positive=True)
X = Symbol("x", real=True)
h = sp.IndexedBase("h", real=True)
over, rows = (k, 1, K), (n, 1, N)
square = [(m, 1, d), (i, 1, d)]


def form(expr, rules=()):
    return SumNormalForm(rules)(sp.sympify(expr))


def same(left, right, rules=()):
    return as_rational(form(left - right, rules)) == 0


IDENTITIES = {
    "linear": (Sum(2 * x[n] + A, rows), 2 * Sum(x[n], rows) + N * A),
    "renamed": (Sum(x[n], rows), Sum(x[k], (k, 1, N))),
    "constant out": (Sum(A * x[n] * weights[k], rows), A * weights[k] * Sum(x[n], rows)),
    "exchanged": (Sum(q[n, k], over, rows), Sum(q[n, k], rows, over)),
    "nested or flat": (Sum(Sum(q[n, k], over), rows), Sum(q[n, k], over, rows)),
    "factorised": (Sum(x[n] * weights[k], over, rows), Sum(x[n], rows) * Sum(weights[k], over)),
    "names swapped": (Sum(h[i, m], *square), Sum(h[m, i], *square)),
    "bracket": (Sum((x[n] - A) ** 2, rows), Sum(x[n] ** 2 - 2 * A * x[n] + A**2, rows)),
    "delta picks": (Sum(KroneckerDelta(k, l) * weights[k], over), weights[l]),
    "delta, turned": (Sum(KroneckerDelta(l, k) * weights[k], over), weights[l]),
    "delta of a label": (Sum(KroneckerDelta(component[n], k), over), sp.Integer(1)),
    "delta, both bound": (
        Sum(KroneckerDelta(i, k) * q[n, i] * weights[k], over, (i, 1, K)),
        Sum(q[n, k] * weights[k], over),
    ),
    "triangle": (Sum(h[i, m], (m, 1, i - 1), (i, 1, d)), Sum(h[k, l], (l, 1, k - 1), (k, 1, d))),
    "triangle, constant": (Sum(A, (m, 1, i - 1), (i, 1, d)), A * Sum(i - 1, (i, 1, d))),
}

DIFFERENT = {
    "power of a sum": (Sum(x[n] ** 2, rows), Sum(x[n], rows) ** 2),
    "product of sums": (Sum(x[n] ** 2, rows), Sum(x[n], rows) * Sum(x[n], rows)),
    "another range": (Sum(x[n], rows), Sum(x[n], (n, 1, K))),
    "another start": (Sum(x[n], rows), Sum(x[n], (n, 2, N))),
    "free and bound": (Sum(x[n], rows), N * x[n]),
    "log of a sum": (log(Sum(q[n, k], over)), Sum(log(q[n, k]), over)),
    "indices swapped": (Sum(q[n, k], over), Sum(q[k, n], over)),
    "diagonal": (Sum(h[i, m], *square), Sum(h[i, i], *square)),
    "triangle turned over": (
        Sum(h[i, m], (m, 1, i - 1), (i, 1, d)),
        Sum(h[m, i], (m, 1, i - 1), (i, 1, d)),
    ),
    "triangle as a square": (Sum(h[i, m], (m, 1, i - 1), (i, 1, d)), Sum(h[i, m], *square)),
    "label summed over rows": (
        Sum(KroneckerDelta(component[n], k) * x[n], rows),
        x[k],
    ),
    "label of its own row": (Sum(KroneckerDelta(component[n], n), rows), sp.Integer(1)),
    "log of a square": (Sum(log(x[n] ** 2), rows), 2 * Sum(log(x[n]), rows)),
    "delta out of a triangle": (Sum(KroneckerDelta(i, m), (m, 1, i - 1)), sp.Integer(1)),
    "delta of another range": (Sum(KroneckerDelta(n, k) * x[k], rows, over), Sum(x[k], over)),
    "delta of another range, nested": (
        Sum(x[k] * Sum(KroneckerDelta(n, k), rows), over),
        Sum(x[k], over),
    ),
    "delta of a later start": (
        Sum(KroneckerDelta(k, 1) * weights[k], (k, 2, K)),
        weights[1],
    ),
}


@pytest.mark.parametrize("pair", IDENTITIES.values(), ids=IDENTITIES)
def test_identities_are_recognised(pair):
    assert same(*pair)
    assert as_rational(SumNormalForm((), with_range_inside)(pair[0] - pair[1])) == 0


@pytest.mark.parametrize("pair", DIFFERENT.values(), ids=DIFFERENT)
def test_what_differs_is_kept_apart(pair):
    assert not same(*pair)
    assert as_rational(SumNormalForm((), with_range_inside)(pair[0] - pair[1])) != 0


ATOMS = [A, x[n], x[k], weights[k], q[n, k], KroneckerDelta(k, l), sp.Integer(2)]


@st.composite
def summands(draw):
    terms = draw(st.lists(st.lists(st.sampled_from(ATOMS), min_size=1, max_size=3), max_size=3))
    return sp.Add(*[sp.Mul(*factors) for factors in terms])


@given(summands(), summands(), st.permutations([over, rows]), st.integers(0, 10**6))
def test_the_normal_form_keeps_the_value(first, second, limits, seed):
    expr = Sum(first * Sum(second, limits[0]) + Sum(second * h[n, k], (m, 1, K)), *limits)
    point = Point(seed, values={N: mp.mpf(3), K: mp.mpf(2)})
    before = evaluate(expr, point)
    for order in (with_range_outside, with_range_inside):
        after = evaluate(SumNormalForm((), order)(expr), point)
        assert abs(before - after) < 1e-12 * (1 + abs(before))


def test_the_indices_of_three_and_more_sums_stay_apart():
    """One name for each sum around another, also where sympy has flattened sums into one."""
    cube = sp.IndexedBase("T", real=True)
    limits = [(index, 1, d) for index in (i, j, m)]
    whole, diagonal = Sum(cube[i, j, m], *limits), d * Sum(cube[i, i, m], limits[0], limits[2])
    assert same(whole, Sum(cube[m, i, j], *limits))
    assert not same(whole, diagonal)
    point = Point(0, values={d: mp.mpf(3)})
    assert abs(evaluate(whole - form(whole), point)) < 1e-12


@pytest.mark.parametrize("first", [with_range_outside, with_range_inside])
@pytest.mark.parametrize("second", [with_range_outside, with_range_inside])
def test_a_second_pass_does_not_take_the_names_of_the_first_for_its_own(first, second):
    mixed = Sum(KroneckerDelta(k, l) * Sum(q[n, k], over) + q[n, k], over, rows)
    for expr in (mixed, *(side for pair in IDENTITIES.values() for side in pair)):
        once = SumNormalForm((), first)(expr)
        twice = SumNormalForm((), second)(once)
        point = Point(0, values={N: mp.mpf(3), K: mp.mpf(2), d: mp.mpf(3), n: mp.mpf(2)})
        values = [evaluate(e, point) for e in (expr, once, twice)]
        assert max(values) - min(values) < 1e-12


class TestRewrites:
    ones = rewrite_rule(Sum(q[n, k], over), 1)

    def test_what_was_proved_is_used_for_every_index(self):
        assert same(Sum(q[j, l] * A, (l, 1, K)), A, (self.ones,))
        assert same(Sum(x[n] * q[n, k], over, rows), Sum(x[n], rows), (self.ones,))

    def test_it_is_not_used_for_another_range_or_another_array(self):
        for other in (Sum(q[n, k], (n, 1, K)), Sum(q[n, k], (k, 1, N)), Sum(joint[n, k], over)):
            assert not same(other, 1, (self.ones,))

    def test_a_sum_folds_into_the_head_that_it_defines(self):
        folds = rewrite_rule(Sum(responsibilities[n, k], rows), counts[k])
        assert same(Sum(responsibilities[n, j] * A, rows), A * counts[j], (folds,))

    def test_a_free_index_is_not_captured_by_a_sum_on_the_other_side(self):
        rule = rewrite_rule(Sum(q[n, k], over), Sum(h[n, l], (l, 1, K)))
        captured = Sum(h[l, l], (l, 1, K))
        right = Sum(h[l, m], (m, 1, K))
        assert same(Sum(q[l, k], over), right, (rule,))
        assert not same(Sum(q[l, k], over), captured, (rule,))


class TestFresh:
    def test_substitution_for_a_free_index_captures_nothing(self):
        expr = fresh(Sum(q[n, k], over)).xreplace({n: k})
        (index, _, _) = expr.limits[0]
        assert expr.function == q[k, index]
        assert index != k

    def test_ranges_that_depend_on_an_index_follow_it(self):
        inner, outer = fresh(Sum(h[i, m], (m, 1, i - 1), (i, 1, d))).limits
        assert inner[2] == outer[0] - 1

    def test_the_value_stays(self):
        expr = Sum(x[n] * Sum(x[n], rows), rows) + Sum(h[i, m], (m, 1, i - 1), (i, 1, d))
        point = Point(0)
        assert evaluate(expr, point) == evaluate(fresh(expr), point)


class TestRational:
    @pytest.mark.parametrize(
        "expr",
        [
            A / (A + B) + B / (A + B) - 1,
            exp(-A) * exp(A + B) - exp(B),
            exp(A / 2) ** 2 - exp(A),
            1 / (1 + exp(-X)) - exp(X) / (1 + exp(X)),
            sp.tanh(X) - (exp(2 * X) - 1) / (exp(2 * X) + 1),
            sp.sqrt(A) * sp.sqrt(A) * B - A * B,
            (sp.sqrt(A) - 1) * (sp.sqrt(A) + 1) - A + 1,
            Sum(x[n], rows) ** 2 / Sum(x[n], rows) - Sum(x[n], rows),
        ],
    )
    def test_zeros(self, expr):
        assert as_rational(expr) == 0

    @pytest.mark.parametrize(
        "expr", [exp(A) * exp(B) - exp(A * B), sp.sqrt(X**2) - X, Sum(x[n], rows) - Sum(x[n], over)]
    )
    def test_no_zeros(self, expr):
        assert as_rational(expr) != 0


class TestLogarithms:
    @pytest.mark.parametrize(
        ("left", "right"),
        [
            (log(A * B), log(A) + log(B)),
            (log(A / B), log(A) - log(B)),
            (log(1 / A + 1 / B), log(A + B) - log(A) - log(B)),
            (log(exp(X) * A), X + log(A)),
            (log(exp(X) * A + exp(X) * B), X + log(A + B)),
        ],
    )
    def test_expansion(self, left, right):
        assert as_rational(expand_logs(left - right)) == 0

    @pytest.mark.parametrize(
        ("left", "right"),
        [(log(A + B), log(A) + log(B)), (log(X**2), 2 * log(X)), (log(2 * A), log(A))],
    )
    def test_what_is_no_identity_stays(self, left, right):
        assert as_rational(expand_logs(left - right)) != 0


class TestCombined:
    def test_summands_are_decided_together(self):
        left = Sum(A / (A + weights[k]), over) + Sum(weights[l] / (A + weights[l]), (l, 1, K))
        assert combine_sums(left - K) == 0

    def test_what_differs_stays(self):
        left = Sum(A / (A + weights[k]), over) + Sum(weights[l] / (A + weights[l]), (l, 1, N))
        assert combine_sums(left - K) != 0

    def test_a_range_bounded_by_another_index_is_not_one_bounded_by_a_free_letter(self):
        bound = Sum(h[m, m], (m, 1, i - 1), (i, 1, d))
        loose = Sum(h[m, m], (m, 1, i - 1), (j, 1, d))
        assert combine_sums(bound - loose) != 0


class TestIntegrals:
    def density(self, mean, variance):
        return exp(-((X - mean) ** 2) / (2 * variance)) / sp.sqrt(2 * sp.pi * variance)

    def test_a_mixture_integrates_term_by_term(self):
        mixture = Sum(weights[k] * self.density(means[k], variances[k]), over)
        found = evaluate_integrals(Integral(mixture, (X, -oo, oo)))
        assert SumNormalForm()(found) == form(Sum(weights[k], over))

    def test_polynomials_are_split(self):
        found = evaluate_integrals(Integral((X - A) ** 2 * self.density(A, B), (X, -oo, oo)))
        assert sp.simplify(found - B) == 0


def test_labels_as_indicators_sum_to_the_counts():
    context = Context()
    assert context.prove_zero(Sum(KroneckerDelta(component[n], k), over, rows) - N)
    assert not context.prove_zero(Sum(KroneckerDelta(component[n], k), rows) - 1)
    assert not context.prove_zero(Sum(z[n, k], over) - 1)
