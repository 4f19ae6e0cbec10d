"""Who gets which part of the plane: shaded regions and their borders, and groups side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax

from gmmlib.show.figure import Figure, canvas
from gmmlib.show.palette import COMPONENTS, DATA, TEXT, blend, component_color

_GRID = 120  # points along each axis, for the shades and for the borders
_SHADE = 0.35  # opacity of the regions: dots of the same colour stand out, in both themes


@dataclass(frozen=True, eq=False)
class Groups:
    """Rows in two features, and the group that somebody put each of them into.

    Attributes
    ----------
    X : array (N, 2)
    labels : integer array (N,); negative where a row belongs to no group
    title : written above, one line
    """

    X: NDArray
    labels: NDArray
    title: str = ""

    def __post_init__(self) -> None:
        X, labels = np.asarray(self.X, float), np.asarray(self.labels)
        if X.ndim != 2 or X.shape[1] != 2 or labels.shape != (len(X),):
            raise ValueError(
                f"groups need X of shape (N, 2) and one label a row; got X of shape {X.shape} "
                f"and labels of shape {labels.shape}"
            )
        object.__setattr__(self, "X", X)
        object.__setattr__(self, "labels", labels)


def region_figure(
    X: ArrayLike,
    panels: Mapping[str, Callable[[NDArray], NDArray]],
    *,
    name: str,
    alt: str,
    xlabel: str,
    ylabel: str,
    labels: Sequence[str] | None = None,
    caption: str = "",
) -> Figure:
    """Rows over the regions that each model gives to its components, with the borders as lines.

    A place is shaded in the components' colours, mixed in the proportions of its responsibilities;
    a border is where the two largest are equal.

    Parameters
    ----------
    X : array (N, 2)
    panels : title -> function of rows (M, 2) that returns their log responsibilities (M, K), up to
        a constant for each row; for K-means the squared distances times a large negative number
    name, alt, caption : see ``Figure``
    labels : K names of the components of every panel, each written at the mean of its rows

    Raises
    ------
    ValueError
        If X is not two-dimensional, or a function does not return K numbers for each row.
    """
    X = np.asarray(X, float)
    if X.ndim != 2 or X.shape[1] != 2:
        raise ValueError(f"regions need X of shape (N, 2); got {X.shape}")
    low, high = X.min(axis=0), X.max(axis=0)
    low, high = low - 0.05 * (high - low), high + 0.05 * (high - low)
    across, up = (np.linspace(a, b, _GRID) for a, b in zip(low, high, strict=True))
    places = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    height = 0.4 + 2.9 * len(panels)
    with canvas(height=height, nrows=len(panels), sharex=True, squeeze=False) as (drawing, axes):
        for ax, (title, score) in zip(axes[:, 0], panels.items(), strict=True):
            scores = _scores(score, places, title)
            shades = _mixed(softmax(scores, axis=1)).reshape(_GRID, _GRID, 3)
            extent = (low[0], high[0], low[1], high[1])
            ax.imshow(shades, extent=extent, origin="lower", aspect="auto", alpha=_SHADE,
                      interpolation="none")  # fmt: skip
            for k in range(scores.shape[1] if scores.shape[1] > 1 else 0):
                lead = scores[:, k] - np.delete(scores, k, axis=1).max(axis=1)
                if lead.min() < 0 < lead.max():  # the component leads somewhere, and not all over
                    lead = lead.reshape(_GRID, _GRID)
                    ax.contour(across, up, lead, levels=[0], colors=[TEXT], linewidths=1)
            ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), ylabel=ylabel, title=title)
            responsibilities = softmax(_scores(score, X, title), axis=1)
            colors = np.array(blend(responsibilities))
            for color in sorted(set(colors)):
                _dots(ax, X[colors == color], color, 4.0)
            favourite = responsibilities.argmax(axis=1)
            for k, text in enumerate(labels or ()):
                if (favourite == k).any():
                    ax.text(*X[favourite == k].mean(axis=0), text, ha="center", va="center",
                            weight="bold", zorder=4)  # fmt: skip
        axes[-1, 0].set(xlabel=xlabel)
    return Figure(drawing, name, alt, caption)


def groups_figure(
    rows: Sequence[Sequence[Groups]],
    *,
    name: str,
    alt: str,
    xlabels: Sequence[str] = (),
    ylabels: Sequence[str] = (),
    caption: str = "",
) -> Figure:
    """A table of small scatter plots without numbers on the axes, one colour for each group.

    A row without a group is a small grey cross. Groups are coloured by the place of their mean,
    left to right, so that the same group has the same colour in panels of the same rows. Beyond
    the sixth, groups are grey dots.

    Parameters
    ----------
    rows : rows of panels, all of the same length
    name, alt, caption : see ``Figure``
    xlabels : one for each column, under the last row
    ylabels : one for each row, at its left

    Raises
    ------
    ValueError
        If the rows are not of one length, or there is no panel.
    """
    if not rows or not rows[0] or len({len(row) for row in rows}) != 1:
        raise ValueError(f"rows hold {[len(row) for row in rows]} panels; they must be as many")
    height = 0.3 + 1.45 * len(rows)
    grid = {"nrows": len(rows), "ncols": len(rows[0]), "squeeze": False}
    with canvas(height=height, **grid) as (drawing, axes):
        for line, panels in zip(axes, rows, strict=True):
            for ax, panel in zip(line, panels, strict=True):
                _groups(ax, panel)
        for ax, text in zip(axes[-1], xlabels, strict=False):
            ax.set_xlabel(text)
        for ax, text in zip(axes[:, 0], ylabels, strict=False):
            ax.set_ylabel(text)
    return Figure(drawing, name, alt, caption)


def _groups(ax: Axes, panel: Groups) -> None:
    found = [k for k in np.unique(panel.labels) if k >= 0]
    found.sort(key=lambda k: tuple(panel.X[panel.labels == k].mean(axis=0)))
    low, high = panel.X.min(axis=0), panel.X.max(axis=0)
    margin = 0.06 * (high - low)
    ax.set(xlim=(low[0] - margin[0], high[0] + margin[0]), xticks=[], yticks=[])
    ax.set(ylim=(low[1] - margin[1], high[1] + margin[1]))
    ax.set_title(panel.title, fontsize=11)
    for spine in ax.spines.values():
        spine.set(visible=True, color=DATA, linewidth=0.8)
    for place, k in enumerate(found):
        color = component_color(place) if place < len(COMPONENTS) else DATA
        _dots(ax, panel.X[panel.labels == k], color, 3.2)
    ax.plot(*panel.X[panel.labels < 0].T, "x", color=DATA, markersize=3, mew=0.8)


def _dots(ax: Axes, rows: NDArray, color: str, width: float) -> None:
    """All dots of one colour as one path of very short lines with round ends: small in an SVG."""
    hair = 1e-3 * np.ptp(ax.get_xlim())  # without any length, a PNG would not show them
    corners = np.repeat(rows, 2, axis=0)
    corners[1::2, 0] += hair
    path = Path(corners, np.tile([Path.MOVETO, Path.LINETO], len(rows)))
    path.should_simplify = False
    dots = PathPatch(path, fc="none", ec=color, lw=width, alpha=0.85, capstyle="round", zorder=3)
    dots.set_snap(False)
    ax.add_patch(dots)


def _scores(score: Callable[[NDArray], NDArray], rows: NDArray, title: str) -> NDArray:
    scores = np.asarray(score(rows), float)
    if scores.ndim != 2 or len(scores) != len(rows):
        raise ValueError(
            f"the function of panel {title!r} must return (M, K) numbers for M rows; it returned "
            f"shape {scores.shape} for {len(rows)}"
        )
    return scores


def _mixed(responsibilities: NDArray) -> NDArray:
    colors = np.array([to_rgb(component_color(k)) for k in range(responsibilities.shape[1])])
    return np.clip(responsibilities @ colors, 0, 1)
