"""Regions are the models' own, borders stand where two bets are equal, groups keep their rows."""

import re

import numpy as np
import pytest

from gmmlib import Mixture
from gmmlib.show.palette import DATA, TEXT, component_color
from gmmlib.show.regions import Groups, groups_figure, region_figure

MIXTURE = Mixture([0.5, 0.5], [[0, 0], [4, 0]], [1.0, 1.0], "spherical")
X, LABELS = MIXTURE.sample(120, np.random.default_rng(0))


def draw(panels, **changes):
    options = {"name": "map", "alt": "A map.", "xlabel": "a", "ylabel": "b"} | changes
    return region_figure(X, panels, **options)


def dots(ax):
    """Places of the dots, by colour."""
    return {
        patch.get_edgecolor()[:3]: patch.get_path().vertices[::2]
        for patch in ax.patches
        if patch.get_path().codes is not None and len(patch.get_path()) % 2 == 0
    }


def test_the_border_is_where_two_bets_are_equal():
    ax = draw({"mixture": MIXTURE.log_joint}).drawing.axes[0]
    segments = [p for c in ax.collections for path in c.get_paths() for p in path.vertices]
    odds = np.diff(MIXTURE.log_joint(np.array(segments)), axis=1)
    assert len(segments) > 10
    assert np.abs(odds).max() < 1e-6
    assert np.abs(np.array(segments)[:, 0] - 2).max() < 1e-6  # equal spreads: a straight line


def test_shades_are_mixed_in_the_proportions_of_the_responsibilities():
    ax = draw({"mixture": MIXTURE.log_joint}).drawing.axes[0]
    shades = ax.images[0].get_array()
    left, right = shades[60, 0], shades[60, -1]
    first, second = (np.array(_rgb(component_color(k))) for k in (0, 1))
    np.testing.assert_allclose(left, first, atol=1e-3)
    np.testing.assert_allclose(right, second, atol=1e-3)
    between = shades[60, :, 0]
    assert ((between > second[0] + 0.05) & (between < first[0] - 0.05)).any()


def test_every_row_is_drawn_once_in_every_panel():
    hard = draw({"soft": MIXTURE.log_joint, "hard": lambda rows: 1e6 * MIXTURE.log_joint(rows)})
    for ax in hard.drawing.axes:
        drawn = np.concatenate(list(dots(ax).values()))
        assert sorted(map(tuple, drawn)) == sorted(map(tuple, X))
    assert len(dots(hard.drawing.axes[1])) == 2
    assert [ax.get_title() for ax in hard.drawing.axes] == ["soft", "hard"]


def test_labels_stand_at_the_mean_of_their_rows():
    ax = draw({"mixture": MIXTURE.log_joint}, labels=["left", "right"]).drawing.axes[0]
    favourite = MIXTURE.responsibilities(X).argmax(axis=1)
    for k, text in enumerate(ax.texts):
        np.testing.assert_allclose(text.get_position(), X[favourite == k].mean(axis=0))
    assert [text.get_text() for text in ax.texts] == ["left", "right"]


def test_groups_have_colours_from_left_to_right_whatever_their_names():
    named, swapped = Groups(X, LABELS, "a"), Groups(X, 7 - 5 * LABELS, "b")
    left, right = groups_figure([[named, swapped]], name="g", alt="Groups.").drawing.axes
    assert dots(left).keys() == dots(right).keys()
    for color, rows in dots(left).items():
        np.testing.assert_array_equal(rows, dots(right)[color])


def test_noise_is_grey_crosses():
    labels = np.where(np.arange(120) < 5, -1, LABELS)
    (ax,) = groups_figure([[Groups(X, labels)]], name="g", alt="Groups.").drawing.axes
    (noise,) = ax.lines
    np.testing.assert_array_equal(np.array(noise.get_data()).T, X[:5])
    assert noise.get_color() == DATA
    assert sum(map(len, dots(ax).values())) == 115


def test_figures_are_small_the_same_each_time_and_in_the_colours_of_the_page():
    panels = {"mixture": MIXTURE.log_joint}
    assert draw(panels).svg == draw(panels).svg
    assert len(draw(panels).svg) < 30_000
    assert TEXT not in draw(panels).svg
    table = [[Groups(X, LABELS)] * 3] * 2
    svg = groups_figure(table, name="g", alt="Groups.").svg
    assert len(svg) < 35_000
    assert len(re.findall(r"<svg", svg)) == 1


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match=r"X of shape \(N, 2\); got \(120, 1\)"):
        region_figure(X[:, :1], {}, name="a", alt="A.", xlabel="", ylabel="")
    with pytest.raises(ValueError, match="panel 'bad' must return"):
        draw({"bad": lambda rows: np.zeros(len(rows))})
    with pytest.raises(ValueError, match="one label a row"):
        Groups(X, LABELS[:3])
    with pytest.raises(ValueError, match="as many"):
        groups_figure([[Groups(X, LABELS)], []], name="g", alt="Groups.")


def _rgb(color):
    return [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
