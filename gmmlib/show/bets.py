"""How one component's responsibility runs along a single measurement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from gmmlib.mixture import Mixture
from gmmlib.show.checks import check_features, check_labels
from gmmlib.show.densities import plateau
from gmmlib.show.figure import Figure, canvas, legend_above
from gmmlib.show.palette import TEXT, component_color, line_styles


def bet_figure(
    mixtures: Mapping[str, Mixture],
    heights: ArrayLike,
    *,
    name: str,
    alt: str,
    component: int = 1,
    xlabel: str = "height (cm)",
    ylabel: str = "bet on an adult, γ",
    caption: str = "",
) -> Figure:
    """The responsibility of one component under several mixtures, with the even bet as a rule.

    Parameters
    ----------
    mixtures : label -> one-dimensional mixture, at most four
    heights : array (n_points,), where to draw
    component : index of the component whose responsibility is drawn
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If there is no mixture, or more than four, or one is not one-dimensional.
    """
    heights = np.asarray(heights, float)
    styles = line_styles(mixtures)
    for mixture in mixtures.values():
        check_features(mixture, 1)
    with canvas(height=3.0) as (drawing, ax):
        ax.axhline(0.5, color=TEXT, lw=0.6)
        for (label, mixture), dashes in zip(mixtures.items(), styles, strict=True):
            gamma = mixture.responsibilities(heights)[:, component]
            ax.plot(heights, gamma, color=component_color(component), ls=dashes, label=label)
        legend_above(drawing, handlelength=2.2, ncols=4)
        ax.set(xlabel=xlabel, ylabel=ylabel, ylim=(-0.03, 1.05), yticks=(0, 0.5, 1))
        ax.set_xlim(heights[0], heights[-1])
    return Figure(drawing, name, alt, caption)


def stranger_figure(
    mixture: Mixture,
    heights: ArrayLike,
    strangers: Mapping[str, float],
    *,
    name: str,
    alt: str,
    labels: Sequence[str],
    xlabel: str = "height (cm)",
    gamma_label: str = "bet γ",
    density_label: str = "log p(x) (nats)",
    caption: str = "",
) -> Figure:
    """Responsibilities above, log density below, and where some rows stand in both.

    Parameters
    ----------
    mixture : one-dimensional, K components
    heights : array (n_points,), where to draw
    strangers : label -> the measurement to mark
    labels : K names of the components
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If the mixture is not one-dimensional, or the labels are not K.
    """
    check_features(mixture, 1)
    check_labels(mixture, labels)
    heights = np.asarray(heights, float)
    gamma, log_density = mixture.responsibilities(heights), mixture.log_density(heights)
    marked = np.array(list(strangers.values()), float)
    with canvas(height=4.2, nrows=2, sharex=True, height_ratios=(2, 3)) as (drawing, (top, low)):
        for k in range(mixture.n_components):
            top.plot(heights, gamma[:, k], color=component_color(k))
            frame = {"boxstyle": "round,pad=0.15", "facecolor": "none"}
            top.annotate(labels[k], (plateau(heights, gamma[:, k]), 0.9), ha="center", va="top",
                         bbox=frame | {"edgecolor": component_color(k)})  # fmt: skip
        low.plot(heights, log_density, color=TEXT)
        low.plot(marked, mixture.log_density(marked), "o", color=TEXT, ms=6)
        for label, x in strangers.items():
            third = int(3 * (x - heights[0]) / np.ptp(heights))  # under the curve, inwards
            place, aside = [("left", 8), ("center", 0), ("right", -8)][min(max(third, 0), 2)]
            low.annotate(label, (x, mixture.log_density([x])[0]), (aside, -12),
                         textcoords="offset points", va="top", ha=place)  # fmt: skip
        for x in marked:
            top.axvline(x, color=TEXT, lw=0.6, ls=":")
            low.axvline(x, color=TEXT, lw=0.6, ls=":")
        top.set(ylabel=gamma_label, ylim=(-0.03, 1.05), yticks=(0, 0.5, 1))
        low.set(xlabel=xlabel, ylabel=density_label)
        low.set_xlim(heights[0], heights[-1])
        low.locator_params(axis="y", nbins=5)
    return Figure(drawing, name, alt, caption)
