"""What may be unfolded, and how a residual is driven to zero, or not."""

import time

import pytest
import sympy as sp
from sympy import Function, Sum, Symbol, UnevaluatedExpr, exp, log

from gmmlib.derive import Definition, StepError
from gmmlib.derive.notation import (
    K,
    N,
    Normal,
    Partial,
    counts,
    free,
    j,
    joint,
    k,
    l,
    log_likelihood,
    means,
    n,
    q,
    responsibilities,
    theta,
    variances,
    weights,
    x,
)
from gmmlib.derive.proof import Context, take_derivatives, time_limit

A = Symbol("a", positive=True)
share = Definition(q[n, k], free[n, k] / Sum(free[n, l], (l, 1, K)))
number = Definition(counts[k], Sum(responsibilities[n, k], (n, 1, N)))


def context(*definitions):
    out = Context()
    for definition in definitions:
        out = out.define(definition)
    return out


class TestDefinitions:
    def test_no_head_is_defined_twice(self):
        with pytest.raises(StepError, match="defined twice"):
            context(number, Definition(counts[j], A))

    def test_circles_are_refused(self):
        first, second = sp.symbols("u v", real=True)
        with pytest.raises(StepError, match="circular"):
            context(Definition(first, second + 1), Definition(second, 2 * first)).unfold(first)

    def test_an_array_with_another_number_of_indices_is_refused(self):
        with pytest.raises(StepError, match="another number of indices"):
            context(number).unfold(counts[n, k])

    def test_indices_are_put_in_their_places(self):
        assert context(Definition(q[n, k], x[n] * weights[k])).unfold(q[k, n]) == x[k] * weights[n]

    def test_unfolding_captures_no_index(self):
        unfolded = context(share).unfold(Sum(q[n, l], (l, 1, K)))
        (denominator,) = unfolded.function.atoms(Sum)
        assert unfolded.limits[0][0] != denominator.limits[0][0]
        assert context(share).prove_zero(Sum(q[n, l], (l, 1, K)) - 1)

    def test_definitions_unfold_through_one_another(self):
        one = Definition(joint[n, k], weights[k] * Normal(x[n], means[k], variances[k]))
        two = Definition(responsibilities[n, k], joint[n, k] / Sum(joint[n, l], (l, 1, K)))
        unfolded = context(one, two).unfold(responsibilities[n, 1])
        assert unfolded.has(exp)
        assert not unfolded.has(joint, responsibilities, Normal)

    def test_only_the_chosen_are_unfolded(self):
        some = context(share, number).unfold(q[n, k] * counts[k], (number,))
        assert some.has(q)
        assert not some.has(counts)

    def test_what_was_held_apart_is_let_go(self):
        assert context().unfold(A * UnevaluatedExpr(1 / A)) == 1


class TestProofs:
    @pytest.mark.parametrize(
        ("expr", "how"),
        [
            (A - A + sp.S.Zero, "structural"),
            ((A + 1) ** 2 - A**2 - 2 * A - 1, "expand"),
            (Sum(x[n] + A, (n, 1, N)) - N * A - Sum(x[k], (k, 1, N)), "sum normal form"),
            (log(A * x[1] ** 2) - log(A) - log(x[1] ** 2), "logarithms and sum normal form"),
            (
                Sum(A / (A + weights[k]) + weights[k] / (A + weights[k]), (k, 1, K)) - K,
                "sums combined",
            ),
        ],
    )
    def test_the_strategy_is_named(self, expr, how):
        assert Context().prove_zero(expr) == how

    @pytest.mark.parametrize(
        "expr",
        [A, Sum(x[n], (n, 1, N)), log(1 + A) - A, Sum(q[n, k], (k, 1, K)) - 1, sp.oo],
    )
    def test_what_is_not_zero_is_not_proved(self, expr):
        assert Context().prove_zero(expr) is None

    def test_a_number_that_holds_for_the_sizes_tried_is_not_proved(self):
        """N is 2 or 3 at every trial point; the proof is for all N."""
        assert Context().prove_zero((N - 2) * (N - 3)) is None

    def test_a_derivative_does_not_pass_over_a_definition_that_hides_its_variable(self):
        hidden = context(Definition(log_likelihood, Sum((x[n] - means[1]) ** 2, (n, 1, N))))
        slope = Partial(log_likelihood, means[1])
        assert hidden.prove_zero(slope) is None
        assert hidden.prove_zero(slope + 2 * Sum(x[n] - means[1], (n, 1, N)))

    def test_nor_over_an_array_that_hides_it(self):
        square = sp.IndexedBase("s", real=True)
        hidden = context(Definition(square[k], means[k] ** 2))
        assert hidden.prove_zero(Partial(Sum(square[k], (k, 1, K)), means[j])) is None
        assert hidden.prove_zero(Partial(Sum(square[k], (k, 1, K)), means[j]) - 2 * means[j])


def test_derivatives_of_unknown_functions_stay():
    f = Function("p", positive=True)
    slope = take_derivatives(sp.Derivative(log(f(n, k, theta)), theta))
    assert slope.has(sp.Derivative)
    assert slope == sp.Derivative(f(n, k, theta), theta) / f(n, k, theta)


def test_the_normal_density_is_not_differentiated_folded():
    with pytest.raises(NotImplementedError, match="write the normal density out"):
        sp.diff(Normal(x[n], theta, A), theta)


def test_a_time_limit_ends_what_takes_too_long_and_leaves_the_rest_alone():
    began = time.monotonic()
    with pytest.raises(TimeoutError), time_limit(0.05):
        time.sleep(5)
    assert time.monotonic() - began < 1
    with time_limit(0.05):
        pass
    time.sleep(0.1)
