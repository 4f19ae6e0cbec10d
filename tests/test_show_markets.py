"""Figures of a market show the days, the regimes and the memory they were given."""

import numpy as np
import pytest

from gmmlib import Mixture
from gmmlib.show.markets import autocorrelation, memory_figure, regime_figure, tails_figure

WORDS = {"name": "a", "alt": "A."}
BELL = Mixture([1.0], [[0.0]], [[[1.0]]])
DAYS = np.arange("2001-01-01", "2001-02-10", dtype="datetime64[D]").astype(str)


def test_tails_are_days_and_expected_days():
    returns = np.random.default_rng(0).normal(size=5000)
    figure = tails_figure(returns, {"one bell": BELL}, bins=20, **WORDS)
    (ax,) = figure.drawing.axes
    assert ax.get_yscale() == "log"
    (bars,) = ax.patches
    assert bars.get_data().values.sum() == 5000
    x, expected = ax.lines[0].get_data()
    width = bars.get_data().edges[1] - bars.get_data().edges[0]
    assert expected.sum() * (x[1] - x[0]) / width == pytest.approx(5000, rel=0.01)


def test_regimes_are_drawn_in_blocks():
    returns = np.arange(40.0) - 20
    wild = np.linspace(0, 1, 40)
    figure = regime_figure(DAYS, returns, {"all days": wild, "so far": wild**2}, block=10, **WORDS)
    top, bottom = figure.drawing.axes
    spans = top.lines[0].get_ydata().reshape(4, 3)[:, :2]
    np.testing.assert_allclose(spans, [(-20, 0), (-10, 0), (0, 9), (0, 19)])
    np.testing.assert_allclose(bottom.lines[0].get_ydata(), wild.reshape(4, 10).mean(1))
    styles = [line.get_linestyle() for line in bottom.lines[:2]]
    assert styles[0] != styles[1]


def test_memory_is_dots_and_lines():
    figure = memory_figure(("data", [0.3, 0.2]), {"chain": [0.25, 0.2]}, **WORDS)
    dots, line = figure.drawing.axes[0].lines
    assert list(dots.get_xdata()) == [1, 2]
    assert list(dots.get_ydata()) == [0.3, 0.2]
    assert dots.get_linestyle() == "None"
    assert list(line.get_ydata()) == [0.25, 0.2]


def test_autocorrelation_is_that_of_the_textbook():
    there_and_back = np.tile([1.0, -1.0], 50)
    np.testing.assert_allclose(autocorrelation(there_and_back, 2), [-0.99, 0.98])
    noise = np.random.default_rng(1).normal(size=10_000)
    assert np.abs(autocorrelation(noise, 5)).max() < 0.05


def test_figures_stay_small():
    rng = np.random.default_rng(0)
    returns = rng.normal(size=5016)
    days = np.arange("1999-01-01", "2012-09-25", dtype="datetime64[D]")[:5016].astype(str)
    wild = {str(k): rng.uniform(size=5016) for k in range(2)}
    assert len(tails_figure(returns, {str(k): BELL for k in range(4)}, **WORDS).svg) < 60_000
    assert len(regime_figure(days, returns, wild, block=21, **WORDS).svg) < 60_000
    lines = {str(k): rng.uniform(size=126) for k in range(3)}
    assert len(memory_figure(("data", lines["0"]), lines, **WORDS).svg) < 60_000


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="got 0 mixtures"):
        tails_figure([0.0, 1.0], {}, **WORDS)
    with pytest.raises(ValueError, match="shape"):
        tails_figure([[0.0, 1.0]], {"a": BELL}, **WORDS)
    with pytest.raises(ValueError, match="shapes"):
        regime_figure(DAYS, np.zeros(39), {"a": np.zeros(40)}, **WORDS)
    with pytest.raises(ValueError, match="between zero and one"):
        regime_figure(DAYS, np.zeros(40), {"a": np.full(40, 1.1)}, **WORDS)
    with pytest.raises(ValueError, match="gaps"):
        memory_figure(("data", [0.1, 0.2]), {"a": [0.1]}, **WORDS)
    with pytest.raises(ValueError, match="gaps is 3"):
        autocorrelation([1.0, 2.0, 3.0], 3)
    with pytest.raises(ValueError, match="constant"):
        autocorrelation([1.0, 1.0, 1.0], 1)
