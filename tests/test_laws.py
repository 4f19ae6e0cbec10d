"""Laws of mixtures and of EM: true for any data, any start, all four covariance types.

Each law runs on data near the origin and on the same data moved by 1e8 and measured in units of
1e-8 and 1e8. All of it is exactly representable there, so a law may fail by rounding only:

- a stored mean is off by half a unit in its last place, which is `case.blur` standard deviations;
  what follows from it to first order is allowed that much;
- everything else is allowed a small multiple of the float's own precision, times the condition
  number of the worst covariance.
"""

import re
from itertools import islice, pairwise
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gmmlib import (
    CollapseError,
    Mixture,
    e_step,
    elbo,
    elbo_gap,
    entropy,
    kl_divergence,
    log_likelihood,
    m_step,
    q_function,
)
from gmmlib.covariance import COVARIANCE_TYPES, as_full
from gmmlib.em import em

EPS = np.finfo(float).eps
every_type = pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)

# unit, offset. Powers of two keep small units exact; the decimal 1e-8 is there for good measure.
FRAMES = [(1.0, 0.0), (1.0, 1e8), (1.0, -1e8), (1e8, 0.0), (1e8, 1e8), (2.0**-27, 0.0), (1e-8, 0.0)]


class Case(NamedTuple):
    base: np.ndarray  # (N, d), multiples of 2^-10 near the origin
    X: np.ndarray  # (N, d) = unit * base + offset
    gamma: np.ndarray  # (N, K), any responsibilities
    weight: np.ndarray  # (N,)
    blur: float  # rounding of a stored mean, in standard deviations of the whole data
    rng: np.random.Generator


@st.composite
def cases(draw, frames=FRAMES, n_components=(1, 3), n_features=(1, 3)):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    K = draw(st.integers(*n_components))
    d = draw(st.integers(*n_features))
    N = draw(st.integers(10 * d, 40))
    unit, offset = draw(st.sampled_from(frames))
    shape = rng.normal(size=(d, d)) + 2 * np.eye(d)
    centres = rng.normal(size=(3, d)) * draw(st.sampled_from([0.0, 3.0, 12.0]))
    base = rng.normal(size=(N, d)) @ shape + centres[rng.integers(3, size=N)]
    base = np.round(base * 1024) / 1024
    X = unit * base + offset
    if unit != 1e-8:
        assert (((X - offset) / unit) == base).all()  # exactly representable there
    gamma = rng.dirichlet(np.full(K, draw(st.sampled_from([0.3, 1.0, 5.0]))), size=N)
    weight = draw(st.sampled_from(["ones", "integers", "reals"]))
    weight = {
        "ones": np.ones(N),
        "integers": rng.integers(0, 4, size=N).astype(float) + (np.arange(N) < 5),
        "reals": rng.exponential(size=N),
    }[weight]
    return Case(base, X, gamma, weight, EPS * np.abs(X).max() / X.std(axis=0).min(), rng)


def states(X, start, n, weight=None, reg_covar=0.0):
    """The first n states of EM, or a rejected example if a component collapses on the way."""
    try:
        return list(islice(em(X, start, weight, reg_covar), n))
    except CollapseError:
        assume(False)


def first_mixture(case, covariance_type):
    try:
        return m_step(case.X, case.gamma, covariance_type, case.weight)
    except CollapseError:
        assume(False)


def condition(mixture):
    """How much rounding is magnified: condition of the correlations, and small spreads."""
    worst = 1.0
    for S in as_full(mixture.covariances, mixture.covariance_type, *mixture.means.shape):
        sd = np.sqrt(np.diag(S))
        worst = max(worst, np.linalg.cond(S / sd / sd[:, None]))
    return worst


def smallest_sd(mixture):
    full = as_full(mixture.covariances, mixture.covariance_type, *mixture.means.shape)
    return np.sqrt(min(np.linalg.eigvalsh(S)[0] for S in full))


