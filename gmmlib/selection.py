r"""How many components, and of which covariance type? (chapter 8)

    aic, bic, icl     log L of a fit, and a price for its parameters      smaller is better
    cross_validate    log densities of rows that the fit has not seen     larger is better
    sweep             every K with every covariance type, one Candidate after the other
    best              the candidate that a criterion prefers

X is (n_samples, n_features), or (n_samples,) for one feature; `sample_weight` (n_samples,) counts
how often each row occurs. The criteria are on the scale of $-2 \log L$, as in scikit-learn; the R
package mclust {cite}`scrucca2016` reports minus its BIC and ICL, and larger is better there.
"""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmlib import covariance
from gmmlib.covariance import COVARIANCE_TYPES
from gmmlib.em import Fit, fit
from gmmlib.likelihood import log_likelihood
from gmmlib.mixture import Mixture
from gmmlib.validation import (
    CollapseError,
    as_rows,
    as_sample_weight,
    check_n_components,
    check_rng,
)

CRITERIA = ("aic", "bic", "icl")


def n_parameters(covariance_type: str, n_components: int, n_features: int) -> int:
    """Number of free parameters of a mixture: weights, means and covariances.

    {eq}`parameters-full`, {eq}`parameters-tied`, {eq}`parameters-diag`, {eq}`parameters-spherical`.
    The weights sum to one, so the last of them is not free.

    Raises
    ------
    ValueError
        If the type is not one of COVARIANCE_TYPES.
    """
    of_covariances = covariance.n_parameters(covariance_type, n_components, n_features)
    return n_components - 1 + n_components * n_features + of_covariances


def aic(X: ArrayLike, mixture: Mixture, sample_weight: ArrayLike | None = None) -> float:
    r"""Akaike's information criterion, $2 M - 2 \log L$ {cite}`akaike1974`: {eq}`aic`.

    M is the number of free parameters; `mixture` should be at the maximum of log L.

    Returns
    -------
    float, on the scale of -2 log L; smaller is better
    """
    return 2 * _count(mixture) - 2 * log_likelihood(X, mixture, sample_weight)


def bic(X: ArrayLike, mixture: Mixture, sample_weight: ArrayLike | None = None) -> float:
    r"""The Bayesian information criterion, $M \log N - 2 \log L$ {cite}`schwarz1978`: {eq}`bic`.

    M is the number of free parameters, N the sum of the weights; `mixture` should be at the maximum
    of log L.

    Returns
    -------
    float, on the scale of -2 log L; smaller is better
    """
    N = as_sample_weight(sample_weight, len(as_rows(X))).sum()
    return float(_count(mixture) * np.log(N) - 2 * log_likelihood(X, mixture, sample_weight))


def icl(X: ArrayLike, mixture: Mixture, sample_weight: ArrayLike | None = None) -> float:
    r"""The integrated completed likelihood {cite}`biernacki2000`: BIC with log L_c, {eq}`icl`.

    The labels are the most probable ones, so by {eq}`icl-price` it is BIC and a price for doubt,
    $-2 \sum_n \log \max_k \gamma_{nk}$.

    Returns
    -------
    float, on the scale of -2 log L; smaller is better
    """
    doubt = -mixture.log_responsibilities(X).max(axis=1)
    weight = as_sample_weight(sample_weight, len(doubt))
    return bic(X, mixture, sample_weight) + 2 * float((weight * doubt).sum())


@dataclass(frozen=True, eq=False)
class Candidate:
    """One K and one covariance type: the best fit found, and what the criteria say about it.

    Where every start collapsed there is no fit: `fit` is None, the criteria are nan, and
    `collapse` says what happened.
    """

    n_components: int
    covariance_type: str
    n_parameters: int
    fit: Fit | None
    aic: float = np.nan
    bic: float = np.nan
    icl: float = np.nan
    collapse: str = ""

    @property
    def log_likelihood(self) -> float:
        """log L of the fit, in nats, summed over rows; nan without a fit."""
        return np.nan if self.fit is None else self.fit.log_likelihood


