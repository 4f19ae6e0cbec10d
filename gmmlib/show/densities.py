"""Data and the mixture that is to explain them: curves, responsibilities, ellipses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from gmmlib.mixture import Mixture
from gmmlib.show.checks import check_labels
from gmmlib.show.ellipses import ellipse
from gmmlib.show.figure import Figure, canvas
from gmmlib.show.palette import DATA, TEXT, blend, component_color


def density_figure(
    X: NDArray,
    mixture: Mixture,
    *,
    name: str,
    alt: str,
    labels: Sequence[str] | None = None,
    mixture_label: str = "mixture",
    truth: Mixture | None = None,
    truth_label: str = "truth",
    xlabel: str = "height (cm)",
    ylabel: str = "density (1/cm)",
    bins: int = 30,
    caption: str = "",
) -> Figure:
    """Histogram of one column, the mixture's density and its weighted components.

    Parameters
    ----------
    X : array (N, 1)
    mixture : one-dimensional, K components
    name, alt, caption : see ``Figure``
    labels : K names of the components, written beside their curves
    truth : the density that the data came from, if known; drawn dashed

    Raises
    ------
    ValueError
        If X or a mixture is not one-dimensional, or the labels are not K.
    """
    labels = _checked(X, mixture, 1, labels)
    grid = _grid(X, mixture, labels)
    with canvas(height=3.2) as (drawing, ax):
        heights = _histogram(ax, X, bins)
        components = np.exp(mixture.log_joint(grid))
        density = np.exp(mixture.log_density(grid))
        for k in range(mixture.n_components):
            ax.plot(grid, components[:, k], color=component_color(k), lw=3)
        ax.plot(grid, density, color=TEXT, lw=1.2)  # over the components: it hides none of them
        if truth is not None:
            _checked(X, truth, 1, None)
            ax.plot(grid, np.exp(truth.log_density(grid)), color=TEXT, linestyle="--", lw=1)
        note = mixture_label if truth is None else f"{mixture_label} (dashed: {truth_label})"
        _label_curves(ax, mixture, grid, components, labels)
        ax.set(xlabel=xlabel, ylabel=ylabel, xlim=(grid[0, 0], grid[-1, 0]))
        ax.set_ylim(0, 1.18 * max(density.max(), heights.max()))
        _label_sum(ax, grid, components, labels, note)
        ax.locator_params(axis="y", nbins=4)
    return Figure(drawing, name, alt, caption)


def responsibility_figure(
    X: NDArray,
    mixture: Mixture,
    *,
    name: str,
    alt: str,
    labels: Sequence[str] | None = None,
    xlabel: str = "height (cm)",
    count_label: str = "customers",
    gamma_label: str = "responsibility γ",
    bins: int = 30,
    caption: str = "",
) -> Figure:
    """Histogram shared out among the components, above the responsibilities as curves.

    Each bar is cut into colours in proportion to the sum of the responsibilities of its rows.

    Parameters
    ----------
    X : array (N, 1)
    mixture : one-dimensional, K components
    name, alt, caption : see ``Figure``
    labels : K names of the components

    Raises
    ------
    ValueError
        If X or the mixture is not one-dimensional, or the labels are not K.
    """
    labels = _checked(X, mixture, 1, labels)
    grid = _grid(X, mixture, labels)
    gamma, curves = mixture.responsibilities(X), mixture.responsibilities(grid)
    colors = [component_color(k) for k in range(mixture.n_components)]
    with canvas(height=4.0, nrows=2, sharex=True, height_ratios=(3, 2)) as (drawing, (top, low)):
        edges = np.histogram_bin_edges(X[:, 0], bins=bins)
        floor = np.zeros(bins)
        for k, color in enumerate(colors):
            share, _ = np.histogram(X[:, 0], bins=edges, weights=gamma[:, k])
            top.stairs(floor + share, edges, baseline=floor, fill=True, color=color, alpha=0.75)
            floor = floor + share
        top.set(ylabel=count_label, ylim=(0, None))
        for k, color in enumerate(colors):
            low.plot(grid, curves[:, k], color=color)
            x = plateau(grid[:, 0], curves[:, k])
            y = np.interp(x, grid[:, 0], curves[:, k])
            _note(low, labels[k], (x, y), color, "below")
        low.set(xlabel=xlabel, ylabel=gamma_label, ylim=(-0.03, 1.05), yticks=(0, 0.5, 1))
        low.set_xlim(grid[0, 0], grid[-1, 0])
    return Figure(drawing, name, alt, caption)


def ellipse_figure(
    X: NDArray,
    mixture: Mixture,
    *,
    name: str,
    alt: str,
    xlabel: str,
    ylabel: str,
    labels: Sequence[str] | None = None,
    caption: str = "",
) -> Figure:
    """Points coloured by their responsibilities, and each component's 1 and 2 sd ellipses.

    Parameters
    ----------
    X : array (N, 2)
    mixture : two-dimensional, K components
    name, alt, caption : see ``Figure``
    labels : K names of the components, written above their ellipses

    Raises
    ------
    ValueError
        If X or the mixture is not two-dimensional, or the labels are not K.
    """
    labels = _checked(X, mixture, 2, labels)
    colors = np.array(blend(mixture.responsibilities(X)))
    sigmas = mixture.full_covariances
    with canvas(height=4.0) as (drawing, ax):
        for color in sorted(set(colors)):  # one path for each colour keeps the SVG small
            rows = X[colors == color]
            ax.plot(*rows.T, "o", color=color, markersize=3.5, alpha=0.6, markeredgewidth=0)
        for k, (mean, sigma) in enumerate(zip(mixture.means, sigmas, strict=True)):
            shape = ellipse(sigma)
            for sds in (1, 2):
                ax.plot(*(mean + sds * shape).T, color=component_color(k), lw=3 - sds)
            ax.plot(*mean, "+", color=TEXT, markersize=8)
        ax.set(xlabel=xlabel, ylabel=ylabel)
        ax.margins(y=0.12)
        for k, (x, y, place) in enumerate(_ellipse_labels(mixture.means, sigmas, X, labels)):
            _note(ax, labels[k], (x, y), component_color(k), place)
    return Figure(drawing, name, alt, caption)


def _ellipse_labels(
    means: NDArray, sigmas: NDArray, X: NDArray, labels: Sequence[str]
) -> list[tuple[float, float, str]]:
    """Above its ellipse, unless the label there would lie over another one: then below."""
    width, height = np.ptp(X, axis=0)
    half = 2 * np.sqrt(sigmas[:, 1, 1])
    lean = 2 * sigmas[:, 0, 1] / np.sqrt(sigmas[:, 1, 1])  # x of the ellipse's highest point
    places: list[tuple[float, float, str]] = [(0.0, 0.0, "")] * len(means)
    taken: list[tuple[float, float, int]] = []
    for k in (-means[:, 1]).argsort():
        x, y, place = means[k, 0] + lean[k], means[k, 1] + half[k], "above"
        for other_x, other_y, letters in taken:
            near = 0.014 * width * (letters + len(labels[k]) + 2)
            if abs(x - other_x) < near and abs(y - other_y) < 0.1 * height:
                x, y, place = means[k, 0] - lean[k], means[k, 1] - half[k], "below"
        taken.append((x, y, len(labels[k])))
        places[k] = (x, y, place)
    return places


def _checked(
    X: NDArray, mixture: Mixture, n_features: int, labels: Sequence[str] | None
) -> Sequence[str]:
    if np.ndim(X) != 2 or X.shape[1] != n_features or mixture.n_features != n_features:
        raise ValueError(
            f"this figure needs X of shape (N, {n_features}) and a mixture in {n_features} "
            f"dimension(s); got X of shape {np.shape(X)}, mixture in {mixture.n_features}"
        )
    if labels is None:
        labels = [f"component {k + 1}" for k in range(mixture.n_components)]
    check_labels(mixture, labels)
    return labels


def _sds(mixture: Mixture) -> NDArray:
    return np.sqrt(mixture.full_covariances[:, 0, 0])


def _grid(X: NDArray, mixture: Mixture, labels: Sequence[str]) -> NDArray:
    """Where curves are drawn: the data, and room for the labels of the outermost components."""
    order, sds, spread = mixture.means[:, 0].argsort(), _sds(mixture), np.ptp(X)
    first, last = order[0], order[-1]
    width = 0.035 * spread  # of one letter, about
    left = mixture.means[first, 0] - 1.2 * sds[first] - width * (len(labels[first]) + 1)
    right = mixture.means[last, 0] + 1.2 * sds[last] + width * (len(labels[last]) + 1)
    start = min(X.min() - 0.05 * spread, left)
    return np.linspace(start, max(X.max() + 0.05 * spread, right), 241)[:, None]


def _histogram(ax: Axes, X: NDArray, bins: int) -> NDArray:
    heights, edges = np.histogram(X[:, 0], bins=bins, density=True)
    ax.stairs(heights, edges, fill=True, color=DATA, alpha=0.35, lw=0)
    ax.stairs(heights, edges, color=DATA, lw=1)
    return heights


def _label_sum(
    ax: Axes, grid: NDArray, components: NDArray, labels: Sequence[str], note: str
) -> None:
    """A leader to where the sum stands out most from its parts, from a text above what is there."""
    x, density = grid[:, 0], components.sum(axis=1)
    letter = 0.023 * np.ptp(x)  # the width of one, about
    seen = density - components.max(axis=1) if len(labels) > 1 else density.copy()
    peaks = x[components.argmax(axis=0)]
    inner = peaks.argsort()[1:-1]  # their labels stand above them
    for k in inner:
        seen[np.abs(x - peaks[k]) < letter * (len(labels[k]) + 2) / 2] = 0
    at, half = seen.argmax(), letter * len(note) / 2
    centre = np.clip(x[at], x[0] + half, x[-1] - half)
    left, right = (x[0], x[-1]) if len(inner) else (centre - half, centre + half)
    bars = ax.patches[0].get_data()
    under = bars.values[(bars.edges[1:] > left) & (bars.edges[:-1] < right)]
    roof = max(density[(x >= left) & (x <= right)].max(), under.max(initial=0))
    leader = {"arrowstyle": "-", "color": TEXT, "lw": 0.8, "shrinkA": 1, "shrinkB": 0}
    ax.annotate(note, (x[at], density[at]), (centre, roof + 0.05 * ax.get_ylim()[1]),
                ha="center", va="bottom", arrowprops=leader)  # fmt: skip


def _label_curves(
    ax: Axes, mixture: Mixture, grid: NDArray, components: NDArray, labels: Sequence[str]
) -> None:
    """Outer components on their outer flank, at half height; those between above their peak."""
    order = mixture.means[:, 0].argsort()
    sds = _sds(mixture)
    for k in order:
        x, place = mixture.means[k, 0], "above"
        if k == order[-1]:
            x, place = x + 1.2 * sds[k], "right"
        elif k == order[0]:
            x, place = x - 1.2 * sds[k], "left"
        y = np.interp(x, grid[:, 0], components[:, k])
        _note(ax, labels[k], (x, y), component_color(k), place)


def plateau(x: NDArray, gamma: NDArray) -> float:
    """Middle of the longest stretch on which a component leads; of all, if it leads nowhere."""
    leads = gamma > 0.5
    stretches = np.split(x, np.flatnonzero(np.diff(leads)) + 1)
    own = stretches[0 if leads[0] else 1 :: 2]
    return max(own, key=np.ptp, default=x).mean()


def _note(ax: Axes, text: str, xy: tuple[float, float], color: str, place: str) -> None:
    """Text in the page's colour, which is always readable, in a frame of its line's colour."""
    aside = 3.6 * len(text) + 8
    offset = {"left": (-aside, 4), "right": (aside, 4), "above": (0, 7), "below": (0, -7)}[place]
    frame = {"boxstyle": "round,pad=0.15", "facecolor": "none", "edgecolor": color}
    ax.annotate(
        text,
        xy,
        offset,
        textcoords="offset points",
        bbox=None if color == TEXT else frame,
        ha="center",
        va={"below": "top", "above": "bottom"}.get(place, "center"),
    )
