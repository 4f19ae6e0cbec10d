"""Where a mixture's density has its humps, counted and drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from gmmlib.mixture import Mixture
from gmmlib.show.checks import check_features
from gmmlib.show.figure import Figure, canvas, legend_above
from gmmlib.show.palette import DATA, TEXT, component_color, line_styles

_STEPS = 50  # grid points for each standard deviation of the narrowest component


def modes(mixture: Mixture) -> NDArray:
    """The humps of a one-dimensional mixture: where its density has a local maximum.

    All of them lie between the smallest and the largest mean, where the slope of the log density,
    the sum of ``gamma_k (mu_k - x) / sigma_k^2``, falls through zero (two equal variances:
    {eq}`hump-slope`). Humps nearer to each other than a fiftieth of the smallest standard
    deviation count as one.

    Parameters
    ----------
    mixture : one-dimensional, K components

    Returns
    -------
    array (number of humps,), units of X, ascending

    Raises
    ------
    ValueError
        If the mixture is not one-dimensional.
    """
    check_features(mixture, 1)
    means = mixture.means[:, 0]
    variances = mixture.full_covariances[:, 0, 0]

    def slope(x: NDArray) -> NDArray:
        x = np.atleast_1d(x)
        pull = (means - x[:, None]) / variances
        return (mixture.responsibilities(x[:, None]) * pull).sum(axis=1)

    step = np.sqrt(variances.min()) / _STEPS
    # One step beyond both ends, where the slope is sure to point inwards.
    grid = np.arange(means.min() - step, means.max() + 2 * step, step)
    slopes = slope(grid)
    falls = np.flatnonzero((slopes[:-1] > 0) & (slopes[1:] <= 0))
    return np.array([brentq(lambda x: slope(x)[0], grid[i], grid[i + 1]) for i in falls])


def gap_figure(gaps: Sequence[float], *, name: str, alt: str, caption: str = "") -> Figure:
    """Two equal bells at several distances, one panel each, and their sum with its humps marked.

    Parameters
    ----------
    gaps : distances of the two means, in standard deviations
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If there is no gap.
    """
    if not gaps:
        raise ValueError("no gaps to draw")
    reach = max(gaps) / 2 + 3.2
    grid = np.linspace(-reach, reach, 161)
    with canvas(height=0.9 + 1.15 * len(gaps), nrows=len(gaps), sharex=True, sharey=True,
                squeeze=False) as (drawing, axes):  # fmt: skip
        for gap, ax in zip(gaps, axes[:, 0], strict=True):
            two = Mixture([0.5, 0.5], [[-gap / 2], [gap / 2]], [[1.0]], "tied")
            for k, half in enumerate(np.exp(two.log_joint(grid)).T):
                ax.plot(grid, half, color=component_color(k), lw=1.5)
            _curve_with_dots(ax, grid, two, "-")
            ax.annotate(f"gap {gap:g} σ", (0.02, 0.95), xycoords="axes fraction", va="top")
            ax.set(ylim=(0, 0.46), yticks=(0, 0.2, 0.4))
        axes[-1, 0].set(xlabel="distance from the midpoint (σ)", xlim=(-reach, reach))
        drawing.supylabel("density (1/σ)", fontsize=12)
    return Figure(drawing, name, alt, caption)


def hump_figure(
    X: NDArray,
    mixtures: Mapping[str, Mixture],
    *,
    name: str,
    alt: str,
    xlabel: str = "height (cm)",
    ylabel: str = "density (1/cm)",
    bins: int = 30,
    caption: str = "",
) -> Figure:
    """Histogram of one column and the densities of several mixtures, a dot on every hump.

    Parameters
    ----------
    X : array (N, 1)
    mixtures : label -> one-dimensional mixture, at most four
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If X is not one column, there is no mixture or more than four, or one is not
        one-dimensional.
    """
    if np.ndim(X) != 2 or X.shape[1] != 1:
        raise ValueError(f"this figure needs X of shape (N, 1), got {np.shape(X)}")
    styles = line_styles(mixtures)
    margin = 0.03 * np.ptp(X)
    grid = np.linspace(X.min() - margin, X.max() + margin, 241)
    with canvas(height=3.4) as (drawing, ax):
        heights, edges = np.histogram(X[:, 0], bins=bins, density=True)
        ax.stairs(heights, edges, fill=True, color=DATA, alpha=0.35, lw=0)
        for (label, mixture), dashes in zip(mixtures.items(), styles, strict=True):
            _curve_with_dots(ax, grid, mixture, dashes, label)
        legend_above(drawing, handlelength=2.4, ncols=2)
        ax.set(xlabel=xlabel, ylabel=ylabel, xlim=(grid[0], grid[-1]), ylim=(0, None))
        ax.locator_params(axis="y", nbins=4)
    return Figure(drawing, name, alt, caption)


def _curve_with_dots(ax, grid: NDArray, mixture: Mixture, dashes: str, label: str = "") -> None:
    """A density, and a dot wherever it has a hump."""
    ax.plot(grid, np.exp(mixture.log_density(grid)), dashes, color=TEXT, label=label or None)
    tops = modes(mixture)
    ax.plot(tops, np.exp(mixture.log_density(tops)), "o", color=TEXT, ms=6)
