"""`gmmlib.estimator.GaussianMixture`: scikit-learn's, and what scikit-learn's lacks."""

import pickle
import re
import signal
import warnings

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.mixture import GaussianMixture as ScikitLearn
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from gmmlib import CollapseError, Mixture, kmeans_start, random_start, runs
from gmmlib import estimator as estimator_module
from gmmlib.covariance import COVARIANCE_TYPES
from gmmlib.data import old_faithful
from gmmlib.estimator import GaussianMixture

IRIS = load_iris().data
ATTRIBUTES = ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_")


def three_groups(n=300, d=2, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) + 5 * rng.integers(3, size=n)[:, None]


X = three_groups()
WEIGHT = np.random.default_rng(1).integers(0, 4, size=len(X)).astype(float)


def quietly(call, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return call(*args, **kwargs)


def assert_same(a, b, rtol=0.0, names=(*ATTRIBUTES, "lower_bound_", "n_iter_", "converged_")):
    for name in names:
        ours, theirs = getattr(a, name), getattr(b, name)
        if rtol == 0:
            assert_array_equal(ours, theirs, err_msg=name)
        else:
            scale = np.abs(np.asarray(theirs, float)).max()
            assert_allclose(ours, theirs, rtol=rtol, atol=rtol * scale, err_msg=name)


class Blocks:
    """Rows in blocks that can be read again; `at_pass` is told the number of each pass."""

    def __init__(self, *blocks, at_pass=lambda n: None):
        self.blocks, self.at_pass, self.passes = blocks, at_pass, 0

    def __iter__(self):
        self.passes += 1
        self.at_pass(self.passes)
        yield from self.blocks


# --- scikit-learn's own checks --------------------------------------------------------------------


def checks():
    """What `parametrize_with_checks` would give, with names that are the same in every process."""
    # Shuffled, repeated and weighted rows must give the same fit, so the start may not depend on
    # the order of the rows; that of scikit-learn's k-means does.
    start = {"init_params": kmeans_start, "random_state": 0}
    models = {
        "one": GaussianMixture(),
        "three": GaussianMixture(3, **start),
        "three tied": GaussianMixture(3, covariance_type="tied", **start),
    }
    for name, model in models.items():
        for number, (estimator, check) in enumerate(estimator_checks_generator(model)):
            yield pytest.param(estimator, check, id=f"{name}-{number}-{check.func.__name__}")


@pytest.mark.parametrize(("estimator", "check"), list(checks()))
def test_scikit_learn_s_checks(estimator, check):
    check(estimator)


# --- The same as scikit-learn's -------------------------------------------------------------------


def test_parameters_and_their_defaults_are_scikit_learn_s():
    ours = GaussianMixture().get_params()
    assert ours.pop("n_jobs") is None
    assert ours.pop("learning_decay") == 0.6
    assert ours == ScikitLearn().get_params()


def test_public_names_of_a_fitted_model_include_scikit_learn_s():
    ours, theirs = (
        {name for name in dir(model.fit(X)) if not name.startswith("_")}
        for model in (GaussianMixture(2), ScikitLearn(2))
    )
    assert theirs <= ours


@pytest.mark.parametrize(
    ("covariance_type", "init_params"),
    [
        (T, init)
        for T in COVARIANCE_TYPES
        for init in ("kmeans", "random", "k-means++", "random_from_data")
        # Of the others scikit-learn's covariance is far too wide, see gmmlib.init_params.
        if T != "tied" or init in ("kmeans", "random")
    ],
)
def test_same_random_state_same_fit(covariance_type, init_params):
    options = {"covariance_type": covariance_type, "init_params": init_params}
    options |= {"random_state": 3, "reg_covar": 1e-2}
    data = X - X.mean(axis=0)  # scikit-learn loses digits far from the origin
    ours = quietly(GaussianMixture(3, **options).fit, data)
    theirs = quietly(ScikitLearn(3, **options).fit, data)
    assert_same(ours, theirs, rtol=1e-8)
    assert_allclose(ours.lower_bounds_[1:], theirs.lower_bounds_[1:], rtol=1e-8)
    assert_allclose(ours.predict_proba(data), theirs.predict_proba(data), atol=1e-8)
    assert_array_equal(ours.predict(data), theirs.predict(data))
    assert_allclose(ours.score_samples(data), theirs.score_samples(data), rtol=1e-8)
    for name in ("score", "aic", "bic"):
        assert getattr(ours, name)(data) == pytest.approx(getattr(theirs, name)(data), rel=1e-8)
    for a, b in zip(ours.sample(20), theirs.sample(20), strict=True):
        assert_allclose(a, b, rtol=1e-6, atol=1e-6)


def test_same_random_state_same_best_of_several_runs():
    options = {"init_params": "random", "n_init": 5, "max_iter": 6, "random_state": 0}
    ours, theirs = (quietly(M(3, **options).fit, X) for M in (GaussianMixture, ScikitLearn))
    first = quietly(GaussianMixture(3, **options).set_params(n_init=1).fit, X)
    assert ours.lower_bound_ > first.lower_bound_
    assert_same(ours, theirs, rtol=1e-8)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("iterations", [1, 20])
def test_same_start_same_iterations(covariance_type, iterations):
    start = random_start(IRIS, 3, np.random.default_rng(0), covariance_type, reg_covar=0.01)
    matrices = covariance_type in ("full", "tied")
    options = {
        "covariance_type": covariance_type,
        "tol": 0,
        "max_iter": iterations,
        "weights_init": start.weights,
        "means_init": start.means,
        "precisions_init": np.linalg.inv(start.covariances) if matrices else 1 / start.covariances,
    }
    ours, theirs = (quietly(M(3, **options).fit, IRIS) for M in (GaussianMixture, ScikitLearn))
    assert ours.n_iter_ == iterations
    assert_same(ours, theirs, rtol=1e-8)


@pytest.mark.parametrize("given", ["weights_init", "means_init", "precisions_init"])
def test_part_of_the_start_may_be_given(given):
    value = {
        "weights_init": [0.7, 0.2, 0.1],
        "means_init": [[0, 0], [1, 1], [2, 2]],
        "precisions_init": [np.eye(2)] * 3,
    }[given]
    ours, theirs = (
        quietly(M(3, random_state=0, max_iter=3, **{given: value}).fit, X)
        for M in (GaussianMixture, ScikitLearn)
    )
    assert_same(ours, theirs, rtol=1e-8)


def test_max_iter_zero_leaves_the_start():
    ours, theirs = (M(3, random_state=0, max_iter=0).fit(X) for M in (GaussianMixture, ScikitLearn))
    assert_same(ours, theirs, rtol=1e-8, names=ATTRIBUTES)
    assert ours.n_iter_ == 0
    assert not ours.converged_


# mclust's own BIC, with its sign turned: Old Faithful from {cite}`scrucca2016`, iris from the table
# that mclustBIC(iris[, 1:4]) prints (EEE is tied, VVV full, VVI diag, VII spherical).
PUBLISHED = [
    ("faithful", "tied", 3, 2314.316),
    ("faithful", "full", 2, 2322.192),
    ("faithful", "diag", 2, 2346.065),
    ("iris", "full", 1, 829.9782),
    ("iris", "full", 2, 574.0178),
    ("iris", "full", 3, 580.8396),
    ("iris", "tied", 2, 688.0972),
    ("iris", "tied", 3, 632.9647),
    ("iris", "diag", 1, 1522.1202),
    ("iris", "diag", 2, 857.5515),
    ("iris", "spherical", 1, 1804.0854),
    ("iris", "spherical", 2, 1012.2352),
    ("iris", "spherical", 3, 853.8144),
]


@pytest.mark.parametrize(("data", "covariance_type", "n_components", "bic"), PUBLISHED)
def test_published_fits(data, covariance_type, n_components, bic):
    rows = IRIS if data == "iris" else old_faithful().X
    model = GaussianMixture(n_components, covariance_type=covariance_type, reg_covar=0, tol=1e-7)
    model.set_params(max_iter=2000, n_init=3, random_state=0)
    # mclust stops at a relative change of 1e-5: a little below the maximum, never above it.
    assert bic - 0.03 < model.fit(rows).bic(rows) < bic + 1e-3


# --- Working together with the rest of scikit-learn -----------------------------------------------


def test_clone_parameters_and_html():
    model = GaussianMixture(2, random_state=0, n_jobs=1).fit(X)
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "means_")
    with pytest.raises(NotFittedError):
        copy.predict(X)
    assert model.set_params(n_components=3, tol=0.1).n_components == 3
    assert "GaussianMixture" in model._repr_html_()


