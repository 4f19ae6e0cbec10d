r"""The four covariance types: everything in which they differ stands in this file.

With K components in d dimensions:

| type        | what a component may be        | shape     | free parameters |
|-------------|--------------------------------|-----------|-----------------|
| `full`      | any ellipsoid of its own       | (K, d, d) | K d (d + 1) / 2 |
| `tied`      | one ellipsoid, shared by all   | (d, d)    | d (d + 1) / 2   |
| `diag`      | its own, along the axes        | (K, d)    | K d             |
| `spherical` | its own ball                   | (K,)      | K               |

The shapes are those of scikit-learn. One component's covariance is a matrix (full, tied), a vector
of variances (diag) or one variance (spherical); `of_component` takes it out, and its number of
dimensions tells the rest of this file what it is.

Nothing here compares with an absolute number: lengths are compared with the data's own spread or
with the rounding of the data, so the units of X do not matter.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dtrtri

from gmmlib.validation import CollapseError

COVARIANCE_TYPES = ("full", "tied", "diag", "spherical")
EPS = np.finfo(np.float64).eps


def shape(covariance_type: str, n_components: int, n_features: int) -> tuple[int, ...]:
    """Shape of the array that holds all covariances (table above)."""
    K, d = n_components, n_features
    shapes = {"full": (K, d, d), "tied": (d, d), "diag": (K, d), "spherical": (K,)}
    if covariance_type not in shapes:
        raise ValueError(
            f"covariance_type is {covariance_type!r}; choose one of {', '.join(COVARIANCE_TYPES)}"
        )
    return shapes[covariance_type]


def n_parameters(covariance_type: str, n_components: int, n_features: int) -> int:
    """Number of free parameters in the covariances (table above): a symmetric matrix counts once
    what stands on both sides of its diagonal."""
    *copies, d = shape(covariance_type, n_components, n_features)
    if covariance_type == "full":
        return n_components * d * (d + 1) // 2
    if covariance_type == "tied":
        return d * (d + 1) // 2
    return int(np.prod([*copies, d]))


def of_component(covariances: NDArray, covariance_type: str, k: int) -> NDArray:
    """Covariance of component k: (d, d) for full and tied, (d,) for diag, () for spherical."""
    return covariances if covariance_type == "tied" else covariances[k]


def as_full(
    covariances: NDArray, covariance_type: str, n_components: int, n_features: int
) -> NDArray:
    """All covariances written out as matrices, shape (n_components, n_features, n_features)."""
    covariances = np.asarray(covariances)
    if covariance_type in ("full", "tied"):
        return np.broadcast_to(covariances, (n_components, n_features, n_features)).copy()
    variances = covariances if covariance_type == "diag" else covariances[:, None]
    return variances[..., None] * np.eye(n_features)


def update(
    X: NDArray,
    responsibilities: NDArray,
    means: NDArray,
    covariance_type: str,
    reg_covar: float = 0.0,
) -> NDArray:
    r"""The covariances that maximise Q given `means`: {eq}`m-step-covariances` and its kin.

    With the scatter $S_k = \sum_n \gamma_{nk} (x_n - \mu_k)(x_n - \mu_k)^T$ about the means
    *as they are stored*, rounding included:

    - full: $S_k / N_k$; diag: its diagonal; spherical: the mean of its diagonal;
    - tied: $\sum_k S_k / N$.

    Parameters
    ----------
    X : array (n_samples, n_features)
    responsibilities : array (n_samples, n_components), multiplied by the sample weights already
    means : array (n_components, n_features), the *new* means
    covariance_type : one of COVARIANCE_TYPES
    reg_covar : float, squared units of X, added to every variance

    Returns
    -------
    array of the type's shape
    """
    shape(covariance_type, *means.shape)  # raises unless it is one of the four types
    counts = responsibilities.sum(axis=0)
    scatters = []
    for gamma_k, mean in zip(responsibilities.T, means, strict=True):
        residuals = np.sqrt(gamma_k)[:, None] * (X - mean)
        if covariance_type in ("full", "tied"):
            scatters.append(residuals.T @ residuals)  # A.T @ A: numpy makes it exactly symmetric
        elif covariance_type == "diag":
            scatters.append((residuals**2).sum(axis=0))
        else:
            scatters.append((residuals**2).sum() / X.shape[1])

    if covariance_type == "tied":
        covariances = sum(scatters) / counts.sum()
    else:
        covariances = np.array([S / N_k for S, N_k in zip(scatters, counts, strict=True)])

    if covariance_type in ("full", "tied"):
        return covariances + reg_covar * np.eye(X.shape[1])
    return covariances + reg_covar


def squared_distance_and_log_det(residuals: NDArray, covariance: NDArray) -> tuple[NDArray, float]:
    r"""Squared Mahalanobis distances $r_n^T \Sigma^{-1} r_n$ and $\log |\Sigma|$ of one component.

    With the Cholesky factor $\Sigma = L L^T$ the distance is $|L^{-1} r|^2$, one triangular solve,
    and $\log |\Sigma| = 2 \sum_i \log L_{ii}$. The inverse of $\Sigma$ is never formed:
    products with it lose more digits than the solve does.

    Parameters
    ----------
    residuals : array (n_samples, n_features), rows $x_n - \mu$
    covariance : array (d, d), (d,) or (), as `of_component` gives it

    Returns
    -------
    squared_distance : array (n_samples,)
    log_det : float
    """
    if covariance.ndim == 2:
        L = np.linalg.cholesky(covariance)
        whitened = _solve_lower(L, residuals.T)
        log_det = 2 * np.log(np.diag(L)).sum()
    else:
        variances = np.broadcast_to(covariance, residuals.shape[1])
        whitened = residuals.T / np.sqrt(variances)[:, None]
        log_det = np.log(variances).sum()
    return (whitened**2).sum(axis=0), float(log_det)


def _solve_lower(L: NDArray, B: NDArray) -> NDArray:
    """Forward substitution: Y with L Y = B, for lower triangular L (d, d) and B (d, n).

    Written out because LAPACK's solve starts threads for every call, however small d is: a hundred
    times slower than this loop whenever another process keeps a core busy.
    """
    Y = np.empty(B.shape)
    for i in range(len(L)):
        Y[i] = (B[i] - np.einsum("j,jn->n", L[i, :i], Y[:i])) / L[i, i]
    return Y


def check_positive_definite(covariances: NDArray, covariance_type: str) -> None:
    """Raise unless every covariance is symmetric and positive definite to working precision.

    Raises
    ------
    ValueError
        Names the component's index and its smallest eigenvalue.
    """
    tied = covariance_type == "tied"
    stack = covariances[None] if tied else covariances
    if stack.ndim == 3:
        # Rounding of an inverse or a product is allowed; two different numbers are not.
        sd = np.sqrt(np.abs(stack.diagonal(axis1=1, axis2=2)))
        gap = np.abs(stack - stack.transpose(0, 2, 1))
        skew = (gap > 1e-8 * sd[:, :, None] * sd[:, None, :]).any(axis=(1, 2))
    else:
        skew = np.zeros(len(stack), dtype=bool)
    if not skew.any() and _all_positive_definite(stack):
        return
    for k, covariance in enumerate(stack):
        name = "covariances" if tied else f"covariances[{k}]"
        if skew[k]:
            raise ValueError(f"{name} is not symmetric; pass (S + S.T) / 2 if that is meant")
        if not _is_positive_definite(covariance):
            smallest = _eigenvalues(covariance)[0]
            near = " is zero beside its largest" if smallest > 0 else ""
            raise ValueError(
                f"{name} is not positive definite (smallest eigenvalue {smallest:.1e}{near}); "
                "increase reg_covar or lower n_components"
            )


def check_not_collapsed(
    X: NDArray, sample_weight: NDArray, covariances: NDArray, covariance_type: str
) -> None:
    """Raise if a fitted component is so thin that rounding decides about it.

    A component has collapsed when its matrix is singular to working precision, or when one of its
    variances is lost beside the variance of X or below the rounding of X itself: the likelihood is
    unbounded there, and the next steps would be noise.

    Raises
    ------
    CollapseError
        Names the component's index and the remedies.
    """
    X, sample_weight = X[sample_weight > 0], sample_weight[sample_weight > 0]
    center = np.average(X, axis=0, weights=sample_weight)
    spread = np.average((X - center) ** 2, axis=0, weights=sample_weight)
    check_thick_enough(spread, np.abs(X).max(axis=0), covariances, covariance_type)


def check_thick_enough(
    spread: NDArray,
    largest: NDArray,
    covariances: NDArray,
    covariance_type: str,
    definite: bool = False,
) -> None:
    """`check_not_collapsed` for who has only the variance and the largest absolute value of X.

    Parameters
    ----------
    spread : array (n_features,), squared units of X
    largest : array (n_features,), units of X
    covariances : array of the type's shape
    covariance_type : one of COVARIANCE_TYPES
    definite : whether the covariances are known to be positive definite
    """
    floor = EPS * spread + (4 * EPS * largest) ** 2
    if covariance_type == "spherical":
        floor = floor.mean()

    tied = covariance_type == "tied"
    stack = covariances[None] if tied else covariances
    variances = stack.diagonal(axis1=1, axis2=2) if stack.ndim == 3 else stack
    if (variances > floor).all() and (definite or _all_positive_definite(stack)):
        return
    for k, covariance in enumerate(stack):
        if not (variances[k] > floor).all() or not _is_positive_definite(covariance):
            who = "the covariance shared by all components" if tied else f"component {k}"
            raise CollapseError(
                f"{who} has collapsed (smallest eigenvalue of its covariance "
                f"{_eigenvalues(covariance)[0]:.1e}, lost in the rounding of X); "
                "increase reg_covar, lower n_components or try another start"
            )


def inverse_factors(L: NDArray) -> NDArray:
    """Inverses of lower triangular matrices (K, d, d): a third of what a solve would cost."""
    if L.shape[1] == 1:
        return 1 / L
    return np.array([dtrtri(factor.T)[0].T for factor in L])


def _all_positive_definite(stack: NDArray) -> bool:
    """`_is_positive_definite` for several at once, without eigenvalues where there is no doubt.

    The inverse of the smallest eigenvalue of a correlation matrix is at most the trace of the
    inverse: when that is far from singular, so is the matrix.
    """
    if stack.ndim < 3:
        return bool((stack > 0).all())
    variances = stack.diagonal(axis1=1, axis2=2)
    if not (variances > 0).all():
        return False
    if stack.shape[1] == 1:
        return True
    sd = np.sqrt(variances)
    try:
        L = np.linalg.cholesky(stack / sd[:, :, None] / sd[:, None, :])
        traces = (inverse_factors(L) ** 2).sum(axis=(1, 2))
    except np.linalg.LinAlgError:
        return False
    if (traces < 1e-3 / (64 * EPS * sd.shape[1])).all():
        return True
    return all(_is_positive_definite(covariance) for covariance in stack)


def _is_positive_definite(covariance: NDArray) -> bool:
    """Positive variances, and for a matrix correlations that are not singular to rounding.

    The correlations carry no units, so the verdict is the same in millimetres and in miles.
    """
    if covariance.ndim < 2:
        return bool((covariance > 0).all())
    if not (np.diag(covariance) > 0).all():
        return False
    sd = np.sqrt(np.diag(covariance))
    correlations = covariance / sd / sd[:, None]
    return bool(np.linalg.eigvalsh(correlations)[0] > 64 * EPS * len(sd))


def _eigenvalues(covariance: NDArray) -> NDArray:
    """Eigenvalues of one component's covariance, smallest first."""
    if covariance.ndim == 2:
        return np.linalg.eigvalsh(covariance)
    return np.sort(np.atleast_1d(covariance))
