"""The book's headline claims, restated from scratch in numpy and scipy.

Nothing here comes from the derivation engine, and the EM below is not gmmlib's: it is written with
scipy's densities and plain sums, so that a mistake would have to be made twice. First the claims
are tested on it; then gmmlib is held against it.
"""

from itertools import islice, pairwise

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import multivariate_normal

import gmmlib
from gmmlib.data import adult_heights, clinic_heights, old_faithful, shop_customers
from gmmlib.em import em

DATA = {d.name: d.X for d in (adult_heights(), clinic_heights(), old_faithful(), shop_customers())}
every_data_set = pytest.mark.parametrize("X", DATA.values(), ids=DATA.keys())


def joint(X, pi, mu, Sigma):
    """p[n, k] = pi_k N(x_n | mu_k, Sigma_k)."""
    return np.column_stack(
        [p * multivariate_normal(m, S).pdf(X) for p, m, S in zip(pi, mu, Sigma, strict=True)]
    )


def log_L(X, theta):
    return np.log(joint(X, *theta).sum(axis=1)).sum()


def posterior(X, theta):
    p = joint(X, *theta)
    return p / p.sum(axis=1, keepdims=True)


def Q(X, gamma, theta):
    return (gamma * np.log(joint(X, *theta))).sum()


def bound(X, q, theta):
    return (q * np.log(joint(X, *theta) / q)).sum()


def best(X, gamma):
    N_k = gamma.sum(axis=0)
    mu = [np.average(X, axis=0, weights=g) for g in gamma.T]
    Sigma = [np.cov(X.T, aweights=g, bias=True).reshape(2 * [X.shape[1]]) for g in gamma.T]
    return N_k / len(X), np.array(mu), np.array(Sigma)


def first(X, seed=0, K=2):
    return best(X, np.random.default_rng(seed).dirichlet(np.ones(K), size=len(X)))


def run(X, theta, steps):
    for _ in range(steps):
        yield theta
        theta = best(X, posterior(X, theta))


def vector(theta):
    """Free coordinates without constraints: log-odds, means, log-Cholesky factors."""
    pi, mu, Sigma = theta
    d = mu.shape[1]
    L = np.linalg.cholesky(Sigma)
    off = np.tril_indices(d, -1)
    logs = np.log(np.diagonal(L, axis1=1, axis2=2))
    return np.concatenate([np.log(pi[1:] / pi[0]), mu.ravel(), logs.ravel(), L[:, *off].ravel()])


def theta_of(v, K, d):
    pi = softmax(np.append(0, v[: K - 1]))
    mu, logs, off = np.split(v[K - 1 :], [K * d, 2 * K * d])
    L = np.zeros((K, d, d))
    L[:, *np.tril_indices(d, -1)] = off.reshape(K, -1)
    L[:, range(d), range(d)] = np.exp(logs.reshape(K, d))
    return pi, mu.reshape(K, d), L @ L.transpose(0, 2, 1)


def gradient(f, theta):
    """Central differences of f in the free coordinates of theta."""
    v, shape = vector(theta), theta[1].shape
    slopes = []
    for i in range(len(v)):
        h = np.zeros(len(v))
        h[i] = 1e-5 * max(1, abs(v[i]))
        rise = f(theta_of(v + h, *shape)) - f(theta_of(v - h, *shape))
        slopes.append(rise / (2 * h[i]))
    return np.array(slopes)


# --- The claims, in plain numpy -------------------------------------------------------------------


@every_data_set
def test_claim_log_l_never_falls(X):
    trace = [log_L(X, theta) for theta in run(X, first(X), 60)]
    assert np.diff(trace).min() > -1e-9
    assert trace[-1] > trace[0] + 1


