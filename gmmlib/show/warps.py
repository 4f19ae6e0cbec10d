"""A warp of the line and the density it makes; contours of densities in the plane."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmlib.show.figure import Figure, canvas, legend_above
from gmmlib.show.palette import DATA, component_color, line_styles


def warp_figure(
    X: NDArray,
    grid: ArrayLike,
    densities: Mapping[str, ArrayLike],
    image: ArrayLike,
    *,
    name: str,
    alt: str,
    xlabel: str,
    ylabel: str = "density",
    image_label: str = "image u",
    bins: int = 30,
    caption: str = "",
) -> Figure:
    """Histogram and densities of one feature, above the map that sends it to the base.

    Parameters
    ----------
    X : array (n_samples, 1)
    grid : array (n_points,), where the curves are drawn
    densities : label -> array (n_points,); at most four, the first belongs to the map
    image : array (n_points,), where the map sends the grid
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If X is not one column, or a curve has another length than the grid.
    """
    grid, image = np.asarray(grid, float), np.asarray(image, float)
    if np.ndim(X) != 2 or X.shape[1] != 1:
        raise ValueError(f"X must have shape (n_samples, 1), got {np.shape(X)}")
    curves = {label: np.asarray(values, float) for label, values in densities.items()}
    for label, values in {**curves, "image": image}.items():
        if values.shape != grid.shape:
            raise ValueError(f"{label!r} has {values.size} values for {grid.size} points")
    styles = line_styles(curves)
    with canvas(height=4.2, nrows=2, sharex=True, height_ratios=(3, 2)) as (drawing, (top, low)):
        heights, edges = np.histogram(X[:, 0], bins=bins, density=True)
        top.stairs(heights, edges, fill=True, color=DATA, alpha=0.35, lw=0)
        for k, ((label, values), dashes) in enumerate(zip(curves.items(), styles, strict=True)):
            top.plot(grid, values, color=component_color(k), ls=dashes, label=label)
        legend_above(drawing, handlelength=2.4, ncols=2)
        top.set(ylabel=ylabel, ylim=(0, None))
        low.plot(grid, image, color=component_color(0))
        low.set(xlabel=xlabel, ylabel=image_label)
        low.set_xlim(grid[0], grid[-1])
        top.locator_params(axis="y", nbins=4)
        low.locator_params(axis="y", nbins=5)
    return Figure(drawing, name, alt, caption)


def contour_figure(
    X: NDArray,
    first: ArrayLike,
    second: ArrayLike,
    log_densities: Mapping[str, NDArray],
    below: ArrayLike,
    *,
    name: str,
    alt: str,
    xlabel: str,
    ylabel: str,
    caption: str = "",
) -> Figure:
    """One panel a density, above one another: the rows, and where it falls to given heights.

    Parameters
    ----------
    X : array (n_samples, 2)
    first, second : arrays (n_first,) and (n_second,), the grid of the two features
    log_densities : title -> array (n_second, n_first), in nats
    below : heights of the contours, in nats below the highest point of each density
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If there is no density, or a shape does not fit.
    """
    first, second = np.asarray(first, float), np.asarray(second, float)
    if np.ndim(X) != 2 or X.shape[1] != 2:
        raise ValueError(f"X must have shape (n_samples, 2), got {np.shape(X)}")
    if not log_densities:
        raise ValueError("no densities to draw")
    for title, values in log_densities.items():
        if np.shape(values) != (second.size, first.size):
            raise ValueError(
                f"{title!r} has shape {np.shape(values)}, the grid {(second.size, first.size)}"
            )
    drop = np.sort(-np.asarray(below, float))
    rows = len(log_densities)
    with canvas(height=0.6 + 2.2 * rows, nrows=rows, sharex=True, squeeze=False) as (drawing, axes):
        panels = zip(axes[:, 0], log_densities.items(), strict=True)
        for k, (ax, (title, values)) in enumerate(panels):
            ax.plot(*X.T, ".", color=DATA, ms=3, mew=0)
            color = component_color(k)
            ax.contour(first, second, values - values.max(), drop, colors=color, linestyles="-",
                       linewidths=1.5)  # fmt: skip
            ax.set_title(title, loc="left", pad=3)
            ax.set(ylabel=ylabel)
            ax.locator_params(axis="y", nbins=5)
        axes[-1, 0].set(xlabel=xlabel)
    return Figure(drawing, name, alt, caption)
