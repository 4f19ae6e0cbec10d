"""The figures of warps: the curves are those passed in, contours lie where they should."""

import numpy as np
import pytest

from gmmlib.show.warps import contour_figure, warp_figure

X = np.random.default_rng(0).normal(size=(272, 2))
GRID = np.linspace(-3, 3, 61)
BELL = -(GRID[None] ** 2 + GRID[:, None] ** 2) / 2


def warp(densities=None, image=GRID, rows=X[:, :1]):
    densities = {"flow": np.exp(-(GRID**2)), "mixture": GRID**2} if densities is None else densities
    return warp_figure(rows, GRID, densities, image, name="a", alt="A bell.", xlabel="x")


def contours(log_densities=None, rows=X):
    log_densities = {"bell": BELL} if log_densities is None else log_densities
    return contour_figure(rows, GRID, GRID, log_densities, [0.5, 2], name="a", alt="Two rings.",
                          xlabel="x", ylabel="y")  # fmt: skip


def test_the_curves_and_the_map_are_drawn():
    top, low = warp(image=2 * GRID).drawing.axes
    assert [list(line.get_ydata()) for line in top.lines] == [
        list(np.exp(-(GRID**2))),
        list(GRID**2),
    ]
    assert list(low.lines[0].get_ydata()) == list(2 * GRID)


def test_contours_are_at_their_depth_below_the_top():
    (ax,) = contours().drawing.axes
    (found,) = ax.collections
    radii = sorted({round(float(np.hypot(*path.vertices.T).mean()), 1) for path in
                    found.get_paths()})  # fmt: skip
    assert radii == [1.0, 2.0]


def test_each_density_has_a_panel_with_its_title():
    panels = contours({"one": BELL, "two": 2 * BELL}).drawing.axes
    assert [ax.get_title(loc="left") for ax in panels] == ["one", "two"]


def test_figures_are_small_and_the_same_each_time():
    for make in (warp, lambda: contours({"one": BELL, "two": 2 * BELL})):
        assert make().svg == make().svg
        assert len(make().svg) < 60_000


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: warp(rows=X), "X must have shape"),
        (lambda: warp({"flow": GRID[1:]}), "'flow' has 60 values for 61 points"),
        (lambda: warp(image=GRID[1:]), "'image' has 60 values"),
        (lambda: contours(rows=X[:, :1]), "X must have shape"),
        (lambda: contours({}), "no densities"),
        (lambda: contours({"bell": BELL[1:]}), "'bell' has shape"),
    ],
)
def test_what_cannot_be_drawn_is_refused(make, complaint):
    with pytest.raises(ValueError, match=complaint):
        make()