def sweep(
    X: ArrayLike,
    n_components: Iterable[int],
    covariance_types: Sequence[str] = COVARIANCE_TYPES,
    *,
    rng: np.random.Generator,
    n_restarts: int = 10,
    start: str = "kmeans",
    tol: float = 1e-8,
    max_iter: int = 10_000,
    sample_weight: ArrayLike | None = None,
    reg_covar: float = 0.0,
) -> Iterator[Candidate]:
    """Fit every number of components with every covariance type.

    It yields each candidate when it is finished, so a caller that prints them shows progress;
    ``tuple(sweep(...))`` waits for all. The options are those of `gmmlib.fit`. Each candidate draws
    from a random stream of its own. Starts that collapse are not announced: they are counted in
    ``candidate.fit.collapses``.

    Yields
    ------
    Candidate
        One type after the other, with n_components in the order given. Invalid data, numbers of
        components, types and generators raise ValueError at the call.
    """
    X = as_rows(X)
    weight = as_sample_weight(sample_weight, len(X))
    check_rng(rng)
    numbers = tuple(n_components)
    jobs = [(T, K) for T in covariance_types for K in numbers]
    for T, K in jobs:
        check_n_components(K, weight)
        covariance.shape(T, K, X.shape[1])  # raises unless it is one of the four types
    options = {"tol": tol, "max_iter": max_iter, "n_restarts": n_restarts, "start": start}
    options |= {"sample_weight": sample_weight, "reg_covar": reg_covar}

    def candidates() -> Iterator[Candidate]:
        for (T, K), stream in zip(jobs, rng.spawn(len(jobs)), strict=True):
            M = n_parameters(T, K, X.shape[1])
            try:
                found = _fit(X, K, T, stream, options)
            except CollapseError as error:
                yield Candidate(K, T, M, None, collapse=str(error))
                continue
            criteria = (c(X, found.mixture, sample_weight) for c in (aic, bic, icl))
            yield Candidate(K, T, M, found, *criteria)

    return candidates()


def best(candidates: Iterable[Candidate], criterion: str = "bic") -> Candidate:
    """The candidate with the smallest value of a criterion: 'aic', 'bic' or 'icl'.

    Raises
    ------
    ValueError
        If the criterion is none of these, or no candidate has a fit.
    """
    if criterion not in CRITERIA:
        raise ValueError(f"criterion is {criterion!r}; choose one of {', '.join(CRITERIA)}")
    fitted = [candidate for candidate in candidates if candidate.fit is not None]
    if not fitted:
        raise ValueError("no candidate has a fit; lower n_components or increase reg_covar")
    return min(fitted, key=lambda candidate: getattr(candidate, criterion))


def assign_folds(n_samples: int, n_folds: int, rng: np.random.Generator) -> NDArray:
    """A random fold, from 0 to n_folds - 1, for each row; sizes differ by one row at most.

    Returns
    -------
    int array (n_samples,)

    Raises
    ------
    ValueError
        Unless 2 <= n_folds <= n_samples.
    """
    check_rng(rng)
    if not isinstance(n_folds, (int, np.integer)) or not 2 <= n_folds <= n_samples:
        raise ValueError(
            f"n_folds is {n_folds!r}; it must be a whole number from 2 to the {n_samples} rows"
        )
    return rng.permutation(np.arange(n_samples) % n_folds)


def cross_validate(
    X: ArrayLike,
    n_components: int,
    covariance_type: str,
    folds: ArrayLike,
    *,
    rng: np.random.Generator,
    n_restarts: int = 10,
    start: str = "kmeans",
    tol: float = 1e-8,
    max_iter: int = 10_000,
    reg_covar: float = 0.0,
) -> NDArray:
    """Log density of every row under a mixture that was fitted without the row's fold.

    Its sum is the held-out log-likelihood. Give all candidates the same folds, then compare row by
    row: the standard error of a *difference* is much smaller than that of either sum. The options
    are those of `gmmlib.fit`; starts that collapse are not announced.

    Parameters
    ----------
    folds : int array (n_samples,), such as `assign_folds` gives

    Returns
    -------
    array (n_samples,), in nats

    Raises
    ------
    ValueError
        If there is not one fold for each row, or only one fold in all.
    CollapseError
        A ValueError: every start collapsed in one of the fits, which the message names.
    """
    X = as_rows(X)
    folds = np.asarray(folds)
    if folds.shape != (len(X),):
        raise ValueError(f"folds has shape {folds.shape}; X has {len(X)} rows, one fold for each")
    names = np.unique(folds)
    if len(names) < 2:
        raise ValueError("folds holds one fold only: no row is left to fit; use assign_folds")
    check_rng(rng)
    options = {"tol": tol, "max_iter": max_iter, "n_restarts": n_restarts, "start": start}
    options |= {"reg_covar": reg_covar}
    held_out = np.empty(len(X))
    for fold, stream in zip(names, rng.spawn(len(names)), strict=True):
        out = folds == fold
        try:
            found = _fit(X[~out], n_components, covariance_type, stream, options)
        except CollapseError as error:
            raise CollapseError(f"without fold {fold}: {error}") from None
        held_out[out] = found.mixture.log_density(X[out])
    return held_out


def _count(mixture: Mixture) -> int:
    return n_parameters(mixture.covariance_type, mixture.n_components, mixture.n_features)


def _fit(X, n_components, covariance_type, rng, options) -> Fit:
    """`fit`, without the warning that some of its starts collapsed: a sweep expects that."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* starts collapsed", RuntimeWarning)
        return fit(X, n_components, covariance_type, rng=rng, **options)
