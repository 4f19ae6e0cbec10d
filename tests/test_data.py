"""The data sets load, are what their descriptions say, and say where they come from."""

import importlib.resources
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

from gmmlib import data

ROOT = Path(__file__).parents[1]
LOADERS = [
    data.adult_heights,
    data.clinic_heights,
    data.galaxies,
    data.old_faithful,
    data.shop_customers,
    data.sp500,
    data.vowels,
]


@pytest.fixture(params=LOADERS, ids=lambda loader: loader.__name__)
def loader(request):
    return request.param


def test_every_described_set_has_a_loader():
    assert list(data.sources()) == [loader.__name__ for loader in LOADERS]


def test_x_is_a_read_only_matrix_of_finite_doubles(loader):
    dataset = loader()
    facts = data.sources()[dataset.name]
    assert dataset.X.shape == (facts["rows"], len(facts["features"]))
    assert dataset.X.dtype == np.float64
    assert np.isfinite(dataset.X).all()
    assert len(dataset.columns) == len(dataset.units) == dataset.X.shape[1]
    for array in (dataset.X, *dataset.other.values()):
        assert len(array) == len(dataset.X)
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[1]


def test_docstring_states_the_shape(loader):
    stated = re.search(r"X \((\d+), (\d+)\)", loader.__doc__)
    assert tuple(map(int, stated.groups())) == loader().X.shape


def test_labels_name_groups_with_the_smaller_mean_first(loader):
    dataset = loader()
    if dataset.labels is None:
        assert dataset.label_names == ()
        return
    assert len(dataset.labels) == len(dataset.X)
    assert set(dataset.labels) == set(range(len(dataset.label_names)))
    means = [dataset.X[dataset.labels == k].mean() for k in range(len(dataset.label_names))]
    assert means == sorted(means)


def test_every_citation_is_in_the_bibliography(loader):
    bibliography = (ROOT / "chapters" / "references.bib").read_text(encoding="utf-8")
    keys = set(re.findall(r"^@\w+\{(\w+),", bibliography, flags=re.M))
    assert set(loader().citation) <= keys
    in_docstring = re.findall(r"\{cite\}`([^`]+)`", loader.__doc__)
    assert set(in_docstring) == set(loader().citation)


def test_readme_is_printed_from_the_sources():
    readme = importlib.resources.files("gmmlib.data").joinpath("README.md").read_text("utf-8")
    assert readme == data.readme(), "run: python -m gmmlib.data > gmmlib/data/README.md"


def test_group_sizes_and_means_as_described():
    adults = data.adult_heights()
    assert np.bincount(adults.labels).tolist() == [830, 799]
    assert adults.X[adults.labels == 0].mean() == pytest.approx(162.446, abs=5e-4)
    assert adults.X[adults.labels == 1].mean() == pytest.approx(175.281, abs=5e-4)
    clinic = data.clinic_heights()
    assert np.bincount(clinic.labels).tolist() == [83, 45]
    assert (clinic.other["age"].min(), clinic.other["age"].max()) == (1, 44)
    assert np.array_equal(clinic.labels == 1, clinic.other["age"] >= 18)
    assert (clinic.other["sex"] == "male").sum() == 104
    assert (np.round(clinic.X) == clinic.X).sum() == 72
    assert clinic.X[clinic.labels == 1].min() == 81.3
    vowels = data.vowels()
    assert np.bincount(vowels.labels).tolist() == [152] * 10
    said = np.unique(np.c_[vowels.other["speaker"], vowels.labels], axis=0, return_counts=True)[1]
    assert said.tolist() == [2] * 760
    first = np.unique(vowels.other["speaker"], return_index=True)[1]
    groups = vowels.other["group"][first].tolist()
    assert [groups.count(group) for group in ("man", "woman", "child")] == [33, 28, 15]
    dates = data.sp500().other["date"].tolist()
    assert dates == sorted(set(dates))
    assert (dates[0], dates[-1]) == ("1969-12-31", "2018-12-07")
    faithful = data.old_faithful().X
    assert faithful.mean(axis=0) == pytest.approx([3.48778, 70.89706], abs=5e-6)


