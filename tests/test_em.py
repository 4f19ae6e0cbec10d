"""The E-step, the M-step, the states of EM, and fit."""

from dataclasses import FrozenInstanceError
from itertools import islice, pairwise

import numpy as np
import pytest

import gmmlib
from gmmlib import CollapseError, Mixture, e_step, elbo, fit, log_likelihood, m_step
from gmmlib.covariance import COVARIANCE_TYPES
from gmmlib.em import em

HEIGHTS = np.array([118.0, 125, 131, 133, 140, 158, 161, 167, 170, 171, 174, 182])
START = Mixture([0.5, 0.5], [[130.0], [170.0]], [[[100.0]], [[100.0]]])
every_type = pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)


def clusters(n=120, d=2, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) + 5 * rng.integers(0, 2, size=(n, 1))


def test_names_are_unsurprising():
    # The module keeps its name; its generator is one level below.
    assert gmmlib.em.em is em
    assert gmmlib.fit is gmmlib.em.fit
    assert set(gmmlib.__all__) <= set(dir(gmmlib))


# --- Steps ----------------------------------------------------------------------------------------


def test_e_step_returns_the_posterior_and_the_weighted_log_likelihood():
    w = np.arange(12.0)
    gamma, log_L = e_step(HEIGHTS, START, w)
    np.testing.assert_allclose(gamma, START.responsibilities(HEIGHTS), rtol=1e-14)
    np.testing.assert_allclose(gamma.sum(axis=1), 1, rtol=1e-15)
    assert log_L == pytest.approx(log_likelihood(HEIGHTS, START, w), rel=1e-14)
    assert log_L == pytest.approx((w * START.log_density(HEIGHTS)).sum(), rel=1e-14)


def test_m_step_on_paper():
    # Three rows, weights 1, 1, 2. N_1 = 1 + 0.5 + 0 = 1.5 and N_2 = 0 + 0.5 + 2 = 2.5.
    mixture = m_step([0.0, 3.0, 5.0], [[1, 0], [0.5, 0.5], [0, 1]], sample_weight=[1, 1, 2])
    np.testing.assert_allclose(mixture.weights, [1.5 / 4, 2.5 / 4])
    np.testing.assert_allclose(mixture.means[:, 0], [1.5 / 1.5, 11.5 / 2.5])
    variance_1 = (1 * (0 - 1) ** 2 + 0.5 * (3 - 1) ** 2) / 1.5
    variance_2 = (0.5 * (3 - 4.6) ** 2 + 2 * (5 - 4.6) ** 2) / 2.5
    np.testing.assert_allclose(mixture.covariances[:, 0, 0], [variance_1, variance_2])


@every_type
def test_m_step_keeps_the_type(covariance_type):
    X = clusters()
    mixture = m_step(X, np.random.default_rng(1).dirichlet([1, 1], size=len(X)), covariance_type)
    assert mixture.covariance_type == covariance_type


def test_m_step_of_sure_labels_is_one_gaussian_per_group():
    X, labels = clusters(), np.repeat([0, 1], 60)
    mixture = m_step(X, np.eye(2)[labels])
    for k in range(2):
        group = X[labels == k]
        np.testing.assert_allclose(mixture.means[k], group.mean(axis=0), rtol=1e-13)
        np.testing.assert_allclose(mixture.covariances[k], np.cov(group.T, bias=True), rtol=1e-12)


def test_means_lose_no_digits_far_from_the_origin():
    # Exact in binary. A mean can be off by half a unit in its last place, and not by more.
    base = np.random.default_rng(0).integers(0, 2**20, size=5001) / 2**10
    gamma = np.random.default_rng(1).dirichlet([1, 1], size=5001)
    near, far = m_step(base, gamma), m_step(base + 1e8, gamma)
    assert np.abs((far.means - 1e8) - near.means).max() <= np.spacing(1e8)
    np.testing.assert_allclose(far.covariances, near.covariances, rtol=1e-12)


# --- States ---------------------------------------------------------------------------------------


def test_states_chain_e_step_and_m_step():
    states = list(islice(em(HEIGHTS, START), 6))
    assert [s.iteration for s in states] == list(range(6))
    assert states[0].mixture is START
    assert states[0].elbo == states[0].log_likelihood
    for state in states:
        gamma, log_L = e_step(HEIGHTS, state.mixture)
        assert (state.responsibilities == gamma).all()
        assert state.log_likelihood == log_L
    for before, after in pairwise(states):
        expected = m_step(HEIGHTS, before.responsibilities)
        assert (after.mixture.means == expected.means).all()
        assert after.elbo == elbo(HEIGHTS, before.responsibilities, after.mixture)
        assert before.log_likelihood < after.elbo < after.log_likelihood


