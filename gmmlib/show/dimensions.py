"""What many features do to covariances, and what taming them brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from gmmlib.show.figure import Figure, canvas, legend_above
from gmmlib.show.palette import TEXT, component_color, line_styles

_SHADES = (0.15, 0.4, 0.7, 1.0)  # opacities of a picture's pixels; the lightest are left out


def spectrum_figure(
    spectra: Mapping[str, ArrayLike], truth: float, *, name: str, alt: str, caption: str = ""
) -> Figure:
    """Eigenvalues in descending order, one line for each covariance, and the true value dashed.

    Parameters
    ----------
    spectra : label -> array (d,) of eigenvalues, in any order; at most six
    truth : the value that all of them estimate
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If there is no spectrum, or more than there are colours.
    """
    if not spectra:
        raise ValueError("no spectra to draw")
    with canvas(height=3.2) as (drawing, ax):
        for k, (label, values) in enumerate(spectra.items()):
            falling = np.sort(np.asarray(values, float))[::-1]
            ax.plot(np.arange(1, len(falling) + 1), falling, color=component_color(k), lw=1.5,
                    marker=".", ms=3, label=label)  # fmt: skip
        ax.axhline(truth, color=TEXT, lw=1.2, ls="--")
        ax.annotate("truth", (1, truth), (-2, 4), xycoords=("axes fraction", "data"),
                    textcoords="offset points", ha="right")  # fmt: skip
        legend_above(drawing, handlelength=1.6, ncols=2)
        ax.set(xlabel="eigenvalue, from the largest", ylabel="its value", ylim=(-0.1, None))
    return Figure(drawing, name, alt, caption)


def tradeoff_figure(
    settings: Sequence[object],
    curves: Mapping[str, ArrayLike],
    *,
    name: str,
    alt: str,
    xlabel: str,
    ylabel: str = "log density per row (nats)",
    caption: str = "",
) -> Figure:
    """Curves over the settings of one knob, evenly spaced; a dot marks the top of each.

    Parameters
    ----------
    settings : what the knob was set to, in order; written under the axis
    curves : label -> array with one value for each setting, at most four
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If a curve has another length than the settings, or there is no curve or more than four.
    """
    styles = line_styles(curves)
    places = np.arange(len(settings))
    with canvas(height=3.2) as (drawing, ax):
        for k, ((label, values), dashes) in enumerate(zip(curves.items(), styles, strict=True)):
            values = np.asarray(values, float)
            if values.shape != places.shape:
                raise ValueError(f"{label!r}: {values.size} values for {len(settings)} settings")
            ax.plot(places, values, ls=dashes, color=component_color(k), marker=".", label=label)
            top = int(values.argmax())
            ax.plot(top, values[top], "o", color=component_color(k), ms=9)
        legend_above(drawing, handlelength=2.4, ncols=2)
        ax.set_xticks(places, [str(setting) for setting in settings])
        ax.set(xlabel=xlabel, ylabel=ylabel)
        ax.locator_params(axis="y", nbins=5)
    return Figure(drawing, name, alt, caption)


def pictures_figure(
    pictures: ArrayLike, labels: Sequence[str], *, name: str, alt: str, caption: str = ""
) -> Figure:
    """Small grey pictures, five in a row, each pixel a square that is darker where there is more.

    Parameters
    ----------
    pictures : array (n_pictures, height, width), of which 0 is white and the largest entry black
    labels : one for each picture
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If the shapes or the number of labels do not fit.
    """
    pictures = np.asarray(pictures, float)
    if pictures.ndim != 3 or len(pictures) != len(labels) or len(pictures) == 0:
        raise ValueError(f"pictures of shape {pictures.shape} and {len(labels)} labels do not fit")
    _, height, width = pictures.shape
    levels = np.round(np.clip(pictures / pictures.max(), 0, 1) * len(_SHADES)).astype(int)
    rows = -(-len(pictures) // 5)
    with canvas(height=1.3 * rows, nrows=rows, ncols=5, squeeze=False) as (drawing, axes):
        for ax in axes.flat:
            ax.axis("off")
        for ax, level, label in zip(axes.flat, levels, labels, strict=False):
            for shade, opacity in enumerate(_SHADES, start=1):
                down, across = np.nonzero(level == shade)
                ax.plot(across, down, "s", color=TEXT, alpha=opacity, ms=6.5, mew=0)
            ax.set(xlim=(-0.7, width - 0.3), ylim=(height - 0.3, -0.7), aspect="equal")
            ax.set_title(label, pad=3, fontsize=11)
    return Figure(drawing, name, alt, caption)
