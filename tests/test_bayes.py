"""Variational Bayes: laws, closed forms, Monte Carlo, and scikit-learn as the peer."""

import warnings
from dataclasses import FrozenInstanceError, replace
from itertools import islice, pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import betaln, gammaln, logsumexp
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import BayesianGaussianMixture

from gmmlib.bayes import (
    WEIGHT_PRIORS,
    Belief,
    Prior,
    e_step,
    elbo,
    fit,
    kmeans_labels,
    m_step,
    variational,
    weak_prior,
)
from gmmlib.data import clinic_heights, old_faithful, shop_customers

every_prior = pytest.mark.parametrize("weights", WEIGHT_PRIORS)
SCIKIT_LEARN = {"dirichlet": "dirichlet_distribution", "sticks": "dirichlet_process"}


def clusters(n=60, d=2, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) @ (rng.normal(size=(d, d)) + 2 * np.eye(d)) + 6 * rng.integers(
        0, 2, size=(n, 1)
    )


def soft(n, K, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(K), size=n)


@st.composite
def cases(draw):
    """Data, responsibilities, row weights and a prior, all random."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    K, d, N = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(5, 30))
    X = clusters(N, d, draw(st.integers(0, 2**16)))
    A = rng.normal(size=(d, d))
    prior = Prior(
        draw(st.sampled_from(WEIGHT_PRIORS)),
        draw(st.sampled_from([1e-3, 0.3, 1.0, 5.0])),
        X.mean(axis=0) + rng.normal(size=d),
        draw(st.sampled_from([0.01, 1.0, 10.0])),
        d - 1 + draw(st.sampled_from([0.2, 1.0, 5.0])),
        A @ A.T + np.eye(d),
    )
    gamma = rng.dirichlet(np.full(K, draw(st.sampled_from([0.05, 1.0]))), size=N)
    gamma = (gamma + 1e-12) / (gamma + 1e-12).sum(axis=1, keepdims=True)
    w = rng.integers(0, 4, size=N) + (np.arange(N) < K).astype(float)
    return X, gamma, w, prior, rng


# --- The same steps as scikit-learn ---------------------------------------------------------------


def scikit_learn(X, gamma, prior, iterations):
    class FromResponsibilities(BayesianGaussianMixture):
        def _initialize_parameters(self, X, random_state, xp=None):
            self._initialize(X, gamma)

    model = FromResponsibilities(
        n_components=gamma.shape[1],
        weight_concentration_prior_type=SCIKIT_LEARN[prior.weights],
        weight_concentration_prior=prior.concentration,
        mean_prior=prior.mean,
        mean_precision_prior=prior.mean_precision,
        degrees_of_freedom_prior=prior.degrees_of_freedom,
        covariance_prior=prior.scatter,
        reg_covar=0,
        tol=0,
        max_iter=iterations,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is told to stop early
        return model.fit(X)


DATA = {
    "old_faithful": (old_faithful().X, 8),
    "shop_customers": (shop_customers().X, 6),
    "clinic_heights": (clinic_heights().X, 3),
    "simulated": (clusters(200, 3), 5),
}


@every_prior
@pytest.mark.parametrize("start", ["hard", "soft"])
@pytest.mark.parametrize("name", DATA)
def test_same_start_same_steps_as_scikit_learn(name, start, weights):
    X, K = DATA[name]
    gamma = soft(len(X), K)
    if start == "hard":
        gamma = kmeans_labels(X, K, np.random.default_rng(0))
    base = weak_prior(X, K, weights)
    other = replace(base, concentration=2.5, mean_precision=0.3, mean=base.mean + 1)
    for prior in (base, replace(other, degrees_of_freedom=other.n_features + 2.5)):
        states = list(islice(variational(X, gamma, prior), 41))
        constants = []
        for iterations in (1, 2, 10, 40):
            theirs, ours = scikit_learn(X, gamma, prior, iterations), states[iterations]
            belief = ours.belief
            share = belief.expected_weights / belief.expected_weights.sum()
            np.testing.assert_allclose(share, theirs.weights_, atol=1e-6)
            np.testing.assert_allclose(belief.means, theirs.means_, rtol=1e-6)
            scale = np.abs(theirs.covariances_).max()
            np.testing.assert_allclose(
                belief.covariances, theirs.covariances_, rtol=1e-6, atol=1e-6 * scale
            )
            np.testing.assert_allclose(belief.mean_precisions, theirs.mean_precision_, rtol=1e-6)
            np.testing.assert_allclose(
                belief.degrees_of_freedom, theirs.degrees_of_freedom_, rtol=1e-6
            )
            theirs_concentrations = np.transpose(theirs.weight_concentration_)
            np.testing.assert_allclose(belief.concentrations, theirs_concentrations, rtol=1e-6)
            np.testing.assert_allclose(ours.responsibilities, theirs.predict_proba(X), atol=1e-6)
            constants.append(ours.half_way - theirs.lower_bound_)
        assert abs(constants[0]) > 1  # they do drop something
        np.testing.assert_allclose(constants, constants[0], rtol=1e-9)


@every_prior
def test_the_weak_prior_is_scikit_learns_default(weights):
    X = old_faithful().X
    theirs = BayesianGaussianMixture(
        n_components=4, weight_concentration_prior_type=SCIKIT_LEARN[weights], max_iter=500
    ).fit(X)
    prior = weak_prior(X, 4, weights)
    assert prior.concentration == theirs.weight_concentration_prior_
    assert prior.mean_precision == theirs.mean_precision_prior_
    assert prior.degrees_of_freedom == theirs.degrees_of_freedom_prior_
    np.testing.assert_allclose(prior.mean, theirs.mean_prior_)
    np.testing.assert_allclose(prior.scatter, theirs.covariance_prior_)


# --- The bound is the true one --------------------------------------------------------------------


def log_of_weights(rng, belief, z, size):
    """Draws of weights from a belief: log p(z, weights) - log q(weights), one for each draw."""
    alpha = belief.prior.concentration
    if belief.prior.weights == "dirichlet":
        prior = stats.dirichlet(np.full(belief.n_components, alpha))
        own = stats.dirichlet(belief.concentrations)
        pi = own.rvs(size, random_state=rng)
        of_labels = np.log(pi)[np.arange(size)[:, None], z].sum(axis=1)
        return of_labels + prior.logpdf(pi.T) - own.logpdf(pi.T)
    own = stats.beta(*belief.concentrations.T)
    v = own.rvs((size, belief.n_components), random_state=rng)
    log_pi = np.log(v) + np.hstack([np.zeros((size, 1)), np.cumsum(np.log1p(-v), axis=1)[:, :-1]])
    ratio = (stats.beta(1, alpha).logpdf(v) - own.logpdf(v)).sum(axis=1)
    return log_pi[np.arange(size)[:, None], z].sum(axis=1) + ratio


@every_prior
@pytest.mark.parametrize("d", [1, 2])
def test_the_elbo_is_the_mean_of_log_p_minus_log_q_under_q(weights, d):
    # Weights and precisions by scipy's densities; any responsibilities and any belief have a bound.
    rng, size = np.random.default_rng(5), 6_000
    X, gamma = clusters(8, d), soft(8, 3)
    prior = Prior(weights, 0.7, np.ones(d), 0.8, d + 1.5, np.diag([2.0, 3.0][:d]))
    belief = m_step(X, soft(8, 3, seed=1), prior)
    z = np.array([rng.choice(3, size=size, p=row) for row in gamma]).T
    total = log_of_weights(rng, belief, z, size) - np.log(gamma)[np.arange(8), z].sum(axis=1)
    for k in range(3):
        own = stats.wishart(belief.degrees_of_freedom[k], np.linalg.inv(belief.scatters[k]))
        before = stats.wishart(prior.degrees_of_freedom, np.linalg.inv(prior.scatter))
        precision = own.rvs(size, random_state=rng).reshape(size, d, d)
        beta, root = belief.mean_precisions[k], np.linalg.cholesky(np.linalg.inv(precision))
        noise = np.einsum("sij,sj->si", root, rng.normal(size=(size, d)))
        mu = belief.means[k] + noise / np.sqrt(beta)
        last = np.moveaxis(precision, 0, -1)
        total += before.logpdf(last) - own.logpdf(last)
        total += log_normal(mu - prior.mean, prior.mean_precision * precision)
        total -= log_normal(mu - belief.means[k], beta * precision)
        for n, row in enumerate(X):
            total += np.where(z[:, n] == k, log_normal(row - mu, precision), 0.0)
    error = total.std() / np.sqrt(size)
    assert error < 0.1  # sharp enough to see any constant such as log 2
    assert abs(total.mean() - elbo(X, gamma, belief)) < 4 * error


def log_normal(residuals, precision):
    """Log densities of draws (size, d) under precision matrices (size, d, d)."""
    distance = np.einsum("si,sij,sj->s", residuals, precision, residuals)
    d = residuals.shape[1]
    return 0.5 * (np.linalg.slogdet(precision)[1] - d * np.log(2 * np.pi) - distance)


def log_marginal(X, prior):
    """log p(X) of one component, as a product of Student t predictions (scipy's)."""
    total, d = 0.0, X.shape[1]
    m, beta, nu, S = prior.mean, prior.mean_precision, prior.degrees_of_freedom, prior.scatter
    for row in X:
        df = nu - d + 1
        total += stats.multivariate_t(m, S * (beta + 1) / (beta * df), df).logpdf(row)
        S = S + beta / (beta + 1) * np.outer(row - m, row - m)
        m, beta, nu = (beta * m + row) / (beta + 1), beta + 1, nu + 1
    return total


@every_prior
def test_the_elbo_lies_below_the_exact_log_evidence_and_not_far(weights):
    # Six rows: sum over all labellings.
    K, alpha = 3, 0.9
    X = clusters(6, 2)
    prior = Prior(weights, alpha, X.mean(axis=0), 0.5, 4.0, 3 * np.eye(2))
    pieces = {
        rows: log_marginal(X[list(rows)], prior) if rows else 0.0
        for rows in (tuple(np.flatnonzero(bits)) for bits in product([0, 1], repeat=6))
    }
    terms = []
    for z in product(range(K), repeat=6):
        n = np.bincount(z, minlength=K)
        if weights == "dirichlet":
            log_p = gammaln(K * alpha) - gammaln(K * alpha + 6)
            log_p += (gammaln(alpha + n) - gammaln(alpha)).sum()
        else:
            behind = n[::-1].cumsum()[::-1] - n
            log_p = (betaln(1 + n, alpha + behind) - betaln(1, alpha)).sum()
        groups = [tuple(np.flatnonzero(np.array(z) == k)) for k in range(K)]
        terms.append(log_p + sum(pieces[group] for group in groups))
    best = max(
        list(islice(variational(X, soft(6, K, seed), prior), 200))[-1].elbo for seed in range(5)
    )
    evidence = logsumexp(terms)
    assert best < evidence
    assert evidence - best < 4  # nats: a bound, not merely a small number


@pytest.mark.parametrize("d", [1, 2, 3])
def test_one_component_is_the_conjugate_posterior_and_the_bound_is_tight(d):
    X, rng = clusters(15, d), np.random.default_rng(2)
    A = rng.normal(size=(d, d))
    prior = Prior("dirichlet", 1.7, rng.normal(size=d), 0.6, d + 0.5, A @ A.T + np.eye(d))
    first, second = islice(variational(X, np.ones((15, 1)), prior), 2)
    N, mean, S = 15, X.mean(axis=0), np.cov(X.T, bias=True).reshape(d, d) * 15
    difference = mean - prior.mean
    belief = first.belief
    np.testing.assert_allclose(belief.mean_precisions, [0.6 + N])
    np.testing.assert_allclose(belief.degrees_of_freedom, [d + 0.5 + N])
    np.testing.assert_allclose(belief.means, [(0.6 * prior.mean + N * mean) / (0.6 + N)])
    np.testing.assert_allclose(
        belief.scatters,
        [prior.scatter + S + 0.6 * N / (0.6 + N) * np.outer(difference, difference)],
    )
    assert (belief.expected_weights == 1).all()
    assert first.elbo == pytest.approx(log_marginal(X, prior), rel=1e-12)  # nothing is lost
    assert second.elbo == pytest.approx(first.elbo, rel=1e-13)


# --- Laws -----------------------------------------------------------------------------------------


@given(case=cases())
def test_the_bound_never_falls(case):
    X, gamma, w, prior, _ = case
    states = list(islice(variational(X, gamma, prior, w), 12))
    for before, after in pairwise(states):
        slack = 1e-10 * w.sum() * (1 + abs(before.elbo))
        assert before.elbo <= after.half_way + slack
        assert after.half_way <= after.elbo + slack


@given(case=cases())
def test_each_half_step_goes_to_the_top(case):
    X, gamma, w, prior, rng = case
    belief = m_step(X, gamma, prior, w)
    top = elbo(X, gamma, belief, w)
    slack = 1e-10 * w.sum() * (1 + abs(top))
    for _ in range(4):
        moved = Belief(
            prior,
            belief.concentrations * np.exp(0.2 * rng.normal(size=belief.concentrations.shape)),
            belief.means + 0.2 * rng.normal(size=belief.means.shape),
            belief.mean_precisions * np.exp(0.2 * rng.normal(size=belief.n_components)),
            belief.degrees_of_freedom * np.exp(0.2 * abs(rng.normal(size=belief.n_components))),
            belief.scatters * np.exp(0.2 * rng.normal(size=(belief.n_components, 1, 1))),
        )
        assert elbo(X, gamma, moved, w) < top + slack
    best, value = e_step(X, belief, w)
    assert value == pytest.approx(elbo(X, best, belief, w), abs=slack)
    for seed in range(4):
        assert elbo(X, soft(*gamma.shape, seed), belief, w) <= value + slack


@given(case=cases())
def test_relabelling_relabels_every_state_of_a_dirichlet_mixture(case):
    X, gamma, w, prior, rng = case
    prior = replace(prior, weights="dirichlet")
    order = rng.permutation(gamma.shape[1])
    run = islice(variational(X, gamma, prior, w), 5)
    other = islice(variational(X, gamma[:, order], prior, w), 5)
    for a, b in zip(run, other, strict=True):
        np.testing.assert_allclose(b.responsibilities, a.responsibilities[:, order], atol=1e-8)
        np.testing.assert_allclose(b.belief.means, a.belief.means[order], rtol=1e-7, atol=1e-7)
        assert b.elbo == pytest.approx(a.elbo, rel=1e-9)


def test_the_order_of_sticks_matters():
    X, gamma = clusters(), np.eye(3)[np.repeat([0, 1, 2], [40, 15, 5])]
    prior = weak_prior(X, 3, "sticks", concentration=0.5)
    bounds = [elbo(X, g, m_step(X, g, prior)) for g in (gamma, gamma[:, ::-1])]
    assert bounds[0] > bounds[1] + 1  # the prior expects the first one to be large


@given(case=cases())
def test_an_integer_weight_is_a_repeated_row(case):
    X, gamma, w, prior, _ = case
    rows = np.repeat(np.arange(len(X)), w.astype(int))
    for a, b in zip(
        islice(variational(X, gamma, prior, w), 4),
        islice(variational(X[rows], gamma[rows], prior), 4),
        strict=True,
    ):
        np.testing.assert_allclose(b.responsibilities, a.responsibilities[rows], atol=1e-8)
        np.testing.assert_allclose(b.belief.scatters, a.belief.scatters, rtol=1e-8, atol=1e-8)
        assert (b.elbo, b.half_way) == pytest.approx((a.elbo, a.half_way), rel=1e-9)


@every_prior
@pytest.mark.parametrize(("unit", "offset"), [(1e6, 0.0), (1e-6, 0.0), (1.0, 1e6)])
def test_units_and_origin_change_the_bound_by_the_units_of_a_density_only(weights, unit, offset):
    X, gamma = clusters(), soft(60, 3)
    here = list(islice(variational(X, gamma, weak_prior(X, 3, weights)), 20))
    Y = unit * X + offset
    there = list(islice(variational(Y, gamma, weak_prior(Y, 3, weights)), 20))
    for a, b in zip(here, there, strict=True):
        np.testing.assert_allclose(b.responsibilities, a.responsibilities, atol=1e-6)
        assert b.elbo == pytest.approx(a.elbo - X.size * np.log(unit), rel=1e-7)


# --- What a belief says ---------------------------------------------------------------------------


@every_prior
def test_expected_weights_and_their_logarithms_agree_with_draws(weights):
    belief = m_step(clusters(10), soft(10, 3), weak_prior(clusters(10), 3, weights, 2.0))
    rng = np.random.default_rng(0)
    if weights == "dirichlet":
        pi = stats.dirichlet(belief.concentrations).rvs(100_000, random_state=rng)
        assert belief.expected_weights.sum() == pytest.approx(1)
    else:
        v = stats.beta(*belief.concentrations.T).rvs((100_000, 3), random_state=rng)
        pi = v * np.hstack([np.ones((100_000, 1)), np.cumprod(1 - v, axis=1)[:, :-1]])
        assert belief.expected_weights.sum() < 1
    np.testing.assert_allclose(pi.mean(axis=0), belief.expected_weights, atol=0.004)
    np.testing.assert_allclose(np.log(pi).mean(axis=0), belief.expected_log_weights, atol=0.02)


@every_prior
def test_an_empty_component_is_what_the_prior_says(weights):
    X = clusters()
    prior = weak_prior(X, 3, weights)
    belief = m_step(X, np.eye(3)[np.zeros(60, int)], prior)
    np.testing.assert_allclose(belief.counts, [60, 0, 0], atol=1e-12)
    np.testing.assert_allclose(belief.means[1], prior.mean)
    np.testing.assert_allclose(belief.scatters[2], prior.scatter)
    assert belief.divergence() > 0


def test_components_that_are_not_needed_starve():
    X = shop_customers().X
    best = fit(X, 8, weak_prior(X, 8, "dirichlet"), n_restarts=2, rng=np.random.default_rng(0))
    assert best.converged
    assert (best.belief.counts > 1).sum() == 2
    assert best.belief.counts.sum() == pytest.approx(200)
    mixture = best.belief.mixture(min_rows=1)
    assert mixture.n_components == 2
    np.testing.assert_allclose(np.sort(mixture.means[:, 0]), [140, 170], atol=2)
    assert (np.diff(best.trace) >= -1e-9).all()
    assert max(best.restarts) == best.elbo == best.trace[-1]
    assert best.belief.mixture().n_components == 8
    with pytest.raises(ValueError, match="min_rows is 500; the largest component has 1"):
        best.belief.mixture(min_rows=500)


def test_k_means_labels_are_hard_and_take_one_component_each():
    X = clusters()
    hard = kmeans_labels(X, 4, np.random.default_rng(0))
    assert set(hard.ravel()) == {0, 1}
    assert (hard.sum(axis=1) == 1).all()
    assert (hard.sum(axis=0) > 0).all()


def test_states_chain_the_two_steps_and_are_immutable():
    X, gamma = clusters(), soft(60, 3)
    prior = weak_prior(X, 3)
    states = list(islice(variational(X, gamma, prior), 3))
    assert [s.iteration for s in states] == [0, 1, 2]
    for state in states:
        belief = m_step(X, gamma, prior)
        assert state.half_way == elbo(X, gamma, belief)
        gamma, bound = e_step(X, belief)
        assert (state.responsibilities == gamma).all()
        assert state.elbo == bound
    with pytest.raises(FrozenInstanceError):
        states[0].elbo = 0.0
    for array in (states[0].responsibilities, states[0].belief.means, prior.mean):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0.0


# --- Bad input ------------------------------------------------------------------------------------

GOOD = {
    "weights": "sticks",
    "concentration": 1.0,
    "mean": [0.0, 0.0],
    "mean_precision": 1.0,
    "degrees_of_freedom": 2.0,
    "scatter": np.eye(2),
}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"weights": "urn"}, "weights is 'urn'; choose one of 'dirichlet', 'sticks'"),
        ({"concentration": 0.0}, "concentration is 0.0; it must be finite and above 0"),
        ({"mean_precision": np.nan}, "mean_precision is nan"),
        ({"degrees_of_freedom": 1.0}, "degrees_of_freedom is 1.0; it must be finite and above 1"),
        ({"mean": [0.0]}, r"mean has shape \(1,\) and scatter \(2, 2\)"),
        ({"mean": [0.0, np.inf]}, r"mean\[1\] is inf"),
        ({"scatter": -np.eye(2)}, "scatter is not positive definite"),
        ({"scatter": [[1.0, 0.5], [0.0, 1.0]]}, "scatter is not symmetric"),
    ],
)
def test_a_prior_that_is_none_is_refused(change, complaint):
    Prior(**GOOD)
    with pytest.raises(ValueError, match=complaint):
        Prior(**GOOD | change)


def test_bad_data_raises_at_the_call():
    X, gamma, prior = clusters(), soft(60, 3), Prior(**GOOD)
    with pytest.raises(ValueError, match="X has 1 feature"):
        variational(X[:, 0], gamma, prior)
    with pytest.raises(ValueError, match="sums to"):
        variational(X, 2 * gamma, prior)
    with pytest.raises(ValueError, match="responsibilities has shape"):
        elbo(X, gamma[:, :2], m_step(X, gamma, prior))
    with pytest.raises(ValueError, match="exceeds the 2 row"):
        weak_prior(X[:2], 3)
    with pytest.raises(ValueError, match="rng is None"):
        fit(X, 3, prior)
    with pytest.warns(RuntimeWarning, match="not converged after 1 iterations"):
        fit(X, 3, prior, tol=0.0, max_iter=1, n_restarts=1, rng=np.random.default_rng(0))
