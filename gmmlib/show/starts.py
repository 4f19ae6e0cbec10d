"""Many runs of EM at once, where they end, and log L beside a vanishing spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmlib.show.figure import Figure, canvas, legend_above
from gmmlib.show.palette import TEXT, component_color, line_styles

#: Nats by which the ends of two runs may differ and still count as one end.
SAME_END = 0.1
_POINTS = 40  # drawn of one run
#: Nats below the highest end at which the upper panel ends.
_DEEPEST = 1e-4


def ends_of(traces: Sequence[ArrayLike], same: float = SAME_END) -> NDArray:
    """Number of the end that each run reached: 0 for the highest, 1 for the next, and so on.

    Parameters
    ----------
    traces : one array for each run, its log L in nats, iteration by iteration
    same : runs that end within so many nats of the next higher one ended at the same place

    Returns
    -------
    integer array, one number for each run

    Raises
    ------
    ValueError
        If there is no run.
    """
    if not len(traces):
        raise ValueError("traces is empty: there is no run")
    last = np.array([np.asarray(trace, float)[-1] for trace in traces])
    order = (-last).argsort(kind="stable")
    ends = np.empty(len(last), dtype=int)
    ends[order] = np.cumsum(np.diff(last[order], prepend=last[order[0]]) < -same)
    return ends


def starts_figure(
    traces: Sequence[ArrayLike],
    paths: Sequence[ArrayLike],
    *,
    name: str,
    alt: str,
    xlabel: str = "smaller mean (cm)",
    ylabel: str = "larger mean (cm)",
    caption: str = "",
) -> Figure:
    """Above, how far below the highest end each run is; below, its way through two parameters.

    Runs that end together share a colour; a ring is a start, a dot an end.

    Parameters
    ----------
    traces : one array (T,) for each run: log L in nats at iterations 0, 1, ...
    paths : one array (T, 2) for each run: two parameters at the same iterations
    xlabel, ylabel : what the two parameters are
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If there is no run, or a path is not as long as its trace.
    """
    ends = ends_of(traces)
    traces = [np.asarray(trace, float) for trace in traces]
    paths = [np.asarray(path, float) for path in paths]
    shapes = [path.shape for path in paths]
    if shapes != [(len(trace), 2) for trace in traces]:
        raise ValueError(f"paths have the shapes {shapes}; each trace needs two columns beside it")
    top = max(trace[-1] for trace in traces)
    with canvas(height=5.6, nrows=2, height_ratios=(1, 1)) as (drawing, (above, below)):
        for trace, path, end in zip(traces, paths, ends, strict=True):
            color = component_color(end)
            drawn = _iterations(len(trace))
            gap = top - trace[drawn]
            above.plot(drawn[gap > 0], gap[gap > 0], color=color, lw=1)
            below.plot(*path[drawn].T, color=color, lw=0.8)
            below.plot(*path[0], "o", color=color, markersize=5, fillstyle="none")
        for end in range(ends.max() + 1):
            runs = np.flatnonzero(ends == end)
            place = paths[runs[0]][-1]
            below.plot(*place, "o", color=component_color(end), markersize=9)
            below.annotate(f"{len(runs)} of {len(ends)} runs", place, (14, -3),
                           textcoords="offset points", va="top",
                           bbox={"boxstyle": "round,pad=0.15", "facecolor": "none",
                                 "edgecolor": component_color(end)})  # fmt: skip
        above.set(yscale="log", xlabel="iteration", ylabel="nats below the best")
        above.set_ylim(bottom=_DEEPEST)
        below.set(xlabel=xlabel, ylabel=ylabel)
        below.locator_params(nbins=6)
    return Figure(drawing, name, alt, caption)


def _iterations(length: int) -> NDArray:
    """Which iterations of a run to draw: densely at its beginning, then evenly."""
    early = np.geomspace(1, max(length, 2), _POINTS // 2) - 1
    return np.unique(np.r_[early, np.linspace(0, length - 1, _POINTS // 2)].astype(int))


def spike_figure(
    spreads: ArrayLike,
    curves: Mapping[str, ArrayLike],
    *,
    name: str,
    alt: str,
    xlabel: str = "spread of one component (cm)",
    ylabel: str = "nats",
    ylim: tuple[float, float] | None = None,
    caption: str = "",
) -> Figure:
    """Curves over a spread that shrinks towards zero, on a logarithmic axis.

    Parameters
    ----------
    spreads : array (n_points,), positive and ascending
    curves : label -> array (n_points,), at most four
    ylim : lowest and highest value to draw, where a curve runs off
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If a spread is not positive, or there is no curve, or more than four.
    """
    spreads = np.asarray(spreads, float)
    if not (spreads > 0).all():
        raise ValueError("spreads must be positive: the axis is logarithmic")
    styles = line_styles(curves)
    with canvas(height=3.2) as (drawing, ax):
        for k, ((label, values), dashes) in enumerate(zip(curves.items(), styles, strict=True)):
            color = component_color(k) if k else TEXT
            ax.plot(spreads, np.asarray(values, float), color=color, ls=dashes, label=label)
        legend_above(drawing, handlelength=2.2, ncols=2)
        ax.set(xscale="log", xlabel=xlabel, ylabel=ylabel, ylim=ylim)
        ax.locator_params(axis="y", nbins=5)
    return Figure(drawing, name, alt, caption)
