"""The four covariance types: what each may be, and that each is a full covariance in disguise."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from gmmlib import covariance, m_step
from gmmlib.covariance import COVARIANCE_TYPES, as_full

every_type = pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
K, D = 3, 2


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.fixture
def X(rng):
    return rng.normal(size=(60, D)) @ [[2.0, 0.5], [0.0, 1.0]]


@pytest.fixture
def gamma(rng):
    return rng.dirichlet(np.ones(K), size=60)


@pytest.mark.parametrize(
    ("covariance_type", "shape", "free"),
    [
        ("full", (4, 3, 3), 4 * 6),
        ("tied", (3, 3), 6),
        ("diag", (4, 3), 4 * 3),
        ("spherical", (4,), 4),
    ],
)
def test_shape_and_number_of_free_parameters(covariance_type, shape, free):
    assert covariance.shape(covariance_type, 4, 3) == shape
    assert covariance.n_parameters(covariance_type, 4, 3) == free


def test_every_type_counts_the_same_in_one_dimension_except_tied():
    counts = {T: covariance.n_parameters(T, 5, 1) for T in COVARIANCE_TYPES}
    assert counts == {"full": 5, "tied": 1, "diag": 5, "spherical": 5}


@every_type
def test_update_is_the_weighted_scatter_restricted_to_the_type(covariance_type, X, gamma):
    means = gamma.T @ X / gamma.sum(axis=0)[:, None]
    S = np.zeros((K, D, D))
    for n in range(len(X)):
        for k in range(K):
            S[k] += gamma[n, k] * np.outer(X[n] - means[k], X[n] - means[k])
    counts = gamma.sum(axis=0)
    expected = {
        "full": [S[k] / counts[k] for k in range(K)],
        "tied": S.sum(axis=0) / len(X),
        "diag": [np.diag(S[k]) / counts[k] for k in range(K)],
        "spherical": [np.trace(S[k]) / counts[k] / D for k in range(K)],
    }[covariance_type]
    found = covariance.update(X, gamma, means, covariance_type)
    assert found.shape == covariance.shape(covariance_type, K, D)
    np.testing.assert_allclose(found, expected, rtol=1e-13)


@every_type
def test_reg_covar_is_added_to_every_variance_and_to_nothing_else(covariance_type, X, gamma):
    plain = m_step(X, gamma, covariance_type)
    thick = m_step(X, gamma, covariance_type, reg_covar=0.25)
    added = as_full(thick.covariances, covariance_type, K, D) - as_full(
        plain.covariances, covariance_type, K, D
    )
    np.testing.assert_allclose(added, np.broadcast_to(0.25 * np.eye(D), (K, D, D)), atol=1e-14)
    assert (thick.means == plain.means).all()


@every_type
@pytest.mark.parametrize("unit", [1e-8, 1.0, 1e8])
def test_distance_and_log_det_are_those_of_the_matrix_written_out(covariance_type, unit, X, gamma):
    mixture = m_step(unit * X, gamma, covariance_type)
    full = as_full(mixture.covariances, covariance_type, K, D)
    for k in range(K):
        sigma = covariance.of_component(mixture.covariances, covariance_type, k)
        distance, log_det = covariance.squared_distance_and_log_det(unit * X, sigma)
        expected = [x @ np.linalg.inv(full[k]) @ x for x in unit * X]
        np.testing.assert_allclose(distance, expected, rtol=1e-10)
        assert log_det == pytest.approx(np.linalg.slogdet(full[k])[1], abs=1e-10)


@pytest.mark.parametrize("d", [1, 2, 5, 9])
def test_density_of_one_component_is_scipys(d, rng):
    A = rng.normal(size=(d, d)) + 2 * np.eye(d)
    x = rng.normal(size=(20, d))
    distance, log_det = covariance.squared_distance_and_log_det(x, A @ A.T)
    log_density = -0.5 * (d * np.log(2 * np.pi) + log_det + distance)
    expected = multivariate_normal(np.zeros(d), A @ A.T).logpdf(x)
    np.testing.assert_allclose(log_density, expected, rtol=1e-9)


@pytest.mark.parametrize("units", [(1.0, 1.0), (1e-8, 1e-8), (1e8, 1e8), (1e-8, 1e8)])
def test_the_verdict_on_a_matrix_does_not_depend_on_units(units):
    D = np.diag(units)
    fine = D @ [[1.0, 0.999999], [0.999999, 1.0]] @ D
    flat = D @ [[1.0, 1.0], [1.0, 1.0]] @ D
    covariance.check_positive_definite(fine[None], "full")
    with pytest.raises(ValueError, match=r"covariances\[0\] is not positive definite"):
        covariance.check_positive_definite(flat[None], "full")


def test_the_message_names_component_eigenvalue_and_remedy():
    S = np.array([np.eye(2), np.eye(2), [[1.0, 2.0], [2.0, 1.0]]])
    message = (
        r"covariances\[2\] is not positive definite \(smallest eigenvalue -1\.0e\+00\); "
        "increase reg_covar or lower n_components"
    )
    with pytest.raises(ValueError, match=message):
        covariance.check_positive_definite(S, "full")
