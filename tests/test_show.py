"""Figures: readable on every page, by everyone, the same on every build, and true to the data."""

import re
import struct
from itertools import combinations
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from gmmlib import Mixture, data, show
from gmmlib.show import palette

PAGES = {"light": "#ffffff", "dark": "#121212", "dark book": "#14181e"}

# Severity 1.0 in Machado, Oliveira and Fernandes (2009), on linear RGB.
SIGHT = {
    "all cones": np.eye(3),
    "no red cones": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "no green cones": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "no blue cones": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def linear(color):
    rgb = np.array(to_rgb(color))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """Contrast ratio of WCAG 2."""
    dark, light = sorted(linear(c) @ [0.2126, 0.7152, 0.0722] for c in (one, other))
    return (light + 0.05) / (dark + 0.05)


def difference(one, other, sight):
    """Distance in CIELAB, as seen by somebody with these cones."""

    def lab(color):
        to_xyz = np.array(
            [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
        )
        xyz = to_xyz @ np.clip(np.array(SIGHT[sight]) @ linear(color), 0, 1) / [0.9505, 1, 1.089]
        f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
        return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])

    return np.linalg.norm(lab(one) - lab(other))


@pytest.fixture(scope="module")
def truth():
    variances = np.array(data.SHOP_SDS)[:, None, None] ** 2
    return Mixture(np.array(data.SHOP_WEIGHTS), np.array(data.SHOP_MEANS)[:, None], variances)


@pytest.fixture(scope="module")
def eruptions():
    sigma = [[[0.07, 0.4], [0.4, 34.0]], [[0.17, 0.9], [0.9, 36.0]]]
    return Mixture(np.array([0.36, 0.64]), np.array([[2.0, 54.5], [4.3, 80.0]]), np.array(sigma))


def make(kind, truth, eruptions, name="a"):
    X, geyser = data.shop_customers().X, data.old_faithful().X
    alt = "Two humps, at 140 and 170 cm."
    match kind:
        case "density":
            return show.density_figure(X, truth, name=name, alt=alt, truth=truth)
        case "responsibility":
            return show.responsibility_figure(X, truth, name=name, alt=alt)
        case "ellipse":
            return show.ellipse_figure(
                geyser, eruptions, name=name, alt=alt, xlabel="eruption (min)", ylabel="wait (min)"
            )
        case "trace":
            return show.trace_figure({"EM": [-900, -810.25, -800.5]}, name=name, alt=alt)


@pytest.fixture(scope="module", params=["density", "responsibility", "ellipse", "trace"])
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def figure(kind, truth, eruptions):
    return make(kind, truth, eruptions)


# --- The palette


@pytest.mark.parametrize("color", [*palette.COMPONENTS, palette.DATA])
@pytest.mark.parametrize("page", PAGES)
def test_colours_stand_out_on_light_and_dark_pages(color, page):
    assert contrast(color, PAGES[page]) >= 3


@pytest.mark.parametrize("sight", SIGHT)
def test_components_are_told_apart_by_everyone(sight):
    first, second, *_ = palette.COMPONENTS
    assert difference(first, second, sight) > 50
    for one, other in combinations(palette.COMPONENTS, 2):
        assert difference(one, other, sight) > 15


def test_a_seventh_component_has_no_colour():
    with pytest.raises(ValueError, match="component 6 has no colour"):
        palette.component_color(6)


def test_a_blend_runs_from_one_colour_to_the_other():
    colors = palette.blend(np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0], [0.04, 0.96]]))
    assert [colors[0], colors[2]] == [c.lower() for c in palette.COMPONENTS[:2]]
    assert colors[3] == colors[2]  # rounded to tenths
    middle = (np.array(to_rgb(colors[0])) + to_rgb(colors[2])) / 2
    assert np.allclose(to_rgb(colors[1]), middle, atol=1 / 255)


# --- The figure on its page


def test_html_only_with_the_alt_text_on_the_svg(figure):
    bundle = figure._repr_mimebundle_()
    assert set(bundle) == {"text/html"}
    root = ElementTree.fromstring(bundle["text/html"])  # well-formed
    assert (root.tag, root.get("class")) == ("figure", "gmm-figure")
    svg = root[0]
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == figure.alt


def test_text_and_axes_take_the_pages_colour_and_font(figure):
    svg = figure.svg
    assert "currentColor" in svg
    assert palette.TEXT not in svg
    assert "<style" not in svg  # it would restyle the whole page
    assert "font-family" not in svg
    assert "<text" in svg  # real text, not outlines
    allowed = {c.lower() for c in (*palette.COMPONENTS, palette.DATA)}
    if "eruption" not in svg:  # points of the ellipse figure have blended colours
        assert {c.lower() for c in re.findall(r"#[0-9a-fA-F]{6}\b", svg)} <= allowed
    assert not re.search(r"fill: (#fff|white|#000|black)", svg)


