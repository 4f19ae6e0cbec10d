"""Figures of criteria: the curves are the candidates' own, and the ring is on the smallest."""

import numpy as np
import pytest

from gmmlib.selection import Candidate, best, sweep
from gmmlib.show.criteria import criterion_figure, laplace_figure
from gmmlib.show.palette import TEXT

TYPES = ["full", "tied"]
GRID = np.linspace(-1, 1, 41)


@pytest.fixture(scope="module")
def candidates():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 2)) + 6 * rng.integers(0, 2, size=(80, 1))
    return tuple(sweep(X, range(1, 5), TYPES, rng=rng, n_restarts=2, tol=1e-6))


def draw(candidates, **changes):
    options = {"name": "criteria", "alt": "Two panels of curves."} | changes
    return criterion_figure(candidates, **options)


def rings(ax):
    return [line for line in ax.lines if line.get_marker() == "o"]


def curves(ax):
    return [line for line in ax.lines if line.get_marker() == "." and len(line.get_xdata())]


def test_each_panel_draws_each_type_and_rings_the_smallest(candidates):
    figure = draw(candidates, criteria=("aic", "bic", "icl"))
    for ax, criterion in zip(figure.drawing.axes, ("aic", "bic", "icl"), strict=True):
        for line, kind in zip(curves(ax), TYPES, strict=True):
            expected = [getattr(c, criterion) for c in candidates if c.covariance_type == kind]
            assert np.array_equal(line.get_ydata(), expected)
            assert np.array_equal(line.get_xdata(), [1, 2, 3, 4])
        (ring,) = rings(ax)
        chosen = best(candidates, criterion)
        assert (ring.get_xdata()[0], ring.get_ydata()[0]) == (
            chosen.n_components,
            getattr(chosen, criterion),
        )
        assert ring.get_color() == TEXT
        (label,) = ax.texts
        assert label.get_text() == f"{chosen.covariance_type}, {chosen.n_components}"
        assert ax.get_ylabel() == criterion.upper()


def test_a_span_shows_the_bottom_and_names_who_is_above(candidates):
    far = [
        Candidate(c.n_components, "spherical", 1, c.fit, c.aic + 1e4, c.bic + 1e4, c.icl + 1e4)
        for c in candidates[:4]
    ]
    svg = draw([*candidates, *far], span=50).svg
    assert "spherical (above)" in svg
    assert "tied (above)" not in svg
    low, high = draw([*candidates, *far], span=50).drawing.axes[1].get_ylim()
    assert low < best(candidates).bic < high == pytest.approx(best(candidates).bic + 50)


def test_a_collapsed_candidate_leaves_a_gap(candidates):
    gone = Candidate(2, "full", 11, None, collapse="all starts collapsed")
    full, *_ = curves(draw([candidates[0], gone, *candidates[2:]]).drawing.axes[0])
    assert np.isnan(full.get_ydata()).tolist() == [False, True, False, False]


def test_laplace_draws_the_likelihood_and_the_bell():
    log_l = -700 - 8 * GRID**2
    figure = laplace_figure(GRID, log_l, 0.0, 16.0, name="a", alt="A.", xlabel="weight")
    solid, dashed = figure.drawing.axes[0].lines
    np.testing.assert_allclose(solid.get_ydata(), dashed.get_ydata(), rtol=1e-10)
    assert solid.get_ydata().max() == 1
    assert solid.get_linestyle() != dashed.get_linestyle()


def test_figures_are_small_and_the_same_each_time(candidates):
    assert draw(candidates).svg == draw(candidates).svg
    assert len(draw(candidates).svg) < 30_000


def test_what_cannot_be_drawn_is_refused(candidates):
    with pytest.raises(ValueError, match="criterion is 'mdl'"):
        draw(candidates, criteria=("mdl",))
    with pytest.raises(ValueError, match="no candidate has a fit"):
        draw([Candidate(2, "full", 11, None)])
    with pytest.raises(ValueError, match="curvature is -1"):
        laplace_figure(GRID, -(GRID**2), 0.0, -1.0, name="a", alt="A.", xlabel="weight")
