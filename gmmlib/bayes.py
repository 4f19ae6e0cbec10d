r"""Variational Bayes for Gaussian mixtures, in the equations of chapter 9.

    e_step        responsibilities from a belief about the parameters
    m_step        a belief about the parameters from responsibilities
    elbo          the bound on the log evidence that both of them raise
    variational   the two in turn, without end
    fit           variational from several starts, until it stands still

Where EM holds one number for each parameter, a `Belief` holds a distribution: for the weights a
Dirichlet distribution or beta-distributed sticks, for the mean and the precision matrix of each
component (the inverse of its covariance) a Gaussian-Wishart distribution. Covariances are of type
'full' only.

X is (n_samples, n_features), or (n_samples,) for one feature; `sample_weight` (n_samples,) counts
how often each row occurs. All raise ValueError for invalid input.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count, islice

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, digamma, entr, gammaln, logsumexp, multigammaln

from gmmlib import covariance
from gmmlib.mixture import Mixture
from gmmlib.validation import (
    as_float_array,
    as_probabilities,
    as_rows,
    as_sample_weight,
    check_finite,
    check_fit_options,
    check_n_components,
)

WEIGHT_PRIORS = ("dirichlet", "sticks")


@dataclass(frozen=True, eq=False)
class Prior:
    r"""What is believed about any mixture before the data are seen; the same for each component.

    Parameters
    ----------
    weights : 'dirichlet', a finite number of components with one concentration each, or 'sticks',
        the Dirichlet process: component k gets the share $v_k$ of what the ones before it left
    concentration : $\alpha > 0$: a Dirichlet distribution that counts `concentration` rows for each
        component, or sticks $v_k \sim \mathrm{Beta}(1, \alpha)$; small values ask for few
        components
    mean : array (n_features,), units of X: where the means are expected
    mean_precision : $\beta_0 > 0$: how many rows this expectation is worth
    degrees_of_freedom : $\nu_0 > d - 1$: how many rows the expected scatter is worth
    scatter : array (n_features, n_features), squared units of X: the inverse $W_0^{-1}$ of the
        Wishart's scale matrix; the expected precision matrix is
        `degrees_of_freedom` * inverse of `scatter`

    Raises
    ------
    ValueError
        If a number is out of its range, shapes disagree or scatter is not positive definite.
    """

    weights: str
    concentration: float
    mean: NDArray
    mean_precision: float
    degrees_of_freedom: float
    scatter: NDArray

    def __post_init__(self) -> None:
        if self.weights not in WEIGHT_PRIORS:
            known = ", ".join(map(repr, WEIGHT_PRIORS))
            raise ValueError(f"weights is {self.weights!r}; choose one of {known}")
        mean, scatter = as_float_array("mean", self.mean), as_float_array("scatter", self.scatter)
        if mean.ndim != 1 or scatter.shape != (mean.size, mean.size) or mean.size == 0:
            raise ValueError(
                f"mean has shape {mean.shape} and scatter {scatter.shape}; pass (n_features,) and "
                "(n_features, n_features)"
            )
        bounds = {"concentration": 0, "mean_precision": 0, "degrees_of_freedom": mean.size - 1}
        for name, low in bounds.items():
            value = getattr(self, name)
            if not np.isscalar(value) or not np.isreal(value) or not low < value < np.inf:
                raise ValueError(f"{name} is {value!r}; it must be finite and above {low}")
        check_finite("mean", mean)
        check_finite("scatter", scatter)
        try:
            covariance.check_positive_definite(scatter, "tied")
        except ValueError as error:
            raise ValueError(str(error).replace("covariances", "scatter")) from None
        _keep(self, mean=mean, scatter=scatter)

    @property
    def n_features(self) -> int:
        """d, the number of features."""
        return len(self.mean)


def weak_prior(
    X: ArrayLike, n_components: int, weights: str = "sticks", concentration: float | None = None
) -> Prior:
    """scikit-learn's default prior, read off the data: weak, in the data's own place and units.

    The mean of X, worth one row; the covariance of X (divisor N - 1) as the *scatter*, with
    n_features degrees of freedom; and, unless told, a concentration of 1 / n_components.

    Parameters
    ----------
    X : array (n_samples, n_features), or (n_samples,) for one feature
    n_components : int
    weights, concentration : see `Prior`
    """
    X = as_rows(X)
    check_n_components(n_components, np.ones(len(X)))
    alpha = 1 / n_components if concentration is None else concentration
    scatter = np.atleast_2d(np.cov(X.T))
    return Prior(weights, alpha, X.mean(axis=0), 1.0, X.shape[1], scatter)


@dataclass(frozen=True, eq=False)
class Belief:
    r"""A distribution over all parameters of a mixture: what `m_step` makes of responsibilities.

    Weights: Dirichlet(`concentrations`) with one number for each component, or independent sticks
    $v_k \sim$ Beta(`concentrations[k]`) with two. Component k: precision matrix
    $\Lambda_k \sim$ Wishart(inverse of `scatters[k]`, `degrees_of_freedom[k]`) and mean
    $\mu_k \sim N($`means[k]`, inverse of `mean_precisions[k]` $\Lambda_k)$.

    With sticks there is no last component: those beyond n_components are believed to be what the
    prior says, and to have no rows. (scikit-learn's reading too; other authors end the stick.)
    """

    prior: Prior
    concentrations: NDArray  # (K,), or (K, 2) for sticks
    means: NDArray  # (K, d), units of X
    mean_precisions: NDArray  # (K,), rows
    degrees_of_freedom: NDArray  # (K,), rows
    scatters: NDArray  # (K, d, d), squared units of X

    def __post_init__(self) -> None:
        _keep(self, **{name: getattr(self, name) for name in _ARRAYS})

    @property
    def n_components(self) -> int:
        """K, the number of components that may have rows."""
        return len(self.means)

    @cached_property
    def expected_weights(self) -> NDArray:
        r"""$E[\pi_k]$, (n_components,): {eq}`dirichlet-mean` or, for sticks, products of means.

        Sums to one, or with sticks to a little less: the rest is for components never seen.
        """
        if self.prior.weights == "dirichlet":
            return self.concentrations / self.concentrations.sum()
        a, b = self.concentrations.T
        left = np.cumprod(b / (a + b))  # of the stick, after each break
        return a / (a + b) * np.append(1, left[:-1])

    @cached_property
    def expected_log_weights(self) -> NDArray:
        r"""$E[\log \pi_k]$, (n_components,), in nats: {eq}`dirichlet-log-mean`."""
        if self.prior.weights == "dirichlet":
            return digamma(self.concentrations) - digamma(self.concentrations.sum())
        a, b = self.concentrations.T
        log_left = np.cumsum(digamma(b) - digamma(a + b))
        return digamma(a) - digamma(a + b) + np.append(0, log_left[:-1])

    @cached_property
    def expected_log_det(self) -> NDArray:
        r"""$E[\log |\Lambda_k|]$, (n_components,): {eq}`expected-log-precision` for one feature."""
        d = self.prior.n_features
        psi = digamma((self.degrees_of_freedom[:, None] - np.arange(d)) / 2).sum(axis=1)
        return psi + d * np.log(2) - np.linalg.slogdet(self.scatters)[1]

    def expected_log_joint(self, X: ArrayLike) -> NDArray:
        r"""$E[\log \pi_k + \log N(x_n \mid \mu_k, \Lambda_k^{-1})]$: {eq}`expected-log-normal`.

        Parameters
        ----------
        X : array (n_samples, n_features), or (n_samples,) for one feature

        Returns
        -------
        array (n_samples, n_components), in nats
        """
        X = as_rows(X, self.prior.n_features)
        d = X.shape[1]
        distance = np.empty((len(X), self.n_components))
        for k, covariance_k in enumerate(self.covariances):
            residuals = X - self.means[k]
            distance[:, k], _ = covariance.squared_distance_and_log_det(residuals, covariance_k)
        expected_distance = distance + d / self.mean_precisions
        log_normal = 0.5 * (self.expected_log_det - d * np.log(2 * np.pi) - expected_distance)
        return self.expected_log_weights + log_normal

    @property
    def covariances(self) -> NDArray:
        """Inverses of the expected precision matrices, (K, d, d): scatter by degrees of freedom."""
        return self.scatters / self.degrees_of_freedom[:, None, None]

    def mixture(self, min_rows: float = 0.0) -> Mixture:
        """One mixture to draw and to compare: expected weights, means, expected precisions.

        Parameters
        ----------
        min_rows : leave out components with fewer expected rows than this

        Raises
        ------
        ValueError
            If no component has as many.
        """
        kept = self.counts >= min_rows
        if not kept.any():
            raise ValueError(
                f"min_rows is {min_rows}; the largest component has {self.counts.max():.3g}"
            )
        weights = self.expected_weights[kept]
        return Mixture(weights / weights.sum(), self.means[kept], self.covariances[kept])

    @property
    def counts(self) -> NDArray:
        """$N_k$, (n_components,): the rows that each component was given in the M-step."""
        return self.degrees_of_freedom - self.prior.degrees_of_freedom

    def divergence(self) -> float:
        """Kullback-Leibler divergence of this belief from the prior, in nats."""
        return self._divergence_of_weights() + float(self._divergence_of_components().sum())

    def _divergence_of_weights(self) -> float:
        alpha = self.prior.concentration
        if self.prior.weights == "dirichlet":
            a, a_0 = self.concentrations, np.full(self.n_components, alpha)
            log_B, log_B_0 = (gammaln(c).sum() - gammaln(c.sum()) for c in (a, a_0))
            return float(((a - a_0) * self.expected_log_weights).sum() - log_B + log_B_0)
        a, b = self.concentrations.T
        log_v, log_left = digamma(a) - digamma(a + b), digamma(b) - digamma(a + b)
        log_ratio = betaln(1, alpha) - betaln(a, b)
        return float(((a - 1) * log_v + (b - alpha) * log_left + log_ratio).sum())

    def _divergence_of_components(self) -> NDArray:
        prior, d = self.prior, self.prior.n_features
        ratio = prior.mean_precision / self.mean_precisions
        nu, nu_0 = self.degrees_of_freedom, prior.degrees_of_freedom
        distance = np.empty(self.n_components)  # E (mu_0 - m_k)^T Lambda_k (mu_0 - m_k)
        trace = np.empty(self.n_components)  # E tr(W_0^-1 Lambda_k)
        root = np.linalg.cholesky(prior.scatter)
        for k, covariance_k in enumerate(self.covariances):
            rows = np.vstack([prior.mean - self.means[k], root.T])
            squares, _ = covariance.squared_distance_and_log_det(rows, covariance_k)
            distance[k], trace[k] = squares[0], squares[1:].sum()
        of_mean = 0.5 * (d * (ratio - 1 - np.log(ratio)) + prior.mean_precision * distance)
        of_precision = (
            0.5 * ((nu - nu_0) * self.expected_log_det - nu * d + trace)
            - _log_wishart_norm(self.scatters, nu)
            + _log_wishart_norm(prior.scatter, nu_0)
        )
        return of_mean + of_precision


_ARRAYS = ("concentrations", "means", "mean_precisions", "degrees_of_freedom", "scatters")


def _log_wishart_norm(scatter, degrees_of_freedom):
    r"""Logarithm of $\int |\Lambda|^{(\nu - d - 1)/2} e^{-\mathrm{tr}(W^{-1} \Lambda)/2} d\Lambda$.

    `scatter` is $W^{-1}$, (..., d, d).
    """
    d, half_nu = scatter.shape[-1], degrees_of_freedom / 2
    log_det = np.linalg.slogdet(scatter)[1]
    return half_nu * (d * np.log(2) - log_det) + multigammaln(half_nu, d)


def e_step(
    X: ArrayLike, belief: Belief, sample_weight: ArrayLike | None = None
) -> tuple[NDArray, float]:
    """The best responsibilities for a belief, {eq}`variational-e-step`, and the ELBO of the two.

    Returns
    -------
    responsibilities : array (n_samples, n_components), rows sum to one
    elbo : float, in nats
    """
    log_rho = belief.expected_log_joint(X)
    log_sum = logsumexp(log_rho, axis=1)
    w = as_sample_weight(sample_weight, len(log_rho))
    return np.exp(log_rho - log_sum[:, None]), float((w * log_sum).sum()) - belief.divergence()


def m_step(
    X: ArrayLike,
    responsibilities: ArrayLike,
    prior: Prior,
    sample_weight: ArrayLike | None = None,
) -> Belief:
    r"""The belief that maximises the ELBO for given responsibilities.

    Implements {eq}`dirichlet-update` or {eq}`stick-update`, and {eq}`normal-gamma-update`, in any
    dimension: the prior enters as `mean_precision` rows at `prior.mean`. An empty component is no
    trouble: it is believed to be what the prior says.
    """
    X = as_rows(X, prior.n_features)
    w = as_sample_weight(sample_weight, len(X))
    gamma = as_probabilities("responsibilities", responsibilities, (len(X), None)) * w[:, None]
    check_n_components(gamma.shape[1], w)

    N_k = gamma.sum(axis=0)
    if prior.weights == "dirichlet":
        concentrations = prior.concentration + N_k
    else:
        rows_behind = np.append(np.cumsum(N_k[:0:-1])[::-1], 0)  # sum of N_l over l > k
        concentrations = np.column_stack([1 + N_k, prior.concentration + rows_behind])

    beta_0, mu_0 = prior.mean_precision, prior.mean
    beta = beta_0 + N_k
    means = (beta_0 * mu_0 + gamma.T @ X) / beta[:, None]
    scatters = np.empty((len(N_k), X.shape[1], X.shape[1]))
    for k in range(len(N_k)):
        # Far from the origin the line above loses digits; the mean residual brings them back.
        means[k] += (beta_0 * (mu_0 - means[k]) + gamma[:, k] @ (X - means[k])) / beta[k]
        rows = np.vstack([mu_0, X]) - means[k]
        rows *= np.sqrt(np.append(beta_0, gamma[:, k]))[:, None]
        scatters[k] = prior.scatter + rows.T @ rows
    return Belief(prior, concentrations, means, beta, prior.degrees_of_freedom + N_k, scatters)


def elbo(
    X: ArrayLike,
    responsibilities: ArrayLike,
    belief: Belief,
    sample_weight: ArrayLike | None = None,
) -> float:
    r"""The lower bound on the log evidence $\log p(X)$, constants included: {eq}`evidence-bound`.

    Expected log joint density of rows and labels, plus the entropy of the labels, minus the
    divergence of the belief from the prior. The evidence is that of `belief.prior`.

    Parameters
    ----------
    X : array (n_samples, n_features), or (n_samples,) for one feature
    responsibilities : array (n_samples, n_components), rows sum to one
    belief : Belief
    sample_weight : array (n_samples,), optional

    Returns
    -------
    float, in nats, summed over rows
    """
    log_rho = belief.expected_log_joint(X)
    gamma = as_probabilities("responsibilities", responsibilities, log_rho.shape)
    w = as_sample_weight(sample_weight, len(gamma))
    of_rows = (gamma * log_rho + entr(gamma)).sum(axis=1)
    return float((w * of_rows).sum()) - belief.divergence()


@dataclass(frozen=True, eq=False)
class State:
    """One iteration: a belief about the parameters, and the labels that follow from it."""

    iteration: int  # 0 is the first belief, made of the responsibilities at the start
    belief: Belief
    responsibilities: NDArray  # (n_samples, n_components): the best for *this* belief
    elbo: float  # of this belief and these responsibilities; in nats, summed over rows
    half_way: float  # of this belief and the *previous* responsibilities

    def __post_init__(self) -> None:
        self.responsibilities.flags.writeable = False


def variational(
    X: ArrayLike,
    responsibilities: ArrayLike,
    prior: Prior,
    sample_weight: ArrayLike | None = None,
) -> Iterator[State]:
    """The states that follow from responsibilities at the start; take as many as you want.

    With every M-step and with every E-step the ELBO rises or stands still: `state.elbo` is at most
    `half_way` of the next state, and that at most its `elbo`.

    Yields
    ------
    State
        Invalid input raises at the call.
    """
    first = m_step(X, responsibilities, prior, sample_weight)

    def states() -> Iterator[State]:
        belief, gamma = first, responsibilities
        for t in count():
            half_way = elbo(X, gamma, belief, sample_weight)
            gamma, bound = e_step(X, belief, sample_weight)
            yield State(t, belief, gamma, bound, half_way)
            belief = m_step(X, gamma, prior, sample_weight)

    return states()


def kmeans_labels(X: ArrayLike, n_components: int, rng: np.random.Generator) -> NDArray:
    """One run of k-means (scikit-learn's) as responsibilities of zeros and ones.

    Distances are taken after each feature is scaled to standard deviation one. Unlike
    `gmmlib.kmeans_start` it allows clusters too small for a covariance: the prior lends them one.

    Returns
    -------
    array (n_samples, n_components)
    """
    from sklearn.cluster import KMeans  # here, for it takes longer to import than all the rest

    X = as_rows(X)
    sd = X.std(axis=0)
    k_means = KMeans(n_components, n_init=1, random_state=int(rng.integers(2**31 - 1)))
    return np.eye(n_components)[k_means.fit_predict((X - X.mean(axis=0)) / np.where(sd, sd, 1))]


@dataclass(frozen=True, eq=False)
class Fit:
    """The best run of `fit`."""

    belief: Belief
    responsibilities: NDArray  # (n_samples, n_components)
    elbo: float  # in nats
    iterations: int
    converged: bool
    trace: tuple[float, ...]  # elbo of the best run, iterations 0, 1, ...
    restarts: tuple[float, ...] = ()  # final elbo of every run


def fit(
    X: ArrayLike,
    n_components: int,
    prior: Prior,
    tol: float = 1e-8,
    max_iter: int = 10_000,
    n_restarts: int = 10,
    rng: np.random.Generator | None = None,
) -> Fit:
    """Run `variational` from `n_restarts` k-means starts; keep the run with the highest ELBO.

    A run has converged when an iteration changes the ELBO per sample by `tol` nats or less. `rng`
    is a numpy Generator, which you must pass. A best run that `max_iter` stopped is announced by a
    RuntimeWarning.
    """
    X = as_rows(X)
    check_n_components(n_components, np.ones(len(X)))
    check_fit_options(tol, max_iter, n_restarts, "kmeans", {"kmeans": kmeans_labels}, rng)
    best, restarts = None, []
    for _ in range(n_restarts):
        states = variational(X, kmeans_labels(X, n_components, rng), prior)
        run = _run(states, tol * len(X), max_iter)
        restarts.append(run.elbo)
        best = max(best or run, run, key=lambda r: r.elbo)
    if not best.converged:
        message = f"not converged after {max_iter} iterations; raise max_iter or tol"
        warnings.warn(message, RuntimeWarning, stacklevel=2)
    return replace(best, restarts=tuple(restarts))


def _run(states: Iterator[State], tol: float, max_iter: int) -> Fit:
    """Follow one run until the ELBO changes by `tol` nats or less, or for `max_iter` iterations."""
    trace = []
    for state in islice(states, max_iter + 1):
        trace.append(state.elbo)
        converged = len(trace) > 1 and bool(abs(trace[-1] - trace[-2]) <= tol)
        if converged:
            break
    gamma, t = state.responsibilities, state.iteration
    return Fit(state.belief, gamma, state.elbo, t, converged, tuple(trace))


def _keep(owner, **arrays) -> None:
    """Set read-only copies on a frozen dataclass: the caller's arrays stay the caller's."""
    for name, array in arrays.items():
        array = np.array(array, float)
        array.flags.writeable = False
        object.__setattr__(owner, name, array)
