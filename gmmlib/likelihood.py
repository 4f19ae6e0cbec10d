r"""The two log-likelihoods of a mixture, Q, the entropy, and the bound that ties them together.

For any responsibilities q (rows on the simplex), with $p_{nk} = \pi_k N(x_n \mid \mu_k, \Sigma_k)$:

    log_likelihood  =  q_function + entropy  +  kl_divergence(q, posterior)
                       `------ elbo -------'

Everything here is a *sum* over rows, in nats. `sample_weight` counts how often a row occurs: an
integer weight does what repeating the row would do.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr, rel_entr

from gmmlib.mixture import Mixture
from gmmlib.validation import as_probabilities, as_sample_weight


def log_likelihood(X: ArrayLike, mixture: Mixture, sample_weight: ArrayLike | None = None) -> float:
    r"""$\log L = \sum_n \log \sum_k p_{nk}$, the labels summed out: {eq}`log-likelihood`.

    Parameters
    ----------
    X : array (n_samples, n_features), or (n_samples,) for one feature
    mixture : Mixture
    sample_weight : array (n_samples,), optional

    Returns
    -------
    float, in nats, summed over rows

    Raises
    ------
    ValueError
        If X or the weights are not valid (see `gmmlib.validation`).
    """
    return _sum_over_rows(mixture.log_density(X), sample_weight)


def complete_log_likelihood(
    X: ArrayLike, labels: ArrayLike, mixture: Mixture, sample_weight: ArrayLike | None = None
) -> float:
    r"""$\log L_c = \sum_n \log p_{n z_n}$: what log L would be if you knew the labels (chapter 3).

    Parameters
    ----------
    X : array (n_samples, n_features), or (n_samples,) for one feature
    labels : int array (n_samples,), each from 0 to n_components - 1
    mixture : Mixture
    sample_weight : array (n_samples,), optional

    Returns
    -------
    float, in nats, summed over rows

    Raises
    ------
    ValueError
        If a label is not one of the components, or there is not one label per row.
    """
    log_joint = mixture.log_joint(X)
    labels = np.asarray(labels)
    if labels.shape != (len(log_joint),) or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(
            f"labels must be {len(log_joint)} integers, one per row of X, "
            f"got shape {labels.shape} of type {labels.dtype}"
        )
    if labels.min() < 0 or labels.max() >= mixture.n_components:
        raise ValueError(
            f"labels run from {labels.min()} to {labels.max()}; the mixture has components "
            f"0 to {mixture.n_components - 1}"
        )
    return _sum_over_rows(log_joint[np.arange(len(labels)), labels], sample_weight)


def q_function(
    X: ArrayLike,
    responsibilities: ArrayLike,
    mixture: Mixture,
    sample_weight: ArrayLike | None = None,
) -> float:
    r"""$Q = \sum_n \sum_k \gamma_{nk} \log p_{nk}$: {eq}`q-function`.

    The complete log-likelihood that you expect, when the labels are known only as probabilities.

    Parameters
    ----------
    X : array (n_samples, n_features), or (n_samples,) for one feature
    responsibilities : array (n_samples, n_components), rows sum to one
    mixture : Mixture
    sample_weight : array (n_samples,), optional

    Returns
    -------
    float, in nats, summed over rows; -inf if a component of weight zero is given any share
    """
    return expected_log_joint(mixture.log_joint(X), responsibilities, sample_weight)


def expected_log_joint(
    log_joint: NDArray, responsibilities: ArrayLike, sample_weight: ArrayLike | None = None
) -> float:
    """`q_function` for who has the mixture's `log_joint` (n_samples, n_components) already."""
    gamma = as_probabilities("responsibilities", responsibilities, log_joint.shape)
    # 0 log 0 = 0: a component of weight zero costs nothing where nobody asks for it.
    expected = gamma * np.where(gamma > 0, log_joint, 0.0)
    return _sum_over_rows(expected.sum(axis=1), sample_weight)


def entropy(responsibilities: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
    r"""$H = -\sum_n \sum_k \gamma_{nk} \log \gamma_{nk}$, how undecided the labels are.

    With $0 \log 0 = 0$. Lies between 0 (every row decided) and N log K.

    Parameters
    ----------
    responsibilities : array (n_samples, n_components), rows sum to one
    sample_weight : array (n_samples,), optional

    Returns
    -------
    float, in nats, summed over rows
    """
    gamma = as_probabilities("responsibilities", responsibilities, (None, None))
    return _sum_over_rows(entr(gamma).sum(axis=1), sample_weight)


def elbo(
    X: ArrayLike,
    responsibilities: ArrayLike,
    mixture: Mixture,
    sample_weight: ArrayLike | None = None,
) -> float:
    r"""The lower bound Q + H on log L: {eq}`elbo`. Equal to log L exactly at the posterior.

    Parameters
    ----------
    X : array (n_samples, n_features), or (n_samples,) for one feature
    responsibilities : array (n_samples, n_components), rows sum to one
    mixture : Mixture
    sample_weight : array (n_samples,), optional

    Returns
    -------
    float, in nats, summed over rows
    """
    Q = q_function(X, responsibilities, mixture, sample_weight)
    return Q + entropy(responsibilities, sample_weight)


def kl_divergence(
    responsibilities: ArrayLike, posterior: ArrayLike, sample_weight: ArrayLike | None = None
) -> float:
    r"""$\sum_n \sum_k q_{nk} \log (q_{nk} / \gamma_{nk})$: how far q is from the posterior.

    Zero when they agree, positive otherwise; with $\gamma$ the posterior of a mixture it is the gap
    between log L and the ELBO of q. Infinite where $\gamma_{nk}$ is zero and $q_{nk}$ is not. A
    posterior below 1e-308 *is* zero as a float64: `elbo_gap` stays in the log domain and finite.

    Parameters
    ----------
    responsibilities : array (n_samples, n_components), rows sum to one: q
    posterior : array (n_samples, n_components), rows sum to one: gamma
    sample_weight : array (n_samples,), optional

    Returns
    -------
    float, in nats, summed over rows
    """
    q = as_probabilities("responsibilities", responsibilities, (None, None))
    gamma = as_probabilities("posterior", posterior, q.shape)
    return _sum_over_rows(rel_entr(q, gamma).sum(axis=1), sample_weight)


def elbo_gap(
    X: ArrayLike,
    responsibilities: ArrayLike,
    mixture: Mixture,
    sample_weight: ArrayLike | None = None,
) -> float:
    r"""`kl_divergence` to the posterior of `mixture`, from logarithms: never underflows.

    Parameters
    ----------
    X : array (n_samples, n_features), or (n_samples,) for one feature
    responsibilities : array (n_samples, n_components), rows sum to one: q
    mixture : Mixture, whose posterior q is compared with
    sample_weight : array (n_samples,), optional

    Returns
    -------
    float, in nats, summed over rows
    """
    log_gamma = mixture.log_responsibilities(X)
    q = as_probabilities("responsibilities", responsibilities, log_gamma.shape)
    gap = -entr(q) - q * np.where(q > 0, log_gamma, 0.0)
    return _sum_over_rows(gap.sum(axis=1), sample_weight)


def _sum_over_rows(per_row: NDArray, sample_weight: ArrayLike | None) -> float:
    weight = as_sample_weight(sample_weight, len(per_row))
    counts = weight > 0  # a row of weight zero is absent, even if its own value is -inf
    return float((weight[counts] * per_row[counts]).sum())