def blur_of(X, mixture):
    """Rounding of a stored mean in units of the thinnest standard deviation of the mixture."""
    return EPS * np.abs(X).max() / smallest_sd(mixture)


def rounding(case, mixture, X=None):
    """Nats by which a sum over the rows may be wrong, second order in the rounding of a mean."""
    X = case.X if X is None else X
    size = case.weight.sum() * (1 + np.abs(mixture.log_density(X)).max())
    return size * (50 * EPS * condition(mixture) + 4 * blur_of(X, mixture) ** 2)


# --- What EM promises -----------------------------------------------------------------------------


@every_type
@given(case=cases())
def test_log_likelihood_never_falls_and_the_bound_lies_between(covariance_type, case):
    # At reg_covar = 0. What holds with reg_covar > 0 stands in the two laws after this one.
    run = states(case.X, first_mixture(case, covariance_type), 15, case.weight)
    assert run[0].elbo == run[0].log_likelihood
    for before, after in pairwise(run):
        slack = rounding(case, after.mixture) + rounding(case, before.mixture)
        assert before.log_likelihood <= after.elbo + slack
        assert after.elbo <= after.log_likelihood + slack


def penalty(mixture, counts, reg_covar):
    """r/2 sum_k N_k tr(Sigma_k^-1)."""
    full = as_full(mixture.covariances, mixture.covariance_type, *mixture.means.shape)
    traces = np.trace(np.linalg.inv(full), axis1=1, axis2=2)
    return reg_covar / 2 * (counts * traces).sum()


@every_type
@given(case=cases(frames=[(1.0, 0.0)], n_components=(2, 3)), reg_covar=st.floats(0.01, 10.0))
def test_with_reg_covar_the_m_step_is_the_maximum_of_the_penalised_q(
    covariance_type, case, reg_covar
):
    X, gamma, w = case.X, case.gamma, case.weight
    counts = (w[:, None] * gamma).sum(axis=0)
    best = m_step(X, gamma, covariance_type, w, reg_covar)

    def penalised(mixture):
        return q_function(X, gamma, mixture, w) - penalty(mixture, counts, reg_covar)

    top = penalised(best)
    for other in neighbours(best, case.rng, step=0.05):
        assert penalised(other) < top


@given(case=cases(frames=[(1.0, 0.0)]), reg_covar=st.floats(0.01, 10.0))
def test_with_reg_covar_the_penalised_log_likelihood_of_tied_covariances_never_falls(
    case, reg_covar
):
    # Here the penalty is r/2 N tr(Sigma^-1): N_k drops out, so it depends on the mixture alone.
    N = case.weight.sum()
    start = m_step(case.X, case.gamma, "tied", case.weight, reg_covar)
    run = states(case.X, start, 15, case.weight, reg_covar)
    penalised = [
        s.log_likelihood - penalty(s.mixture, N * s.mixture.weights, reg_covar) for s in run
    ]
    slack = max(rounding(case, s.mixture) for s in run)
    assert (np.diff(penalised) >= -slack).all()


@every_type
@given(case=cases())
def test_the_gap_of_the_bound_is_the_kl_divergence_and_closes_at_the_posterior(
    covariance_type, case
):
    X, w = case.X, case.weight
    mixture = first_mixture(case, covariance_type)
    q = case.rng.dirichlet(np.ones(mixture.n_components), size=len(X))
    slack = rounding(case, mixture)

    log_L = log_likelihood(X, mixture, w)
    gap = log_L - elbo(X, q, mixture, w)
    assert gap >= -slack
    assert gap == pytest.approx(elbo_gap(X, q, mixture, w), abs=slack, rel=1e-12)
    posterior, log_L_of_e_step = e_step(X, mixture, w)
    if posterior.min() > 1e-290:  # below, a float64 posterior loses its digits: use elbo_gap
        assert gap == pytest.approx(kl_divergence(q, posterior, w), abs=slack, rel=1e-12)

    assert log_L_of_e_step == pytest.approx(log_L, abs=slack)
    assert elbo(X, posterior, mixture, w) == pytest.approx(log_L, abs=slack)
    assert kl_divergence(posterior, posterior, w) == 0
    assert elbo_gap(X, posterior, mixture, w) == pytest.approx(0, abs=slack)


