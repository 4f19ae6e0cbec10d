"""The trial evaluator against values known without sympy's calculus."""

import mpmath as mp
import pytest
import sympy as sp
from sympy import Derivative, Function, Integral, KroneckerDelta, Product, Sum, Symbol, exp, log, oo

from gmmlib.derive import Derivation, StepError
from gmmlib.derive.notation import K, N, i, k, m, means, n, weights, x
from gmmlib.derive.trial import Point, evaluate, try_at

X, Y = sp.symbols("x y", real=True)
S = Symbol("s", positive=True)


def value(expr, **values):
    """The value at a point given by name: x=2, or x_1=2 for an entry of an array."""
    point = Point(0)
    for name, number in values.items():
        letter, *indices = name.split("_")
        index = letter in ("N", "K", "n", "k")
        symbol = Symbol(letter, integer=True, positive=True) if index else Symbol(letter, real=True)
        point[(letter, *map(int, indices)) if indices else symbol] = mp.mpf(number)
    return evaluate(expr, point)


@pytest.mark.parametrize(
    ("expr", "values", "expected"),
    [
        (Sum(x[n] ** 2, (n, 1, N)), {"N": 3, "x_1": 1, "x_2": 2, "x_3": 3}, 14),
        (Product(x[n], (n, 1, N)), {"N": 3, "x_1": 2, "x_2": 5, "x_3": 7}, 70),
        (Sum(n * k, (k, 1, K), (n, 1, N)), {"N": 3, "K": 2}, 18),
        (Sum(1, (m, 1, i - 1), (i, 1, 4)), {}, 6),
        (Sum(x[n], (n, 1, 0)), {}, 0),
        (KroneckerDelta(n, k), {"n": 2, "k": 2}, 1),
        (KroneckerDelta(n, k), {"n": 2, "k": 1}, 0),
        (Sum(KroneckerDelta(n, k), (n, 1, N), (k, 1, K)), {"N": 2, "K": 3}, 2),
        (sp.UnevaluatedExpr(X) / 3, {"x": 2}, sp.Rational(2, 3)),
        (sp.Float("0.1") + X, {"x": 0}, sp.Rational(1, 10)),
        (sp.sqrt(2) * sp.pi, {}, sp.sqrt(2) * sp.pi),
        (sp.tanh(X), {"x": 1}, sp.tanh(1)),
    ],
)
def test_values_known_by_hand(expr, values, expected):
    assert mp.almosteq(value(expr, **values), mp.mpmathify(sp.N(expected, 30)), rel_eps=1e-14)


@pytest.mark.parametrize(
    ("expr", "at", "expected"),
    [
        (Derivative(X**3, X), 2, 12),
        (Derivative(X**3, (X, 2)), 1, 6),
        (Derivative(exp(2 * X), X), 0, 2),
        (Derivative(X**2 * Y, X, Y), 3, 6),
        (Derivative(Sum(X ** (2 * n), (n, 1, 3)), X), 1, 12),
    ],
)
def test_derivatives_are_differences(expr, at, expected):
    found = evaluate(expr, Point(0, values={X: mp.mpf(at), Y: mp.mpf(1)}))
    assert abs(found - expected) < 1e-10


def test_a_derivative_by_an_entry_moves_that_entry_only():
    expr = Derivative(Sum(weights[k] ** 2, (k, 1, K)), weights[2])
    point = Point(0, values={K: mp.mpf(3), (r"\pi", 2): mp.mpf(5)})
    assert abs(evaluate(expr, point) - 10) < 1e-10
    assert point[(r"\pi", 2)] == 5


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (Integral(X**2, (X, 0, 3)), 9),
        (Integral(exp(-(X**2) / 2), (X, -oo, oo)), sp.sqrt(2 * sp.pi)),
        (Integral(X * Y, (X, 0, 1), (Y, 0, 2)), 1),
        (Integral(exp(-X), (X, 0, oo)), 1),
    ],
)
def test_integrals_are_quadrature(expr, expected):
    assert abs(evaluate(expr, Point(0)) - float(expected)) < 1e-9


def test_a_bound_variable_leaves_no_trace():
    point = Point(0, values={X: mp.mpf(7), n: mp.mpf(2)})
    evaluate(Integral(X, (X, 0, 1)) + Sum(n, (n, 1, 3)) + Derivative(X**2, X), point)
    assert point == {X: 7, n: 2}


