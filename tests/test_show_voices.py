"""The map of vowels and the track of bets show the numbers they were given."""

import numpy as np
import pytest

from gmmlib.data import vowels
from gmmlib.show.voices import track_figure, vowel_figure

WORDS = {"name": "a", "alt": "A."}
TABLE = np.array([[0.9, 0.1], [0.3, 0.7]])


def test_every_vowel_has_an_ellipse_about_its_own_name():
    data = vowels()
    figure = vowel_figure(data.X[:, 1:3], data.labels, data.label_names, **WORDS)
    (ax,) = figure.drawing.axes
    dots, *ellipses = ax.lines
    np.testing.assert_array_equal(dots.get_xydata(), data.X[:, 1:3])
    assert [text.get_text() for text in ax.texts] == list(data.label_names)
    for k, (ellipse, text) in enumerate(zip(ellipses, ax.texts, strict=True)):
        rows = np.log(data.X[data.labels == k, 1:3])
        np.testing.assert_allclose(np.log(text.get_position()), rows.mean(axis=0))
        away = np.log(ellipse.get_xydata()) - rows.mean(axis=0)
        covariance = np.cov(rows.T, bias=True)
        square = np.einsum("ni,ij,nj->n", away, np.linalg.inv(covariance), away)
        np.testing.assert_allclose(square, 4.0)  # two standard deviations all round
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert ">300</text>" in figure.svg


def test_the_figures_stay_small():
    data = vowels()
    half = slice(None, None, 2)
    figure = vowel_figure(data.X[half, 1:3], data.labels[half], data.label_names, **WORDS)
    assert len(figure.svg) < 60_000
    table = np.full((14, 10), 0.1)
    two = track_figure({"a": table, "b": table}, np.zeros(14, int), data.label_names, **WORDS)
    assert len(two.svg) < 60_000


def test_areas_are_probabilities_and_the_truth_is_boxed():
    figure = track_figure(
        {"alone": TABLE, "in context": TABLE[::-1]}, [0, 0], ["uw", "iy"], **WORDS
    )
    upper, lower = figure.drawing.axes
    boxes, *dots = upper.lines
    np.testing.assert_array_equal(boxes.get_xydata(), [[1, 0], [2, 0]])
    seen = {tuple(dot.get_xydata()[0]): dot for dot in dots}
    assert set(seen) == {(1, 0), (1, 1), (2, 0), (2, 1)}
    for (n, k), dot in seen.items():
        areas = (dot.get_markersize() / 11) ** 2
        assert areas == pytest.approx(TABLE[int(n) - 1, int(k)])
        assert (dot.get_color() == seen[1, 0].get_color()) == (k == 0)  # right and wrong differ
    assert upper.get_title(loc="left") == "alone"
    assert lower.get_title(loc="left") == "in context"


def test_a_bet_too_small_to_see_is_left_out():
    figure = track_figure({"sure": [[0.999, 0.001]]}, [0], ["uw", "iy"], **WORDS)
    _, dot = figure.drawing.axes[0].lines
    np.testing.assert_array_equal(dot.get_xydata(), [[1, 0]])


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="got 0 panels"):
        track_figure({}, [0, 0], ["uw", "iy"], **WORDS)
    with pytest.raises(ValueError, match="'alone' has shape"):
        track_figure({"alone": TABLE}, [0, 0], ["uw", "iy", "er"], **WORDS)
    with pytest.raises(ValueError, match=r"must be \(N, 2\)"):
        vowel_figure(np.ones((4, 3)), np.zeros(4, int), ["uw"], **WORDS)
    with pytest.raises(ValueError, match="not above zero"):
        vowel_figure(np.zeros((4, 2)), np.zeros(4, int), ["uw"], **WORDS)
    with pytest.raises(ValueError, match="need three"):
        vowel_figure(np.ones((4, 2)), np.zeros(4, int), ["uw", "iy"], **WORDS)
