"""Humps are counted where they are, and the figures mark those of the mixtures they draw."""

import re

import numpy as np
import pytest

from gmmlib import Mixture
from gmmlib.show.humps import gap_figure, hump_figure, modes
from gmmlib.show.palette import COMPONENTS

X = np.linspace(140, 190, 101)[:, None]


def two_bells(gap, weights=(0.5, 0.5), sds=(1.0, 1.0)):
    return Mixture(weights, [[0.0], [gap]], np.square(sds)[:, None, None])


@pytest.fixture(scope="module")
def flat():
    return Mixture([1.0], [[0.0, 0.0]], [np.eye(2)])


def dots(ax):
    return [line for line in ax.lines if line.get_marker() == "o"]


@pytest.mark.parametrize(("gap", "humps"), [(0.0, 1), (1.0, 1), (2.0, 1), (2.01, 2), (60.0, 2)])
def test_two_equal_bells_part_at_a_gap_of_two_standard_deviations(gap, humps):
    assert len(modes(two_bells(gap))) == humps


def test_humps_are_symmetric_where_the_mixture_is():
    low, high = modes(two_bells(3.0))
    assert low + high == pytest.approx(3.0, abs=1e-9)
    assert low == pytest.approx(0.5 * 3 * (1 - np.tanh(0.5 * 3 * (1.5 - low))), abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_humps_are_those_of_a_fine_grid(seed):
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.ones(4))
    mixture = Mixture(weights, rng.normal(0, 3, (4, 1)), rng.uniform(0.2, 2, (4, 1, 1)))
    grid = np.linspace(-15, 15, 60_001)
    density = mixture.log_density(grid)
    inner = (density[1:-1] > density[:-2]) & (density[1:-1] >= density[2:])
    assert np.allclose(modes(mixture), grid[1:-1][inner], atol=1e-3)


def test_the_order_of_the_components_does_not_matter():
    mixture = two_bells(4.0, (0.3, 0.7), (0.5, 1.5))
    assert np.allclose(modes(mixture), modes(mixture.relabelled([1, 0])))


def test_a_small_bell_on_a_flank_is_no_hump():
    assert len(modes(two_bells(2.5, weights=(0.99, 0.01)))) == 1


def test_each_panel_marks_the_humps_of_its_own_gap():
    figure = gap_figure([1, 3], name="a", alt="One hump, then two.")
    first, second = figure.drawing.axes
    assert [len(dots(ax)[0].get_xdata()) for ax in (first, second)] == [1, 2]
    assert [ax.texts[0].get_text() for ax in (first, second)] == ["gap 1 σ", "gap 3 σ"]
    halves = [line for line in second.lines if line.get_color() in COMPONENTS]
    total = next(line for line in second.lines if line not in halves)
    assert np.allclose(sum(line.get_ydata() for line in halves), total.get_ydata())


def test_curves_are_densities_with_dots_on_their_humps():
    far = Mixture([0.5, 0.5], [[150.0], [180.0]], [[[25.0]], [[25.0]]])
    near = Mixture([1.0], [[165.0]], [[[200.0]]])
    (ax,) = hump_figure(X, {"two": far, "one": near}, name="a", alt="A.").drawing.axes
    curves = [line for line in ax.lines if line.get_marker() != "o"]
    for line, marks, mixture in zip(curves, dots(ax), (far, near), strict=True):
        assert np.array_equal(line.get_ydata(), np.exp(mixture.log_density(line.get_xdata())))
        assert np.array_equal(marks.get_xdata(), modes(mixture))
    assert curves[0].get_linestyle() != curves[1].get_linestyle()


def test_labels_are_written_and_figures_stay_small():
    one = Mixture([1.0], [[165.0]], [[[200.0]]])
    figure = hump_figure(X, {"one bell": one}, name="a", alt="A.")
    assert re.search(">one bell</text>", figure.svg)
    assert len(figure.svg) < 30_000
    assert len(gap_figure([1, 2, 3], name="a", alt="A.").svg) < 40_000


def test_what_cannot_be_drawn_is_refused(flat):
    one = two_bells(1.0)
    with pytest.raises(ValueError, match="the mixture has 2"):
        modes(flat)
    with pytest.raises(ValueError, match="no gaps"):
        gap_figure([], name="a", alt="A.")
    with pytest.raises(ValueError, match="got 0 mixtures"):
        hump_figure(X, {}, name="a", alt="A.")
    with pytest.raises(ValueError, match="got 5 mixtures"):
        hump_figure(X, {str(i): one for i in range(5)}, name="a", alt="A.")
    with pytest.raises(ValueError, match=r"shape \(N, 1\)"):
        hump_figure(X[:, 0], {"a": one}, name="a", alt="A.")
