"""One palette for the whole book, chosen for colour-blind readers and for both themes.

The first four colours are those of Okabe and Ito that keep a contrast of 3:1 or more against
white and against the book's dark page {cite}`wong2011`; their orange, yellow and sky blue fail on
white, so a violet and a crimson replace them. No colour is the only sign of anything: lines and
ellipses are labelled too.
"""

from __future__ import annotations

from collections.abc import Sized

import numpy as np
from matplotlib.colors import to_hex, to_rgb

#: Colour of component 0, 1, ...: vermilion, blue, green, pink, violet, crimson.
COMPONENTS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#873CF0", "#E1004B")

#: Data, before anybody has said which component they come from.
DATA = "#8A8A8A"

#: Text, axes, the mixture and the truth (dashed): the page's own text colour. Drawn in a colour
#: that occurs nowhere else and replaced by ``currentColor`` when the figure becomes SVG.
TEXT = "#010203"


def component_color(k: int) -> str:
    """Colour of component k, the same on every page.

    Raises
    ------
    ValueError
        If k is not in 0, ..., 5: more than six colours cannot be told apart by everyone.
    """
    if not 0 <= k < len(COMPONENTS):
        raise ValueError(
            f"component {k} has no colour: a figure can tell {len(COMPONENTS)} components apart; "
            "show fewer, or one at a time"
        )
    return COMPONENTS[k]


_LINE_STYLES = ("-", "--", "-.", ":")


def line_styles(curves: Sized) -> tuple[str, ...]:
    """A line style for each of some curves that have one colour.

    Raises
    ------
    ValueError
        If there is no curve, or more than four.
    """
    if not 1 <= len(curves) <= len(_LINE_STYLES):
        raise ValueError(
            f"got {len(curves)} mixtures; line styles tell 1 to {len(_LINE_STYLES)} apart"
        )
    return _LINE_STYLES[: len(curves)]


def blend(responsibilities: np.ndarray, levels: int = 10) -> list[str]:
    """Mix the components' colours in the proportions of each row.

    Parameters
    ----------
    responsibilities : array (N, K), rows sum to one
    levels : proportions are rounded to multiples of 1 / levels, so that a figure needs few colours

    Returns
    -------
    N colours, as hexadecimal strings
    """
    gamma = np.round(np.asarray(responsibilities) * levels)
    gamma /= gamma.sum(axis=1, keepdims=True)
    colors = np.array([to_rgb(component_color(k)) for k in range(gamma.shape[1])])
    return [to_hex(row) for row in np.clip(gamma @ colors, 0, 1)]
