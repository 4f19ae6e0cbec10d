"""Spectra, trade-offs and pictures show the numbers that they were given."""

import re

import numpy as np
import pytest

from gmmlib.show.dimensions import pictures_figure, spectrum_figure, tradeoff_figure

WORDS = {"name": "a", "alt": "A."}


def test_a_spectrum_is_drawn_from_the_largest_eigenvalue_on():
    figure = spectrum_figure({"few": [0.5, 2.0, 1.0], "many": [1.1, 0.9, 1.0]}, 1.0, **WORDS)
    few, many, truth = figure.drawing.axes[0].lines
    assert list(few.get_ydata()) == [2.0, 1.0, 0.5]
    assert list(many.get_ydata()) == [1.1, 1.0, 0.9]
    assert list(few.get_xdata()) == [1, 2, 3]
    assert set(truth.get_ydata()) == {1.0}
    assert truth.get_linestyle() == "--"
    assert few.get_color() != many.get_color()
    assert re.search(">few</text>", figure.svg)


def test_a_trade_off_marks_the_top_of_each_curve():
    figure = tradeoff_figure([0, 3, "many"], {"old": [3, 2, 1], "new": [1, 5, 2]}, xlabel="k",
                             **WORDS)  # fmt: skip
    (ax,) = figure.drawing.axes
    tops = [tuple(line.get_xydata()[0]) for line in ax.lines if line.get_marker() == "o"]
    assert tops == [(0, 3), (1, 5)]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0", "3", "many"]
    assert ax.lines[0].get_linestyle() != ax.lines[2].get_linestyle()


def test_pixels_stand_where_the_picture_has_them():
    one = np.zeros((8, 8))
    one[2, 5], one[7, 0] = 1.0, 0.4
    figure = pictures_figure([one, one.T], ["a", "b"], **WORDS)
    first, second, *rest = figure.drawing.axes

    def squares(ax):
        return {(*place, line.get_alpha()) for line in ax.lines for place in line.get_xydata()}

    assert squares(first) == {(5, 2, 1.0), (0, 7, 0.4)}
    assert squares(second) == {(2, 5, 1.0), (7, 0, 0.4)}
    assert [ax.get_title() for ax in (first, second)] == ["a", "b"]
    assert not any(ax.lines for ax in rest)
    assert first.yaxis_inverted()


def test_figures_stay_small():
    rng = np.random.default_rng(0)
    assert len(pictures_figure(rng.random((10, 8, 8)), list("0123456789"), **WORDS).svg) < 60_000
    spectra = {str(k): rng.random(64) for k in range(4)}
    assert len(spectrum_figure(spectra, 1.0, **WORDS).svg) < 60_000


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="no spectra"):
        spectrum_figure({}, 1.0, **WORDS)
    with pytest.raises(ValueError, match="component 6 has no colour"):
        spectrum_figure({str(k): [1.0] for k in range(7)}, 1.0, **WORDS)
    with pytest.raises(ValueError, match="2 values for 3 settings"):
        tradeoff_figure([1, 2, 3], {"a": [1, 2]}, xlabel="k", **WORDS)
    with pytest.raises(ValueError, match="got 0 mixtures"):
        tradeoff_figure([1], {}, xlabel="k", **WORDS)
    with pytest.raises(ValueError, match="1 labels do not fit"):
        pictures_figure(np.zeros((2, 8, 8)), ["a"], **WORDS)
    with pytest.raises(ValueError, match="do not fit"):
        pictures_figure(np.zeros((8, 8)), ["a"] * 8, **WORDS)
