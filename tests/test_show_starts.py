"""Figures of many runs: each is drawn as it went, and close ends count as one end."""

import re

import numpy as np
import pytest

from gmmlib.show.palette import COMPONENTS
from gmmlib.show.starts import ends_of, spike_figure, starts_figure

TRACES = [np.array([-9.0, -5.0, -4.0]), np.array([-8.0, -2.01]), np.array([-7.0, -3.0, -2.0])]
PATHS = [np.array([[1.0, 4.0], [1.5, 4.0], [2.0, 5.0]]), np.array([[0.0, 1.0], [3.0, 6.0]]),
         np.array([[0.5, 1.0], [1.0, 2.0], [3.0, 6.0]])]  # fmt: skip


def draw(traces=TRACES, paths=PATHS):
    return starts_figure(traces, paths, name="a", alt="Two ends.")


def test_runs_that_end_together_share_the_number_of_their_end():
    assert ends_of(TRACES).tolist() == [1, 0, 0]
    assert ends_of(TRACES, same=0.001).tolist() == [2, 1, 0]
    assert ends_of(TRACES[:1]).tolist() == [0]


def test_a_chain_of_close_ends_is_one_end():
    assert ends_of([[-1.0], [-1.08], [-1.16], [-2.0]]).tolist() == [0, 0, 0, 1]


def test_the_way_of_each_run_is_drawn_in_the_colour_of_its_end():
    above, below = draw().drawing.axes
    ways = [
        line for line in below.lines if line.get_linestyle() == "-" and len(line.get_xdata()) > 1
    ]
    for way, path, end in zip(ways, PATHS, (1, 0, 0), strict=True):
        assert np.array_equal(np.column_stack(way.get_data()), path)
        assert way.get_color() == COMPONENTS[end]
    rings = [line for line in below.lines if line.get_fillstyle() == "none"]
    assert [(r.get_xdata()[0], r.get_ydata()[0]) for r in rings] == [tuple(p[0]) for p in PATHS]
    assert np.allclose(above.lines[0].get_ydata(), [7.0, 3.0, 2.0])  # nats below -2


def test_a_long_run_is_thinned_but_keeps_both_ends():
    trace = -np.geomspace(100, 1, 5000)
    path = np.column_stack([trace, trace])
    figure = draw([trace], [path])
    drawn = figure.drawing.axes[1].lines[0].get_xdata()
    assert len(drawn) <= 40
    assert (drawn[0], drawn[-1]) == (-100.0, -1.0)


def test_every_end_says_how_many_runs_reached_it():
    texts = re.findall(r">(\d of 3 runs)</text>", draw().svg)
    assert sorted(texts) == ["1 of 3 runs", "2 of 3 runs"]


def test_curves_over_a_spread_are_drawn_as_given():
    spreads = np.array([0.1, 1.0, 10.0])
    curves = {"log L": spreads, "floor": spreads - 1}
    figure = spike_figure(spreads, curves, name="a", alt="It rises.", ylim=(-2, 5))
    (ax,) = figure.drawing.axes
    for line, values in zip(ax.lines, curves.values(), strict=True):
        assert np.array_equal(line.get_ydata(), values)
    assert ax.get_xscale() == "log"
    assert ax.get_ylim() == (-2, 5)
    assert figure.svg == spike_figure(spreads, curves, name="a", alt="It rises.", ylim=(-2, 5)).svg


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="no run"):
        draw([], [])
    with pytest.raises(ValueError, match="two columns beside it"):
        draw(TRACES, [PATHS[0]] * 3)
    with pytest.raises(ValueError, match="must be positive"):
        spike_figure([0.0, 1.0], {"a": [1.0, 2.0]}, name="a", alt="A.")
    with pytest.raises(ValueError, match="got 0 mixtures"):
        spike_figure([0.5, 1.0], {}, name="a", alt="A.")