def test_draws_stay_within_the_assumptions():
    negative = Symbol("v", negative=True)
    for seed in range(40):
        point = Point(seed, spread=3.0)
        assert point.value(weights[1]) > 0
        assert point.value(negative) < 0
        assert point.value(Symbol("w", nonnegative=True)) >= 0
        assert point.value(N) in (2, 3)
        assert point.value(k) in (1, 2)


def test_both_signs_are_drawn_for_a_real_number():
    signs = {mp.sign(Point(seed).value(X)) for seed in range(10)}
    assert signs == {1, -1}


def test_a_point_keeps_what_it_drew_and_a_seed_draws_the_same_again():
    point = Point(3)
    assert point.value(x[1]) == point.value(x[1]) == Point(3).value(x[1])
    assert Point(3).value(x[1]) != Point(4).value(x[1])


def test_an_unknown_function_is_one_smooth_function_for_each_index():
    f = Function("p", positive=True)
    point = Point(0, values={X: mp.mpf(0.5)})
    at = {index: evaluate(f(index, X), point) for index in (1, 2)}
    assert at[1] > 0
    assert at[1] != at[2]
    assert evaluate(f(1, X), point) == at[1]
    slope = evaluate(Derivative(log(f(1, X)), X), point)
    assert abs(slope * at[1] - evaluate(Derivative(f(1, X), X), point)) < 1e-12


def test_a_nearby_point_keeps_whole_numbers_and_signs():
    labels = sp.IndexedBase("c", integer=True, positive=True)
    point = Point(0)
    before = {atom: point.value(atom) for atom in (N, labels[1], x[1], x[2], weights[1])}
    near = point.nearby()
    assert near.value(N) == before[N]
    assert near.value(labels[1]) == before[labels[1]]
    for atom in (x[1], x[2], weights[1]):
        assert near.value(atom) != before[atom]
        assert mp.sign(near.value(atom)) == mp.sign(before[atom])
    assert point.value(x[1]) == before[x[1]]


def test_points_of_division_by_zero_are_passed_over():
    found = try_at(5, 1 / (N - 2))
    assert [value for _, (value,) in found] == [1] * 5
    with pytest.raises(ZeroDivisionError, match="usable"):
        try_at(1, 1 / Sum(0, (n, 1, N)))


def test_a_point_names_its_values():
    point = Point(0, values={N: mp.mpf(2), ("x", 1): mp.mpf("0.5")})
    assert str(point) == "N = 2.0, x[1] = 0.5"


def test_what_has_no_numeric_rule_is_refused_by_name():
    with pytest.raises(NotImplementedError, match="Determinant"):
        evaluate(sp.Determinant(sp.MatrixSymbol("S", 2, 2)), Point(0))


class TestSilentWrongZeros:
    """sympy 1.14 returns some derivatives by a matrix as zero without a word."""

    matrix = sp.MatrixSymbol("Sigma", 2, 2)

    def test_sympy_still_returns_them(self):
        wrong = sp.diff(log(sp.Determinant(self.matrix)), self.matrix)
        assert wrong == sp.ZeroMatrix(2, 2)

    def test_a_claim_built_on_one_is_refused(self):
        start = Derivative(log(sp.Determinant(self.matrix)), self.matrix)
        with pytest.raises(StepError, match=r"derivation 'score', step 1: take the derivative"):
            Derivation("score", "", start).eq(0, "take the derivative")

    def test_the_evaluator_asks_sympy_for_no_derivative(self, monkeypatch):
        def forbidden(*_):
            raise AssertionError("asked sympy for a derivative")

        expr = Derivative(Sum(log(means[k] ** 2 + X), (k, 1, 2)), X)
        monkeypatch.setattr(sp.Expr, "diff", forbidden)
        monkeypatch.setattr(sp.Add, "_eval_derivative", forbidden)
        monkeypatch.setattr(log, "_eval_derivative", forbidden, raising=False)
        monkeypatch.setattr(sp.Pow, "_eval_derivative", forbidden)
        point = Point(0, values={X: mp.mpf(1), (r"\mu", 1): mp.mpf(1), (r"\mu", 2): mp.mpf(0)})
        assert abs(evaluate(expr, point) - 1.5) < 1e-10
