"""Figures of bets: the curves are the mixture's own, and what is marked lies on them."""

import re

import numpy as np
import pytest

from gmmlib import Mixture
from gmmlib.show.bets import bet_figure, stranger_figure
from gmmlib.show.palette import COMPONENTS

GRID = np.linspace(40, 280, 241)


@pytest.fixture(scope="module")
def shop():
    return Mixture([0.4, 0.6], [[140.0], [170.0]], [[[25.0]], [[64.0]]])


@pytest.fixture(scope="module")
def flat():
    return Mixture([1.0], [[0.0, 0.0]], [np.eye(2)])


def strangers(mixture, marked=None, labels=("child", "adult")):
    marked = {"toddler": 60.0, "typing error": 260.0} if marked is None else marked
    return stranger_figure(mixture, GRID, marked, name="a", alt="A.", labels=labels)


def curves(ax, points):
    return [line for line in ax.lines if len(line.get_xdata()) == points]


def test_bets_are_drawn_as_the_mixtures_place_them(shop):
    other = Mixture([0.5, 0.5], [[140.0], [170.0]], [[[4.0]], [[4.0]]])
    figure = bet_figure({"wide": shop, "narrow": other}, GRID, name="a", alt="Two curves.")
    drawn = curves(figure.drawing.axes[0], len(GRID))
    for line, mixture in zip(drawn, (shop, other), strict=True):
        assert np.array_equal(line.get_ydata(), mixture.responsibilities(GRID)[:, 1])
        assert line.get_color() == COMPONENTS[1]
    assert drawn[0].get_linestyle() != drawn[1].get_linestyle()
    assert {"wide", "narrow"} <= set(re.findall(r">([a-z]+)</text>", figure.svg))


def test_another_component_can_be_drawn(shop):
    figure = bet_figure({"a": shop}, GRID, name="a", alt="A.", component=0)
    (line,) = curves(figure.drawing.axes[0], len(GRID))
    assert np.array_equal(line.get_ydata(), shop.responsibilities(GRID)[:, 0])
    assert line.get_color() == COMPONENTS[0]


def test_strangers_stand_on_the_log_density(shop):
    top, low = strangers(shop).drawing.axes
    assert np.allclose(sum(line.get_ydata() for line in curves(top, len(GRID))), 1)
    (density,) = curves(low, len(GRID))
    assert np.array_equal(density.get_ydata(), shop.log_density(GRID))
    (marks,) = (line for line in low.lines if line.get_marker() == "o")
    assert np.array_equal(marks.get_xdata(), [60.0, 260.0])
    assert np.array_equal(marks.get_ydata(), shop.log_density([60.0, 260.0]))
    assert [text.get_text() for text in low.texts] == ["toddler", "typing error"]


def test_each_component_is_labelled_where_it_leads(shop):
    top, _ = strangers(shop).drawing.axes
    for k, text in enumerate(top.texts):
        gamma = shop.responsibilities([text.xy[0]])[0]
        assert gamma.argmax() == k, text.get_text()


def test_a_component_that_leads_nowhere_is_labelled_all_the_same():
    hidden = Mixture([0.999, 0.001], [[170.0], [170.0]], [[[64.0]], [[60.0]]])
    figure = strangers(hidden, marked={"a": 100.0}, labels=("many", "few"))
    top, _ = figure.drawing.axes
    assert [text.get_text() for text in top.texts] == ["many", "few"]


def test_figures_are_small_and_the_same_each_time(shop):
    assert strangers(shop).svg == strangers(shop).svg
    assert len(strangers(shop).svg) < 30_000


def test_what_cannot_be_drawn_is_refused(shop, flat):
    with pytest.raises(ValueError, match="got 0 mixtures"):
        bet_figure({}, GRID, name="a", alt="A.")
    with pytest.raises(ValueError, match="got 5 mixtures"):
        bet_figure({str(i): shop for i in range(5)}, GRID, name="a", alt="A.")
    with pytest.raises(ValueError, match="the mixture has 2"):
        bet_figure({"a": flat}, GRID, name="a", alt="A.")
    with pytest.raises(ValueError, match="the mixture has 2"):
        strangers(flat)
    with pytest.raises(ValueError, match="2 components need as many labels"):
        strangers(shop, labels=("child",))
