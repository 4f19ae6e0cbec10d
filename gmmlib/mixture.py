r"""A Gaussian mixture: weights, means and covariances, and what follows from them for data.

$p(x) = \sum_k \pi_k\, N(x \mid \mu_k, \Sigma_k)$. Probabilities stay logarithms until the last
moment: far from a mean a density underflows to zero, its logarithm does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

from gmmlib import covariance
from gmmlib.validation import as_float_array, as_probabilities, as_rows, check_finite


@dataclass(frozen=True, eq=False)
class Mixture:
    """K Gaussians in d dimensions with their weights; checked when made, never changed after.

    Parameters
    ----------
    weights : array (n_components,), zero or more, sums to one: the $\\pi_k$
    means : array (n_components, n_features), units of X: the $\\mu_k$
    covariances : array, squared units of X: the $\\Sigma_k$ in the shape of their type,
        full (K, d, d), tied (d, d), diag (K, d), spherical (K,)
    covariance_type : 'full', 'tied', 'diag' or 'spherical'

    Raises
    ------
    ValueError
        If the weights are off the simplex, shapes disagree, a number is not finite, or a
        covariance is not positive definite.
    """

    weights: NDArray
    means: NDArray
    covariances: NDArray
    covariance_type: str = "full"

    def __post_init__(self) -> None:
        weights = as_probabilities("weights", self.weights, (None,))
        means = as_float_array("means", self.means)
        covariances = as_float_array("covariances", self.covariances)
        if means.ndim != 2 or len(means) != len(weights) or means.shape[1] == 0:
            raise ValueError(
                f"means has shape {means.shape}; with {len(weights)} weights it must be "
                f"({len(weights)}, n_features)"
            )
        expected = covariance.shape(self.covariance_type, *means.shape)
        if covariances.shape != expected:
            raise ValueError(
                f"covariances has shape {covariances.shape}; {len(weights)} components of type "
                f"{self.covariance_type!r} in {means.shape[1]} dimension(s) need {expected}"
            )
        check_finite("means", means)
        check_finite("covariances", covariances)
        covariance.check_positive_definite(covariances, self.covariance_type)
        for name, array in [("weights", weights), ("means", means), ("covariances", covariances)]:
            array = array.copy()  # the caller's array stays the caller's, and writable
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @property
    def n_components(self) -> int:
        """K, the number of components."""
        return len(self.weights)

    @property
    def n_features(self) -> int:
        """d, the number of features."""
        return self.means.shape[1]

    @property
    def mean(self) -> NDArray:
        """Mean of the mixture as a whole, (n_features,), units of X: {eq}`mixture-mean`.

        Not `means`, which are the components' own.
        """
        return self.weights @ self.means

    @property
    def covariance(self) -> NDArray:
        """Covariance of the mixture as a whole, (n_features, n_features), squared units of X.

        {eq}`mixture-covariance`: the average of the components' covariances, plus the covariance
        of their means.
        """
        deviations = np.sqrt(self.weights)[:, None] * (self.means - self.mean)
        within = np.tensordot(self.weights, self.full_covariances, axes=1)
        return within + deviations.T @ deviations

    def marginal(self, features: int | Sequence[int]) -> "Mixture":
        """The density of some of the features, whatever the others are: {eq}`marginal-mixture`.

        Parameters
        ----------
        features : index of a feature, from 0, or several in the order wanted

        Returns
        -------
        Mixture of these features with the same weights and covariance type

        Raises
        ------
        ValueError
            If there is no feature, an index is not a whole number from 0 to n_features - 1, or
            one occurs twice.
        """
        kept = self._features(features)
        covariances = self.covariances
        if self.covariance_type in ("full", "tied"):
            covariances = covariances[..., kept[:, None], kept]
        elif self.covariance_type == "diag":
            covariances = covariances[:, kept]
        return Mixture(self.weights, self.means[:, kept], covariances, self.covariance_type)

    def conditional(self, features: int | Sequence[int], values: ArrayLike) -> "Mixture":
        r"""The density of the other features, once `features` have been seen to be `values`.

        {eq}`conditional-mixture`: the weights become the responsibilities for what has been seen;
        the means move along lines, and the covariances lose what was explained, {eq}`normal-pair`.

        With a component's features in the order seen, hidden and its covariance
        $\Sigma = L L^T$, the mean of the hidden ones moves by
        $L_{hs} L_{ss}^{-1} (x_s - \mu_s)$ and $L_{hh} L_{hh}^T$ is what is left of their
        covariance: positive definite as it stands, where a difference of matrices would be at the
        mercy of rounding.

        Parameters
        ----------
        features : index of a feature that has been seen, from 0, or several
        values : float, or array (number of features seen,), in the order of `features`, units of X

        Returns
        -------
        Mixture of the remaining features, in their old order, of the same covariance type

        Raises
        ------
        ValueError
            If the indices are invalid (see `marginal`) or no feature remains, or if there is not
            one finite value for each.
        """
        seen = self._features(features)
        hidden = np.setdiff1d(np.arange(self.n_features), seen)
        if len(hidden) == 0:
            raise ValueError(
                f"features holds all {self.n_features} feature(s), so none remains to describe; "
                "leave one out, or ask log_density for the density of a whole row"
            )
        values = np.atleast_1d(as_float_array("values", values))
        if values.shape != seen.shape:
            raise ValueError(
                f"values has shape {values.shape}; {len(seen)} feature(s) need ({len(seen)},): "
                "one value for each, of one row"
            )
        check_finite("values", values)
        try:
            weights = self.marginal(seen).responsibilities(values[None, :])[0]
        except ValueError:  # the values are finite, so this is all that can be wrong
            raise ValueError(
                "values are so far from the means that their squared distance overflows; "
                "check their units"
            ) from None
        means, covariances = self.means[:, hidden], self.covariances
        if self.covariance_type == "diag":
            covariances = covariances[:, hidden]
        elif self.covariance_type in ("full", "tied"):
            order = np.concatenate([seen, hidden])
            L = np.linalg.cholesky(self.full_covariances[:, order[:, None], order])
            s = len(seen)
            L_ss, L_hs, L_hh = L[:, :s, :s], L[:, s:, :s], L[:, s:, s:]
            away = values - self.means[:, seen]
            means = means + (L_hs @ np.linalg.solve(L_ss, away[..., None]))[..., 0]
            covariances = L_hh @ L_hh.transpose(0, 2, 1)
            if self.covariance_type == "tied":
                covariances = covariances[0]  # the same for every component: no mean enters it
        return Mixture(weights, means, covariances, self.covariance_type)

    def _features(self, features: int | Sequence[int]) -> NDArray:
        """The indices of features as an array, once checked."""
        indices = np.atleast_1d(np.asarray(features))
        valid = range(self.n_features)
        whole = indices.ndim == 1 and indices.size > 0 and np.issubdtype(indices.dtype, np.integer)
        if not whole or any(i not in valid for i in indices) or len(set(indices)) < len(indices):
            raise ValueError(
                f"features is {features!r}; pass one or more different indices from 0 to "
                f"{self.n_features - 1}"
            )
        return indices

    @property
    def full_covariances(self) -> NDArray:
        r"""$\Sigma_k$ written out for every type, (n_components, n_features, n_features)."""
        return covariance.as_full(self.covariances, self.covariance_type, *self.means.shape)

    def relabelled(self, order: ArrayLike) -> "Mixture":
        """The same density with its components in another order: labels carry no meaning.

        Parameters
        ----------
        order : the old indices in their new order, such as ``np.argsort(mixture.means[:, 0])``

        Raises
        ------
        ValueError
            If order is not a permutation of 0 ... K - 1.
        """
        order = np.asarray(order)
        if sorted(order.tolist()) != list(range(self.n_components)):
            raise ValueError(
                f"order must hold each of 0 to {self.n_components - 1} once, got {order.tolist()}"
            )
        shared = self.covariance_type == "tied"
        covariances = self.covariances if shared else self.covariances[order]
        return Mixture(self.weights[order], self.means[order], covariances, self.covariance_type)

    def log_joint(self, X: ArrayLike) -> NDArray:
        r"""$\log \pi_k + \log N(x_n \mid \mu_k, \Sigma_k)$ for every row and component.

        Parameters
        ----------
        X : array (n_samples, n_features), or (n_samples,) for one feature

        Returns
        -------
        array (n_samples, n_components), in nats; -inf where a weight is zero

        Raises
        ------
        ValueError
            If X holds NaN or infinity, is empty, or its n_features differs from the mixture's.
        """
        X = as_rows(X, self.n_features)
        log_joint = np.empty((len(X), self.n_components))
        with np.errstate(divide="ignore", over="ignore"):  # log 0 is meant; overflow: see below
            log_weights = np.log(self.weights)
            for k, mean in enumerate(self.means):
                sigma = covariance.of_component(self.covariances, self.covariance_type, k)
                distance, log_det = covariance.squared_distance_and_log_det(X - mean, sigma)
                if not np.isfinite(distance).all():
                    n = int(np.argmin(np.isfinite(distance)))
                    raise ValueError(
                        f"X[{n}] is so far from means[{k}] that its squared distance overflows; "
                        "remove the row or rescale X"
                    )
                log_normal = -0.5 * (self.n_features * np.log(2 * np.pi) + log_det + distance)
                log_joint[:, k] = log_weights[k] + log_normal
        return log_joint

    def log_density(self, X: ArrayLike) -> NDArray:
        r"""$\log p(x_n) = \log \sum_k \pi_k N(x_n \mid \mu_k, \Sigma_k)$: (n_samples,), in nats."""
        return logsumexp(self.log_joint(X), axis=1)

    def log_responsibilities(self, X: ArrayLike) -> NDArray:
        r"""$\log \gamma_{nk}$, (n_samples, n_components): finite where $\gamma_{nk}$ underflows."""
        log_joint = self.log_joint(X)
        return log_joint - logsumexp(log_joint, axis=1, keepdims=True)

    def responsibilities(self, X: ArrayLike) -> NDArray:
        r"""Posterior probability $\gamma_{nk}$ of each component for each row.

        Bayes' rule, {eq}`responsibilities`, in the log domain.

        Parameters
        ----------
        X : array (n_samples, n_features), or (n_samples,) for one feature

        Returns
        -------
        array (n_samples, n_components), rows sum to one
        """
        return np.exp(self.log_responsibilities(X))

    def sample(self, n_samples: int, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
        """Draw rows as the story tells it: first the component, then a row from its Gaussian.

        Parameters
        ----------
        n_samples : int
        rng : numpy Generator

        Returns
        -------
        X : array (n_samples, n_features)
        labels : int array (n_samples,), the component that each row came from
        """
        labels = rng.choice(self.n_components, size=n_samples, p=self.weights)
        noise = rng.standard_normal((n_samples, self.n_features))
        L = np.linalg.cholesky(self.full_covariances)
        return self.means[labels] + np.einsum("nij,nj->ni", L[labels], noise), labels
