"""Pictures stand in the page as they were; clouds and curves show the numbers they were given."""

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from gmmlib import Mixture
from gmmlib.show.pictures import Pictures, cloud_figure, lowest_figure, painted, shrink

WORDS = {"name": "a", "alt": "A."}
AXES = {**WORDS, "xlabel": "x", "ylabel": "y"}
FLAG = np.array([[[255, 0, 0], [0, 0, 255]], [[0, 0, 255], [255, 255, 255]]])


def embedded(svg: str) -> list[np.ndarray]:
    """The pictures in an SVG, decoded."""
    data = re.findall(r'href="data:image/\w+;base64,([^"]+)"', svg)
    files = [Image.open(io.BytesIO(base64.b64decode(text))) for text in data]
    return [np.asarray(file.convert("RGB")) for file in files]


def test_a_block_becomes_its_mean_colour_and_the_rest_is_cut():
    photo = np.arange(5 * 7 * 3).reshape(5, 7, 3)
    small = shrink(photo, 2)
    assert small.shape == (2, 3, 3)
    np.testing.assert_allclose(small[1, 2], photo[2:4, 4:6].mean(axis=(0, 1)))
    np.testing.assert_array_equal(shrink(photo, 1), photo)


def test_what_cannot_be_shrunk_is_refused():
    with pytest.raises(ValueError, match="photo has shape"):
        shrink(np.ones((4, 4)), 2)
    for factor in (0, 3):
        with pytest.raises(ValueError, match="factor is"):
            shrink(FLAG, factor)


def test_pixels_are_painted_by_label_or_by_share():
    colors = [[0, 0, 0], [200, 100, 50]]
    hard = painted([0, 1, 1, 0], colors, (2, 2))
    assert hard[0, 1].tolist() == [200, 100, 50]
    soft = painted([[0.5, 0.5]], colors, (1, 1))
    assert soft[0, 0].tolist() == [100, 50, 25]


def test_a_picture_of_few_colours_is_stored_exactly():
    (back,) = embedded(Pictures({"flag": FLAG}, **WORDS).svg)
    np.testing.assert_array_equal(back, FLAG)


def test_a_photograph_is_stored_nearly():
    rows, columns = np.mgrid[0:40, 0:60]
    photo = np.dstack([4 * columns, 5 * rows, 128 + 0 * rows])
    (back,) = embedded(Pictures({"photo": photo}, **WORDS).svg)
    assert back.shape == photo.shape
    assert np.abs(back.astype(int) - photo).mean() < 4


def test_the_pictures_are_described_named_and_small():
    noise = np.random.default_rng(0).integers(0, 5, 106 * 160)
    five = painted(noise, np.random.default_rng(1).integers(0, 255, (5, 3)), (106, 160))
    figure = Pictures({"one & only": five, "two": five, "three": five}, caption="a < b", **WORDS)
    root = ElementTree.fromstring(figure._repr_mimebundle_()["text/html"])
    svg, caption = root
    assert (root.tag, root.get("class")) == ("figure", "gmm-figure")
    assert (svg.get("role"), svg.get("aria-label"), caption.text) == ("img", "A.", "a < b")
    texts = svg.findall("{*}text")
    assert [text.text for text in texts] == ["one & only", "two", "three"]
    assert {text.get("fill") for text in texts} == {"currentColor"}
    corners = [(image.get("x"), image.get("y")) for image in svg.findall("{*}image")]
    assert len(set(corners)) == 3
    assert len(figure.svg) < 60_000
    assert figure.svg == Pictures(figure.panels, caption="a < b", **WORDS).svg


def test_pictures_that_do_not_fit_together_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        Pictures({"a": FLAG, "b": FLAG[:1]}, **WORDS)
    with pytest.raises(ValueError, match="at least one"):
        Pictures({}, **WORDS)
    with pytest.raises(ValueError, match="alt text"):
        Pictures({"a": FLAG}, name="a", alt=" ")


def test_pixels_stand_in_their_own_colours_under_the_ellipses():
    X = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 0.0]])
    colors = np.array([[255, 0, 0], [250, 3, 0], [0, 0, 255]])
    mixture = Mixture([0.5, 0.5], [[0.0, 0.0], [2.0, 0.0]], [np.eye(2), np.diag([4.0, 1.0])])
    figure = cloud_figure(X, colors, mixture, labels=("warm", "cold"), centres=[[1.0, 5.0]], **AXES)
    (ax,) = figure.drawing.axes
    blue, red, first, second, centres = ax.lines
    assert (blue.get_color(), red.get_color()) == ((0, 0, 1), (1, 0, 0))
    assert red.get_xdata().tolist() == [0, 1]
    assert np.ptp(first.get_xdata()) == pytest.approx(4)  # two standard deviations each way
    assert np.ptp(second.get_xdata()) == pytest.approx(8)
    assert centres.get_ydata().tolist() == [5]
    assert ">1 warm</text>" in figure.svg
    with pytest.raises(ValueError, match="labels"):
        cloud_figure(X, colors, mixture, labels=("warm",), **AXES)
    with pytest.raises(ValueError, match="two features"):
        cloud_figure(X[:, :1], colors, mixture, labels=("warm", "cold"), **AXES)


def test_a_cloud_of_400_colours_from_dark_to_light_stays_small():
    chance = np.random.default_rng(0)
    X = chance.normal(size=(400, 2))
    colors = np.linspace(10, 230, 400)[:, None] + chance.normal(0, 15, (400, 3))
    mixture = Mixture([0.5, 0.5], [[0.0, 0.0], [1.0, 0.0]], [np.eye(2)] * 2)
    assert len(cloud_figure(X, colors, mixture, labels=("a", "b"), **AXES).svg) < 60_000


def test_the_lowest_point_of_each_curve_is_ringed():
    K = [1, 2, 3]
    panels = {"all": {"": (K, [3, 2, 1])}, "few": {"a": (K, [3, 1, 2]), "b": (K, [1, 2, 3])}}
    figure = lowest_figure(panels, **AXES)
    above, below = figure.drawing.axes
    assert above.lines[1].get_xdata() == [3]
    assert [below.lines[i].get_xdata()[0] for i in (1, 3)] == [2, 1]
    assert ">few</text>" in figure.svg
    with pytest.raises(ValueError, match="0 curves"):
        lowest_figure({"none": {}}, **AXES)
