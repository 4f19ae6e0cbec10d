"""Returns of a market: their tails, their regimes, and how long they remember."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from numpy.typing import ArrayLike

from gmmlib.mixture import Mixture
from gmmlib.show.checks import check_features
from gmmlib.show.figure import Figure, canvas, legend_above
from gmmlib.show.palette import DATA, TEXT, component_color, line_styles


def tails_figure(
    returns: ArrayLike,
    mixtures: Mapping[str, Mixture],
    *,
    name: str,
    alt: str,
    bins: int = 60,
    xlabel: str = "return (percent)",
    caption: str = "",
) -> Figure:
    """Days in each bin and the days that mixtures expect there, on a scale of powers of ten.

    Parameters
    ----------
    returns : array (n_days,)
    mixtures : label -> one-dimensional mixture, at most four
    bins : of equal width, from the smallest return to the largest
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If the returns are not one column of numbers, there is no mixture or more than four, or one
        is not one-dimensional.
    """
    returns = np.asarray(returns, float)
    if returns.ndim != 1 or len(returns) < 2 or not np.isfinite(returns).all():
        raise ValueError(f"this figure needs returns of shape (n_days,), got {returns.shape}")
    styles = line_styles(mixtures)
    days, edges = np.histogram(returns, bins=bins)
    grid = np.linspace(edges[0], edges[-1], 161)
    with canvas(height=3.6) as (drawing, ax):
        # a floor below one day, so that a bin with a single day has a bar
        ax.stairs(days, edges, baseline=0.3, fill=True, color=DATA, alpha=0.4, lw=0)
        for k, ((label, mixture), dashes) in enumerate(zip(mixtures.items(), styles, strict=True)):
            check_features(mixture, 1)
            expected = len(returns) * (edges[1] - edges[0]) * np.exp(mixture.log_density(grid))
            ax.plot(grid, expected, dashes, color=component_color(k), label=label)
        ax.set(xlabel=xlabel, ylabel="days in a bin", yscale="log", xlim=(edges[0], edges[-1]),
               ylim=(0.3, 2 * max(days)))  # fmt: skip
        ax.minorticks_off()
        legend_above(drawing, handlelength=2.4, ncols=2)
    return Figure(drawing, name, alt, caption)


def regime_figure(
    dates: ArrayLike,
    returns: ArrayLike,
    probabilities: Mapping[str, ArrayLike],
    *,
    name: str,
    alt: str,
    block: int = 1,
    caption: str = "",
) -> Figure:
    """Returns along the time, and below them the probability of the wild regime.

    Parameters
    ----------
    dates : array (n_days,), text such as ``"1999-01-04"``
    returns : array (n_days,), in percent
    probabilities : label -> array (n_days,), of the wild regime; at most four
    block : days drawn together: the span of their returns and their mean probability
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If the arrays differ in length, there are fewer days than a block, there is no line or more
        than four, or a probability is none.
    """
    days, returns = np.asarray(dates, "datetime64[D]"), np.asarray(returns, float)
    styles = line_styles(probabilities)
    curves = {label: np.asarray(curve, float) for label, curve in probabilities.items()}
    shapes = {days.shape, returns.shape, *(curve.shape for curve in curves.values())}
    if len(shapes) > 1 or days.ndim != 1 or len(days) < block:
        raise ValueError(f"dates, returns and probabilities have the shapes {shapes}")
    if not all(((curve >= 0) & (curve <= 1)).all() for curve in curves.values()):
        raise ValueError("a probability lies between zero and one")
    n_blocks = len(days) // block

    def blocks(values):
        return values[: n_blocks * block].reshape(n_blocks, block)

    when = blocks(days)[:, block // 2]
    with canvas(height=4.2, nrows=2, sharex=True) as (drawing, (top, bottom)):
        span = blocks(returns)
        gap = np.full(n_blocks, np.nan)  # one path with gaps is far smaller than a path a block
        ends = np.column_stack([np.minimum(span.min(1), 0), np.maximum(span.max(1), 0), gap])
        top.plot(np.repeat(when, 3), ends.ravel(), color=DATA, lw=1)
        top.set(ylabel="return (percent)")
        for k, ((label, curve), dashes) in enumerate(zip(curves.items(), styles, strict=True)):
            color = component_color(k)
            bottom.plot(when, blocks(curve).mean(1), dashes, color=color, lw=1.4, label=label)
        bottom.axhline(0.5, color=TEXT, lw=0.8, ls=":")
        bottom.set(ylabel="p(wild)", ylim=(-0.03, 1.03), yticks=(0, 0.5, 1))
        locator = AutoDateLocator(maxticks=6)
        bottom.xaxis.set_major_locator(locator)
        bottom.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
        if len(curves) > 1:
            legend_above(drawing, handlelength=2.4, ncols=2)
    return Figure(drawing, name, alt, caption)


def memory_figure(
    measured: tuple[str, ArrayLike],
    curves: Mapping[str, ArrayLike],
    *,
    name: str,
    alt: str,
    xlabel: str = "days apart",
    ylabel: str = "correlation of squares",
    caption: str = "",
) -> Figure:
    """A measured autocorrelation as dots, those of models as lines; gap 1, 2, ... from the left.

    Parameters
    ----------
    measured : label, array (n_gaps,)
    curves : label -> array (n_gaps,), at most four
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If there is no line or more than four, or the lengths differ.
    """
    label, values = measured[0], np.asarray(measured[1], float)
    styles = line_styles(curves)
    gaps = np.arange(1, len(values) + 1)
    with canvas(height=3.4) as (drawing, ax):
        ax.plot(gaps, values, "o", color=DATA, ms=3, label=label)
        for k, ((label, curve), dashes) in enumerate(zip(curves.items(), styles, strict=True)):
            if np.shape(curve) != values.shape:
                raise ValueError(f"{label!r} has {np.size(curve)} gaps, the data {values.size}")
            ax.plot(gaps, curve, dashes, color=component_color(k), label=label)
        ax.set(xlabel=xlabel, ylabel=ylabel, xlim=(0, gaps[-1] + 1))
        legend_above(drawing, handlelength=2.4, ncols=2)
    return Figure(drawing, name, alt, caption)


def autocorrelation(values: ArrayLike, gaps: int) -> np.ndarray:
    """Correlation of a series with itself, 1, 2, ... steps later.

    Parameters
    ----------
    values : array (n,), in the order of time
    gaps : the largest gap, less than n

    Returns
    -------
    array (gaps,): sums of products of the deviations from the mean, over their sum of squares

    Raises
    ------
    ValueError
        If the series is not longer than the largest gap, or constant.
    """
    off = np.asarray(values, float)
    if off.ndim != 1 or not 0 < gaps < len(off):
        raise ValueError(f"gaps is {gaps}; it must be between 1 and the {np.size(off)} values")
    off = off - off.mean()
    square = off @ off
    if not square > 0:
        raise ValueError("a constant series has no correlation with itself")
    return np.array([off[gap:] @ off[:-gap] for gap in range(1, gaps + 1)]) / square
