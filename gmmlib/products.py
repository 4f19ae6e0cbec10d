r"""Two ways to take the E-step and the sums of the M-step over one block of rows (chapter 11).

    Features    $\log \pi_k N(x_n \mid \mu_k, \Sigma_k) = \theta_k^T \phi(x_n)$: one product for
                the E-step, {eq}`log-density-linear`, and one for the sums
    Residuals   $x_n - \mu_k$, whitened, for one component after the other: as `Mixture.log_joint`
                and `em.m_step` do; for type 'full' the whitening of all components is one product

Features are fast as long as there are not too many for the number of components, and 'full' has
about d^2 / 2 of them: `cheapest` compares costs. And their terms nearly cancel when a component is
thin, and far from the centre, or crooked. How far from its mean a component keeps its digits is
known from the mixture (`Features.reach`): where that is not enough, `cheapest` takes Residuals, and
for single rows beyond reach `gmmlib.statistics` takes their block by `Mixture.log_joint`.

Both work on $z = (x - c) / s$, centred and scaled by the mixture's own mean and standard
deviations, so that parts of the data on different machines agree on c and s. s is a power of two,
so scaling never rounds; and it is one, unless squares of x would leave the range of numbers. Arrays
of a block have a component, or a feature, per row, so that sums over components run along memory.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from gmmlib import covariance
from gmmlib.mixture import Mixture

#: By how much the terms of a sum may exceed what is left of it. Rounding then costs at most about
#: MOST_CANCELLATION * 1e-16 in a log-density or, relatively, in a covariance; a tenth on average.
MOST_CANCELLATION = 1e5

LARGEST = np.finfo(np.float64).max
#: Bytes that the arrays of a block may take: less than the shared cache holds, but more than a
#: core's own, so that a worker is long in C between two moments in which it needs Python's lock.
BLOCK_BYTES = 4_000_000

Moments = tuple[NDArray, ...]  # what a block adds to the statistics, in a shape of the way's own


def cheapest(mixture: Mixture) -> "Way":
    """The way that costs least, among those that keep the digits.

    The rule, in units of 0.075 ns a row on one core (AMD EPYC at 2.6 GHz, OpenBLAS): F features
    cost F (14 + K), residuals K d (55 + 0.7 d); each component that needs residuals its share.
    """
    by_features, by_residuals = Features.cost(mixture), Residuals.cost(mixture)
    if mixture.covariance_type != "full" or by_features < by_residuals:
        features = Features.of(mixture)
        thin = np.flatnonzero(features.reach < _enough(mixture.n_features))
        if len(thin) == 0:
            return features
        share = len(thin) / mixture.n_components
        if mixture.covariance_type != "tied" and by_features < (1 - share) * by_residuals:
            return Mixed.of(features, thin)
    return Residuals.of(mixture)


def _enough(d: int) -> float:
    """A distance from its mean within which practically all rows of a component are."""
    return np.sqrt(d) + 3


# --- The frame: centred and scaled ----------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Frame:
    """A mixture in the coordinates z = (x - center) / scale."""

    kind: str  # the covariance type; but with one feature matrices are numbers, and 'diag'
    center: NDArray  # (d,)
    scale: NDArray  # (d,), powers of two; all the same for 'spherical'
    means: NDArray  # (K, d)
    sds: NDArray  # (K, d), square roots of the diagonals of the covariances
    whiten: NDArray  # L_k^-1 in the shape of the type: (K, d, d), (1, d, d), or (K, d)
    log_peaks: NDArray  # (K,), log pi_k + log N(mu_k | mu_k, Sigma_k), less log_peak
    log_peak: float  # the highest of them: no log-density of a component is ever above it
    scaled: bool  # whether scale is not one

    @classmethod
    def of(cls, mixture: Mixture) -> "Frame":
        K, d = mixture.means.shape
        sigma, kind = mixture.covariances, mixture.covariance_type
        variances = {
            "full": lambda: sigma.diagonal(axis1=1, axis2=2),
            "tied": lambda: np.ones((K, 1)) * sigma.diagonal(),
            "diag": lambda: sigma,
            "spherical": lambda: sigma[:, None] * np.ones(d),
        }[kind]()
        if kind in ("full", "tied") and d == 1:
            kind, sigma = "diag", np.reshape(sigma, (-1, 1)) * np.ones((K, 1))
        center = mixture.mean
        means = mixture.means - center
        total = mixture.weights @ (variances + means**2)
        # Powers of two round nothing, so they make a difference only where squares would leave the
        # range of numbers.
        scaled = bool(total.min() < 1e-100 or total.max() > 1e100)
        scale = 2.0 ** np.round(np.log2(total) / 2) if scaled else np.ones(d)
        if kind == "spherical":
            scale[:] = scale.max()
        means = means / scale
        sds = np.sqrt(variances) / scale
        if kind in ("full", "tied"):
            L = np.linalg.cholesky(np.reshape(sigma, (-1, d, d)) / scale / scale[:, None])
            whiten = covariance.inverse_factors(L)
            log_sds = np.log(L.diagonal(axis1=1, axis2=2)).sum(axis=1)
        else:
            whiten = 1 / sds
            log_sds = np.log(sds).sum(axis=1)
        with np.errstate(divide="ignore"):  # log 0 is meant
            log_weights = np.log(mixture.weights)
        log_peaks = log_weights - log_sds - np.log(scale).sum() - d / 2 * np.log(2 * np.pi)
        log_peak = float(log_peaks.max())
        log_peaks -= log_peak
        return cls(kind, center, scale, means, sds, whiten, log_peaks, log_peak, scaled)

    def enter(self, rows: NDArray, out: NDArray) -> None:
        """Write z, transposed to (d, n), for rows (n, d) of any number type."""
        np.copyto(out, rows.T)  # into float64; twice as fast as subtracting on the way
        out -= self.center[:, None]
        if self.scaled:
            out /= self.scale[:, None]


@cache
def _pairs(d: int) -> tuple[NDArray, NDArray]:
    """Indices i <= j, in the order of the features."""
    return np.triu_indices(d)


def _block_rows(width: int) -> int:
    """Rows of a block whose arrays have `width` numbers a row, so that they fit into the cache."""
    return min(max(BLOCK_BYTES // (8 * width), 256), 32768)


# --- One product each -----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Features:
    r"""Rows as features $\phi$, components as coefficients $\theta_k$; per type,

    full        1, z_i, z_i z_j for i <= j      (d + 1)(d + 2) / 2 features
    tied        1, z_i, -|L^-1 z|^2 / 2         d + 2; and beside them the scatter of all rows
    diag        1, z_i, z_i^2                   2 d + 1
    spherical   1, z_i, |z|^2                   d + 2
    """

    mixture: Mixture
    frame: Frame
    theta: NDArray  # (K, F)
    reach: NDArray  # (K,), Mahalanobis distance up to which a component's log-density is accurate

    @staticmethod
    def width(covariance_type: str, d: int) -> int:
        """F, the number of features."""
        widths = {"full": (d + 1) * (d + 2) // 2, "diag": 2 * d + 1}
        return widths.get(covariance_type, d + 2)

    @staticmethod
    def cost(mixture: Mixture) -> float:
        """For a row; in units of `cheapest`."""
        K, d = mixture.means.shape
        own = 13 * d * d if mixture.covariance_type == "tied" else 0.0
        return Features.width(mixture.covariance_type, d) * (14 + K) + own

    @classmethod
    def of(cls, mixture: Mixture) -> "Features":
        frame = Frame.of(mixture)
        kind, (K, d), W, m = frame.kind, mixture.means.shape, frame.whiten, frame.means
        theta = np.empty((K, cls.width(kind, d)))
        if W.ndim == 3:
            P = W.transpose(0, 2, 1) @ W  # (K or 1, d, d): the precisions
            white = (W @ m[:, :, None])[:, :, 0]
            theta[:, 1 : d + 1] = (W.transpose(0, 2, 1) @ white[:, :, None])[:, :, 0]
            size = np.abs(P)
            from_center = (np.abs(m)[:, None, :] @ size @ np.abs(m)[:, :, None])[:, 0, 0]
            crookedness = (frame.sds[:, None, :] @ size @ frame.sds[:, :, None])[:, 0, 0] / d
        else:
            P, white = W**2, W * m
            theta[:, 1 : d + 1] = W * white
            from_center, crookedness = (white**2).sum(axis=1), 1.0
        theta[:, 0] = frame.log_peaks - (white**2).sum(axis=1) / 2
        if kind == "full":
            i, j = _pairs(d)
            theta[:, d + 1 :] = np.where(i == j, -0.5, -1.0) * P[:, i, j]
        elif kind == "tied":
            theta[:, d + 1] = 1
        elif kind == "diag":
            theta[:, d + 1 :] = -P / 2
        else:
            theta[:, d + 1] = -P[:, 0] / 2
        # The terms add up to (2 |mu| + |x - mu|)^2 / 2 in the metric of |P|.
        reach = (np.sqrt(2 * MOST_CANCELLATION) - 2 * np.sqrt(from_center)) / np.sqrt(crookedness)
        return cls(mixture, frame, theta, reach)

    @property
    def block_rows(self) -> int:
        """Rows of a block."""
        K, F = self.theta.shape
        return _block_rows(F + 2 * K)

    @property
    def about(self) -> NDArray:
        """(K, d): where sums and products are taken about."""
        return np.ones((len(self.theta), 1)) * self.frame.center

    @property
    def lowest(self) -> float:
        """The log-density, less log_peak, below which a row may be beyond a component's reach."""
        return float((self.frame.log_peaks - self.reach**2 / 2).max())

    def represent(self, rows: NDArray) -> NDArray:
        r"""$\phi$ of each row: (F, n)."""
        n, d = rows.shape
        kind = self.frame.kind
        phi = np.empty((self.theta.shape[1], n))
        phi[0] = 1
        z = phi[1 : d + 1]
        self.frame.enter(rows, out=z)
        if kind == "full":
            end = d + 1
            for i in range(d):
                np.multiply(z[i:], z[i], out=phi[end : end + d - i])
                end += d - i
        elif kind == "diag":
            np.multiply(z, z, out=phi[d + 1 :])
        else:
            white = self.frame.whiten[0] @ z if kind == "tied" else z
            np.einsum("in,in->n", white, white, out=phi[d + 1])
            if kind == "tied":
                phi[d + 1] *= -0.5
        return phi

    def log_joint(self, phi: NDArray) -> NDArray:
        """(K, n), less log_peak: {eq}`e-step-product`."""
        return self.theta @ phi

    def moments(self, gamma: NDArray, phi: NDArray, weight: NDArray | None) -> Moments:
        """(K, F): {eq}`m-step-product`; for 'tied' also the scatter (d, d) of all rows."""
        both = gamma @ phi.T
        if self.frame.kind != "tied":
            return (both,)
        z = phi[1:-1]
        return both, z @ z.T if weight is None else (weight * z) @ z.T

    def statistics(self, moments: Moments) -> tuple[NDArray, NDArray, NDArray]:
        """Counts, sums and products, in units of x."""
        kind, s, d = self.frame.kind, self.frame.scale, len(self.frame.scale)
        both = moments[0]
        second = both[:, d + 1 :]
        if kind == "full":
            i, j = _pairs(d)
            products = np.empty((len(both), d, d))
            products[:, i, j] = products[:, j, i] = second
            products *= s * s[:, None]
        elif kind == "tied":
            products = (moments[1] + moments[1].T) / 2 * s * s[:, None]
        elif kind == "diag":
            products = second * s**2
        else:
            products = second[:, 0] * s[0] ** 2
        return both[:, 0].copy(), both[:, 1 : d + 1] * s, products