def test_pickle():
    model = GaussianMixture(3, random_state=0).fit(X)
    copy = pickle.loads(pickle.dumps(model))
    assert_same(copy, model)
    assert_array_equal(copy.predict_proba(X), model.predict_proba(X))
    assert_same(copy.partial_fit(X), model.partial_fit(X))


def test_pipeline_and_grid_search():
    pipeline = make_pipeline(StandardScaler(), GaussianMixture(random_state=0))
    grid = {
        "gaussianmixture__n_components": [1, 3],
        "gaussianmixture__covariance_type": ["full", "spherical"],
    }
    search = GridSearchCV(pipeline, grid, cv=KFold(3, shuffle=True, random_state=0)).fit(X)
    assert search.best_params_["gaussianmixture__n_components"] == 3
    assert len(set(search.predict(X))) == 3
    assert_array_equal(pipeline.fit_predict(X), pipeline.predict(X))


def test_metadata_routing():
    weight = WEIGHT + 1
    model = GaussianMixture(2, init_params=kmeans_start, random_state=0)
    folds = KFold(3)
    with sklearn.config_context(enable_metadata_routing=True):
        model.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        search = GridSearchCV(model, {"n_components": [2]}, cv=folds)
        search.fit(X, sample_weight=weight)
    expected = [
        clone(model).fit(X[a], sample_weight=weight[a]).score(X[b], sample_weight=weight[b])
        for a, b in folds.split(X)
    ]
    assert search.cv_results_["mean_test_score"][0] == pytest.approx(np.mean(expected), rel=1e-12)


