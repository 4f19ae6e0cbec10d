"""The map of log L and the crossings: true to the data, small enough for a page."""

import numpy as np
import pytest

from gmmlib import Mixture, log_likelihood
from gmmlib.show.surfaces import crossing_figure, crossings, surface_figure

X = np.array([138.0, 141.0, 144.0, 168.0, 171.0, 174.0])
GRID = np.arange(130.0, 183.0, 1.0)


def mixture(first, second, weights=(0.5, 0.5)):
    return Mixture(weights, [[first], [second]], [[[30.0]], [[30.0]]])


def test_the_map_marks_both_tops_of_two_clusters():
    figure = surface_figure(X, mixture(140, 170), GRID, GRID, name="map", alt="Two hills.")
    assert "(141, 171)" in figure.svg
    assert "(171, 141)" in figure.svg
    assert len(figure.svg) < 60_000


def test_the_map_is_log_l_over_the_first_mean_sideways_and_the_second_upwards():
    # With unequal weights the two hills differ in height: a map with its axes swapped is wrong.
    many = np.concatenate([X, [171.0, 171.0, 171.0]])
    start = mixture(140, 170, weights=(0.2, 0.8))
    best = max(
        ((a, b) for a in GRID for b in GRID),
        key=lambda means: log_likelihood(many, mixture(*means, weights=(0.2, 0.8))),
    )
    figure = surface_figure(many, start, GRID, GRID, name="map", alt="Hills.", depths=(0.5,))
    (contour,) = (c for c in figure.drawing.axes[0].collections)
    path = max(contour.get_paths(), key=lambda path: len(path.vertices)).vertices
    inside = path.min(axis=0) <= best, best <= path.max(axis=0)
    assert np.all(inside)
    assert best[0] < best[1]


def test_a_map_needs_two_components_in_one_dimension():
    single = Mixture([1.0], [[140.0]], [[[30.0]]])
    with pytest.raises(ValueError, match="two components in one dimension"):
        surface_figure(X, single, GRID, GRID, name="map", alt="A hill.")


def test_crossings_of_a_tangent_with_the_straight_line():
    grid = np.linspace(-3, 3, 601)
    found = crossings(grid, 2 * np.tanh(grid))
    assert found == pytest.approx([-1.91501, 0, 1.91501], abs=1e-4)
    assert crossings(grid, 0.5 * np.tanh(grid)) == pytest.approx([0], abs=1e-12)
    assert len(crossings(grid, grid + 1)) == 0


def test_each_crossing_is_a_dot():
    grid = np.linspace(-3, 3, 60)
    curves = {"steep": 2 * np.tanh(grid), "flat": 0.5 * np.tanh(grid)}
    figure = crossing_figure(grid, curves, name="roots", alt="Two curves.")
    dots = [line for line in figure.drawing.axes[0].lines if line.get_marker() == "o"]
    assert sorted(float(dot.get_xdata()[0]) for dot in dots) == pytest.approx(
        [-1.915, 0, 0, 1.915], abs=5e-3
    )
    assert "steep" in figure.svg
    assert "flat" in figure.svg
