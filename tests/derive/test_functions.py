"""The numpy function of a derived expression, against numpy written by hand."""

import tracemalloc

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from sympy import KroneckerDelta, Sum, Symbol, UnevaluatedExpr, exp, log, sqrt

from gmmlib.derive import Definition, numpy_function
from gmmlib.derive.notation import (
    K,
    N,
    Normal,
    component,
    counts,
    d,
    hat,
    i,
    joint,
    k,
    l,
    m,
    means,
    n,
    q,
    responsibilities,
    sum_k,
    sum_l,
    sum_n,
    sum_nk,
    variances,
    weights,
    x,
    z,
)

A = Symbol("a", positive=True)
rng = np.random.default_rng(1)
ROWS, KINDS = 7, 3
VALUES = {
    x: rng.normal(size=ROWS),
    q: rng.dirichlet(np.ones(KINDS), size=ROWS),
    weights: rng.dirichlet(np.ones(KINDS)),
    means: rng.normal(size=KINDS),
    variances: rng.gamma(2.0, size=KINDS),
    component: np.array([1, 2, 3, 1, 1, 2, 3]),
    A: 1.7,
}
X_, Q_, W_, MU_, V_, C_, A_ = VALUES.values()

mixture = Definition(joint[n, k], weights[k] * Normal(x[n], means[k], variances[k]))
share = Definition(responsibilities[n, k], joint[n, k] / sum_l(joint[n, l]))
number = Definition(counts[k], sum_n(responsibilities[n, k]))
centre = Definition(hat(means)[k], sum_n(responsibilities[n, k] * x[n]) / counts[k])
spread = Definition(
    hat(variances)[k],
    sum_n(responsibilities[n, k] * (x[n] - hat(means)[k]) ** 2) / counts[k],
)
EM = [mixture, share, number, centre, spread]
P_ = W_ * norm.pdf(X_[:, None], MU_, np.sqrt(V_))
G_ = P_ / P_.sum(1, keepdims=True)

CASES = {
    "sum": (sum_n(x[n]), (), X_.sum()),
    "mean": (sum_n(x[n]) / N, (), X_.mean()),
    "size before its sum": (N * A + sum_n(x[n] ** 2), (), ROWS * A_ + (X_**2).sum()),
    "two sums": (sum_nk(q[n, k] * x[n]), (), (Q_ * X_[:, None]).sum()),
    "constant summed": (sum_n(A) + 0 * sum_n(x[n]) + sum_n(x[n]), (), ROWS * A_ + X_.sum()),
    "free index": (x[n] - sum_k(weights[k] * means[k]), (n,), X_ - W_ @ MU_),
    "free indices": (q[n, k] * x[n], (n, k), Q_ * X_[:, None]),
    "free indices, turned": (q[n, k] * x[n], (k, n), (Q_ * X_[:, None]).T),
    "sum over one of two": (sum_n(q[n, k] * x[n]), (k,), Q_.T @ X_),
    "sum inside a function": (sum_n(log(sum_k(q[n, k] * weights[k]))), (), np.log(Q_ @ W_).sum()),
    "sum in a sum": (sum_n(x[n] * Sum(x[m], (m, 1, N))), (), X_.sum() ** 2),
    "powers": (sqrt(A) / A**2, (), A_**-1.5),
    "numbers": (2 * sp.pi * A + sp.Rational(1, 3), (), 2 * np.pi * A_ + 1 / 3),
    "exponential": (exp(-A) + sp.tanh(A) + sp.cosh(A), (), np.exp(-A_) + np.tanh(A_) + np.cosh(A_)),
    "held apart": (sum_n(x[n] * UnevaluatedExpr(1 / x[n])), (), ROWS),
    "fixed entry": (x[2] * q[3, 1], (), X_[1] * Q_[2, 0]),
    "shifted": (Sum(x[n] * x[n - 1], (n, 2, N)), (), (X_[1:] * X_[:-1]).sum()),
    "Kronecker": (sum_nk(KroneckerDelta(component[n], k) * x[n]), (), X_.sum()),
    "Kronecker, free": (sum_n(KroneckerDelta(component[n], k)) * means[k], (k,), [3, 2, 2] * MU_),
    "entry of an entry": (sum_n(weights[component[n]]), (), W_[C_ - 1].sum()),
    "density": (Normal(x[n], means[1], variances[1]), (n,), norm.pdf(X_, MU_[0], V_[0] ** 0.5)),
    "defined": (responsibilities[n, k], (n, k), G_),
    "defined by defined": (counts[k] / N, (k,), G_.mean(0)),
    "hats": (hat(means)[k], (k,), G_.T @ X_ / G_.sum(0)),
    "log-likelihood": (sum_n(log(sum_k(joint[n, k]))), (), np.log(P_.sum(1)).sum()),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_equals_numpy(case):
    expr, over, expected = case
    used = [key for key in VALUES if expr.has(key) or any(e.body.has(key) for e in EM)]
    found = numpy_function(expr, *used, given=EM, over=over)(*(VALUES[key] for key in used))
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)