def test_names_of_features():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["width", "height"])
    model = GaussianMixture(3, random_state=0).fit(frame, sample_weight=pandas.Series(WEIGHT))
    assert list(model.feature_names_in_) == ["width", "height"]
    assert model.predict(frame).shape == (len(X),)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[["height", "width"]])
    names = Blocks(frame[:100], frame[100:])
    assert list(GaussianMixture().fit(names).feature_names_in_) == ["width", "height"]


def test_attributes_may_be_set_by_hand():
    model = GaussianMixture(3, random_state=0).fit(X)
    model.means_[0] += 1
    moved = Mixture(model.weights_, model.means_, model.covariances_)
    assert_allclose(model.score_samples(X), moved.log_density(X), rtol=1e-12)


# --- Weights --------------------------------------------------------------------------------------


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("init_params", ["kmeans", kmeans_start])
def test_a_weight_counts_how_often_a_row_occurs(covariance_type, init_params):
    model = GaussianMixture(3, covariance_type=covariance_type, init_params=init_params)
    model.set_params(random_state=0, tol=0, max_iter=30)
    repeated = X.repeat(WEIGHT.astype(int), axis=0)
    a = quietly(clone(model).fit, X, sample_weight=WEIGHT)
    b = quietly(clone(model).fit, repeated)
    assert_same(a, b, rtol=1e-8)
    assert b.score(repeated) == pytest.approx(b.score(X, sample_weight=WEIGHT), rel=1e-12)
    assert b.bic(repeated) == pytest.approx(b.bic(X, sample_weight=WEIGHT), rel=1e-12)
    assert b.aic(repeated) == pytest.approx(b.aic(X, sample_weight=WEIGHT), rel=1e-12)
    assert_array_equal(quietly(clone(model).fit_predict, X, sample_weight=WEIGHT), a.predict(X))


@pytest.mark.parametrize("init_params", ["kmeans", "k-means++", "random", "random_from_data"])
def test_weights_of_one_change_nothing_and_rows_of_weight_zero_are_not_there(init_params):
    options = {"init_params": init_params, "random_state": 0, "reg_covar": 0.01}
    model = GaussianMixture(3, **options).fit(X)
    if init_params != "random_from_data":  # numpy draws otherwise when rows have probabilities
        assert_same(clone(model).fit(X, sample_weight=np.ones(len(X))), model, rtol=1e-12)
    here = WEIGHT > 0
    far = np.where(here[:, None], X, 1e3)
    a = clone(model).fit(far, sample_weight=WEIGHT)
    b = clone(model).fit(X[here], sample_weight=WEIGHT[here])
    assert_same(a, b, rtol=1e-10)


@pytest.mark.parametrize("init_params", ["k-means++", "random_from_data"])
def test_starts_on_rows_choose_heavy_ones(init_params):
    weight = np.full(len(X), 1e-9)
    weight[[5, 50, 150]] = 1
    model = GaussianMixture(3, init_params=init_params, random_state=0, max_iter=0)
    means = model.fit(X, sample_weight=weight).means_
    assert_array_equal(means[means[:, 0].argsort()], np.array(sorted(X[[5, 50, 150]].tolist())))


