"""How the log-likelihood moves from iteration to iteration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.ticker import MaxNLocator

from gmmlib.show.figure import Figure, canvas
from gmmlib.show.palette import TEXT, component_color

_ROUNDING = 1e-12  # relative: a smaller fall is arithmetic, not the algorithm


def trace_figure(
    runs: Mapping[str, Sequence[float]],
    *,
    name: str,
    alt: str,
    xlabel: str = "iteration",
    ylabel: str = "log L (nats)",
    caption: str = "",
) -> Figure:
    """One line a run, labelled at its end; every fall is marked with a triangle.

    Parameters
    ----------
    runs : label of a run -> its values, one an iteration, starting with iteration 0
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If there is no run, or one holds no value or a value that is not finite.
    """
    if not runs:
        raise ValueError("runs is empty: nothing to draw")
    traces = {label: np.asarray(values, dtype=float) for label, values in runs.items()}
    for label, values in traces.items():
        if values.ndim != 1 or values.size == 0 or not np.isfinite(values).all():
            raise ValueError(f"runs[{label!r}] must be a sequence of finite numbers, not empty")
    with canvas(height=3.0) as (drawing, ax):
        for k, values in enumerate(traces.values()):
            ax.plot(values, color=component_color(k), marker=".", markersize=5, lw=1.5)
            falls = 1 + np.flatnonzero(np.diff(values) < -_ROUNDING * np.abs(values[1:]))
            ax.plot(falls, values[falls], "v", color=TEXT, markersize=7)
        ax.set(xlabel=xlabel, ylabel=ylabel)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.locator_params(axis="y", nbins=5)
        ends = np.array([values[-1] for values in traces.values()])
        for k, (label, y) in enumerate(zip(traces, _apart(ends, ax.get_ylim()), strict=True)):
            ax.annotate(
                label,
                (1, y),
                (10 + 3.6 * len(label), 0),
                xycoords=("axes fraction", "data"),
                textcoords="offset points",
                bbox={
                    "boxstyle": "round,pad=0.15",
                    "facecolor": "none",
                    "edgecolor": component_color(k),
                },
                ha="center",
                va="center",
            )
    return Figure(drawing, name, alt, caption)


def _apart(ends: np.ndarray, ylim: tuple[float, float]) -> np.ndarray:
    """Heights for the labels: each run's last value, pushed down where two would overlap."""
    gap = 0.12 * (ylim[1] - ylim[0])
    heights = ends.copy()
    order = (-ends).argsort(kind="stable")
    for above, below in pairwise(order):
        heights[below] = min(heights[below], heights[above] - gap)
    return heights