# --- Residuals ------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Residuals:
    r"""Distances from each mean: $|W_k (z - \mu_k)|$ with $W_k = L_k^{-1}$, and sums about points.

    The arithmetic of `Mixture.log_joint` and `em.m_step`, but for a product with the inverse of a
    triangular matrix in place of a triangular solve: as accurate, and a product.
    """

    mixture: Mixture
    frame: Frame
    about: NDArray  # (K, d), units of x: where sums and products are taken about
    at_once: NDArray | None  # (K d, d + 1), -W_k mu_k beside rows W_k, where that loses no digits

    lowest = -LARGEST

    @staticmethod
    def cost(mixture: Mixture) -> float:
        """For a row; in units of `cheapest`."""
        K, d = mixture.means.shape
        return K * d * (55 + 0.7 * d)

    @classmethod
    def of(cls, mixture: Mixture, about: NDArray | None = None) -> "Residuals":
        """Sums are taken about the means unless you give other points."""
        frame, at_once = Frame.of(mixture), None
        if frame.kind == "full":
            (K, d), W, m = mixture.means.shape, frame.whiten, frame.means[:, :, None]
            terms = np.linalg.norm((np.abs(W) @ np.abs(m))[:, :, 0], axis=1)
            if (2 * terms * _enough(d) <= MOST_CANCELLATION).all():
                at_once = np.concatenate([-W @ m, W], axis=2).reshape(K * d, d + 1)
        return cls(mixture, frame, mixture.means if about is None else about, at_once)

    @property
    def block_rows(self) -> int:
        """Rows of a block."""
        K, d = self.about.shape
        return _block_rows(2 * K + 2 * d + (0 if self.at_once is None else K * d))

    def represent(self, rows: NDArray) -> NDArray:
        """z below a row of ones: (d + 1, n)."""
        n, d = rows.shape
        phi = np.empty((d + 1, n))
        phi[0] = 1
        self.frame.enter(rows, out=phi[1:])
        return phi

    def log_joint(self, phi: NDArray) -> NDArray:
        """(K, n), less log_peak."""
        (K, d), z = self.about.shape, phi[1:]
        if self.at_once is not None:
            white = (self.at_once @ phi).reshape(K, d, -1)
            distance = np.einsum("kin,kin->kn", white, white)
        else:
            distance = np.empty((K, phi.shape[1]))
            whiten = np.broadcast_to(self.frame.whiten, (K, *self.frame.whiten.shape[1:]))
            for W, mean, out in zip(whiten, self.frame.means, distance, strict=True):
                white = z - mean[:, None]
                white = W @ white if W.ndim == 2 else W[:, None] * white
                np.einsum("in,in->n", white, white, out=out)
        distance *= -0.5
        distance += self.frame.log_peaks[:, None]
        return distance

    def moments(self, gamma: NDArray, phi: NDArray, weight: NDArray | None) -> Moments:
        """Counts, sums and products, of z."""
        kind, n, z = self.frame.kind, phi.shape[1], phi[1:]
        points = (self.about - self.frame.center) / self.frame.scale
        counts, sums, products = gamma.sum(axis=1), np.empty(points.shape), []
        roots, residuals = np.sqrt(gamma), np.empty((points.shape[1], n))
        for k, (root, point) in enumerate(zip(roots, points, strict=True)):
            np.subtract(z, point[:, None], out=residuals)
            residuals *= root
            sums[k] = residuals @ root
            if kind in ("full", "tied"):
                products.append(residuals @ residuals.T)
            else:
                products.append(np.einsum("in,in->i", residuals, residuals))
        return counts, sums, sum(products)[None] if kind == "tied" else np.array(products)

    def statistics(self, moments: Moments) -> tuple[NDArray, NDArray, NDArray]:
        """Counts, sums and products, in units of x."""
        (counts, sums, products), s, kind = moments, self.frame.scale, self.frame.kind
        products = products * s * (s[:, None] if products.ndim == 3 else s)
        if kind == "spherical":
            products = products.sum(axis=1)
        return counts, sums * s, products[0] if kind == "tied" else products