# --- The M-step is the maximum of Q ---------------------------------------------------------------


@every_type
@given(case=cases())
def test_the_gradient_of_q_is_zero_at_the_m_step(covariance_type, case):
    # In coordinates that carry no units. With z = L^-1 (x - mu), where Sigma = L L^T:
    #   d Q / d mu_k     ~  sum_n gamma z                            free
    #   d Q / d Sigma_k  ~  sum_n gamma (z z^T - 1)                  full: each k; tied: summed over
    #                       k; diag: its diagonal; spherical: its trace
    #   d Q / d pi_k     =  N_k / pi_k, the same for all k           tangent to the simplex
    mixture = first_mixture(case, covariance_type)
    gamma = case.weight[:, None] * case.gamma
    counts = gamma.sum(axis=0)
    full = as_full(mixture.covariances, covariance_type, *mixture.means.shape)
    slack = 100 * EPS * condition(mixture)
    d = mixture.n_features

    scatter_gradients = []
    for k, S in enumerate(full):
        z = np.linalg.solve(np.linalg.cholesky(S), (case.X - mixture.means[k]).T).T
        mean_gradient = gamma[:, k] @ z / counts[k]
        assert np.abs(mean_gradient).max() <= slack + 2 * blur_of(case.X, mixture)
        scatter_gradients.append((gamma[:, k, None] * z).T @ z - counts[k] * np.eye(d))

    N = counts.sum()
    if covariance_type == "full":
        for gradient, count in zip(scatter_gradients, counts, strict=True):
            assert np.abs(gradient).max() <= slack * count
    elif covariance_type == "tied":
        assert np.abs(sum(scatter_gradients)).max() <= slack * N
    elif covariance_type == "diag":
        assert max(np.abs(np.diag(g)).max() for g in scatter_gradients) <= slack * N
    else:
        assert max(abs(np.trace(g)) for g in scatter_gradients) <= slack * N

    weight_gradient = counts / mixture.weights
    assert np.ptp(weight_gradient) <= 1e-12 * N


def neighbours(mixture, rng, step, n=6):
    """Mixtures of the same type near `mixture`, moved in random directions by about `step`."""
    T, (K, d) = mixture.covariance_type, mixture.means.shape
    full = as_full(mixture.covariances, T, K, d)
    L = np.linalg.cholesky(full)
    for _ in range(n):
        weights = mixture.weights * np.exp(step * rng.normal(size=K))
        means = mixture.means + step * np.einsum("kij,kj->ki", L, rng.normal(size=(K, d)))
        if T in ("full", "tied"):
            twist = np.eye(d) + step * rng.normal(size=full.shape)
            moved = L @ twist @ twist.transpose(0, 2, 1) @ L.transpose(0, 2, 1)
            covariances = moved if T == "full" else moved[0]
        else:
            covariances = mixture.covariances * np.exp(
                step * rng.normal(size=mixture.covariances.shape)
            )
        yield Mixture(weights / weights.sum(), means, covariances, T)


@every_type
@given(case=cases(), step=st.sampled_from([1e-2, 0.3]))
def test_no_other_mixture_reaches_the_q_of_the_m_step(covariance_type, case, step):
    best = first_mixture(case, covariance_type)
    assume(blur_of(case.X, best) < 1e-3 * step)
    top = q_function(case.X, case.gamma, best, case.weight)
    for other in neighbours(best, case.rng, step):
        assert q_function(case.X, case.gamma, other, case.weight) < top
        if best.n_components > 1:  # the weights matter by themselves
            other = Mixture(other.weights, best.means, best.covariances, covariance_type)
            if np.abs(other.weights - best.weights).max() > 1e-3:
                assert q_function(case.X, case.gamma, other, case.weight) < top


