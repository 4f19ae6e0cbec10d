"""The figure of starving components: every line is a component, survivors are named."""

import numpy as np
import pytest

from gmmlib.show.palette import COMPONENTS, DATA
from gmmlib.show.shrinking import shrinking_figure

COUNTS = [[30.0, 40.0, 30.0], [10.0, 60.0, 30.0], [0.2, 79.8, 20.0]]


def shrinking(counts=COUNTS, **options):
    return shrinking_figure(counts, name="a", alt="One falls to zero.", **options)


def test_every_component_is_a_line_and_survivors_are_coloured_by_size():
    (ax,) = shrinking().drawing.axes
    drawn = {tuple(line.get_ydata()): line.get_color() for line in ax.lines}
    assert drawn == {
        (30.0, 10.0, 0.2): DATA,
        (40.0, 60.0, 79.8): COMPONENTS[0],
        (30.0, 30.0, 20.0): COMPONENTS[1],
    }
    assert [text.get_text() for text in ax.texts] == ["80", "20"]


def test_how_many_rows_make_a_survivor_can_be_chosen():
    (ax,) = shrinking(min_rows=50).drawing.axes
    assert [text.get_text() for text in ax.texts] == ["80"]


def test_the_figure_is_small_and_the_same_each_time():
    counts = np.random.default_rng(0).uniform(size=(101, 10))
    assert shrinking(counts).svg == shrinking(counts).svg
    assert len(shrinking(counts).svg) < 40_000


@pytest.mark.parametrize(
    ("counts", "complaint"),
    [
        ([], "one array"),
        ([[1.0], [1.0, 2.0]], "one array"),
        ([[[1.0]]], "one array"),
        ([[1.0, np.nan]], "finite"),
        ([np.full(7, 5.0)], "component 6 has no colour"),
    ],
)
def test_what_cannot_be_drawn_is_refused(counts, complaint):
    with pytest.raises(ValueError, match=complaint):
        shrinking(counts)
