"""The two half-steps of EM as a picture: the bound touches log L, and its top lifts log L."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from gmmlib.likelihood import elbo, log_likelihood
from gmmlib.mixture import Mixture
from gmmlib.show.figure import Figure, canvas
from gmmlib.show.palette import TEXT, component_color


def bound_figure(
    X: ArrayLike,
    mixture: Mixture,
    means: ArrayLike,
    *,
    name: str,
    alt: str,
    component: int = 0,
    rounds: int = 2,
    xlabel: str = "mean of component 1 (cm)",
    ylabel: str = "nats",
    curve_label: str = "log L",
    bound_label: str = "bound",
    caption: str = "",
) -> Figure:
    """log L along one mean, all else fixed, with the bounds of the first rounds of EM.

    Each round draws the bound that touches log L where the mean stands (the E-step) and moves the
    mean to the bound's top (the M-step in this one coordinate).

    Parameters
    ----------
    X : array (n_samples,) or (n_samples, 1)
    mixture : the start, one-dimensional
    means : array, the values of the chosen mean to draw over
    name, alt, caption : see ``Figure``
    """
    means = np.asarray(means, float)

    def at(mean: float) -> Mixture:
        moved = mixture.means.copy()
        moved[component] = mean
        return replace(mixture, means=moved)

    with canvas(height=3.4) as (drawing, ax):
        heights = np.array([log_likelihood(X, at(mean)) for mean in means])
        ax.plot(means, heights, color=TEXT, lw=2)
        top = int(np.argmax(heights))
        ax.annotate(
            curve_label, (means[top], heights[top]), (0, 6), textcoords="offset points", ha="center"
        )
        here = float(mixture.means[component, 0])
        for k in range(rounds):
            gamma = at(here).responsibilities(X)
            bound = np.array([elbo(X, gamma, at(mean)) for mean in means])
            shown = bound > heights.min() - 0.05 * np.ptp(heights)
            color = component_color(k)
            ax.plot(means[shown], bound[shown], color=color, lw=1.5, ls="--")
            share = gamma[:, component]
            peak = float(share @ np.ravel(X) / share.sum())
            ax.plot(here, log_likelihood(X, at(here)), "o", color=color, ms=7)
            ax.plot(peak, elbo(X, gamma, at(peak)), "^", color=color, ms=8)
            ax.annotate(
                f"{bound_label} {k + 1}",
                (peak, elbo(X, gamma, at(peak))),
                (-16, -24),
                textcoords="offset points",
                ha="right" if k else "left",
                bbox={"boxstyle": "round,pad=0.15", "facecolor": "none", "edgecolor": color},
            )
            here = peak
        ax.plot(here, log_likelihood(X, at(here)), "o", color=TEXT, ms=6)
        ax.set(xlabel=xlabel, ylabel=ylabel)
        ax.locator_params(nbins=5)
    return Figure(drawing, name, alt, caption)


def gain_figure(
    gains: Mapping[str, ArrayLike],
    *,
    name: str,
    alt: str,
    xlabel: str = "iteration",
    ylabel: str = "gain (nats)",
    caption: str = "",
) -> Figure:
    """What each kind of half-step adds, iteration by iteration, on a logarithmic scale.

    Parameters
    ----------
    gains : label -> gains in nats from iteration 1 on, all positive
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If a gain is not positive: a logarithmic scale can't show it, and EM can't have made it.
    """
    with canvas(height=3.0) as (drawing, ax):
        for k, (label, values) in enumerate(gains.items()):
            values = np.asarray(values, float)
            if not np.all(values > 0):
                raise ValueError(f"gains[{label!r}] must be positive, got {values.min():.3g}")
            iterations = np.arange(1, len(values) + 1)
            ax.semilogy(iterations, values, color=component_color(k), marker=".", lw=1.5)
            place = len(values) // 4  # the curves may meet further on: one label above, one below
            ax.annotate(
                label,
                (iterations[place], values[place]),
                (14, 14) if k % 2 == 0 else (0, -22),
                textcoords="offset points",
                bbox={
                    "boxstyle": "round,pad=0.15",
                    "facecolor": "none",
                    "edgecolor": component_color(k),
                },
            )
        ax.set(xlabel=xlabel, ylabel=ylabel)
    return Figure(drawing, name, alt, caption)
