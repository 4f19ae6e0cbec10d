r"""Expectation-maximisation for Gaussian mixtures, in the equations of chapters 4 to 6.

    e_step   responsibilities from a mixture          chapter 4
    m_step   a mixture from responsibilities          chapter 5
    em       the two in turn, without end             chapter 6
    fit      em from several starts, until it stands still

X is (n_samples, n_features), or (n_samples,) for one feature; `sample_weight` (n_samples,) counts
how often each row occurs; `reg_covar`, in squared units of X, is added to every fitted variance.
All raise ValueError for invalid input. `gmmlib.em` is this module, `gmmlib.em.em` the generator.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count, islice

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

from gmmlib import covariance
from gmmlib.likelihood import entropy, expected_log_joint, log_likelihood
from gmmlib.mixture import Mixture
from gmmlib.validation import (
    CollapseError,
    as_probabilities,
    as_rows,
    as_sample_weight,
    check_fit_options,
    check_n_components,
    check_not_empty,
    check_reg_covar,
)


def e_step(
    X: ArrayLike, mixture: Mixture, sample_weight: ArrayLike | None = None
) -> tuple[NDArray, float]:
    """Posterior probability of each component for each row, and the log-likelihood.

    Implements {eq}`responsibilities` and {eq}`log-likelihood` in the log domain.

    Returns
    -------
    responsibilities : array (n_samples, n_components), rows sum to one
    log_likelihood : float, in nats, summed over rows
    """
    log_joint = mixture.log_joint(X)  # log pi_k + log N(x_n | mu_k, Sigma_k)
    return _posterior(log_joint, as_sample_weight(sample_weight, len(log_joint)))


def _posterior(log_joint: NDArray, w: NDArray) -> tuple[NDArray, float]:
    log_density = logsumexp(log_joint, axis=1)
    return np.exp(log_joint - log_density[:, None]), float((w * log_density).sum())


def m_step(
    X: ArrayLike,
    responsibilities: ArrayLike,
    covariance_type: str = "full",
    sample_weight: ArrayLike | None = None,
    reg_covar: float = 0.0,
) -> Mixture:
    r"""The mixture that maximises Q for given responsibilities.

    Implements {eq}`effective-counts`, {eq}`m-step-weights`, {eq}`m-step-means` and (by
    `covariance.update`) {eq}`m-step-covariances`. With `reg_covar` = r it maximises
    $Q - \frac r2 \sum_k N_k\,\mathrm{tr}\,\Sigma_k^{-1}$ instead.

    Raises
    ------
    ValueError
        If there are more components than rows.
    CollapseError
        A ValueError that names the component that is empty or has collapsed.
    """
    X = as_rows(X)
    w = as_sample_weight(sample_weight, len(X))
    gamma = as_probabilities("responsibilities", responsibilities, (len(X), None)) * w[:, None]
    check_n_components(gamma.shape[1], w)
    check_reg_covar(reg_covar)

    N_k = gamma.sum(axis=0)
    check_not_empty(N_k)
    pi = N_k / N_k.sum()  # the sum is N, but for rounding
    mu = gamma.T @ X / N_k[:, None]
    for k in range(len(mu)):
        # Far from the origin the line above loses digits; the mean residual brings them back.
        mu[k] += gamma[:, k] @ (X - mu[k]) / N_k[k]
    sigma = covariance.update(X, gamma, mu, covariance_type, reg_covar)
    covariance.check_not_collapsed(X, w, sigma, covariance_type)
    return Mixture(pi, mu, sigma, covariance_type)


@dataclass(frozen=True, eq=False)
class State:
    """One iteration of EM: a mixture, and what the E-step says about it."""

    iteration: int  # 0 is the start
    mixture: Mixture  # after that many M-steps
    responsibilities: NDArray  # (n_samples, n_components): the posterior under *this* mixture
    log_likelihood: float  # of this mixture; in nats, summed over rows
    elbo: float  # half-way: the *previous* responsibilities, this mixture; at 0, log_likelihood

    def __post_init__(self) -> None:
        self.responsibilities.flags.writeable = False


def em(
    X: ArrayLike,
    start: Mixture,
    sample_weight: ArrayLike | None = None,
    reg_covar: float = 0.0,
) -> Iterator[State]:
    r"""The states of EM from `start` (which fixes the covariance type); take as many as you want.

    With $q_{t-1}$ the responsibilities of state t - 1,
    $\log L_{t-1} \le \mathrm{ELBO}(q_{t-1}, \theta_t) \le \log L_t$ ({eq}`elbo`): the M-step lifts
    the bound, the E-step closes the gap. That holds for reg_covar = 0. With reg_covar > 0 only the
    penalised Q of `m_step` rises in each M-step. Its penalty depends on the mixture alone when the
    type is 'tied', and then log L minus the penalty never falls; for the other types it contains
    the N_k of the last E-step, and neither log L nor the penalised log L is sure to rise.

    Yields
    ------
    State
        Invalid input raises at the call; CollapseError comes at the iteration where it happens.
    """
    X = as_rows(X, start.n_features)
    w = as_sample_weight(sample_weight, len(X))
    check_n_components(start.n_components, w)
    check_reg_covar(reg_covar)

    def states() -> Iterator[State]:
        mixture = start
        gamma, log_L = e_step(X, mixture, w)
        yield State(0, mixture, gamma, log_L, log_L)
        for t in count(1):
            mixture = m_step(X, gamma, start.covariance_type, w, reg_covar)
            log_joint = mixture.log_joint(X)  # once for both: it is most of an iteration's work
            bound = expected_log_joint(log_joint, gamma, w) + entropy(gamma, w)
            gamma, log_L = _posterior(log_joint, w)
            yield State(t, mixture, gamma, log_L, bound)

    return states()


@dataclass(frozen=True, eq=False)
class Fit:
    """The best run of `fit`, and what became of the others."""

    mixture: Mixture
    log_likelihood: float  # in nats, summed over rows
    iterations: int  # M-steps taken
    converged: bool
    trace: tuple[float, ...]  # log_likelihood of the best run, iterations 0, 1, ...
    restarts: tuple[float, ...] = ()  # final log_likelihood of every run; nan where it collapsed
    collapses: tuple[str, ...] = ()  # one message per run that collapsed


def fit(
    X: ArrayLike,
    n_components: int,
    covariance_type: str = "full",
    tol: float = 1e-10,
    max_iter: int = 10_000,
    n_restarts: int = 10,
    start: str = "kmeans",
    rng: np.random.Generator | None = None,
    sample_weight: ArrayLike | None = None,
    reg_covar: float = 0.0,
) -> Fit:
    """Run `em` from `n_restarts` starts and keep the run that ends at the highest log-likelihood.

    A run has converged when an iteration changes the mean log-likelihood per sample by `tol` nats
    or less. `start` is 'kmeans', 'kmeans++' or 'random' (see `gmmlib.start`), drawn with `rng`,
    a numpy Generator, which you must pass. The best run ends at a stationary point, as they all do;
    nothing promises that no other start leads higher.

    Runs that collapse are counted in the result's `collapses` and announced by a RuntimeWarning,
    as is a best run that `max_iter` stopped.

    Raises
    ------
    CollapseError
        A ValueError: every run collapsed.
    """
    from gmmlib.start import STARTS  # start imports m_step from here

    X = as_rows(X)
    w = as_sample_weight(sample_weight, len(X))
    check_fit_options(tol, max_iter, n_restarts, start, STARTS, rng)
    best, restarts, collapses, ends = None, [], [], {}
    for _ in range(n_restarts):
        try:
            first = STARTS[start](X, n_components, rng, covariance_type, w, reg_covar)
            # k-means often draws the same start again, with other labels: do not run it twice.
            key = f"{log_likelihood(X, first, w):.12g}"
            if key not in ends:
                run = _run(em(X, first, w, reg_covar), tol * w.sum(), max_iter)
                ends[key] = run.log_likelihood
                best = max(best or run, run, key=lambda r: r.log_likelihood)
            restarts.append(ends[key])
        except CollapseError as error:
            restarts.append(np.nan)
            collapses.append(str(error))

    if best is None:
        raise CollapseError(f"all {n_restarts} starts collapsed; the last one: {collapses[-1]}")
    if collapses:
        message = f"{len(collapses)} of {n_restarts} starts collapsed; the last: {collapses[-1]}"
        warnings.warn(message, RuntimeWarning, stacklevel=2)
    if not best.converged:
        message = f"not converged after {max_iter} iterations; raise max_iter or tol"
        warnings.warn(message, RuntimeWarning, stacklevel=2)
    return replace(best, restarts=tuple(restarts), collapses=tuple(collapses))


def _run(states: Iterator[State], tol: float, max_iter: int) -> Fit:
    """Follow one run until log L changes by `tol` nats or less, or for `max_iter` iterations."""
    trace = []
    for state in islice(states, max_iter + 1):
        trace.append(state.log_likelihood)
        converged = len(trace) > 1 and bool(abs(trace[-1] - trace[-2]) <= tol)
        if converged:
            break
    return Fit(state.mixture, state.log_likelihood, state.iteration, converged, tuple(trace))
