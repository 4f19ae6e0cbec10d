"""The picture of the two half-steps."""

import numpy as np
import pytest

from gmmlib import Mixture
from gmmlib.data import shop_customers
from gmmlib.show.bounds import bound_figure, gain_figure

START = Mixture([0.5, 0.5], [[156.0], [172.0]], [[[90.0]], [[90.0]]])


def draw(**changes):
    options = {"name": "bounds", "alt": "Two bounds touch log L from below."} | changes
    return bound_figure(shop_customers().X, START, np.linspace(130, 160, 40), **options)


def test_each_round_draws_its_bound():
    svg = draw(rounds=2).svg
    assert "bound 1" in svg
    assert "bound 2" in svg
    assert "bound 3" not in svg


def test_the_bounds_lie_under_the_curve_and_climb():
    figure = draw(rounds=2)
    (ax,) = figure.drawing.axes
    lines = {line.get_linestyle(): line for line in ax.lines[:1]}
    curve = lines["-"]
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    heights = [float(dot.get_ydata()[0]) for dot in dots]
    assert heights == sorted(heights)
    assert len(heights) == 3
    for bound in (line for line in ax.lines if line.get_linestyle() == "--"):
        on_curve = np.interp(bound.get_xdata(), curve.get_xdata(), curve.get_ydata())
        assert np.all(bound.get_ydata() <= on_curve + 1e-9)


def test_a_picture_needs_its_text():
    with pytest.raises(ValueError, match="alt"):
        draw(alt="")


def test_gains_are_labelled_and_must_be_positive():
    options = {"name": "gains", "alt": "Both gains shrink."}
    svg = gain_figure({"M-step": [3.0, 0.2], "E-step": [0.5, 0.01]}, **options).svg
    assert "M-step" in svg
    assert "E-step" in svg
    with pytest.raises(ValueError, match="must be positive"):
        gain_figure({"M-step": [3.0, -0.2]}, **options)