def test_states_are_immutable():
    state = next(em(HEIGHTS, START))
    with pytest.raises(FrozenInstanceError):
        state.log_likelihood = 0.0
    with pytest.raises(ValueError, match="read-only"):
        state.responsibilities[0, 0] = 0.0


def test_em_has_no_end_and_stands_still_at_a_fixed_point():
    states = list(islice(em(HEIGHTS, START), 500))
    last, one_more = states[-2:]
    np.testing.assert_allclose(one_more.mixture.means, last.mixture.means, rtol=1e-12)
    assert one_more.log_likelihood == pytest.approx(one_more.elbo, rel=1e-13)


@every_type
def test_em_keeps_the_covariance_type_of_the_start(covariance_type):
    X = clusters()
    start = m_step(X, np.random.default_rng(2).dirichlet([1, 1], size=len(X)), covariance_type)
    assert all(s.mixture.covariance_type == covariance_type for s in islice(em(X, start), 3))


def test_components_that_start_identical_never_separate():
    start = Mixture([0.3, 0.7], [[150.0], [150.0]], [[[400.0]], [[400.0]]])
    for state in islice(em(HEIGHTS, start), 1, 20):
        assert state.mixture.means[0] == pytest.approx(state.mixture.means[1], rel=1e-14)
        np.testing.assert_allclose(state.mixture.weights, [0.3, 0.7])


def test_with_reg_covar_neither_log_l_nor_the_penalised_log_l_is_sure_to_rise():
    # What the docstring of em says for all types but tied, where the second does rise.
    def smallest_gains(seed, covariance_type, reg_covar):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(20, 2)) + 3 * rng.integers(0, 2, size=(20, 1))
        start = gmmlib.random_start(X, 3, rng, covariance_type, reg_covar=reg_covar)
        log_L, penalised = [], []
        for s in islice(em(X, start, reg_covar=reg_covar), 30):
            full = gmmlib.covariance.as_full(s.mixture.covariances, covariance_type, 3, 2)
            traces = np.trace(np.linalg.inv(full), axis1=1, axis2=2)
            log_L.append(s.log_likelihood)
            penalised.append(log_L[-1] - reg_covar / 2 * s.responsibilities.sum(axis=0) @ traces)
        return np.diff(log_L).min(), np.diff(penalised).min()

    gains = {
        T: np.min([smallest_gains(seed, T, r) for seed in range(20) for r in (0.03, 1)], axis=0)
        for T in COVARIANCE_TYPES
    }
    for covariance_type, (log_L, penalised) in gains.items():
        assert log_L < -1e-3
        assert penalised > -1e-10 if covariance_type == "tied" else penalised < -1e-4


# --- Collapse -------------------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [0.0, 1e8])
@pytest.mark.parametrize("unit", [2.0**-27, 1.0, 2.0**27])
def test_a_component_that_shrinks_onto_one_row_is_named(unit, offset):
    X = np.array([1.0, 2, 3, 4, 50]) + offset
    start = Mixture([0.5, 0.5], [[2.0 + offset], [49.0 + offset]], [[[4.0]], [[4.0]]])
    start = Mixture(start.weights, unit * start.means, unit**2 * start.covariances)
    with pytest.raises(
        ValueError, match=r"component 1 has collapsed .*increase reg_covar.*lower n_components"
    ):
        list(islice(em(unit * X, start), 100))
    survivors = list(islice(em(unit * X, start, reg_covar=0.01 * unit**2), 100))
    assert survivors[-1].mixture.covariances[1, 0, 0] == pytest.approx(0.01 * unit**2, rel=1e-3)


@pytest.mark.parametrize("covariance_type", ["full", "tied"])
def test_rows_on_a_line_have_no_full_covariance(covariance_type):
    t = np.arange(20.0)
    X = np.column_stack([t, 3 * t + 1])
    with pytest.raises(CollapseError, match="has collapsed"):
        m_step(X, np.full((20, 2), 0.5), covariance_type)
    m_step(X, np.full((20, 2), 0.5), "diag")  # which has no need of the second direction


