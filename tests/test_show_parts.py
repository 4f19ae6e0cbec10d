"""Figures of a mixture's parts: areas, ellipses and means are the mixture's own."""

import re

import numpy as np
import pytest

from gmmlib import Mixture
from gmmlib.show.palette import COMPONENTS, TEXT
from gmmlib.show.parts import parts_figure, regression_figure, shapes_figure, slices_figure

GRID = np.linspace(90, 220, 131)
SHAPES = {"round": np.eye(2), "tilted": [[1.0, 0.8], [0.8, 2.0]]}


@pytest.fixture(scope="module")
def shop():
    return Mixture([0.4, 0.6], [[140.0], [170.0]], [[[25.0]], [[64.0]]])


@pytest.fixture(scope="module")
def pair():
    return Mixture([0.5, 0.5], [[0.0, 0.0], [6.0, 3.0]], [np.eye(2), [[1.0, 0.5], [0.5, 1.0]]])


def parts(mixture, labels=("child", "adult")):
    return parts_figure(mixture, GRID, name="a", alt="Two bells.", labels=labels)


def regression(mixture, grid=GRID, labels=("low", "high")):
    X = np.array([[0.0, 0.5], [6.0, 2.0], [3.0, 1.0]])
    texts = {"name": "a", "alt": "A.", "xlabel": "x", "ylabel": "y", "labels": labels}
    return regression_figure(X, mixture, grid, **texts)


def slices(mixtures):
    return slices_figure(mixtures, GRID, name="a", alt="A.", xlabel="x", ylabel="y")


def area(collection):
    """Area of a filled band, by the shoelace formula."""
    x, y = collection.get_paths()[0].vertices.T
    return abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2


def test_each_part_has_the_area_that_its_label_says(shop):
    top, low = parts(shop).drawing.axes
    for ax in (top, low):
        areas = [area(band) for band in ax.collections]
        np.testing.assert_allclose(areas, shop.weights, atol=1e-6)
    assert [text.get_text() for text in top.texts] == ["child 0.40", "adult 0.60"]


def test_the_stack_reaches_the_mixture(shop):
    _, low = parts(shop).drawing.axes
    (line,) = low.lines
    assert np.array_equal(line.get_ydata(), np.exp(shop.log_density(GRID)))
    assert max(low.collections[-1].get_paths()[0].vertices[:, 1]) == pytest.approx(
        line.get_ydata().max()
    )


def test_an_ellipse_lies_at_its_number_of_standard_deviations():
    figure = shapes_figure(SHAPES, np.random.default_rng(0), name="a", alt="Two ellipses.")
    for ax, S in zip(figure.drawing.axes, SHAPES.values(), strict=True):
        ellipses = [line for line in ax.lines if line.get_marker() == "None"]
        for sds, line in zip((1, 2), ellipses, strict=True):
            points = np.column_stack(line.get_data())
            distance = np.einsum("ni,ij,nj->n", points, np.linalg.inv(S), points)
            np.testing.assert_allclose(distance, sds**2, rtol=1e-9)
            assert np.all(np.abs(points) < ax.get_xlim()[1])
    titles = [ax.get_title().split() for ax in figure.drawing.axes]
    assert titles == [["round", "1", "0", "0", "1"], ["tilted", "1", "0.8", "0.8", "2"]]


def test_the_mean_is_the_conditional_mean_between_the_components_lines(pair):
    grid = np.linspace(-1, 7, 81)
    (ax,) = regression(pair, grid).drawing.axes
    first, second, mean = (line for line in ax.lines if len(line.get_xdata()) == 81)
    expected = [pair.conditional(0, value).mean[0] for value in grid]
    np.testing.assert_allclose(mean.get_ydata(), expected)
    assert mean.get_color() == TEXT
    assert [first.get_color(), second.get_color()] == list(COMPONENTS[:2])
    np.testing.assert_allclose(first.get_ydata(), 0, atol=1e-12)
    np.testing.assert_allclose(second.get_ydata(), 3 + 0.5 * (grid - 6))
    names = {text.get_text(): text.xy for text in ax.texts}
    assert names["low"] == pytest.approx((7, 0))  # each line named where the mean has left it
    assert names["high"] == pytest.approx((-1, -0.5))


def test_rows_are_coloured_by_what_feature_0_says(pair):
    (ax,) = regression(pair, np.linspace(-1, 7, 81)).drawing.axes
    colors = {
        tuple(x): line.get_color()
        for line in ax.lines
        if line.get_marker() == "o"
        for x in np.column_stack(line.get_data())
    }
    assert colors[0.0, 0.5].upper() == COMPONENTS[0]
    assert colors[6.0, 2.0].upper() == COMPONENTS[1]
    assert colors[3.0, 1.0].upper() not in COMPONENTS


def test_slices_are_densities_with_a_dot_at_the_mean(shop):
    narrow = Mixture([1.0], [[150.0]], [[[4.0]]])
    (ax,) = slices({"both": shop, "narrow": narrow}).drawing.axes
    curves = [line for line in ax.lines if len(line.get_xdata()) == len(GRID)]
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    for curve, dot, mixture in zip(curves, dots, (shop, narrow), strict=True):
        assert np.array_equal(curve.get_ydata(), np.exp(mixture.log_density(GRID)))
        assert np.array_equal(dot.get_xdata(), mixture.mean)
    assert curves[0].get_linestyle() != curves[1].get_linestyle()


def test_figures_are_small_and_the_same_each_time(shop):
    assert parts(shop).svg == parts(shop).svg
    assert len(parts(shop).svg) < 40_000
    svgs = {
        shapes_figure(SHAPES, np.random.default_rng(0), name="a", alt="A.").svg for _ in range(2)
    }
    assert len(svgs) == 1
    assert re.search("tilted</text>", svgs.pop())


def test_what_cannot_be_drawn_is_refused(shop, pair):
    with pytest.raises(ValueError, match=r"for 1 feature.* has 2"):
        parts(pair)
    with pytest.raises(ValueError, match="2 components need as many labels"):
        parts(shop, labels=("child",))
    with pytest.raises(ValueError, match="2 components need as many labels"):
        regression(pair, labels=("low",))
    with pytest.raises(ValueError, match=r"for 2 feature.* has 1"):
        regression(shop)
    with pytest.raises(ValueError, match="got 0 mixtures"):
        slices({})
    with pytest.raises(ValueError, match=r"for 1 feature.* has 2"):
        slices({"pair": pair})
    with pytest.raises(ValueError, match="got 5 covariances"):
        shapes_figure(
            {str(i): np.eye(2) for i in range(5)}, np.random.default_rng(0), name="a", alt="A."
        )
    with pytest.raises(ValueError, match="not positive definite"):
        shapes_figure({"a": [[1.0, 2.0], [2.0, 1.0]]}, np.random.default_rng(0), name="a", alt="A.")
