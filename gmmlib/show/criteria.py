"""What the criteria of `gmmlib.selection` say, and the parabola that BIC rests on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from gmmlib.selection import Candidate, best
from gmmlib.show.figure import Figure, canvas, legend_above
from gmmlib.show.palette import TEXT, component_color, line_styles


def criterion_figure(
    candidates: Sequence[Candidate],
    *,
    name: str,
    alt: str,
    criteria: Sequence[str] = ("aic", "bic"),
    span: float | None = None,
    xlabel: str = "number of components, K",
    off: str = "above",
    caption: str = "",
) -> Figure:
    """One panel for each criterion, one curve for each covariance type, the smallest value ringed.

    Parameters
    ----------
    candidates : of `gmmlib.selection.sweep`; one without a fit leaves a gap
    criteria : some of 'aic', 'bic', 'icl', from top to bottom
    span : each panel shows this much above its smallest value; None shows everything
    off : what the legend says of a type that has no point within the span
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If a criterion is unknown, no candidate has a fit, or there are more than four types.
    """
    for criterion in criteria:
        best(candidates, criterion)  # raises before anything is drawn
    types = tuple(dict.fromkeys(c.covariance_type for c in candidates))
    styles = line_styles(types)
    height = 0.7 + 2.3 * len(criteria)
    with canvas(height=height, nrows=len(criteria), sharex=True, squeeze=False) as (drawing, axes):
        seen = set()
        for ax, criterion in zip(axes[:, 0], criteria, strict=True):
            chosen = best(candidates, criterion)
            lowest = getattr(chosen, criterion)
            for k, (kind, dashes) in enumerate(zip(types, styles, strict=True)):
                curve = [c for c in candidates if c.covariance_type == kind]
                K = np.array([c.n_components for c in curve])
                values = np.array([getattr(c, criterion) for c in curve])
                if span is None or (values <= lowest + span).any():
                    seen.add(kind)
                # far above the panel a curve would only make the file large
                shown = values if span is None else np.clip(values, None, lowest + 2 * span)
                ax.plot(K, shown, color=component_color(k), ls=dashes, marker=".", lw=1.5)
            ax.plot(chosen.n_components, lowest, "o", color=TEXT, mfc="none", ms=13, mew=1.5)
            right = chosen.n_components > np.mean([c.n_components for c in candidates])
            ax.annotate(
                f"{chosen.covariance_type}, {chosen.n_components}",
                (chosen.n_components, lowest),
                (-12 if right else 12, -4),
                textcoords="offset points",
                ha="right" if right else "left",
                va="top",
            )
            ax.set(ylabel=criterion.upper())
            if span is not None:
                ax.set_ylim(lowest - 0.18 * span, lowest + span)
            ax.locator_params(axis="y", nbins=4)
        for k, (kind, dashes) in enumerate(zip(types, styles, strict=True)):
            label = kind if kind in seen else f"{kind} ({off})"
            axes[0, 0].plot([], [], color=component_color(k), ls=dashes, marker=".", label=label)
        legend_above(drawing, handlelength=2.2, ncols=2)
        axes[-1, 0].set(xlabel=xlabel)
        axes[-1, 0].xaxis.set_major_locator(MaxNLocator(integer=True))
    return Figure(drawing, name, alt, caption)


def laplace_figure(
    grid: ArrayLike,
    log_l: ArrayLike,
    peak: float,
    curvature: float,
    *,
    name: str,
    alt: str,
    xlabel: str,
    ylabel: str = "L as a share of its peak",
    labels: tuple[str, str] = ("likelihood", "Laplace's bell"),
    caption: str = "",
) -> Figure:
    """A likelihood of one parameter, and the bell with the same peak and the same bend.

    Parameters
    ----------
    grid : array (n_points,), values of the parameter, ascending
    log_l : array (n_points,), log L there
    peak : the value of the parameter at which log L is largest
    curvature : minus the second derivative of log L there
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If the curvature is not positive: no bell has that bend.
    """
    if not curvature > 0:
        raise ValueError(f"curvature is {curvature:.3g}; at a peak it is positive")
    grid, log_l = np.asarray(grid, float), np.asarray(log_l, float)
    with canvas(height=2.8) as (drawing, ax):
        ax.plot(grid, np.exp(log_l - log_l.max()), color=TEXT, label=labels[0])
        bell = np.exp(-curvature * (grid - peak) ** 2 / 2)
        ax.plot(grid, bell, color=component_color(1), ls="--", label=labels[1])
        legend_above(drawing, handlelength=2.2, ncols=2)
        ax.set(xlabel=xlabel, ylabel=ylabel, xlim=(grid[0], grid[-1]), ylim=(0, None))
        ax.locator_params(nbins=5)
    return Figure(drawing, name, alt, caption)
