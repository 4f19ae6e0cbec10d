"""Where EM begins: three ways to draw a first mixture.

Each chooses centres, turns them into responsibilities, and lets `m_step` make the mixture, so all
covariance types work. Distances are taken after every feature is centred and scaled to standard
deviation one: a start does not depend on the units or the origin of X. Equal rows are merged first
and their weights added, so that two components never begin at the same place (they could never
separate, chapter 6), and an integer weight does exactly what repeated rows do.

X is (n_samples, n_features), or (n_samples,) for one feature; `sample_weight` (n_samples,) counts
how often each row occurs; `reg_covar`, in squared units of X, is added to every variance.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax

from gmmlib.em import m_step
from gmmlib.mixture import Mixture
from gmmlib.validation import (
    as_rows,
    as_sample_weight,
    check_n_components,
    check_reg_covar,
    check_rng,
)


def kmeans_start(
    X: ArrayLike,
    n_components: int,
    rng: np.random.Generator,
    covariance_type: str = "full",
    sample_weight: ArrayLike | None = None,
    reg_covar: float = 0.0,
) -> Mixture:
    """One run of k-means (scikit-learn's, from a k-means++ draw); each cluster is a component.

    Raises
    ------
    ValueError
        If X has fewer distinct rows than n_components, or for other invalid input.
    CollapseError
        A ValueError: a cluster is too small or too flat for a covariance of its own.
    """
    from sklearn.cluster import KMeans  # here, for it takes longer to import than all the rest

    rows = _distinct_rows(X, n_components, rng, sample_weight, reg_covar)
    k_means = KMeans(n_components, n_init=1, random_state=_seed(rng))
    labels = k_means.fit_predict(rows.standardised, sample_weight=rows.weight)
    hard = np.eye(n_components)[labels]
    return m_step(rows.X, hard, covariance_type, rows.weight, reg_covar)


def kmeans_plus_plus_start(
    X: ArrayLike,
    n_components: int,
    rng: np.random.Generator,
    covariance_type: str = "full",
    sample_weight: ArrayLike | None = None,
    reg_covar: float = 0.0,
) -> Mixture:
    """Rows drawn far apart (scikit-learn's k-means++), softened as `random_start` does.

    Raises
    ------
    ValueError
        If X has fewer distinct rows than n_components, or for other invalid input.
    """
    from sklearn.cluster import kmeans_plusplus  # as in kmeans_start

    rows = _distinct_rows(X, n_components, rng, sample_weight, reg_covar)
    centres, _ = kmeans_plusplus(
        rows.standardised, n_components, sample_weight=rows.weight, random_state=_seed(rng)
    )
    return _soft_start(rows, centres, covariance_type, reg_covar)


def random_start(
    X: ArrayLike,
    n_components: int,
    rng: np.random.Generator,
    covariance_type: str = "full",
    sample_weight: ArrayLike | None = None,
    reg_covar: float = 0.0,
) -> Mixture:
    """Distinct rows drawn at random as centres; every row is shared among them by its distances.

    The shares are the responsibilities under equal, round components at the centres, whose variance
    is the mean squared distance per feature from a row to the nearest centre. So a component
    does not begin on a handful of rows, where it would collapse at once, unless it sits on an
    outlier.

    Raises
    ------
    ValueError
        If X has fewer distinct rows than n_components, or for other invalid input.
    """
    rows = _distinct_rows(X, n_components, rng, sample_weight, reg_covar)
    chosen = rng.choice(
        len(rows.X), size=n_components, replace=False, p=rows.weight / rows.weight.sum()
    )
    return _soft_start(rows, rows.standardised[chosen], covariance_type, reg_covar)


STARTS = {"kmeans": kmeans_start, "kmeans++": kmeans_plus_plus_start, "random": random_start}


class _Rows(NamedTuple):
    X: NDArray  # (n_distinct, n_features), the distinct rows that count
    standardised: NDArray  # the same, each feature with mean 0 and standard deviation 1
    weight: NDArray  # (n_distinct,), sample weights of equal rows added up


def _distinct_rows(
    X: ArrayLike,
    n_components: int,
    rng: np.random.Generator,
    sample_weight: ArrayLike | None,
    reg_covar: float,
) -> _Rows:
    X = as_rows(X)
    weight = as_sample_weight(sample_weight, len(X))
    check_n_components(n_components, weight)
    check_reg_covar(reg_covar)
    check_rng(rng)
    distinct, index = np.unique(X[weight > 0], axis=0, return_inverse=True)
    weight = np.bincount(index.ravel(), weights=weight[weight > 0])
    if len(distinct) < n_components:
        raise ValueError(
            f"X has only {len(distinct)} distinct row(s), too few for n_components={n_components}; "
            "lower n_components"
        )
    residuals = distinct - np.average(distinct, axis=0, weights=weight)
    sd = np.sqrt(np.average(residuals**2, axis=0, weights=weight))
    return _Rows(distinct, residuals / np.where(sd > 0, sd, 1.0), weight)


def _soft_start(rows: _Rows, centres: NDArray, covariance_type: str, reg_covar: float) -> Mixture:
    differences = rows.standardised[:, None, :] - centres
    squared_distance = (differences**2).sum(axis=2)  # (n_distinct, n_components)
    variance = np.average(squared_distance.min(axis=1), weights=rows.weight) / centres.shape[1]
    # Zero only if every row is a centre; then any variance small beside the distances will do.
    variance = max(variance, np.finfo(float).eps)
    gamma = softmax(-0.5 * squared_distance / variance, axis=1)
    return m_step(rows.X, gamma, covariance_type, rows.weight, reg_covar)


def _seed(rng: np.random.Generator) -> int:
    """A seed for scikit-learn, which does not take a Generator."""
    return int(rng.integers(2**31 - 1))
