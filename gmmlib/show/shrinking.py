"""How many rows each component keeps, iteration by iteration, when most of them are not needed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from gmmlib.show.figure import Figure, canvas
from gmmlib.show.palette import DATA, component_color


def shrinking_figure(
    counts: Sequence[ArrayLike],
    *,
    name: str,
    alt: str,
    min_rows: float = 1.0,
    xlabel: str = "iteration",
    ylabel: str = "expected rows",
    caption: str = "",
) -> Figure:
    """One line a component: survivors in colour, with their rows at the end; the others grey.

    Parameters
    ----------
    counts : one array (n_components,) for each iteration, starting with iteration 0
    min_rows : a component survives if it has at least as many rows in the end
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If there is no iteration, the arrays differ in length or hold numbers that are not finite,
        or more than six components survive.
    """
    table = _table(counts)
    survivors = np.flatnonzero(table[-1] >= min_rows)
    with canvas(height=3.2) as (drawing, ax):
        for k in np.flatnonzero(table[-1] < min_rows):
            ax.plot(table[:, k], color=DATA, lw=1.2)
        for place, k in enumerate(survivors[np.argsort(-table[-1, survivors])]):
            ax.plot(table[:, k], color=component_color(place))
            ax.annotate(
                f"{table[-1, k]:.0f}",
                (len(table) - 1, table[-1, k]),
                (6, 0),
                textcoords="offset points",
                va="center",
                bbox={
                    "boxstyle": "round,pad=0.15",
                    "facecolor": "none",
                    "edgecolor": component_color(place),
                },
            )
        ax.set(xlabel=xlabel, ylabel=ylabel, ylim=(-0.02 * table.max(), None))
        ax.set_xlim(0, len(table) - 1)
        ax.locator_params(nbins=5)
    return Figure(drawing, name, alt, caption)


def _table(counts):
    """The counts as one array (n_iterations, n_components)."""
    rows = [np.asarray(row, dtype=float) for row in counts]
    if not rows or len({row.shape for row in rows}) > 1 or rows[0].ndim != 1:
        raise ValueError("counts must hold one array (n_components,) for each iteration")
    table = np.array(rows)
    if table.size == 0 or not np.isfinite(table).all():
        raise ValueError("counts must hold finite numbers, one for each component")
    return table
