"""gmmlib and scikit-learn take the same steps: same start, same number of iterations, all types.

Compared near the origin: further out scikit-learn itself loses digits.
"""

import warnings
from itertools import islice

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from gmmlib import complete_log_likelihood, kmeans_start, log_likelihood, random_start
from gmmlib.covariance import COVARIANCE_TYPES
from gmmlib.data import adult_heights, clinic_heights, old_faithful, shop_customers
from gmmlib.em import em


def simulated():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3)) @ rng.normal(size=(3, 3))
    return X + rng.normal(size=(4, 3), scale=4)[rng.integers(4, size=400)]


DATA = {
    "iris": (load_iris().data, 3),
    "simulated": (simulated(), 4),
    "adult_heights": (adult_heights().X, 2),
    "clinic_heights": (clinic_heights().X, 2),
    "old_faithful": (old_faithful().X, 2),
    "shop_customers": (shop_customers().X, 2),
}


def scikit_learn(X, start, iterations, reg_covar=0.0):
    precisions = 1 / start.covariances
    if start.covariance_type in ("full", "tied"):
        precisions = np.linalg.inv(start.covariances)
    model = GaussianMixture(
        start.n_components,
        covariance_type=start.covariance_type,
        tol=0,
        reg_covar=reg_covar,
        max_iter=iterations,
        weights_init=start.weights,
        means_init=start.means,
        precisions_init=precisions,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is told to stop early
        return model.fit(X)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("reg_covar", [0.0, 1e-3])
def test_same_start_same_steps(name, covariance_type, reg_covar):
    X, K = DATA[name]
    start = random_start(X, K, np.random.default_rng(1), covariance_type)
    if name == "iris":  # 150 rows in 4 dimensions: most random starts collapse later on
        start = kmeans_start(X, K, np.random.default_rng(1), covariance_type)
    for iterations in (1, 20):
        *_, state = islice(em(X, start, reg_covar=reg_covar), iterations + 1)
        theirs = scikit_learn(X, start, iterations, reg_covar)
        np.testing.assert_allclose(state.mixture.weights, theirs.weights_, rtol=1e-8)
        np.testing.assert_allclose(state.mixture.means, theirs.means_, rtol=1e-8)
        scale = np.abs(theirs.covariances_).max()
        np.testing.assert_allclose(
            state.mixture.covariances, theirs.covariances_, rtol=1e-8, atol=1e-8 * scale
        )
        # theirs is a mean per sample, ours a sum
        assert state.log_likelihood == pytest.approx(len(X) * theirs.score(X), rel=1e-8)
        np.testing.assert_allclose(state.responsibilities, theirs.predict_proba(X), atol=1e-8)
        np.testing.assert_allclose(
            state.mixture.log_density(X), theirs.score_samples(X), rtol=1e-8, atol=1e-8
        )


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_the_labels_that_scikit_learn_predicts_are_the_most_probable_ones(covariance_type):
    X, K = DATA["adult_heights"]
    start = kmeans_start(X, K, np.random.default_rng(0), covariance_type)
    theirs = scikit_learn(X, start, 50)
    *_, state = islice(em(X, start), 51)
    labels = theirs.predict(X)
    assert (labels == state.responsibilities.argmax(axis=1)).all()
    assert complete_log_likelihood(X, labels, state.mixture) < log_likelihood(X, state.mixture)