def test_small_enough_to_stand_in_the_page(figure):
    assert len(figure.svg.encode()) < 40_000


def test_the_same_bytes_on_every_build(kind, figure, truth, eruptions):
    assert make(kind, truth, eruptions).svg == figure.svg == figure.svg


def test_two_figures_of_a_page_share_no_id(kind, figure, truth, eruptions):
    other = make(kind, truth, eruptions, name="b")
    ids = [set(re.findall(r'\bid="([^"]+)"', f.svg)) for f in (figure, other)]
    assert ids[0]
    assert not ids[0] & ids[1]
    for own, f in zip(ids, (figure, other), strict=True):
        assert set(re.findall(r'(?:href="|url\()#([^")]+)', f.svg)) == own


def test_phone_width_keeps_text_legible(figure):
    width = float(re.search(r'viewBox="0 0 (\S+)', figure.svg)[1])
    sizes = [float(size) for size in re.findall(r"font-size: ([\d.]+)px", figure.svg)]
    assert min(sizes) * 340 / width >= 10


def test_numbers_that_a_reader_sees_are_not_rounded(truth):
    X = data.shop_customers().X
    ticks = re.findall(r">(0\.\d\d)</text>", show.density_figure(X, truth, name="a", alt="A.").svg)
    assert {"0.00", "0.02", "0.04"} <= set(ticks)


@pytest.mark.parametrize("alt", ["", "   ", "histogram"])
def test_a_figure_without_a_sentence_for_the_blind_is_refused(alt):
    with pytest.raises(ValueError, match="needs an alt text"):
        show.trace_figure({"EM": [1.0, 2.0]}, name="a", alt=alt)


@pytest.mark.parametrize("name", ["", "Two", "a b", "1a", 'a"'])
def test_a_name_that_cannot_be_an_id_is_refused(name):
    with pytest.raises(ValueError, match="figure name"):
        show.trace_figure({"EM": [1.0, 2.0]}, name=name, alt="It rises.")


def test_alt_and_caption_are_escaped():
    figure = show.trace_figure({"a": [1.0]}, name="a", alt='1 < 2 & "3".', caption="a < b")
    root = ElementTree.fromstring(figure._repr_mimebundle_()["text/html"])
    assert root[0].get("aria-label") == '1 < 2 & "3".'
    assert root[1].text == "a < b"


def test_no_caption_no_figcaption(figure):
    assert "figcaption" not in figure._repr_mimebundle_()["text/html"]


def test_png_for_the_readme(figure, tmp_path):
    path = tmp_path / "figure.png"
    svg = figure.svg
    figure.save_png(path, dpi=100)
    header = path.read_bytes()[:24]
    assert header.startswith(b"\x89PNG")
    assert struct.unpack(">I", header[16:20]) == (500,)
    assert figure.svg == svg


def test_matplotlibs_own_settings_are_left_alone(truth):
    before = dict(mpl.rcParams)
    show.density_figure(data.shop_customers().X, truth, name="a", alt="A.")._repr_mimebundle_()
    assert dict(mpl.rcParams) == before


# --- What the figures draw


def drawn(figure, axis=0):
    return {
        line.get_color().upper() + line.get_linestyle(): line.get_xydata()
        for line in figure.drawing.axes[axis].lines
    }


def test_weighted_components_add_up_to_the_mixture(truth):
    figure = show.density_figure(data.shop_customers().X, truth, name="a", alt="A.")
    curves = drawn(figure)
    mixture = curves[palette.TEXT + "-"]
    parts = [curves[palette.COMPONENTS[k] + "-"] for k in (0, 1)]
    assert np.allclose(mixture[:, 1], parts[0][:, 1] + parts[1][:, 1], rtol=1e-12)
    areas = [np.trapezoid(part[:, 1], part[:, 0]) for part in parts]
    assert np.allclose(areas, data.SHOP_WEIGHTS, atol=2e-3)


def test_the_mixture_hides_no_component_and_its_label_points_at_it(truth):
    ax = show.density_figure(data.shop_customers().X, truth, name="a", alt="A sum.").drawing.axes[0]
    *components, mixture = ax.lines
    assert mixture.get_color() == palette.TEXT
    assert all(mixture.get_linewidth() < part.get_linewidth() / 2 for part in components)
    (x, y), *_ = [note.xy for note in ax.texts if note.get_text() == "mixture"]
    assert y == pytest.approx(np.interp(x, *mixture.get_xydata().T))
    assert all(np.interp(x, *part.get_xydata().T) < 0.8 * y for part in components)


