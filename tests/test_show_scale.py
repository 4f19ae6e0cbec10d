"""Scales of powers, and tables read from a benchmark's file, show the numbers they were given."""

import numpy as np
import pytest

from gmmlib.show.scale import measured, powers_figure, ratio_figure

WORDS = {"name": "a", "alt": "A.", "xlabel": "x", "ylabel": "y"}

FILE = """# Title

Some words.

On this machine,
today.

| type | N | EM |
|---|--:|--:|
| full | 1,000 | 2.5 |
| tied | 1,000,000 | **0.9** |

More words.

| a |
|---|
| 7 |
"""


def test_a_table_is_read_with_the_paragraph_above_it(tmp_path):
    path = tmp_path / "em.md"
    path.write_text(FILE, encoding="utf-8")
    words, rows = measured(path)
    assert words == "On this machine, today."
    assert rows == [
        {"type": "full", "N": 1000.0, "EM": 2.5},
        {"type": "tied", "N": 1e6, "EM": 0.9},
    ]
    assert measured(path, 1) == ("More words.", [{"a": 7.0}])
    with pytest.raises(ValueError, match="2 table"):
        measured(path, 2)


def test_lines_stand_on_scales_of_powers_with_a_dashed_guide():
    x = np.array([1.0, 10.0, 100.0])
    figure = powers_figure({"raw": (x, x**2), "centred": (x, x)}, guide=("law", x, 3 * x), **WORDS)
    (ax,) = figure.drawing.axes
    raw, centred, guide = ax.lines
    assert list(raw.get_ydata()) == [1, 100, 10_000]
    assert raw.get_color() != centred.get_color()
    assert raw.get_marker() != centred.get_marker()
    assert (guide.get_linestyle(), list(guide.get_ydata())) == ("--", [3, 30, 300])
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert ">centred</text>" in figure.svg
    flat = powers_figure({"raw": (x - 1, x)}, log_x=False, **WORDS)
    assert flat.drawing.axes[0].get_xscale() == "linear"


def test_ratios_are_dots_with_a_line_through_their_geometric_means():
    pairs = [(1e3, 2.0), (1e3, 8.0), (1e6, 3.0)]
    figure = ratio_figure({"full": pairs}, **WORDS)
    dots, line, even = figure.drawing.axes[0].lines
    assert list(dots.get_ydata()) == [2, 8, 3]
    np.testing.assert_allclose(line.get_ydata(), [4, 3])
    np.testing.assert_allclose(line.get_xdata(), [1e3, 1e6])
    assert set(even.get_ydata()) == {1}


def test_figures_stay_small():
    rng = np.random.default_rng(0)
    pairs = np.column_stack([rng.choice([1e3, 1e4, 1e5, 1e6], 48), rng.uniform(1, 9, 48)])
    four = {str(k): pairs for k in range(4)}
    assert len(ratio_figure(four, **WORDS).svg) < 60_000
    x = np.arange(1, 60)
    assert len(powers_figure({str(k): (x, x) for k in range(4)}, **WORDS).svg) < 60_000


@pytest.mark.parametrize("draw", [powers_figure, ratio_figure])
def test_what_cannot_be_drawn_is_refused(draw):
    x = np.array([1.0, 2.0])
    with pytest.raises(ValueError, match="got 0"):
        draw({}, **WORDS)
    with pytest.raises(ValueError, match="got 5"):
        draw({str(k): (x, x) for k in range(5)}, **WORDS)
    with pytest.raises(ValueError, match="'bad'"):
        draw({"bad": (x, x - 1)}, **WORDS)