def test_a_variance_around_the_new_mean():
    centre_ = G_.T @ X_ / G_.sum(0)
    expected = (G_ * (X_[:, None] - centre_) ** 2).sum(0) / G_.sum(0)
    function = numpy_function(hat(variances)[k], x, weights, means, variances, given=EM, over=(k,))
    np.testing.assert_allclose(function(X_, W_, MU_, V_), expected, rtol=1e-13)


@given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 10**6))
def test_scatter_for_any_sizes(rows, width, seed):
    random = np.random.default_rng(seed)
    data, matrix = random.normal(size=(rows, width)), random.normal(size=(width, width))
    P = sp.IndexedBase("P", real=True)
    form = Sum(x[n, i] * P[i, m] * x[n, m], (i, 1, d), (m, 1, d))
    np.testing.assert_allclose(
        numpy_function(form, x, P, over=(n,))(data, matrix),
        np.einsum("ni,ij,nj->n", data, matrix, data),
        atol=1e-12,
    )


def test_a_triangle_is_summed_below_the_diagonal():
    h = sp.IndexedBase("h", real=True)
    square = np.arange(9.0).reshape(3, 3)
    for row in (1, 2, 3):
        function = numpy_function(Sum(h[row, m], (m, 1, row - 1)) + 0, h)
        assert function(square) == square[row - 1, : row - 1].sum()


def test_20000_rows_need_no_square_of_them():
    """The hats stand inside sums over n, yet are computed once: memory stays linear in N."""
    rows = 20_000
    heights = np.random.default_rng(0).normal(170, 8, rows)
    function = numpy_function(hat(variances)[k], x, weights, means, variances, given=EM, over=(k,))
    tracemalloc.start()
    found = function(
        heights, np.array([0.4, 0.6]), np.array([160.0, 175.0]), np.array([40.0, 60.0])
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.shape == (2,)
    assert peak < 100 * 8 * rows


class TestRefusals:
    def test_another_number_of_values(self):
        with pytest.raises(ValueError, match=r"expected 2 values .* got 1"):
            numpy_function(sum_n(x[n] * A), x, A)(X_)

    @pytest.mark.parametrize("expr", [sum_n(x[n]) * A, sum_n(x[n]) * weights[1], sum_n(x[n]) + K])
    def test_a_missing_value(self, expr):
        with pytest.raises(ValueError, match="no value for"):
            numpy_function(expr, x)(X_)

    def test_arrays_that_disagree_on_a_size(self):
        for expr in (sum_n(x[n] * z[n, 1]), sum_n(x[n]) + sum_n(z[n, 1])):
            with pytest.raises(ValueError, match=r"disagree on N: \[5, 7\]"):
                numpy_function(expr, x, z)(X_, np.ones((5, 1)))
        with pytest.raises(ValueError, match="can't tell how far n runs"):
            numpy_function(x[n] * z[n, 1], x, z, over=(n,))(X_, np.ones((5, 1)))

    def test_an_index_off_either_end(self):
        for expr in (sum_n(x[n] * x[n - 1]), sum_n(x[n] * x[n + 1]), x[8], x[0]):
            with pytest.raises(ValueError, match=r"runs outside 1 \.\.\. 7"):
                numpy_function(expr, x)(X_)

    def test_another_number_of_axes(self):
        with pytest.raises(ValueError, match="another number of indices"):
            numpy_function(sum_n(q[n, 1]), q)(X_)

    def test_an_index_that_counts_nothing(self):
        with pytest.raises(ValueError, match="can't tell how far k runs"):
            numpy_function(sum_n(x[n]), x, over=(k,))(X_)

    def test_what_has_no_rule(self):
        with pytest.raises(NotImplementedError, match="Derivative"):
            numpy_function(sp.Derivative(A**2, A), A)(1.0)