# --- Blocks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_blocks_are_one_array(covariance_type):
    model = GaussianMixture(3, covariance_type=covariance_type, random_state=0)
    whole = clone(model).fit(X)
    for blocks in (Blocks(X[:50], X[50:51], X[51:]), [X[:200], X[200:]], (X,)):
        parts = clone(model).fit(blocks)
        assert_same(parts, whole, rtol=1e-10)
        assert parts.score(blocks) == pytest.approx(whole.score(X), rel=1e-12)
        assert parts.bic(blocks) == pytest.approx(whole.bic(X), rel=1e-12)
    weighted = clone(model).fit(X, sample_weight=WEIGHT)
    pairs = clone(model).fit([(X[:99], WEIGHT[:99]), (X[99:], WEIGHT[99:])])
    assert_same(pairs, weighted, rtol=1e-10)


def test_memory_mapped_float32_and_fortran_order(tmp_path):
    np.save(tmp_path / "X.npy", X.astype(np.float32))
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    model = GaussianMixture(3, random_state=0)
    expected = clone(model).fit(mapped.astype(float))
    assert expected.means_.dtype == np.float64
    starts = clone(model).set_params(  # k-means in float32 may end in another place
        weights_init=expected.weights_,
        means_init=expected.means_ + 0.1,
        precisions_init=expected.precisions_,
    )
    expected = clone(starts).fit(mapped.astype(float))
    for data in (mapped, np.asfortranarray(mapped), [mapped[:100], mapped[100:]]):
        fitted = clone(starts).fit(data)
        assert_same(fitted, expected, rtol=1e-10)
        assert fitted.weights_.dtype == np.float64
    assert_allclose(fitted.predict_proba(mapped), expected.predict_proba(mapped.astype(float)))


