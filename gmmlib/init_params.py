"""The starts that scikit-learn's GaussianMixture calls `init_params`: same names, same draws.

With the same numpy RandomState each start is scikit-learn's, for KMeans and kmeans_plusplus are
called as it calls them. Three things differ. After 'k-means++' and 'random_from_data' the weights
sum to one, and a 'tied' covariance is reg_covar alone, like those of the other types; there the
weights of scikit-learn sum to K / N, and its covariance is about N / K times that of the data. And
a component without a row is an error. `gmmlib.start` has starts that depend less on chance and on
units.

X is (n_samples, n_features), float32 or float64; `weight` (n_samples,), all above zero, or None.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.cluster import KMeans, kmeans_plusplus
from sklearn.utils import gen_batches

from gmmlib import covariance
from gmmlib.mixture import Mixture
from gmmlib.validation import (
    CollapseError,
    as_float_array,
    as_probabilities,
    check_finite,
    check_not_empty,
)

INIT_PARAMS = ("kmeans", "k-means++", "random", "random_from_data")
BATCH_ROWS = 2**13


def first_mixture(
    parameters: Mapping,
    n_features: int,
    sample: Callable[[np.random.RandomState], tuple[NDArray, NDArray | None]],
    rng: np.random.RandomState,
) -> Mixture:
    """What weights_init, means_init and precisions_init give, and the rest by init_params.

    Parameters
    ----------
    parameters : of the estimator, by name
    sample : gives rows and their weights; called only if something is to be drawn

    Raises
    ------
    ValueError
        If something given is not valid.
    CollapseError
        A ValueError, for what is drawn.
    """
    names = ("n_components", "covariance_type", "init_params", "reg_covar")
    K, kind, by, reg_covar = (parameters[name] for name in names)
    weights, means, sigma = given(parameters, kind, K, n_features)
    if weights is None or means is None or sigma is None:
        X, w = sample(rng)
        if callable(by):
            drawn = by(X, K, np.random.default_rng(rng.randint(2**31 - 1)), kind, w, reg_covar)
        else:
            drawn = draw(by, X, K, rng, kind, w, reg_covar)
        weights = drawn.weights if weights is None else weights
        means = drawn.means if means is None else means
        sigma = drawn.covariances if sigma is None else sigma
    return Mixture(weights, means, sigma, kind)


def draw(
    init_params: str,
    X: NDArray,
    n_components: int,
    rng: np.random.RandomState,
    covariance_type: str,
    weight: NDArray | None,
    reg_covar: float,
) -> Mixture:
    """A first mixture, by one of INIT_PARAMS.

    Raises
    ------
    CollapseError
        A ValueError: a component has no row, or a covariance is not positive definite.
    """
    K, w = n_components, np.broadcast_to(1.0, len(X)) if weight is None else weight
    if init_params == "kmeans":
        k_means = KMeans(K, n_init=1, random_state=rng).fit(X, sample_weight=weight)
        parts = _clusters(X, w, k_means.labels_, K, covariance_type)
    elif init_params == "random":
        parts = _shares(X, w, rng, K, covariance_type)
    else:
        if init_params == "k-means++":
            rows = kmeans_plusplus(X, K, sample_weight=weight, random_state=rng)[1]
        else:
            p = None if weight is None else weight / weight.sum()
            rows = rng.choice(len(X), size=K, replace=False, p=p)
        shape = covariance.shape(covariance_type, K, X.shape[1])
        parts = np.ones(K), X[rows].astype(float), np.zeros(shape)  # one row has no variance
    counts, means, sigma = parts
    ridge = reg_covar
    if covariance_type in ("full", "tied"):
        ridge = reg_covar * np.eye(X.shape[1])
    try:
        return Mixture(counts / counts.sum(), means, sigma + ridge, covariance_type)
    except ValueError as error:
        raise CollapseError(f"the start by init_params={init_params!r}: {error}") from None


def given(
    init: Mapping[str, ArrayLike | None],
    covariance_type: str,
    n_components: int,
    n_features: int,
) -> tuple[NDArray | None, NDArray | None, NDArray | None]:
    """Weights, means and covariances, where weights_init, means_init, precisions_init give them.

    Raises
    ------
    ValueError
        Names the argument that has another shape, is off the simplex or not positive definite.
    """
    K, d = n_components, n_features
    shapes = {
        "weights_init": (K,),
        "means_init": (K, d),
        "precisions_init": covariance.shape(covariance_type, K, d),
    }
    found = {}
    for name, shape in shapes.items():
        found[name] = array = None if init[name] is None else as_float_array(name, init[name])
        if array is not None:
            if array.shape != shape:
                raise ValueError(
                    f"{name} has shape {array.shape}; {K} component(s) of type "
                    f"{covariance_type!r} in {d} dimension(s) need {shape}"
                )
            check_finite(name, array)
    weights, means, precisions = found.values()
    if weights is not None:
        as_probabilities("weights_init", weights, (K,))
    if precisions is None:
        return weights, means, None
    try:
        covariance.check_positive_definite(precisions, covariance_type)
    except ValueError as error:
        raise ValueError(f"precisions_init, taken as covariances: {error}") from None
    if covariance_type in ("diag", "spherical"):
        return weights, means, 1 / precisions
    sigma = np.linalg.inv(precisions)
    return weights, means, (sigma + np.swapaxes(sigma, -1, -2)) / 2


def precisions_of(mixture: Mixture) -> tuple[NDArray, NDArray]:
    r"""$\Sigma_k^{-1}$, and upper triangular $U_k$ with $U_k U_k^T = \Sigma_k^{-1}$, per type."""
    if mixture.covariance_type in ("diag", "spherical"):
        root = 1 / np.sqrt(mixture.covariances)
        return root**2, root
    L = np.linalg.cholesky(mixture.covariances)
    root = np.swapaxes(np.linalg.solve(L, np.eye(mixture.n_features)), -1, -2)
    return root @ np.swapaxes(root, -1, -2), root


def _clusters(
    X: NDArray, w: NDArray, labels: NDArray, K: int, kind: str
) -> tuple[NDArray, NDArray, NDArray]:
    """Counts, means and covariances of clusters; only one cluster is ever copied."""
    counts = np.bincount(labels, weights=w, minlength=K)
    check_not_empty(counts)
    means, sigmas = np.empty((K, X.shape[1])), []
    for k in range(K):
        of_k = labels == k
        rows, w_k = X[of_k].astype(float), w[of_k, None]
        means[k] = (w_k * rows).sum(axis=0) / counts[k]
        sigma = covariance.update(rows, w_k, means[k : k + 1], kind)
        sigmas.append(counts[k] * sigma if kind == "tied" else sigma[0])
    return counts, means, sum(sigmas) / counts.sum() if kind == "tied" else np.array(sigmas)


def _shares(
    X: NDArray, w: NDArray, rng: np.random.RandomState, K: int, kind: str
) -> tuple[NDArray, NDArray, NDArray]:
    """Counts, means and covariances, where every row is shared out at random.

    Batch by batch, twice with the same random numbers: shares of all rows would need (N, K).
    """
    again = rng.get_state()

    def batches():
        rng.set_state(again)
        for batch in gen_batches(len(X), BATCH_ROWS):
            rows = X[batch].astype(float)
            shares = rng.uniform(size=(len(rows), K))
            yield rows, shares * (w[batch] / shares.sum(axis=1))[:, None]

    counts = sum(gamma.sum(axis=0) for _, gamma in batches())
    means = sum(gamma.T @ rows for rows, gamma in batches()) / counts[:, None]
    sigma = 0.0
    for rows, gamma in batches():
        of_batch = covariance.update(rows, gamma, means, kind)  # to be averaged over batches
        if kind == "tied":
            share = gamma.sum() / counts.sum()
        else:
            share = np.reshape(gamma.sum(axis=0) / counts, (K, *[1] * (of_batch.ndim - 1)))
        sigma = sigma + share * of_batch
    return counts, means, sigma