@given(case=cases(n_components=(1, 1)))
def test_one_component_is_the_closed_form(case):
    N = case.weight.sum()
    mean = case.weight @ case.base / N  # near the origin, where nothing is lost
    residuals = case.base - mean
    S = (case.weight[:, None] * residuals).T @ residuals / N
    closed = {
        "full": S[None],
        "tied": S,
        "diag": np.diag(S)[None],
        "spherical": [np.trace(S) / len(S)],
    }
    unit = (case.X.max() - case.X.min()) / (case.base.max() - case.base.min())
    for covariance_type in COVARIANCE_TYPES:
        start = m_step(case.X, case.gamma, covariance_type, case.weight)
        for state in islice(em(case.X, start, case.weight), 3):  # a fixed point from the start
            fitted = state.mixture
            assert fitted.weights == [1.0]
            slack = 4 * EPS * np.abs(case.X).max()
            np.testing.assert_allclose(
                fitted.means[0] - case.X[0], unit * (mean - case.base[0]), rtol=1e-9, atol=slack
            )
            np.testing.assert_allclose(
                fitted.covariances, unit**2 * np.array(closed[covariance_type]), rtol=1e-7
            )


# --- What must not matter -------------------------------------------------------------------------


def assert_same_run(run, other, rows=slice(None), labels=slice(None), *, tolerance):
    for a, b in zip(run, other, strict=True):
        np.testing.assert_allclose(
            b.responsibilities, a.responsibilities[rows][:, labels], rtol=0, atol=tolerance
        )
        np.testing.assert_allclose(b.mixture.weights, a.mixture.weights[labels], atol=tolerance)
        sd = smallest_sd(a.mixture)
        np.testing.assert_allclose(
            (b.mixture.means - a.mixture.means[labels]) / sd, 0, atol=tolerance
        )
        covariances = a.mixture.covariances
        if a.mixture.covariance_type != "tied":
            covariances = covariances[labels]
        np.testing.assert_allclose(
            b.mixture.covariances / sd**2, covariances / sd**2, rtol=tolerance, atol=tolerance
        )
        size = a.responsibilities.shape[0] * (1 + abs(a.log_likelihood))
        assert b.log_likelihood == pytest.approx(a.log_likelihood, abs=tolerance * size)
        assert b.elbo == pytest.approx(a.elbo, abs=tolerance * size)


def spread_of_rounding(run, X):
    """How far two runs may drift apart: rounding of the means, once an iteration, magnified."""
    worst = max(condition(s.mixture) * (EPS + blur_of(X, s.mixture)) for s in run)
    assume(worst < 1e-5)  # a component all but collapsed: compare nothing
    return 1e-11 + 300 * worst


@every_type
@given(case=cases())
def test_relabelling_the_start_relabels_every_state(covariance_type, case):
    start = first_mixture(case, covariance_type)
    labels = case.rng.permutation(start.n_components)
    covariances = start.covariances if covariance_type == "tied" else start.covariances[labels]
    renamed = Mixture(start.weights[labels], start.means[labels], covariances, covariance_type)
    run = states(case.X, start, 5, case.weight)
    other = states(case.X, renamed, 5, case.weight)
    assert_same_run(run, other, labels=labels, tolerance=spread_of_rounding(run, case.X))


@every_type
@given(case=cases())
def test_the_order_of_the_rows_does_not_matter(covariance_type, case):
    start = first_mixture(case, covariance_type)
    order = case.rng.permutation(len(case.X))
    run = states(case.X, start, 5, case.weight)
    other = states(case.X[order], start, 5, case.weight[order])
    assert_same_run(run, other, rows=order, tolerance=spread_of_rounding(run, case.X))


