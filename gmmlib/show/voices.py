"""Vowels on a map of two formants, and what a row of bets says about them in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from gmmlib.show.ellipses import ellipse
from gmmlib.show.figure import Figure, canvas
from gmmlib.show.palette import COMPONENTS, DATA, TEXT, component_color

_F1_TICKS, _F2_TICKS = (200, 300, 400, 600, 800, 1200), (600, 1000, 1500, 2000, 3000)
_SMALLEST = 0.01  # a bet below this is too small a dot to be seen
_LEVELS = 10  # others are drawn as the next larger tenth


def vowel_figure(
    formants: ArrayLike,
    labels: ArrayLike,
    names: Sequence[str],
    *,
    name: str,
    alt: str,
    caption: str = "",
) -> Figure:
    """First and second formant on logarithmic scales, with an ellipse of two sds for each vowel.

    The ellipse is that of a Gaussian in the logarithms. Its name stands in its middle.

    Parameters
    ----------
    formants : array (N, 2), F1 and F2 in Hz, above zero
    labels : int array (N,), from 0; each vowel needs three rows at least
    names : one for each vowel
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If the shapes do not fit, a frequency is not above zero, or a vowel has too few rows.
    """
    hertz, labels = np.asarray(formants, float), np.asarray(labels)
    if hertz.ndim != 2 or hertz.shape[1] != 2 or labels.shape != (len(hertz),):
        raise ValueError(f"formants {hertz.shape} and labels {labels.shape} must be (N, 2), (N,)")
    if not (np.isfinite(hertz).all() and (hertz > 0).all()):
        raise ValueError("a formant is not above zero; frequencies in Hz are")
    counts = np.bincount(labels, minlength=len(names))
    if len(counts) > len(names) or counts.min() < 3:
        raise ValueError(f"{len(names)} names for vowels with {counts.tolist()} rows; need three")
    with canvas(height=4.6) as (drawing, ax):
        ax.plot(*hertz.T, "o", color=DATA, markersize=2, alpha=0.45, markeredgewidth=0)
        for k, vowel in enumerate(names):
            rows = np.log(hertz[labels == k])
            mean, covariance = rows.mean(axis=0), np.cov(rows.T, bias=True)
            shape = np.exp(mean + 2 * ellipse(covariance, 41))
            ax.plot(*shape.T, color=component_color((k + k // 6) % len(COMPONENTS)), lw=2)
            ax.text(*np.exp(mean), vowel, ha="center", va="center", weight="bold", color=TEXT)
        ax.set(xscale="log", yscale="log")
        ax.set(xlabel="first formant F1 (Hz)", ylabel="second formant F2 (Hz)")
        ax.minorticks_off()
        ax.set_xticks(_F1_TICKS, [str(tick) for tick in _F1_TICKS])
        ax.set_yticks(_F2_TICKS, [str(tick) for tick in _F2_TICKS])
    return Figure(drawing, name, alt, caption)


def track_figure(
    bets: Mapping[str, ArrayLike],
    truth: ArrayLike,
    names: Sequence[str],
    *,
    words: Sequence[tuple[str, int]],
    name: str,
    alt: str,
    caption: str = "",
) -> Figure:
    """Bets on the vowel of each row in time: the area of a dot is its probability.

    The true vowel has a dashed box. A dot outside it is drawn in another colour, so a wrong best
    guess shows twice: by its place and by its colour. Thin lines separate the words.

    Parameters
    ----------
    bets : title -> array (N, K), rows sum to one; one panel each, at most three
    truth : int array (N,), from 0
    names : K names
    words : each word and how many of the rows are its own, in time order
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If there is no panel, or more than three, a table does not fit truth and names, or
        the words do not have N rows together.
    """
    truth = np.asarray(truth)
    if not 1 <= len(bets) <= 3:
        raise ValueError(f"got {len(bets)} panels; draw 1 to 3")
    tables = {title: np.asarray(table, float) for title, table in bets.items()}
    for title, table in tables.items():
        if table.shape != (len(truth), len(names)):
            raise ValueError(
                f"{title!r} has shape {table.shape}; truth and names ask for "
                f"({len(truth)}, {len(names)})"
            )
    ends = np.cumsum([0, *(rows for _, rows in words)]) + 0.5
    if ends[-1] != len(truth) + 0.5:
        raise ValueError(f"the words have {ends[-1] - 0.5:.0f} rows together, not {len(truth)}")
    right, wrong = component_color(1), component_color(0)
    time = np.arange(1, len(truth) + 1)
    with canvas(height=0.6 + 2.5 * len(bets), nrows=len(bets), sharex=True, squeeze=False) as (
        drawing,
        axes,
    ):
        for ax, (title, table) in zip(axes[:, 0], tables.items(), strict=True):
            steps = np.where(table >= _SMALLEST, np.ceil(table * _LEVELS - 1e-9), 0)
            ax.plot(time, truth, "s", mfc="none", mec=TEXT, ms=13, mew=0.8, ls="none")
            for color, chosen in ((right, True), (wrong, False)):
                at = (np.arange(len(names)) == truth[:, None]) == chosen
                for level in range(1, _LEVELS + 1):  # one path for each size keeps the SVG small
                    n, k = np.nonzero(at & (steps == level))
                    if len(n):
                        size = 11 * np.sqrt(level / _LEVELS)
                        ax.plot(time[n], k, "o", ms=size, color=color, mew=0)
            ax.set_title(title, loc="left")
            ax.set_yticks(range(len(names)), names)
            ax.set_ylim(len(names) - 0.4, -1.6)
            ax.vlines(ends[1:-1], -1.6, len(names), color=DATA, lw=0.8)
            for (word, _), begin, end in zip(words, ends[:-1], ends[1:], strict=True):
                ax.text((begin + end) / 2, -1.1, word, ha="center", va="center", color=TEXT)
            ax.grid(axis="y", color=DATA, alpha=0.25, lw=0.8)
            ax.set_axisbelow(True)
        axes[-1, 0].set_xlabel("row, in time order")
        axes[-1, 0].set_xticks(time)
        axes[-1, 0].set_xlim(0.4, len(truth) + 0.6)
    return Figure(drawing, name, alt, caption)
