"""What rounding, passes and machines cost: lines on scales of powers, and measured ratios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from gmmlib.show.beside import beside
from gmmlib.show.figure import Figure, canvas, legend_above
from gmmlib.show.palette import TEXT, component_color

_MARKERS = "os^D"


def measured(path: str | Path, table: int = 0) -> tuple[str, list[dict[str, str | float]]]:
    """A table of a benchmark's Markdown file, and the paragraph before it: where, when and how.

    Parameters
    ----------
    path : of a file such as ``benchmarks/em.md``
    table : which of its tables, from 0

    Returns
    -------
    words : the paragraph above the table
    rows : one dict a row, by the table's heads; numbers are floats, bold or not

    Raises
    ------
    ValueError
        If there is no such table.
    """
    lines = [line.strip() for line in beside(path).read_text(encoding="utf-8").splitlines()]
    starts = [i for i, line in enumerate(lines) if _is_row(line) and not _is_row(lines[i - 1])]
    if not 0 <= table < len(starts):
        raise ValueError(f"{path} has {len(starts)} table(s); there is no table {table}")
    first = starts[table]
    paragraphs = "\n".join(lines[:first]).rstrip().split("\n\n")
    words = " ".join(paragraphs[-1].split())
    block = lines[first:]
    end = next((i for i, line in enumerate(block) if not _is_row(line)), len(block))
    heads, _, *rows = [line.strip("|").split("|") for line in block[:end]]
    heads = [head.strip() for head in heads]
    return words, [dict(zip(heads, map(_number, row), strict=True)) for row in rows]


def _is_row(line: str) -> bool:
    return line.startswith("|")


def _number(cell: str) -> str | float:
    bare = cell.strip().strip("*")
    try:
        return float(bare.replace(",", ""))
    except ValueError:
        return bare


def powers_figure(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]],
    *,
    name: str,
    alt: str,
    xlabel: str,
    ylabel: str,
    guide: tuple[str, ArrayLike, ArrayLike] | None = None,
    log_x: bool = True,
    caption: str = "",
) -> Figure:
    """Lines on a vertical scale of powers of ten, dots where the values are.

    Parameters
    ----------
    curves : label -> (x, y), y above zero; at most four
    guide : a label, x and y of a dashed line for comparison
    log_x : whether the horizontal scale is one of powers of ten too
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If there is no curve, or more than four, or a value that such a scale can't show.
    """
    if not 1 <= len(curves) <= len(_MARKERS):
        raise ValueError(f"got {len(curves)} curves; draw 1 to {len(_MARKERS)}")
    with canvas(height=3.4) as (drawing, ax):
        for k, (label, (x, y)) in enumerate(curves.items()):
            x, y = np.asarray(x, float), np.asarray(y, float)
            if not (np.isfinite(y).all() and (y > 0).all()) or (log_x and not (x > 0).all()):
                raise ValueError(f"{label!r} holds values that have no logarithm")
            ax.plot(x, y, marker=_MARKERS[k], ms=4, lw=1.5, color=component_color(k), label=label)
        if guide is not None:
            label, x, y = guide
            ax.plot(x, y, ls="--", lw=1.2, color=TEXT, label=label)
        ax.set(xlabel=xlabel, ylabel=ylabel, yscale="log", xscale="log" if log_x else "linear")
        ax.minorticks_off()
        legend_above(drawing, handlelength=1.8, ncols=2)
    return Figure(drawing, name, alt, caption)


def ratio_figure(
    cells: Mapping[str, Sequence[tuple[float, float]]],
    *,
    name: str,
    alt: str,
    xlabel: str,
    ylabel: str,
    caption: str = "",
) -> Figure:
    """Ratios on a scale of powers of two: a dot each, and a line through their geometric means.

    Parameters
    ----------
    cells : label -> pairs (x, ratio), both above zero; pairs of one x are averaged; at most four
    name, alt, caption : see ``Figure``

    Raises
    ------
    ValueError
        If there is nothing to draw, or too much, or a number that is not above zero.
    """
    if not 1 <= len(cells) <= len(_MARKERS):
        raise ValueError(f"got {len(cells)} groups; draw 1 to {len(_MARKERS)}")
    with canvas(height=3.4) as (drawing, ax):
        for k, (label, pairs) in enumerate(cells.items()):
            pairs = np.asarray(pairs, float)
            if pairs.ndim != 2 or not (np.isfinite(pairs).all() and (pairs > 0).all()):
                raise ValueError(f"{label!r} must be pairs of numbers above zero")
            sizes, ratios = pairs.T
            aside = 1.12 ** (k - (len(cells) - 1) / 2)  # so that the groups stand side by side
            color = component_color(k)
            ax.plot(sizes * aside, ratios, _MARKERS[k], ms=3.5, alpha=0.5, mew=0, color=color)
            at = np.unique(sizes)
            means = [np.exp(np.log(ratios[sizes == size]).mean()) for size in at]
            ax.plot(at * aside, means, marker=_MARKERS[k], ms=7, lw=1.5, color=color, label=label)
        ax.axhline(1, color=TEXT, lw=1.2, ls="--")
        ax.set(xlabel=xlabel, ylabel=ylabel, xscale="log")
        ax.set_yscale("log", base=2)
        ax.yaxis.set_major_formatter("{x:g}")
        ax.minorticks_off()
        legend_above(drawing, handlelength=1.8, ncols=2)
    return Figure(drawing, name, alt, caption)