def test_oddities_are_as_described():
    heights = data.adult_heights().X
    assert np.array_equal(heights * 32, np.round(heights * 32))
    tenths = np.ceil(heights * 10 - 1e-9) / 10
    assert np.array_equal(np.floor(np.round(tenths * 320) / 10) / 32, heights)
    seconds = data.old_faithful().X[:, 0] * 60
    assert np.abs(seconds - np.round(seconds)).max() < 0.05
    assert np.mean(np.round(seconds) % 5 == 0) == pytest.approx(0.33, abs=0.005)
    spread = data.old_faithful().X.std(axis=0)
    assert spread[1] / spread[0] == pytest.approx(12, abs=0.5)
    tens = np.mean(data.vowels().X[:, 1:] % 10 == 0, axis=0)
    assert tens == pytest.approx([0.72, 0.87, 0.95], abs=0.005)
    index = data.sp500()
    crash = np.argmin(np.diff(np.log(index.X[:, 0])))
    assert index.other["date"][crash + 1] == "1987-10-19"
    assert index.X[crash + 1, 0] / index.X[crash, 0] - 1 == pytest.approx(-0.205, abs=5e-4)
    velocities = data.galaxies().X[:, 0]
    assert velocities[77] == 26.690  # Roeder's table has 26.960
    assert np.array_equal(velocities, np.sort(velocities))
    assert ((velocities < 11).sum(), (velocities > 30).sum()) == (7, 3)
    assert np.ptp(velocities[7:9]) == pytest.approx(0.086, abs=1e-9)
    assert (velocities.mean(), velocities.std(ddof=1)) == pytest.approx((20.828, 4.564), abs=1e-3)


@pytest.mark.parametrize(
    ("loader", "start", "means", "sds", "humps"),
    [
        (data.adult_heights, [[162], [175]], (161.516, 174.066), (5.410, 7.340), 1),
        (data.clinic_heights, [[124], [174]], (124.855, 174.036), (24.357, 6.819), 2),
    ],
)
def test_two_components_find_what_the_book_quotes(loader, start, means, sds, humps):
    X = loader().X
    model = GaussianMixture(2, tol=1e-11, max_iter=5000, reg_covar=0, means_init=start)
    model.fit(X)
    assert model.means_[:, 0] == pytest.approx(means, abs=0.01)
    assert np.sqrt(model.covariances_[:, 0, 0]) == pytest.approx(sds, abs=0.01)
    slopes = np.sign(np.diff(model.score_samples(np.linspace(X.min(), X.max(), 2001)[:, None])))
    assert (np.diff(slopes) < 0).sum() == humps


def test_the_shop_is_simulated_by_the_code_that_says_so():
    heights, labels = data.simulate_customers(200, np.random.default_rng(data.SHOP_SEED))
    assert np.array_equal(heights, data.shop_customers().X)
    assert np.array_equal(labels, data.shop_customers().labels)


def test_simulated_customers_follow_the_stated_truth():
    heights, labels = data.simulate_customers(200_000, np.random.default_rng(7))
    for k, (weight, mean, sd) in enumerate(
        zip(data.SHOP_WEIGHTS, data.SHOP_MEANS, data.SHOP_SDS, strict=True)
    ):
        assert np.mean(labels == k) == pytest.approx(weight, abs=0.006)
        assert heights[labels == k].mean() == pytest.approx(mean, abs=0.1)
        assert heights[labels == k].std() == pytest.approx(sd, abs=0.1)


@pytest.mark.parametrize(
    ("columns", "rows"), [(["height", "customer"], 199), (["height", "label"], 200)]
)
def test_a_damaged_file_is_refused_with_what_was_found(monkeypatch, columns, rows):
    spoiled = dict(data.sources()["shop_customers"]) | {"columns": columns, "rows": rows}
    monkeypatch.setattr(data, "sources", lambda: {"shop_customers": spoiled})
    data.shop_customers.cache_clear()
    with pytest.raises(ValueError, match=r"shop_customers\.csv holds 200 rows of"):
        data.shop_customers()
