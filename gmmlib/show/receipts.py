"""Who earned what, round by round."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from gmmlib.show.figure import Figure, canvas, legend_above
from gmmlib.show.palette import component_color


def receipt_figure(
    items: Mapping[str, ArrayLike],
    *,
    name: str,
    alt: str,
    caption: str = "",
) -> Figure:
    """What share of each round's gain each item of {eq}`receipt` has, as stacked bars.

    Parameters
    ----------
    items : label -> gains in nats from round 1 on, none negative
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If a gain is negative, or a round gains nothing: there are no shares of nothing.
    """
    gains = np.array([np.asarray(values, float) for values in items.values()])
    if not np.all(gains >= 0):
        raise ValueError(f"items must not be negative, got {gains.min():.3g}")
    total = gains.sum(axis=0)
    if not np.all(total > 0):
        raise ValueError(f"round {np.argmin(total) + 1} gains nothing; leave it out")
    rounds = np.arange(1, len(total) + 1)
    floor = np.zeros(len(total))
    with canvas(height=3.0) as (drawing, ax):
        for k, (label, values) in enumerate(zip(items, gains / total, strict=True)):
            ax.bar(rounds, 100 * values, bottom=100 * floor, color=component_color(k), label=label)
            floor = floor + values
        legend_above(drawing, handlelength=1.2, ncols=4)
        ax.set(xlabel="round", ylabel="share of the gain (%)", ylim=(0, 100))
        ax.margins(x=0.01)
    return Figure(drawing, name, alt, caption)
