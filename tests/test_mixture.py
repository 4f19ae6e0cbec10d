"""A mixture is what its definition says, and nothing changes it."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import chi2, multivariate_normal, norm

from gmmlib import Mixture
from gmmlib.covariance import COVARIANCE_TYPES, as_full

WEIGHTS = np.array([0.2, 0.5, 0.3])
MEANS = np.array([[0.0, 0.0], [3.0, -1.0], [-2.0, 4.0]])
COVARIANCES = {
    "full": np.array([[[1.0, 0.3], [0.3, 2.0]], [[0.5, -0.2], [-0.2, 0.4]], [[2.0, 0], [0, 1.0]]]),
    "tied": np.array([[1.0, 0.6], [0.6, 0.8]]),
    "diag": np.array([[1.0, 2.0], [0.3, 0.1], [4.0, 1.0]]),
    "spherical": np.array([1.0, 0.2, 3.0]),
}
MIXTURES = [Mixture(WEIGHTS, MEANS, COVARIANCES[T], T) for T in COVARIANCE_TYPES]
every_mixture = pytest.mark.parametrize("mixture", MIXTURES, ids=COVARIANCE_TYPES)
HEIGHTS = Mixture([0.4, 0.6], [[140.0], [170.0]], [[[25.0]], [[64.0]]])


@every_mixture
def test_log_joint_log_density_and_responsibilities_by_definition(mixture):
    X = np.random.default_rng(0).normal(size=(30, 2), scale=3)
    full = as_full(mixture.covariances, mixture.covariance_type, 3, 2)
    joint = np.column_stack(
        [w * multivariate_normal(m, S).pdf(X) for w, m, S in zip(WEIGHTS, MEANS, full, strict=True)]
    )
    np.testing.assert_allclose(mixture.log_joint(X), np.log(joint), rtol=1e-11)
    np.testing.assert_allclose(mixture.log_density(X), np.log(joint.sum(axis=1)), rtol=1e-11)
    posterior = joint / joint.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(mixture.responsibilities(X), posterior, rtol=1e-10)
    np.testing.assert_allclose(np.exp(mixture.log_responsibilities(X)), posterior, rtol=1e-10)


def test_the_density_integrates_to_one():
    total, _ = quad(lambda x: np.exp(HEIGHTS.log_density([x])[0]), 60, 300, points=[140, 170])
    assert total == pytest.approx(1, abs=1e-9)


def test_a_vector_is_one_feature():
    heights = [120.0, 150.0, 171.0]
    column = np.array(heights)[:, None]
    assert (HEIGHTS.log_joint(heights) == HEIGHTS.log_joint(column)).all()
    assert HEIGHTS.log_joint([171]).shape == (1, 2)


def test_far_away_the_density_underflows_and_its_logarithm_does_not():
    x = [10_000.0]
    assert norm(170, 8).pdf(x) == 0
    assert HEIGHTS.log_density(x)[0] == pytest.approx(np.log(0.6) + norm(170, 8).logpdf(x)[0])
    assert HEIGHTS.responsibilities(x).tolist() == [[0.0, 1.0]]
    assert np.isfinite(HEIGHTS.log_responsibilities(x)).all()


def test_a_component_of_weight_zero_never_speaks():
    mixture = Mixture([1.0, 0.0], [[0.0], [1.0]], [[[1.0]], [[1.0]]])
    assert mixture.responsibilities([5.0]).tolist() == [[1.0, 0.0]]
    assert mixture.log_density([5.0])[0] == pytest.approx(norm.logpdf(5))


@every_mixture
def test_samples_have_the_labels_means_and_covariances_of_the_mixture(mixture):
    n = 40_000
    X, labels = mixture.sample(n, np.random.default_rng(1))
    assert X.shape == (n, 2)
    full = as_full(mixture.covariances, mixture.covariance_type, 3, 2)
    for k in range(3):
        rows = X[labels == k]
        assert len(rows) / n == pytest.approx(WEIGHTS[k], abs=5 * np.sqrt(0.25 / n))
        error = rows.mean(axis=0) - MEANS[k]
        # n (xbar - mu)^T Sigma^-1 (xbar - mu) is chi-squared with d degrees of freedom
        assert len(rows) * error @ np.linalg.solve(full[k], error) < chi2.isf(1e-5, 2)
        np.testing.assert_allclose(
            np.cov(rows.T) / np.trace(full[k]), full[k] / np.trace(full[k]), atol=0.02
        )


def test_the_same_generator_gives_the_same_sample():
    draws = [HEIGHTS.sample(50, np.random.default_rng(3))[0] for _ in range(2)]
    assert (draws[0] == draws[1]).all()


@every_mixture
def test_a_mixture_cannot_be_changed(mixture):
    for name in ("weights", "means", "covariances"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(mixture, name)[0] = 0
        with pytest.raises(FrozenInstanceError):
            setattr(mixture, name, 0)


def test_a_mixture_keeps_its_own_copy():
    weights = np.array([0.5, 0.5])
    mixture = Mixture(weights, [[0.0], [1.0]], [1.0, 1.0], "spherical")
    weights[:] = [1.0, 0.0]
    assert mixture.weights.tolist() == [0.5, 0.5]


def test_sizes():
    assert (MIXTURES[0].n_components, MIXTURES[0].n_features) == (3, 2)
    assert MIXTURES[0].weights.dtype == np.float64


@every_mixture
def test_relabelling_keeps_the_density_and_moves_the_components(mixture):
    X = np.array([[0.1, 0.4], [2.0, -3.0]])
    order = [2, 0, 1]
    moved = mixture.relabelled(order)
    np.testing.assert_allclose(moved.log_density(X), mixture.log_density(X), rtol=1e-14)
    np.testing.assert_allclose(moved.log_joint(X), mixture.log_joint(X)[:, order], rtol=1e-14)


@pytest.mark.parametrize("order", [[0, 1], [0, 0, 1], [1, 2, 3]])
def test_relabelling_needs_a_permutation(order):
    with pytest.raises(ValueError, match="0 to 2 once"):
        MIXTURES[0].relabelled(order)
