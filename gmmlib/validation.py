"""Checks of what comes in. A failure is a ValueError: which argument, what is wrong, what to do."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

# How far probabilities may miss a sum of one. They are sums of at most a few thousand numbers of
# order one, so this is far above rounding and far below any mistake.
SIMPLEX_TOLERANCE = 1e-9


class CollapseError(ValueError):
    """A component is empty, or so thin that rounding decides about it."""


def as_float_array(name: str, value: ArrayLike) -> NDArray:
    """`value` as float64, or a ValueError that names it if it is not made of real numbers."""
    try:
        if np.iscomplexobj(value):
            raise TypeError("it is complex")
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be an array of real numbers ({error})") from None


def check_finite(name: str, array: NDArray) -> None:
    """Raise unless every entry is finite; the message names the first that is not."""
    if not np.isfinite(array).all():
        where = np.argwhere(~np.isfinite(array))[0]
        index = ", ".join(str(i) for i in where)
        entry = f"{name}[{index}]" if index else name
        raise ValueError(f"{entry} is {array[tuple(where)]}; remove or impute such entries first")


def as_table(name: str, array: NDArray) -> NDArray:
    """The array as (n_samples, n_features), whatever its numbers; (n_samples,) is one feature."""
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2:
        raise ValueError(
            f"{name} has {array.ndim} dimensions; pass (n_samples, n_features), or (n_samples,) "
            "for one feature"
        )
    if array.size == 0:
        raise ValueError(
            f"{name} is empty (shape {array.shape}); it needs a row and a feature at least"
        )
    return array


def check_n_features(name: str, X: NDArray, n_features: int) -> None:
    """Raise unless X has as many features as the mixture."""
    if X.shape[1] != n_features:
        raise ValueError(
            f"{name} has {X.shape[1]} feature(s) but the mixture has {n_features}; "
            "select the same features, and write a single row as X[None, :]"
        )


def as_rows(X: ArrayLike, n_features: int | None = None) -> NDArray:
    """The data as a finite matrix (n_samples, n_features); a vector is one feature.

    Raises
    ------
    ValueError
        If X is empty, holds NaN or infinity, has more than two dimensions, or has not the
        `n_features` asked for.
    """
    X = as_table("X", as_float_array("X", X))
    check_finite("X", X)
    if n_features is not None:
        check_n_features("X", X, n_features)
    return X


def as_sample_weight(sample_weight: ArrayLike | None, n_samples: int) -> NDArray:
    """One weight per row, shape (n_samples,); None means that every row counts once.

    Raises
    ------
    ValueError
        If a weight is negative, NaN or infinite, if all are zero, or if there is not one per row.
    """
    if sample_weight is None:
        return np.ones(n_samples)
    weight = as_float_array("sample_weight", sample_weight)
    if weight.shape != (n_samples,):
        raise ValueError(
            f"sample_weight has shape {weight.shape}; X has {n_samples} rows, so pass "
            f"({n_samples},): one weight per row"
        )
    check_finite("sample_weight", weight)
    if (weight < 0).any():
        n = int(np.argmax(weight < 0))
        raise ValueError(
            f"sample_weight[{n}] is negative ({weight[n]:.3g}); a weight counts how often a row "
            "occurs, so use zero or more"
        )
    if not weight.any():
        raise ValueError("sample_weight is zero for every row; at least one row must count")
    return weight


def as_probabilities(name: str, value: ArrayLike, shape: tuple[int | None, ...]) -> NDArray:
    """Probabilities whose last axis sums to one; None in `shape` leaves that length free.

    Raises
    ------
    ValueError
        If the shape differs, an entry is NaN or negative, or a sum differs from one by more
        than `SIMPLEX_TOLERANCE`.
    """
    p = as_float_array(name, value)
    free = tuple(m if n is None else n for m, n in zip(p.shape, shape, strict=False))
    if p.ndim != len(shape) or p.shape != free:
        names = ("n_samples", "n_components")[-len(shape) :]
        expected = ", ".join(a if n is None else str(n) for a, n in zip(names, shape, strict=True))
        raise ValueError(f"{name} has shape {p.shape}; it must be ({expected})")
    if p.size == 0:
        raise ValueError(f"{name} is empty (shape {p.shape}); it needs one entry at least")
    check_finite(name, p)
    if (p < 0).any():
        where = ", ".join(str(i) for i in np.argwhere(p < 0)[0])
        raise ValueError(
            f"{name}[{where}] is negative ({p.min():.3g}); probabilities are zero or more"
        )
    sums = np.atleast_1d(p.sum(axis=-1))
    if (abs(sums - 1) > SIMPLEX_TOLERANCE).any():
        n = int(np.argmax(abs(sums - 1)))
        row = name if p.ndim == 1 else f"{name}[{n}]"
        raise ValueError(f"{row} sums to {sums[n]:.12g}, not to one; divide by the sum")
    return p


def check_n_components(n_components: int, sample_weight: NDArray) -> None:
    """Raise unless 1 <= n_components <= number of rows that count (weight above zero)."""
    is_integer = isinstance(n_components, (int, np.integer)) and not isinstance(n_components, bool)
    if not is_integer or n_components < 1:
        raise ValueError(f"n_components is {n_components!r}; it must be a whole number, 1 or more")
    rows = np.count_nonzero(sample_weight)
    if n_components > rows:
        raise ValueError(
            f"n_components={n_components} exceeds the {rows} row(s) of X that count; "
            "lower n_components or collect more data"
        )


def check_reg_covar(reg_covar: float) -> None:
    """Raise unless reg_covar is a finite number, zero or more (in squared units of X)."""
    if not np.isscalar(reg_covar) or not np.isreal(reg_covar) or not 0 <= reg_covar < np.inf:
        raise ValueError(f"reg_covar is {reg_covar!r}; it must be finite and zero or more")


def check_fit_options(
    tol: float, max_iter: int, n_restarts: int, start: str, starts: Mapping, rng: object
) -> None:
    """Raise unless the options of `gmmlib.fit` make sense."""
    if not 0 <= tol < np.inf:
        raise ValueError(f"tol is {tol!r}; it must be finite and zero or more (nats per sample)")
    for name, value in [("max_iter", max_iter), ("n_restarts", n_restarts)]:
        if not isinstance(value, (int, np.integer)) or value < 1:
            raise ValueError(f"{name} is {value!r}; it must be a whole number, 1 or more")
    if start not in starts:
        raise ValueError(f"start is {start!r}; choose one of {', '.join(map(repr, starts))}")
    check_rng(rng)


def check_rng(rng: object) -> None:
    """Raise unless rng is a numpy Generator: randomness comes from the caller, never from here."""
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng is {rng!r}; pass numpy.random.default_rng(seed)")


def check_not_empty(effective_counts: NDArray) -> None:
    """Raise if a component's count vanishes beside the total, that is, adding it changes nothing.

    Raises
    ------
    CollapseError
        Names the component's index and the remedies.
    """
    total = effective_counts.sum()
    k = int(np.argmin(effective_counts))
    if effective_counts[k] <= np.finfo(np.float64).eps * total:
        raise CollapseError(
            f"component {k} is empty (effective count {effective_counts[k]:.1e} of {total:g}); "
            "lower n_components or try another start"
        )