@every_type
@given(case=cases())
def test_an_integer_weight_is_a_repeated_row(covariance_type, case):
    times = case.rng.integers(0, 4, size=len(case.X))
    times[: 6 * case.X.shape[1]] += 1
    rows = np.repeat(np.arange(len(case.X)), times)
    start = first_mixture(case, covariance_type)
    run = states(case.X, start, 5, times)
    other = states(case.X[rows], start, 5)
    assert_same_run(run, other, rows=rows, tolerance=spread_of_rounding(run, case.X))
    # and so for everything else that takes weights
    X, q = case.X, case.gamma
    for of_weights, of_rows in [
        (log_likelihood(X, start, times), log_likelihood(X[rows], start)),
        (q_function(X, q, start, times), q_function(X[rows], q[rows], start)),
        (elbo(X, q, start, times), elbo(X[rows], q[rows], start)),
        (elbo_gap(X, q, start, times), elbo_gap(X[rows], q[rows], start)),
        (entropy(q, times), entropy(q[rows])),
        (kl_divergence(q, q[::-1], times), kl_divergence(q[rows], q[::-1][rows])),
    ]:
        assert of_weights == pytest.approx(of_rows, rel=1e-12, abs=1e-10)


@every_type
@given(case=cases(), factor=st.sampled_from([1e-8, 0.5, 3.0, 1e8]))
def test_weights_count_relative_to_their_sum(covariance_type, case, factor):
    start = first_mixture(case, covariance_type)
    run = states(case.X, start, 4, case.weight)
    other = states(case.X, start, 4, factor * case.weight)
    tolerance = spread_of_rounding(run, case.X)
    for a, b in zip(run, other, strict=True):
        np.testing.assert_allclose(b.responsibilities, a.responsibilities, atol=tolerance)
        assert b.log_likelihood / factor == pytest.approx(
            a.log_likelihood, rel=tolerance, abs=tolerance * case.weight.sum()
        )


def exact_map(draw_rng, covariance_type, d):
    """An invertible matrix of small integers under which the type is closed."""
    while True:
        if covariance_type in ("full", "tied"):
            A = draw_rng.integers(-3, 4, size=(d, d))
        elif covariance_type == "diag":
            A = np.diag(draw_rng.choice([-7, -2, -1, 1, 3, 64], size=d))
        else:  # a similarity: scale, permute and flip axes, and turn by the 3-4-5 triangle
            A = np.eye(d, dtype=int)[draw_rng.permutation(d)] * draw_rng.choice([-1, 1], size=d)
            if d == 2:
                A = A @ np.array([[3, -4], [4, 3]])
            elif d == 3:
                A = A @ np.array([[1, 2, 2], [2, 1, -2], [2, -2, 1]])
            A = A * draw_rng.choice([1, 3])
        if abs(np.linalg.det(A)) > 0.5 and np.linalg.cond(A) < 1e3:
            return A.astype(float)


@every_type
@given(
    case=cases(frames=[(1.0, 0.0), (2.0**-27, 0.0), (2.0**20, 0.0)]),
    shift=st.sampled_from([0.0, 5.0, 2.0**20]),
)
def test_em_commutes_with_the_maps_its_type_allows(covariance_type, case, shift):
    d = case.X.shape[1]
    A = exact_map(case.rng, covariance_type, d)
    b = shift * case.X.std() * case.rng.integers(-3, 4, size=d)
    mapped = case.X @ A.T + b
    start = first_mixture(case, covariance_type)
    try:
        mapped_start = m_step(mapped, case.gamma, covariance_type, case.weight)
    except CollapseError:
        assume(False)
    run = states(case.X, start, 5, case.weight)
    other = states(mapped, mapped_start, 5, case.weight)
    tolerance = spread_of_rounding(run, case.X) + spread_of_rounding(other, mapped)
    log_det = np.linalg.slogdet(A)[1]
    N = case.weight.sum()
    for a, b_ in zip(run, other, strict=True):
        np.testing.assert_allclose(b_.responsibilities, a.responsibilities, rtol=0, atol=tolerance)
        sd = smallest_sd(b_.mixture)
        np.testing.assert_allclose(
            (b_.mixture.means - (a.mixture.means @ A.T + b)) / sd, 0, atol=tolerance
        )
        shape = (covariance_type, *a.mixture.means.shape)
        np.testing.assert_allclose(
            as_full(b_.mixture.covariances, *shape) / sd**2,
            A @ as_full(a.mixture.covariances, *shape) @ A.T / sd**2,
            rtol=tolerance,
            atol=tolerance,
        )
        assert b_.log_likelihood == pytest.approx(
            a.log_likelihood - N * log_det, abs=tolerance * N * (1 + abs(a.log_likelihood))
        )


