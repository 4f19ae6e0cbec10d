"""The shape of log L: its contour lines over two means, and where its slope along one is zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmlib.mixture import Mixture
from gmmlib.show.figure import Figure, canvas
from gmmlib.show.palette import DATA, TEXT, component_color

#: Nats below the highest point at which a contour line is drawn.
DEPTHS = (60, 120, 200, 300, 400)


def surface_figure(
    X: ArrayLike,
    mixture: Mixture,
    first: ArrayLike,
    second: ArrayLike,
    *,
    name: str,
    alt: str,
    depths: Sequence[float] = DEPTHS,
    xlabel: str = "mean of component 1 (cm)",
    ylabel: str = "mean of component 2 (cm)",
    diagonal_label: str = "equal means",
    caption: str = "",
) -> Figure:
    """Contour lines of log L over the means of two components; peaks marked, diagonal dashed.

    Parameters
    ----------
    X : array (N, 1) or (N,)
    mixture : one-dimensional, two components; its weights and covariances stay as they are
    first, second : values of the two means, ascending, units of X
    depths : how many nats below the highest point of the grid to draw a line, each labelled
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If the mixture is not one-dimensional with two components.
    """
    if mixture.means.shape != (2, 1):
        raise ValueError(
            f"a surface needs two components in one dimension; means has shape "
            f"{mixture.means.shape}"
        )
    first, second = np.asarray(first, float), np.asarray(second, float)
    surface = _surface(X, mixture, first, second)
    levels = sorted(surface.max() - np.array(depths, float))
    with canvas(height=4.4) as (drawing, ax):
        ax.set_aspect("equal")
        widths = np.linspace(0.8, 2, len(levels))
        lines = ax.contour(
            first, second, surface, levels, colors=[DATA], linewidths=widths, linestyles="solid"
        )
        texts = {level: f"−{surface.max() - level:.0f}" for level in lines.levels}
        for label in ax.clabel(lines, fmt=texts, fontsize=10):
            label.set_color(TEXT)
        low, high = max(first[0], second[0]), min(first[-1], second[-1])
        ax.plot([low, high], [low, high], "--", color=TEXT, lw=1)
        ax.annotate(diagonal_label, (low, low), (8, 6), textcoords="offset points", rotation=45,
                    rotation_mode="anchor")  # fmt: skip
        for row, column in _peaks(surface):
            a, b = first[column], second[row]
            ax.plot(a, b, "^", color=component_color(0), markersize=8)
            ax.annotate(f"({a:.0f}, {b:.0f})", (a, b), (0, 9), textcoords="offset points",
                        ha="center")  # fmt: skip
        ax.set(xlabel=xlabel, ylabel=ylabel)
        ax.locator_params(nbins=6)
    return Figure(drawing, name, alt, caption)


def crossing_figure(
    grid: ArrayLike,
    curves: Mapping[str, ArrayLike],
    *,
    name: str,
    alt: str,
    diagonal_label: str = "μ",
    xlabel: str = "μ (cm)",
    ylabel: str = "cm",
    caption: str = "",
) -> Figure:
    """Curves against the straight line y = x (dashed); a dot wherever they meet.

    Parameters
    ----------
    grid : array (M,), ascending
    curves : label -> array (M,), the curve's values on the grid; at most six
    name, alt, caption : see ``Figure``
    """
    grid = np.asarray(grid, float)
    with canvas(height=3.4) as (drawing, ax):
        ax.plot(grid, grid, "--", color=TEXT, lw=1.2)
        ax.annotate(diagonal_label, (grid[-1], grid[-1]), (6, 0), textcoords="offset points",
                    va="center")  # fmt: skip
        for k, (label, values) in enumerate(curves.items()):
            values = np.asarray(values, float)
            ax.plot(grid, values, color=component_color(k))
            frame = {"boxstyle": "round,pad=0.15", "facecolor": "none",
                     "edgecolor": component_color(k)}  # fmt: skip
            ax.annotate(label, (grid[-1], values[-1]), (10, 0), textcoords="offset points",
                        va="center", bbox=frame)  # fmt: skip
            for root in crossings(grid, values):
                ax.plot(root, root, "o", color=component_color(k), markersize=6 + 4 * (k == 0))
        ax.set(xlabel=xlabel, ylabel=ylabel)
        ax.locator_params(nbins=6)
    return Figure(drawing, name, alt, caption)


def crossings(grid: ArrayLike, values: ArrayLike) -> NDArray:
    """Where a curve meets the line y = x, by linear interpolation between grid points.

    Parameters
    ----------
    grid, values : arrays (M,), the grid ascending

    Returns
    -------
    array of the crossing points, ascending
    """
    grid = np.asarray(grid, float)
    gap = np.asarray(values, float) - grid
    here = np.flatnonzero((gap[:-1] == 0) | (gap[:-1] * gap[1:] < 0))
    share = gap[here] / (gap[here] - gap[here + 1])
    roots = grid[here] + share * (grid[here + 1] - grid[here])
    return np.append(roots, grid[-1]) if gap[-1] == 0 else roots


def _surface(X: ArrayLike, mixture: Mixture, first: NDArray, second: NDArray) -> NDArray:
    """log L for every pair of means, (len(second), len(first)): each component looked up once."""

    def log_joint(component: int, mean: float) -> NDArray:
        moved = mixture.means.copy()
        moved[component] = mean
        return replace(mixture, means=moved).log_joint(X)[:, component]

    ones = np.array([log_joint(0, mean) for mean in first])
    twos = np.array([log_joint(1, mean) for mean in second])
    return np.logaddexp(ones[None, :, :], twos[:, None, :]).sum(axis=2)


def _peaks(surface: NDArray) -> list[tuple[int, int]]:
    """Inner grid points that are higher than their eight neighbours."""
    padded = np.pad(surface, 1, constant_values=np.inf)  # a border point is no peak
    rows, columns = surface.shape
    around = [
        padded[1 + a : 1 + a + rows, 1 + b : 1 + b + columns]
        for a in (-1, 0, 1)
        for b in (-1, 0, 1)
        if (a, b) != (0, 0)
    ]
    return [tuple(map(int, place)) for place in np.argwhere(surface > np.max(around, axis=0))]