@every_data_set
def test_claim_the_gap_of_the_bound_is_the_kl_divergence(X):
    rng = np.random.default_rng(1)
    for theta in run(X, first(X), 5):
        q, gamma = rng.dirichlet([1, 1], size=len(X)), posterior(X, theta)
        kl = (q * np.log(q / gamma)).sum()
        assert kl > 0
        assert log_L(X, theta) - bound(X, q, theta) == pytest.approx(kl, rel=1e-10)
        assert bound(X, gamma, theta) == pytest.approx(log_L(X, theta), rel=1e-12)
        entropy = -(q * np.log(q)).sum()
        assert bound(X, q, theta) == pytest.approx(Q(X, q, theta) + entropy, rel=1e-12)


@every_data_set
def test_claim_the_m_step_is_the_maximum_of_q(X):
    rng = np.random.default_rng(2)
    gamma = posterior(X, first(X))
    theta = best(X, gamma)
    top, v = Q(X, gamma, theta), vector(theta)
    np.testing.assert_allclose(gradient(lambda t: Q(X, gamma, t), theta), 0, atol=1e-5 * len(X))
    for size in (1e-3, 1e-2, 1e-1):
        for _ in range(20):
            moved = theta_of(v * (1 + size * rng.normal(size=len(v))), *theta[1].shape)
            assert Q(X, gamma, moved) < top


@every_data_set
def test_claim_fisher_the_gradients_of_log_l_and_of_q_touch(X):
    theta = list(run(X, first(X), 3))[-1]
    gamma = posterior(X, theta)
    of_log_L = gradient(lambda t: log_L(X, t), theta)
    of_Q = gradient(lambda t: Q(X, gamma, t), theta)
    assert np.abs(of_log_L).max() > 1e-2  # not at a stationary point, where it would say nothing
    np.testing.assert_allclose(of_Q, of_log_L, atol=1e-5 * len(X) / X.std())
    # and only there: with the responsibilities of another mixture they differ
    elsewhere = gradient(lambda t: Q(X, posterior(X, first(X, seed=9)), t), theta)
    assert np.abs(elsewhere - of_log_L).max() > 1e-2


# --- gmmlib says the same -------------------------------------------------------------------------


@every_data_set
def test_gmmlib_takes_the_same_steps(X):
    theta = first(X)
    states = islice(em(X, gmmlib.Mixture(*theta)), 30)
    for state, (pi, mu, Sigma) in zip(states, run(X, theta, 30), strict=True):
        np.testing.assert_allclose(state.mixture.weights, pi, rtol=1e-8)
        np.testing.assert_allclose(state.mixture.means, mu, rtol=1e-9)
        np.testing.assert_allclose(state.mixture.covariances, Sigma, rtol=1e-8)
        assert state.log_likelihood == pytest.approx(log_L(X, (pi, mu, Sigma)), rel=1e-10)


@every_data_set
def test_gmmlib_agrees_on_every_quantity(X):
    theta = first(X)
    mixture = gmmlib.Mixture(*theta)
    q, gamma = np.random.default_rng(3).dirichlet([1, 1], size=len(X)), posterior(X, theta)
    np.testing.assert_allclose(mixture.responsibilities(X), gamma, rtol=1e-9)
    for found, expected in [
        (gmmlib.log_likelihood(X, mixture), log_L(X, theta)),
        (gmmlib.q_function(X, q, mixture), Q(X, q, theta)),
        (gmmlib.entropy(q), -(q * np.log(q)).sum()),
        (gmmlib.elbo(X, q, mixture), bound(X, q, theta)),
        (gmmlib.kl_divergence(q, gamma), (q * np.log(q / gamma)).sum()),
        (gmmlib.elbo_gap(X, q, mixture), (q * np.log(q / gamma)).sum()),
    ]:
        assert found == pytest.approx(expected, rel=1e-10)
    for before, after in pairwise(islice(em(X, mixture), 40)):
        rounding = 1e-12 * abs(before.log_likelihood)
        assert before.log_likelihood - rounding <= after.elbo <= after.log_likelihood + rounding