@every_type
@given(case=cases(n_components=(2, 3)))
def test_units_and_origin_do_not_matter(covariance_type, case):
    # The run on unit * base + offset, told in the frame of base, is the run on base.
    start = first_mixture(case, covariance_type)
    near = Case(case.base, case.base, case.gamma, case.weight, 0.0, case.rng)
    run = states(case.base, first_mixture(near, covariance_type), 6, case.weight)
    far = states(case.X, start, 6, case.weight)
    tolerance = spread_of_rounding(far, case.X)
    unit = (case.X[:, 0].max() - case.X[:, 0].min()) / np.ptp(case.base[:, 0])
    N, d = case.weight.sum(), case.X.shape[1]
    anchor = case.X[0], case.base[0]  # differences are exact, so compare those
    for a, b in zip(run, far, strict=True):
        np.testing.assert_allclose(b.responsibilities, a.responsibilities, rtol=0, atol=tolerance)
        np.testing.assert_allclose(b.mixture.weights, a.mixture.weights, atol=tolerance)
        sd = smallest_sd(a.mixture)
        here, there = a.mixture.means - anchor[1], (b.mixture.means - anchor[0]) / unit
        np.testing.assert_allclose(there / sd, here / sd, rtol=1e-11, atol=tolerance)
        np.testing.assert_allclose(
            b.mixture.covariances / unit**2 / sd**2,
            a.mixture.covariances / sd**2,
            rtol=tolerance,
            atol=tolerance,
        )
        assert b.log_likelihood == pytest.approx(
            a.log_likelihood - N * d * np.log(unit), abs=tolerance * N * (1 + abs(a.log_likelihood))
        )


# --- Nothing fails in silence ---------------------------------------------------------------------


@every_type
@given(
    data=st.lists(st.tuples(st.integers(-2, 2), st.integers(-2, 2)), min_size=3, max_size=12).map(
        lambda rows: np.array(rows, float)
    ),
    seed=st.integers(0, 1000),
    frame=st.sampled_from(FRAMES),
)
def test_em_on_hostile_data_is_finite_or_says_which_component_collapsed(
    covariance_type, data, seed, frame
):
    # Many ties and few rows: components do collapse here.
    unit, offset = frame
    X = unit * data + offset
    gamma = np.random.default_rng(seed).dirichlet(np.ones(2), size=len(X))
    message = None
    try:
        for state in islice(em(X, m_step(X, gamma, covariance_type)), 40):
            numbers = [state.log_likelihood, state.elbo, *state.responsibilities.ravel()]
            assert np.isfinite(numbers).all()
            assert np.isfinite(state.mixture.covariances).all()
            np.testing.assert_allclose(state.responsibilities.sum(axis=1), 1, atol=1e-12)
    except CollapseError as error:
        message = str(error)
    if message is not None:
        shared = covariance_type == "tied" and "shared by all components" in message
        assert shared or re.match(r"component [01] (is empty|has collapsed) \(", message)
        assert "lower n_components" in message