# --- Both -----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Mixed:
    """Features, but residuals for the few components that need them; not for 'tied'."""

    features: Features
    residuals: Residuals  # of the components `thin`
    thin: NDArray  # indices
    lowest: float  # as in Features, of the other components

    @classmethod
    def of(cls, features: Features, thin: NDArray) -> "Mixed":
        """`thin` : indices of the components for residuals."""
        frame, reach = features.frame, features.reach.copy()
        part = {
            name: getattr(frame, name)[thin] for name in ("means", "sds", "whiten", "log_peaks")
        }
        about = features.mixture.means[thin]
        residuals = Residuals(features.mixture, replace(frame, **part), about, None)
        reach[thin] = np.inf
        return cls(features, residuals, thin, replace(features, reach=reach).lowest)

    mixture = property(lambda self: self.features.mixture)
    frame = property(lambda self: self.features.frame)
    block_rows = property(lambda self: self.features.block_rows)

    def cost(self, mixture: Mixture) -> float:
        """For a row; in units of `cheapest`."""
        share = len(self.thin) / mixture.n_components
        return Features.cost(mixture) + share * Residuals.cost(mixture)

    @property
    def about(self) -> NDArray:
        """(K, d): where sums and products are taken about."""
        about = self.features.about
        about[self.thin] = self.residuals.about
        return about

    def represent(self, rows: NDArray) -> NDArray:
        """As Features: (F, n)."""
        return self.features.represent(rows)

    def log_joint(self, phi: NDArray) -> NDArray:
        """(K, n), less log_peak."""
        joint = self.features.log_joint(phi)
        joint[self.thin] = self.residuals.log_joint(phi[: self._first])
        return joint

    def moments(self, gamma: NDArray, phi: NDArray, weight: NDArray | None) -> Moments:
        """Those of Features, then those of Residuals."""
        return (
            *self.features.moments(gamma, phi, weight),
            *self.residuals.moments(gamma[self.thin], phi[: self._first], weight),
        )

    def statistics(self, moments: Moments) -> tuple[NDArray, NDArray, NDArray]:
        """Counts, sums and products, in units of x."""
        found = self.features.statistics(moments[:1])
        for all_of_them, exact in zip(found, self.residuals.statistics(moments[1:]), strict=True):
            all_of_them[self.thin] = exact
        return found

    @property
    def _first(self) -> int:
        return 1 + self.frame.means.shape[1]


Way = Features | Residuals | Mixed
