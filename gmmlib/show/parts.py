"""What a mixture is made of: its parts, their shapes, and what is left once a feature is seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmlib.mixture import Mixture
from gmmlib.show.checks import check_features, check_labels
from gmmlib.show.ellipses import ellipse
from gmmlib.show.figure import Figure, canvas, legend_above
from gmmlib.show.palette import DATA, TEXT, blend, component_color, line_styles


def parts_figure(
    mixture: Mixture,
    grid: ArrayLike,
    *,
    name: str,
    alt: str,
    labels: Sequence[str],
    xlabel: str = "height (cm)",
    ylabel: str = "density (1/cm)",
    caption: str = "",
) -> Figure:
    """The weighted components side by side, each with its area, and stacked up to the mixture.

    Parameters
    ----------
    mixture : one-dimensional, K components
    grid : array (n_points,), where to draw, ascending
    labels : K names of the components
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If the mixture is not one-dimensional, or the labels are not K.
    """
    check_features(mixture, 1)
    check_labels(mixture, labels)
    grid = np.asarray(grid, float)
    parts = np.exp(mixture.log_joint(grid))
    density = np.exp(mixture.log_density(grid))
    with canvas(height=4.6, nrows=2, sharex=True, sharey=True) as (drawing, (top, low)):
        floor, rightmost = np.zeros(len(grid)), mixture.means.argmax()
        for k, part in enumerate(parts.T):
            color = component_color(k)
            top.fill_between(grid, part, color=color, alpha=0.35, lw=0)
            top.plot(grid, part, color=color)
            low.fill_between(grid, floor, floor + part, color=color, alpha=0.35, lw=0)
            floor = floor + part
            frame = {"boxstyle": "round,pad=0.15", "facecolor": "none", "edgecolor": color}
            top.annotate(
                f"{labels[k]} {mixture.weights[k]:.2f}",
                (grid[part.argmax()], part.max()),
                (0, 7),
                textcoords="offset points",
                ha="left" if k == rightmost else "center",  # outwards, past its neighbour
                bbox=frame,
            )
        low.plot(grid, density, color=TEXT)
        low.annotate(
            "their sum, area 1",
            (grid[density.argmax()], density.max()),
            (0, 7),
            textcoords="offset points",
            ha="center",
        )
        top.set(ylabel=ylabel, xlim=(grid[0], grid[-1]), ylim=(0, 1.25 * density.max()))
        low.set(xlabel=xlabel, ylabel=ylabel)
        top.locator_params(axis="y", nbins=4)
    return Figure(drawing, name, alt, caption)


def shapes_figure(
    covariances: Mapping[str, ArrayLike],
    rng: np.random.Generator,
    *,
    name: str,
    alt: str,
    n_samples: int = 120,
    caption: str = "",
) -> Figure:
    """The ellipses of some covariances at 1 and 2 standard deviations, over rows drawn from them.

    Above each panel stand the label and the entries of the covariance.

    Parameters
    ----------
    covariances : label -> array (2, 2), positive definite, at most four
    rng : draws the rows, around a mean of zero
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If there is no covariance, or more than four, or one is not valid for two features.
    """
    if not 1 <= len(covariances) <= 4:
        raise ValueError(f"got {len(covariances)} covariances; a row holds 1 to 4 panels")
    shapes = {key: Mixture([1.0], [[0.0, 0.0]], [S]) for key, S in covariances.items()}
    # rows further out than the ellipses are cut off: the ellipses are what the panels are for
    reach = max(2.2 * np.sqrt(np.diag(shape.covariance)).max() for shape in shapes.values())
    panels = {"ncols": len(shapes), "sharex": True, "sharey": True, "squeeze": False}
    with canvas(height=2.8, **panels) as (drawing, axes):
        for k, (ax, (label, shape)) in enumerate(zip(axes[0], shapes.items(), strict=True)):
            rows, _ = shape.sample(n_samples, rng)
            ax.plot(*rows.T, "o", color=DATA, markersize=2.5, alpha=0.6, markeredgewidth=0)
            outline = ellipse(shape.covariance)
            for sds in (1, 2):
                ax.plot(*(sds * outline).T, color=component_color(k), lw=3 - sds)
            wide = 2 * "\N{NO-BREAK SPACE}"  # an SVG shows several plain spaces as one
            lines = [wide.join(f"{value:g}" for value in line) for line in shape.covariance]
            ax.set(aspect="equal", xlim=(-reach, reach), ylim=(-reach, reach))
            ax.set(title="\n".join([label, *lines]), xticks=[], yticks=[], xlabel="feature 1")
        axes[0, 0].set_ylabel("feature 2")
    return Figure(drawing, name, alt, caption)


def regression_figure(
    X: NDArray,
    mixture: Mixture,
    grid: ArrayLike,
    *,
    name: str,
    alt: str,
    xlabel: str,
    ylabel: str,
    labels: Sequence[str],
    mean_label: str = "mean",
    caption: str = "",
) -> Figure:
    """The mean of feature 1 given feature 0, beside the line of each component.

    Rows are coloured by the responsibilities for their feature 0 alone: what is known before
    feature 1 is seen.

    Parameters
    ----------
    X : array (N, 2)
    mixture : two-dimensional, K components
    grid : array (n_points,), values of feature 0 at which to draw, ascending
    labels : K names of the components, each written beside its line
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If the mixture is not two-dimensional, or the labels are not K.
    """
    check_features(mixture, 2)
    check_labels(mixture, labels)
    grid = np.asarray(grid, float)
    given = [mixture.conditional(0, value) for value in grid]
    lines = np.array([conditional.means[:, 0] for conditional in given])
    mean = np.array([conditional.mean[0] for conditional in given])
    colors = np.array(blend(mixture.marginal(0).responsibilities(X[:, 0])))
    with canvas(height=3.6) as (drawing, ax):
        for color in sorted(set(colors)):  # one path for each colour keeps the SVG small
            rows = X[colors == color]
            ax.plot(*rows.T, "o", color=color, markersize=3.5, alpha=0.5, markeredgewidth=0)
        for k in range(mixture.n_components):
            ax.plot(grid, lines[:, k], color=component_color(k), ls="--", lw=1.5)
            gap = lines[:, k] - mean
            end = 0 if abs(gap[0]) > abs(gap[-1]) else -1  # where it runs alone
            ha, right = ("left", 4) if end == 0 else ("right", -4)
            va, up = ("bottom", 6) if gap[end] > 0 else ("top", -6)
            ax.annotate(labels[k], (grid[end], lines[end, k]), (right, up),
                        textcoords="offset points", ha=ha, va=va)  # fmt: skip
        ax.plot(grid, mean, color=TEXT, lw=2.5)
        steepest = np.gradient(mean, grid).argmax()
        ax.annotate(mean_label, (grid[steepest], mean[steepest]), (14, -34),
                    textcoords="offset points", va="top",
                    arrowprops={"arrowstyle": "-", "color": TEXT, "lw": 0.8})  # fmt: skip
        ax.set(xlabel=xlabel, ylabel=ylabel, xlim=(grid[0], grid[-1]))
    return Figure(drawing, name, alt, caption)


def slices_figure(
    mixtures: Mapping[str, Mixture],
    grid: ArrayLike,
    *,
    name: str,
    alt: str,
    xlabel: str,
    ylabel: str,
    caption: str = "",
) -> Figure:
    """Densities of one feature under several mixtures, each with a dot at its mean.

    Parameters
    ----------
    mixtures : label -> one-dimensional mixture, at most four
    grid : array (n_points,), where to draw, ascending
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If there is no mixture, or more than four, or one is not one-dimensional.
    """
    styles = line_styles(mixtures)
    grid = np.asarray(grid, float)
    with canvas(height=3.0) as (drawing, ax):
        for (label, mixture), dashes in zip(mixtures.items(), styles, strict=True):
            check_features(mixture, 1)
            ax.plot(grid, np.exp(mixture.log_density(grid)), color=TEXT, ls=dashes, label=label)
            ax.plot(mixture.mean, np.exp(mixture.log_density(mixture.mean)), "o", color=TEXT, ms=7)
        legend_above(drawing, handlelength=2.2, ncols=4)
        ax.set(xlabel=xlabel, ylabel=ylabel, xlim=(grid[0], grid[-1]), ylim=(0, None))
        ax.locator_params(axis="y", nbins=4)
    return Figure(drawing, name, alt, caption)