@every_type
def test_rows_that_differ_by_rounding_alone_carry_no_component(covariance_type):
    X = [0.1 + 0.2, 0.3, 5.0, 6.0, 7.0]
    assert X[0] != X[1]
    labels = [0, 0, 1, 1, 1]
    if covariance_type == "tied":  # shares the spread of the others
        m_step(X, np.eye(2)[labels], covariance_type)
        return
    with pytest.raises(CollapseError, match=r"component 0 has collapsed .* rounding of X"):
        m_step(X, np.eye(2)[labels], covariance_type)


@every_type
def test_an_empty_component_is_named(covariance_type):
    X = clusters()
    gamma = np.tile([0.5, 0.0, 0.5], (len(X), 1))
    with pytest.raises(CollapseError, match=r"component 1 is empty.*lower n_components"):
        m_step(X, gamma, covariance_type)


def test_a_thin_but_honest_component_is_no_collapse():
    rng = np.random.default_rng(0)
    X = np.r_[rng.normal(size=50), 10 + 1e-6 * rng.normal(size=50)]
    result = fit(X, 2, rng=rng, n_restarts=1)
    assert np.sqrt(result.mixture.covariances.min()) == pytest.approx(1e-6, rel=0.3)


# --- fit ------------------------------------------------------------------------------------------


@every_type
def test_fit_ends_where_another_step_gains_nothing(covariance_type):
    X = clusters()
    result = fit(X, 2, covariance_type, rng=np.random.default_rng(0))
    assert result.converged
    assert result.iterations == len(result.trace) - 1
    assert result.trace[-1] == result.log_likelihood
    assert result.log_likelihood == pytest.approx(log_likelihood(X, result.mixture), rel=1e-14)
    assert abs(result.trace[-1] - result.trace[-2]) <= 1e-10 * len(X)
    assert abs(result.trace[-2] - result.trace[-3]) > 1e-10 * len(X)
    step = list(islice(em(X, result.mixture), 2))[1]
    np.testing.assert_allclose(step.mixture.means, result.mixture.means, rtol=1e-4)


def test_fit_keeps_the_best_of_its_starts():
    X = np.random.default_rng(0).normal(size=(80, 2))
    result = fit(X, 3, start="random", rng=np.random.default_rng(4), tol=1e-7)
    assert len(result.restarts) == 10
    assert np.ptp(result.restarts) > 0.1  # there was a choice
    assert result.log_likelihood == max(result.restarts)


def test_fit_is_repeatable():
    X = clusters()
    a, b = (fit(X, 2, rng=np.random.default_rng(7), start="random") for _ in range(2))
    assert (a.mixture.means == b.mixture.means).all()
    assert a.restarts == b.restarts


def test_tolerance_is_per_sample_whatever_the_weights():
    X, options = clusters(), {"start": "kmeans", "n_restarts": 1, "tol": 1e-6}
    plain = fit(X, 2, rng=np.random.default_rng(0), **options)
    heavy = fit(X, 2, rng=np.random.default_rng(0), sample_weight=np.full(120, 1000.0), **options)
    assert plain.iterations == heavy.iterations
    assert heavy.log_likelihood == pytest.approx(1000 * plain.log_likelihood)


def test_fit_says_when_it_was_stopped_early():
    with pytest.warns(RuntimeWarning, match="not converged after 2 iterations"):
        result = fit(HEIGHTS, 2, max_iter=2, n_restarts=1, rng=np.random.default_rng(0))
    assert not result.converged
    assert result.iterations == 2


def test_fit_counts_the_starts_that_collapse():
    X = np.random.default_rng(1).normal(size=15)
    with pytest.warns(RuntimeWarning, match=r"of 20 starts collapsed.*component \d"):
        result = fit(X, 3, start="random", n_restarts=20, tol=1e-6, rng=np.random.default_rng(2))
    assert 0 < len(result.collapses) < 20
    assert np.isnan(result.restarts).sum() == len(result.collapses)
    assert result.log_likelihood == np.nanmax(result.restarts)


def test_fit_raises_when_every_start_collapses():
    X = np.repeat([1.0, 2.0, 30.0], 5)
    with pytest.raises(CollapseError, match=r"all 4 starts collapsed.*component \d"):
        fit(X, 3, n_restarts=4, rng=np.random.default_rng(0))
    fit(X, 3, n_restarts=4, rng=np.random.default_rng(0), reg_covar=0.01)