def test_starts_from_blocks_see_a_sample_of_the_rows(monkeypatch):
    monkeypatch.setattr(runs, "START_ROWS", 40)
    seen = []

    def start(rows, *options):
        seen.append(rows)
        return kmeans_start(rows, *options)

    blocks = [(X[i : i + 30], WEIGHT[i : i + 30]) for i in range(0, 300, 30)]
    model = GaussianMixture(3, init_params=start, random_state=0, reg_covar=0.1).fit(blocks)
    assert seen[0].shape == (40, 2)
    positions = [int(np.flatnonzero((row == X).all(axis=1))[0]) for row in seen[0]]
    assert positions == sorted(set(positions))  # in their order, none twice
    assert (WEIGHT[positions] > 0).all()
    assert len({p // 30 for p in positions}) > 5  # from here and there
    assert model.weight_seen_ == WEIGHT.sum()


def test_labels_come_in_batches(monkeypatch):
    model = GaussianMixture(3, random_state=0).fit(X)
    expected = model.predict_proba(X).argmax(axis=1)
    monkeypatch.setattr(estimator_module, "PREDICT_ROWS", 70)
    assert_array_equal(model.predict(X), expected)


def test_the_number_of_threads_does_not_matter():
    data = three_groups(20_000, 4)
    one, two = (
        GaussianMixture(3, means_init=data[:3], precisions_init=[np.eye(4)] * 3, n_jobs=n)
        .set_params(weights_init=[1 / 3] * 3)
        .fit(data)
        for n in (1, 2)
    )
    assert_same(one, two)


# --- Stepwise EM ----------------------------------------------------------------------------------


def test_one_component_and_decay_one_average_all_batches():
    model = GaussianMixture(learning_decay=1, reg_covar=0)
    for batch in (X[:50], X[50:51], X[51:]):
        model.partial_fit(batch)
    whole = GaussianMixture(reg_covar=0).fit(X)
    assert_same(model, whole, rtol=1e-12, names=ATTRIBUTES)
    assert model.weight_seen_ == len(X)


def test_the_first_batch_is_one_iteration_of_fit():
    model = GaussianMixture(3, random_state=0, max_iter=1)
    assert_same(clone(model).partial_fit(X), quietly(clone(model).fit, X))


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_where_em_stands_still_stepwise_em_does(covariance_type):
    model = GaussianMixture(3, covariance_type=covariance_type, random_state=0, tol=1e-14)
    model.set_params(max_iter=1000, reg_covar=0)
    before = clone(model).fit(X)
    after = clone(model).fit(X)
    for _ in range(3):
        after.partial_fit(X)
    assert_same(after, before, rtol=1e-5, names=ATTRIBUTES)


def test_a_stream_of_batches_finds_the_groups():
    data = three_groups(30_000, seed=2)
    model = GaussianMixture(3, random_state=0)
    for batch in np.array_split(data, 100):
        model.partial_fit(batch)
    whole = GaussianMixture(3, random_state=0).fit(data)
    assert model.score(data) == pytest.approx(whole.score(data), abs=2e-3)
    assert_allclose(np.sort(model.means_[:, 0]), [0, 5, 10], atol=0.1)


def test_step_sizes():
    """By hand, for one mean: steps (b / W)^alpha."""
    batches = [np.array([[0.0], [2.0]]), np.array([[4.0], [6.0], [7.0]]), np.array([[9.0]])]
    model = GaussianMixture(learning_decay=0.7, reg_covar=0)
    mean, total = 0.0, 0
    for batch in batches:
        total += len(batch)
        rate = (len(batch) / total) ** 0.7
        mean = (1 - rate) * mean + rate * batch.mean()
        assert model.partial_fit(batch).means_[0, 0] == pytest.approx(mean, rel=1e-12)


def test_weights_of_a_batch_count_rows():
    model = GaussianMixture(2, init_params=kmeans_start, random_state=0)
    a, b = clone(model), clone(model)
    for rows in (slice(0, 100), slice(100, 300)):
        a.partial_fit(X[rows], sample_weight=WEIGHT[rows])
        b.partial_fit(X[rows].repeat(WEIGHT[rows].astype(int), axis=0))
    assert_same(a, b, rtol=1e-9)


# --- Several runs ---------------------------------------------------------------------------------


def sometimes_collapsing(good):
    """A start whose calls collapse except those whose number is in `good`."""
    calls = []

    def start(X, K, rng, *options):
        calls.append(None)
        mixture = kmeans_start(X, K, rng, *options)
        if len(calls) in good:
            return mixture
        far = mixture.means + 1e8 * np.arange(K)[:, None]  # all rows fall to the first
        return Mixture(mixture.weights, far, mixture.covariances, mixture.covariance_type)

    return start


def test_runs_that_collapse_do_not_stop_the_others():
    model = GaussianMixture(3, n_init=4, init_params=sometimes_collapsing({2, 4}), random_state=0)
    with pytest.warns(RuntimeWarning, match=r"2 of 4 run\(s\) collapsed; the last: component"):
        model.fit(X)
    assert model.converged_


def test_all_runs_collapse():
    model = GaussianMixture(3, random_state=0).fit(X)
    before = dict(vars(model))
    model.set_params(n_init=2, init_params=sometimes_collapsing(set()))
    with pytest.raises(CollapseError, match=r"2 of 2 run\(s\) collapsed; the last: component"):
        model.fit(X)
    for name in ATTRIBUTES:
        assert getattr(model, name) is before[name]


def test_k_means_with_too_few_different_rows_collapses():
    rows = np.repeat([[0.0, 0.0], [1.0, 1.0]], 5, axis=0)
    with (
        pytest.warns(ConvergenceWarning, match="distinct clusters"),
        pytest.raises(CollapseError, match="component 2 is empty"),
    ):
        GaussianMixture(3, random_state=0).fit(rows)


@pytest.mark.parametrize("init_params", ["k-means++", "random_from_data"])
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_starts_on_single_rows_need_reg_covar(init_params, covariance_type):
    model = GaussianMixture(3, init_params=init_params, covariance_type=covariance_type)
    with pytest.raises(CollapseError, match=re.escape(f"init_params={init_params!r}: covariances")):
        model.set_params(reg_covar=0, random_state=0).fit(X)


def test_progress_is_printed(capsys):
    quietly(GaussianMixture(3, random_state=0, tol=0, max_iter=7, n_init=2).fit, X)
    assert capsys.readouterr().out == ""
    model = GaussianMixture(3, random_state=0, tol=0, max_iter=7, n_init=2, verbose=1)
    quietly(model.set_params(verbose_interval=3).fit, X)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        f"run {run} of 2, iteration {t}" for run in (1, 2) for t in (3, 6)
    ]
    assert "log-likelihood -" in lines[0]
    GaussianMixture(3, random_state=0, verbose=1).fit(X)
    assert ", converged, " in capsys.readouterr().out


# --- Stopping and going on ------------------------------------------------------------------------

HALVES = (X[:150], X[150:])


@pytest.fixture(autouse=True)
def ctrl_c():
    """Python's own answer to SIGINT, which a job in the background does not have."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def stop_at(n):
    """A real SIGINT, as Ctrl-C sends it, when the data are read for the n-th time."""
    return lambda number: signal.raise_signal(signal.SIGINT) if number == n else None


def test_warm_start_goes_on_as_if_there_had_been_no_pause():
    model = GaussianMixture(3, random_state=0, tol=0, covariance_type="diag", init_params="random")
    whole = quietly(clone(model).set_params(max_iter=12).fit, X)
    parts = clone(model).set_params(max_iter=4, warm_start=True)
    bounds = []
    for _ in range(3):
        quietly(parts.fit, X)
        bounds += parts.lower_bounds_
    assert_same(parts, whole, names=(*ATTRIBUTES, "lower_bound_"))
    assert bounds == whole.lower_bounds_


def test_a_warm_start_can_converge_at_once():
    model = GaussianMixture(3, random_state=0, warm_start=True).fit(X)
    assert model.fit(X).n_iter_ == 1
    with pytest.raises(
        ValueError, match=r"warm_start goes on with 3 component\(s\) of type 'full'"
    ):
        model.set_params(n_components=2).fit(X)


# Three runs of at most eight iterations, for each of which the data are read once: and as often
# once more, for a start (and once to look at the first block).
@pytest.mark.parametrize("when", [4, 7, 11, 12, 16, 20, 27])
def test_stopped_saved_loaded_and_gone_on_with(when, tmp_path):
    model = GaussianMixture(3, n_init=3, init_params="random", tol=0, max_iter=8, random_state=5)
    whole = quietly(clone(model).fit, Blocks(*HALVES))
    stopped = clone(model)
    with pytest.warns(ConvergenceWarning, match=r"stopped by Ctrl-C in run \d of 3; .*warm_start"):
        stopped.fit(Blocks(*HALVES, at_pass=stop_at(when)))
    assert stopped.stopped_
    assert stopped.predict(X).shape == (300,)
    assert stopped.lower_bound_ <= whole.lower_bound_
    stopped.save(tmp_path / "stopped.npz")
    resumed = GaussianMixture.load(tmp_path / "stopped.npz").set_params(warm_start=True)
    quietly(resumed.fit, Blocks(*HALVES))
    assert_same(resumed, whole)
    assert resumed.lower_bounds_ == whole.lower_bounds_
    assert not resumed.stopped_


def test_stopped_twice():
    model = GaussianMixture(3, n_init=2, init_params="random", tol=0, max_iter=8, random_state=5)
    whole = quietly(clone(model).fit, Blocks(*HALVES))
    stopped = model.set_params(warm_start=True)
    for when in (5, 9):
        quietly(stopped.fit, Blocks(*HALVES, at_pass=stop_at(when)))
        assert stopped.stopped_
    assert_same(quietly(stopped.fit, Blocks(*HALVES)), whole)


def unlucky_at_times(X, K, rng, *options):
    if rng.integers(2):
        raise CollapseError("bad luck")
    return random_start(X, K, rng, *options)


@pytest.mark.parametrize("when", range(5, 20))  # of 19 passes: good run, three bad, two good
def test_stopped_among_runs_that_collapse(when):
    model = GaussianMixture(3, n_init=6, init_params=unlucky_at_times, tol=0, max_iter=4)
    model.set_params(random_state=30, warm_start=True)
    whole = clone(model)
    with pytest.warns(RuntimeWarning, match=r"3 of 6 run\(s\) collapsed; the last: bad luck"):
        quietly(whole.fit, Blocks(*HALVES))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert model.fit(Blocks(*HALVES, at_pass=stop_at(when))).stopped_
        model.fit(Blocks(*HALVES))
    assert_same(model, whole)


def test_stopped_before_anything_was_found():
    model = GaussianMixture(3, random_state=0).fit(X)
    before = dict(vars(model))
    with pytest.raises(KeyboardInterrupt):
        model.fit(Blocks(*HALVES, at_pass=stop_at(3)))
    assert vars(model) == before


@pytest.mark.parametrize("random_state", [None, 7, np.random.RandomState(7)])
def test_saved_and_loaded(tmp_path, random_state):
    path = tmp_path / "model.npz"
    model = GaussianMixture(2, random_state=random_state, means_init=[[0.0, 1.0], [5, 5]])
    model.save(path)  # not fitted
    assert not hasattr(GaussianMixture.load(path), "means_")
    model.fit(X, sample_weight=WEIGHT).save(path)
    loaded = GaussianMixture.load(path)
    assert set(vars(loaded)) == set(vars(model))
    assert_same(loaded, model)
    assert loaded.means_init == model.means_init
    assert_array_equal(loaded.score_samples(X), model.score_samples(X))
    assert_same(loaded.partial_fit(X), model.partial_fit(X))
    if random_state is not None:
        assert_array_equal(loaded.sample(5)[0], model.sample(5)[0])
    with np.load(path, allow_pickle=False) as file:  # raises at an array that needs pickle
        assert sum(file[name].size for name in file) > 0
    assert [p.name for p in tmp_path.iterdir()] == ["model.npz"]


def test_names_of_features_are_saved(tmp_path):
    pandas = pytest.importorskip("pandas")
    model = GaussianMixture().fit(pandas.DataFrame(X, columns=["a", "b"]))
    model.save(tmp_path / "model.npz")
    loaded = GaussianMixture.load(tmp_path / "model.npz")
    assert_array_equal(loaded.feature_names_in_, model.feature_names_in_)


class Harmful:
    def __reduce__(self):
        return (print, ("executed",))


def test_files_that_are_not_ours(tmp_path, capsys):
    path = tmp_path / "model.npz"
    GaussianMixture(2, random_state=0).fit(X).save(path)
    content = path.read_bytes()
    text = "not a file that gmmlib saved"
    for name, make in {
        "cut": lambda p: p.write_bytes(content[:500]),
        "empty": lambda p: p.write_bytes(b""),
        "other": lambda p: np.savez(p, X=X),
        "future": lambda p: np.savez(p, json=np.array('{"format": 99}')),
        "pickle": lambda p: p.write_bytes(pickle.dumps(Harmful())),
        "inside": lambda p: np.savez(p, json=np.array(Harmful(), dtype=object)),
        "class": lambda p: np.savez(
            p, json=np.array('{"format": 1, "state": {"class": "Popen", "fields": {}}}')
        ),
    }.items():
        file = tmp_path / f"{name}.npz"
        make(file)
        with pytest.raises(ValueError, match=text):
            GaussianMixture.load(file)
    assert capsys.readouterr().out == ""
    with pytest.raises(FileNotFoundError):
        GaussianMixture.load(tmp_path / "none.npz")


def test_what_cannot_be_saved_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "model.npz"
    model = GaussianMixture(2, random_state=0).fit(X)
    model.save(path)
    content = path.read_bytes()
    with pytest.raises(ValueError, match=r"kmeans_start.* can't be saved without pickle; give"):
        model.set_params(init_params=kmeans_start).save(path)
    assert path.read_bytes() == content


# --- Bad input ------------------------------------------------------------------------------------


def with_entry(array, index, value):
    array = np.array(array, dtype=float)
    array[index] = value
    return array


BAD_DATA = {
    "nan": (with_entry(X, (3, 1), np.nan), None, "Input X contains NaN"),
    "inf": (with_entry(X, (3, 1), np.inf), None, "Input X contains infinity"),
    "vector": (X[:, 0], None, "Reshape your data"),
    "text": ([["tall", "short"]] * 5, None, "could not convert string"),
    "no row": (X[:0], None, r"0 sample\(s\)"),
    "few rows": (X[:2], None, r"n_components=3 exceeds the 2 row\(s\) of X that count"),
    "few that count": (X, with_entry(np.zeros(300), [1, 2], 1), "n_components=3 exceeds the 2 row"),
    "negative weight": (X, with_entry(WEIGHT, 2, -1), r"sample_weight\[2\] is negative"),
    "nan weight": (X, with_entry(WEIGHT, 2, np.nan), r"sample_weight\[2\] is nan"),
    "weights zero": (X, np.zeros(300), "sample_weight is zero for every row"),
    "one weight more": (X, np.ones(301), r"sample_weight has shape \(301,\)"),
    "wider block": ([X, X[:9], X[:, [0, 1, 0]]], None, r"block 2 of X has 3 feature\(s\)"),
    "narrower block": (Blocks(X, X[:, :1]), None, r"block 1 of X has 1 feature\(s\)"),
    "block with nan": ([X, with_entry(X, (7, 0), np.nan)], None, r"block 1 of X\[7, 0\] is nan"),
    "first with nan": ([with_entry(X, (7, 0), np.nan), X], None, "block 0 of X: Input X contains"),
    "empty block": ([X, X[:0]], None, "block 1 of X is empty"),
    "no block": (Blocks(), None, "X yields no block"),
    "weight in block": ([(X, WEIGHT), (X, -1 - WEIGHT)], None, r"sample_weight\[0\] is negative"),
    "weights and blocks": ([X, X], np.ones(600), "sample_weight goes with an array"),
    "iterator": (iter([X, X]), None, "X is an iterator, which can be read once"),
    "few rows in blocks": ([X[:1], X[1:2]], None, "n_components=3 exceeds the 2 row"),
}


@pytest.mark.parametrize(("data", "weight", "message"), BAD_DATA.values(), ids=BAD_DATA)
@pytest.mark.parametrize("how", ["new", "fitted", "given start"])
def test_bad_data_are_named_and_nothing_is_lost(data, weight, message, how):
    model = GaussianMixture(3, init_params=kmeans_start, random_state=0)
    if how != "new":
        model.fit(X)
    if how == "given start":
        model.set_params(weights_init=model.weights_, means_init=model.means_)
        model.set_params(precisions_init=model.precisions_)
    before = dict(vars(model))
    with pytest.raises(ValueError, match=message):
        model.fit(data, sample_weight=weight)
    after = vars(model)
    assert after.keys() == before.keys()
    assert all(after[name] is before[name] for name in before)


def test_bad_batches_lose_nothing():
    model = GaussianMixture(3, random_state=0).partial_fit(X)
    before = dict(vars(model))
    for batch, message in {
        "width": (X[:, :1], "X has 1 features, but GaussianMixture is expecting 2"),
        "nan": (with_entry(X, (3, 1), np.nan), "Input X contains NaN"),
        "blocks": ([X, X], "X comes in blocks; call this method for one block after the other"),
    }.values():
        with pytest.raises(ValueError, match=message):
            model.partial_fit(batch)
        for method in (model.predict, model.predict_proba, model.score_samples):
            with pytest.raises(ValueError, match=message):
                method(batch)
    with pytest.raises(ValueError, match="n_components=3 exceeds the 2 row"):
        GaussianMixture(3).partial_fit(X[:2])
    with pytest.raises(ValueError, match="X comes in blocks; call fit, then predict"):
        model.fit_predict([X, X])
    with pytest.raises(ValueError, match=r"sample_weight\[0\] is negative"):
        model.score(X, sample_weight=-1 - WEIGHT)
    assert model.partial_fit(X[:1]).weight_seen_ == 301  # one row is enough now
    assert before["weight_seen_"] == 300


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("n_components", 0, "n_components is 0; it must be a whole number, 1 or more"),
        ("n_components", 2.0, "n_components is 2.0"),
        ("n_init", True, "n_init is True; it must be a whole number, 1 or more"),
        ("max_iter", -1, "max_iter is -1; it must be a whole number, 0 or more"),
        ("verbose_interval", 0, "verbose_interval is 0"),
        ("tol", -1, "tol is -1; it must be finite and zero or more"),
        ("tol", np.nan, "tol is nan"),
        ("tol", "small", "tol is 'small'"),
        ("reg_covar", -1e-6, "reg_covar is -1e-06; it must be finite and zero or more"),
        ("covariance_type", "round", "covariance_type is 'round'; choose one of full, tied"),
        ("init_params", "best", "init_params is 'best'; choose one of 'kmeans', .* or pass a func"),
        ("learning_decay", 0.5, "learning_decay is 0.5; it must be above 0.5 and at most 1"),
        ("n_jobs", 0, "n_jobs is 0; use None, -1, or 1 or more"),
        ("random_state", "x", "'x' cannot be used to seed"),
        ("weights_init", [0.5, 0.5], r"weights_init has shape \(2,\); 3 component.*need \(3,\)"),
        ("weights_init", [0.5, 0.5, 0.5], r"weights_init sums to 1.5, not to one"),
        ("means_init", np.zeros((3, 3)), r"means_init has shape \(3, 3\);.* need \(3, 2\)"),
        ("means_init", np.full((3, 2), np.nan), r"means_init\[0, 0\] is nan"),
        ("precisions_init", np.ones((3, 2)), r"precisions_init has shape \(3, 2\)"),
        ("precisions_init", -np.array([np.eye(2)] * 3), r"precisions_init, .* not positive def"),
    ],
)
def test_parameters(parameter, value, message):
    model = GaussianMixture(3, random_state=0).fit(X)
    means = model.means_
    model.set_params(**{parameter: value})
    with pytest.raises(ValueError, match=message):
        model.fit(X)
    assert model.means_ is means


def test_sample_needs_a_number():
    with pytest.raises(ValueError, match="n_samples is 0; it must be 1 or more"):
        GaussianMixture().fit(X).sample(0)