def test_responsibilities_add_up_to_one_and_bars_to_the_number_of_rows(truth):
    figure = show.responsibility_figure(data.shop_customers().X, truth, name="a", alt="A.")
    curves = drawn(figure, axis=1)
    gamma = sum(curves[palette.COMPONENTS[k] + "-"][:, 1] for k in (0, 1))
    assert np.allclose(gamma, 1)
    stairs = [patch.get_data() for patch in figure.drawing.axes[0].patches]
    assert np.isclose(sum((s.values - s.baseline).sum() for s in stairs), 200)


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_ellipses_lie_one_and_two_standard_deviations_out(covariance_type):
    covariances = {
        "full": np.array([[[2.0, 0.5], [0.5, 1.0]]]),
        "tied": np.array([[2.0, 0.5], [0.5, 1.0]]),
        "diag": np.array([[2.0, 1.0]]),
        "spherical": np.array([2.0]),
    }[covariance_type]
    full = {
        "full": covariances[0],
        "tied": covariances,
        "diag": np.diag([2.0, 1.0]),
        "spherical": 2 * np.eye(2),
    }[covariance_type]
    mixture = Mixture(np.ones(1), np.array([[1.0, -2.0]]), covariances, covariance_type)
    X = np.random.default_rng(0).normal(size=(20, 2))
    figure = show.ellipse_figure(X, mixture, name="a", alt="A.", xlabel="x", ylabel="y")
    outlines = [
        line.get_xydata() for line in figure.drawing.axes[0].lines if len(line.get_xdata()) == 61
    ]
    for sds, points in zip((1, 2), outlines, strict=True):
        away = points - mixture.means[0]
        assert np.allclose(np.einsum("ni,ij,nj->n", away, np.linalg.inv(full), away), sds**2)


def test_every_row_is_drawn_once(eruptions, truth):
    figure = make("ellipse", truth, eruptions)
    points = [line for line in figure.drawing.axes[0].lines if line.get_marker() == "o"]
    drawn_rows = np.concatenate([line.get_xydata() for line in points])
    X = data.old_faithful().X
    assert np.array_equal(drawn_rows[np.lexsort(drawn_rows.T)], X[np.lexsort(X.T)])


def test_a_falling_log_likelihood_is_marked_where_it_falls():
    runs = {"right": [-9.0, -5.0, -5.0, -4.0], "wrong": [-9.0, -5.0, -6.0, -4.0]}
    figure = show.trace_figure(runs, name="a", alt="One run falls.")
    marks = [line for line in figure.drawing.axes[0].lines if line.get_marker() == "v"]
    assert [line.get_xydata().tolist() for line in marks] == [[], [[2.0, -6.0]]]


def test_rounding_is_not_marked_as_a_fall():
    figure = show.trace_figure({"a": [-5873.0, -5873.0 - 1e-11]}, name="a", alt="It stays.")
    assert all(
        line.get_xdata().size == 0
        for line in figure.drawing.axes[0].lines
        if line.get_marker() == "v"
    )


def test_labels_of_runs_that_end_together_do_not_overlap():
    runs = {f"start {i}": [-10.0 - i, -1.0 - 1e-6 * i] for i in range(4)}
    figure = show.trace_figure(runs, name="a", alt="All runs end at -1.")
    heights = sorted(text.xy[1] for text in figure.drawing.axes[0].texts)
    bottom, top = figure.drawing.axes[0].get_ylim()
    assert np.diff(heights).min() > 0.1 * (top - bottom)


@pytest.mark.parametrize("runs", [{}, {"a": []}, {"a": [1.0, np.nan]}, {"a": [[1.0]]}])
def test_runs_that_cannot_be_drawn_are_refused(runs):
    with pytest.raises(ValueError, match="runs"):
        show.trace_figure(runs, name="a", alt="A.")


def test_wrong_dimension_or_labels_are_refused(truth, eruptions):
    geyser = data.old_faithful().X
    with pytest.raises(ValueError, match=r"needs X of shape \(N, 1\)"):
        show.density_figure(geyser, truth, name="a", alt="A.")
    with pytest.raises(ValueError, match=r"needs X of shape \(N, 2\)"):
        show.ellipse_figure(geyser, truth, name="a", alt="A.", xlabel="x", ylabel="y")
    with pytest.raises(ValueError, match="2 components need as many labels"):
        show.responsibility_figure(
            data.shop_customers().X, truth, name="a", alt="A.", labels=("child",)
        )
