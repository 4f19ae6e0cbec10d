"""The fast path: the same numbers as the readable one, whatever the data, block by block."""

import threading
from itertools import islice

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_info

import gmmlib
from gmmlib import CollapseError, Mixture, m_step
from gmmlib import em as readable
from gmmlib import products as ways
from gmmlib.covariance import COVARIANCE_TYPES
from gmmlib.statistics import (
    em,
    log_densities,
    responsibilities,
    statistics,
    stepwise,
)

every_type = pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)


def clouds(n=600, d=3, K=3, seed=0, apart=3.0):
    """Rows of K overlapping clouds, and which cloud each is from."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, K, size=n)
    maps = np.eye(d) + 0.3 * rng.normal(size=(K, d, d))
    centers = apart * rng.normal(size=(K, d))
    return np.einsum("ni,nij->nj", rng.normal(size=(n, d)), maps[labels]) + centers[labels], labels


def start(X, labels, covariance_type, sample_weight=None, seed=1):
    """A start whose responsibilities are the labels, blurred."""
    K = labels.max() + 1
    blurred = 0.7 * np.eye(K)[labels] + 0.3 * np.random.default_rng(seed).dirichlet(
        np.ones(K), size=len(X)
    )
    return m_step(X, blurred, covariance_type, sample_weight)


def units(mixture):
    """What an error in a mean or a covariance is measured in: standard deviations."""
    sd = np.sqrt(mixture.full_covariances.diagonal(axis1=1, axis2=2))
    return sd, sd[:, :, None] * sd[:, None, :]


def assert_same(fast, slow, rtol=1e-10):
    """Log L and every parameter: a mean in units of its standard deviation, and so on."""
    assert fast.log_likelihood == pytest.approx(slow.log_likelihood, rel=rtol)
    a, b = fast.mixture, slow.mixture
    sd, products = units(b)
    # Numbers far from zero are not stored to a part in 1e10 of the standard deviation.
    storage = 4 * np.spacing(np.abs(b.means).max(axis=0))
    np.testing.assert_allclose(a.weights, b.weights, rtol=rtol)
    assert (np.abs(a.means - b.means) <= rtol * sd + storage).all()
    assert (np.abs(a.full_covariances - b.full_covariances) <= rtol * products).all()


def both(X, first, iterations=6, w=None, reg_covar=0.0, **options):
    fast = islice(em(X, first, w, reg_covar, **options), iterations + 1)
    return zip(fast, islice(readable.em(X, first, w, reg_covar), iterations + 1), strict=True)


# --- The same numbers -----------------------------------------------------------------------------


@every_type
@pytest.mark.parametrize("d", [1, 2, 7])
@pytest.mark.parametrize("weighted", [False, True])
def test_every_state_is_that_of_the_readable_path(covariance_type, d, weighted):
    X, labels = clouds(d=d)
    w = np.random.default_rng(2).gamma(1.0, size=len(X)) if weighted else None
    for fast, slow in both(X, start(X, labels, covariance_type, w), 8, w):
        assert fast.iteration == slow.iteration
        assert_same(fast, slow)


TORTURE = {
    "tiny units": lambda X: X * 1e-8,
    "huge units": lambda X: X * 1e8,
    "features of different units": lambda X: X * 10.0 ** np.linspace(-8, 8, X.shape[1]),
    "out of the range of squares": lambda X: X * 1e-130,
    "a million standard deviations from the origin": lambda X: X / X.std(axis=0) + 1e6,
    "far in one feature": lambda X: X + np.eye(X.shape[1])[0] * 1e6,
    "crooked": lambda X: X @ np.triu(np.ones((X.shape[1], X.shape[1]))) * [1, 1, 1e-3],
    "rounded": lambda X: np.round(X, 1),
    "repeated": lambda X: np.repeat(X[::3], 3, axis=0),
}


@every_type
@pytest.mark.parametrize("name", TORTURE)
def test_awkward_scales(covariance_type, name):
    X, labels = clouds()
    X = TORTURE[name](X)
    for fast, slow in both(X, start(X, labels, covariance_type)):
        assert_same(fast, slow)


@every_type
@pytest.mark.parametrize("thinner", [1e1, 1e2, 1e3, 1e4, 1e5])
@pytest.mark.parametrize("d", [1, 3])
def test_one_component_far_thinner_than_the_others(covariance_type, thinner, d):
    X, labels = clouds(d=d, apart=5.0)
    thin = labels == 0
    X[thin] = X[thin].mean(axis=0) + (X[thin] - X[thin].mean(axis=0)) / thinner
    for fast, slow in both(X, start(X, labels, covariance_type)):
        assert_same(fast, slow)


@pytest.mark.parametrize("way", [ways.Features, ways.Residuals])
@pytest.mark.parametrize("d", [2, 9, 20])
def test_both_ways_for_full_matrices(way, d, monkeypatch):
    monkeypatch.setattr("gmmlib.statistics.cheapest", way.of)
    X, labels = clouds(n=1500, d=d)
    for fast, slow in both(X, start(X, labels, "full")):
        assert_same(fast, slow)


@every_type
def test_float32_rows_become_float64_block_by_block(covariance_type):
    X, labels = clouds(n=20_000)
    X = (X + 100).astype(np.float32)
    first = start(X, labels, covariance_type)
    for fast, slow in both(X, first):
        assert_same(fast, slow)
    for same in (np.asfortranarray(X), X[::-1][::-1], X.astype(np.float64)):
        state = next(islice(em(same, first), 2, 3))
        assert state.log_likelihood == next(islice(em(X, first), 2, 3)).log_likelihood


def test_whole_numbers_and_nested_lists():
    first = Mixture([0.5, 0.5], [[2.0], [8.0]], [[[1.0]], [[1.0]]])
    rows = [1, 2, 3, 7, 8, 9, 9]
    for X in (rows, np.array(rows), np.array(rows, np.uint8), [[x] for x in rows]):
        for fast, slow in both(X, first, 3):
            assert_same(fast, slow, 1e-13)


@every_type
def test_scikit_learn_after_the_same_iterations(covariance_type):
    X, labels = clouds(n=3000, d=4, K=4)
    first = start(X, labels, covariance_type)
    sigma = first.covariances
    matrices = covariance_type in ("full", "tied")
    theirs = GaussianMixture(
        4,
        covariance_type=covariance_type,
        tol=0,
        max_iter=12,
        reg_covar=1e-6,
        weights_init=first.weights,
        means_init=first.means,
        precisions_init=np.linalg.inv(sigma) if matrices else 1 / sigma,
    )
    with pytest.warns(Warning, match="converge"):
        theirs.fit(X)
    ours = next(islice(em(X, first, reg_covar=1e-6), 12, 13))
    assert ours.log_likelihood == pytest.approx(theirs.score(X) * len(X), rel=1e-8)
    np.testing.assert_allclose(ours.mixture.weights, theirs.weights_, rtol=1e-8)
    np.testing.assert_allclose(ours.mixture.means, theirs.means_, rtol=1e-8)
    np.testing.assert_allclose(ours.mixture.covariances, theirs.covariances_, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(
        responsibilities(X, ours.mixture), theirs.predict_proba(X), atol=1e-8
    )
    np.testing.assert_allclose(log_densities(X, ours.mixture), theirs.score_samples(X), rtol=1e-8)


@every_type
def test_rows_one_by_one(covariance_type):
    X, labels = clouds(n=5000)
    mixture = start(X, labels, covariance_type)
    np.testing.assert_allclose(log_densities(X, mixture), mixture.log_density(X), rtol=1e-12)
    gamma = responsibilities(X, mixture)
    np.testing.assert_allclose(gamma, mixture.responsibilities(X), atol=1e-12)
    np.testing.assert_allclose(gamma.sum(axis=1), 1, rtol=1e-14)


def test_a_component_of_weight_zero_gets_nothing():
    mixture = Mixture([0.0, 1.0], [[0.0], [1.0]], [[[1.0]], [[1.0]]])
    X = np.linspace(-3, 3, 50)
    assert (responsibilities(X, mixture)[:, 0] < 1e-43).all()
    np.testing.assert_allclose(log_densities(X, mixture), mixture.log_density(X), rtol=1e-13)


# --- Cancellation ---------------------------------------------------------------------------------


def thin_and_far():
    """Two clouds, 4000 of their own widths apart."""
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(0, 1, (300, 2)), rng.normal(4000, 1, (300, 2))])
    return X, np.repeat([0, 1], 300)


@pytest.mark.parametrize("covariance_type", ["full", "diag", "spherical"])
def test_thin_components_far_from_the_centre_need_residuals(covariance_type):
    X, labels = thin_and_far()
    first = start(X, labels, covariance_type)
    after = next(islice(em(X, first), 3, 4)).mixture
    # The guard sees it; without it, the features would miss the contract by far.
    assert isinstance(ways.cheapest(after), ways.Residuals)
    way = ways.Features.of(after)
    joint = way.log_joint(way.represent(X))[labels, range(600)]
    exact = after.log_joint(X)[range(600), labels] - way.frame.log_peak
    assert np.abs(joint - exact).max() > 1e-10
    way = ways.Residuals.of(after)
    joint = way.log_joint(way.represent(X))[labels, range(600)]
    assert np.abs(joint - exact).max() < 1e-11


@pytest.mark.parametrize("covariance_type", ["full", "diag", "spherical"])
def test_one_thin_component_of_many_takes_residuals_alone(covariance_type):
    X, labels = clouds(n=1500, d=3, K=6, apart=5.0)
    thin = labels == 2
    X[thin] = X[thin].mean(axis=0) + (X[thin] - X[thin].mean(axis=0)) / 1e4
    for fast, slow in both(X, start(X, labels, covariance_type)):
        assert_same(fast, slow)
    way = ways.cheapest(fast.mixture)
    assert isinstance(way, ways.Mixed)
    assert way.thin.tolist() == [2]


def test_the_features_serve_where_nothing_cancels():
    X, labels = clouds(d=2)
    for covariance_type in COVARIANCE_TYPES:
        mixture = start(X, labels, covariance_type)
        assert isinstance(ways.cheapest(mixture), ways.Features)


@every_type
def test_a_start_far_from_the_data_takes_a_second_pass(covariance_type):
    # Under this start, sums about its centre would leave a covariance without digits.
    X = np.random.default_rng(0).normal(3e4, 1, (600, 2))
    wide = Mixture([0.5, 0.5], [[-1e4, 0], [1e4, 0]], np.tile(np.eye(2) * 1e8, (2, 1, 1)))
    kinds = {
        "full": wide.covariances,
        "tied": wide.covariances[0],
        "diag": np.full((2, 2), 1e8),
        "spherical": np.full(2, 1e8),
    }
    first = Mixture(wide.weights, wide.means, kinds[covariance_type], covariance_type)
    for fast, slow in both(X, first, 3):
        assert_same(fast, slow)
    assert statistics(X, first).accurate
    far = statistics(X, first, about=first.means)
    assert not far.accurate


def test_rows_beyond_reach_are_taken_the_readable_way():
    # One row is 1e5 standard deviations away from everything; its block keeps all its digits.
    X, labels = clouds(n=3000, d=2)
    mixture = start(X, labels, "full")
    X[1234] = [1e5, -1e5]
    way = ways.cheapest(mixture)
    assert isinstance(way, ways.Features)
    assert mixture.log_density(X[1234:1235])[0] - way.frame.log_peak < way.lowest
    found = statistics(X, mixture)
    np.testing.assert_allclose(
        responsibilities(X, mixture), mixture.responsibilities(X), atol=1e-12
    )
    assert found.log_likelihood == pytest.approx(gmmlib.log_likelihood(X, mixture), rel=1e-13)


# --- Sums of parts --------------------------------------------------------------------------------


@every_type
def test_statistics_of_parts_add_up(covariance_type):
    X, labels = clouds()
    w = np.random.default_rng(0).gamma(1.0, size=len(X))
    mixture = start(X, labels, covariance_type, w)
    whole = statistics(X, mixture, w)
    parts = [statistics(X[i : i + 150], mixture, w[i : i + 150]) for i in range(0, 600, 150)]
    total = sum(parts[1:], parts[0])
    for name in ("counts", "sums", "products", "log_likelihood", "weight"):
        np.testing.assert_allclose(
            getattr(total, name), getattr(whole, name), rtol=1e-11, atol=1e-9
        )
    assert total.rows == whole.rows == 600
    assert whole.counts.sum() == pytest.approx(w.sum(), rel=1e-13)
    np.testing.assert_allclose(total.mixture().means, whole.mixture().means, rtol=1e-12)
    # A factor weighs all rows alike, so it does not change the fit.
    np.testing.assert_allclose((3 * whole).mixture().covariances, whole.mixture().covariances)
    assert (whole * 3).log_likelihood == 3 * whole.log_likelihood


def test_statistics_under_different_mixtures_do_not_add_up():
    X, labels = clouds()
    a, b = (statistics(X, start(X, labels, "full", seed=seed)) for seed in (1, 2))
    with pytest.raises(ValueError, match="under the same mixture"):
        a + b
    with pytest.raises(ValueError, match="above zero"):
        a * 0


@every_type
def test_stepwise_blends_means_over_rows(covariance_type):
    X, labels = clouds()
    mixtures = [start(X, labels, covariance_type, seed=seed) for seed in (1, 2)]
    old, new = statistics(X[:200], mixtures[0]), statistics(X[200:], mixtures[1])
    blend = stepwise(old, new, 0.25)
    assert (blend.weight, blend.rows) == (600, 600)
    np.testing.assert_allclose(blend.counts, 600 * (0.75 * old.counts / 200 + new.counts / 1600))
    # The same by hand: one fit to all rows, weighted, with responsibilities from both mixtures.
    gamma = np.concatenate(
        [m.responsibilities(Y) for m, Y in zip(mixtures, (X[:200], X[200:]), strict=True)]
    )
    w = np.repeat([0.75 / 200, 0.25 / 400], [200, 400])
    expected = m_step(X, gamma, covariance_type, w)
    np.testing.assert_allclose(blend.mixture().means, expected.means, rtol=1e-11)
    np.testing.assert_allclose(blend.mixture().covariances, expected.covariances, atol=1e-11)
    with pytest.raises(ValueError, match="rate"):
        stepwise(old, new, 0)


# --- Blocks and threads ---------------------------------------------------------------------------


class Blocks:
    """Rows and weights in blocks of uneven length, anew each time."""

    def __init__(self, X, w, cuts=(1, 700, 701, 4000)):
        self.parts = list(zip(np.split(X, cuts), np.split(w, cuts), strict=True))

    def __iter__(self):
        return iter(self.parts)


def test_an_iterable_of_blocks_does_what_the_array_does(tmp_path):
    X, labels = clouds(n=9000)
    w = np.random.default_rng(0).gamma(1.0, size=len(X))
    first = start(X, labels, "full", w)
    expected = next(islice(em(X, first, w), 4, 5))
    assert_same(next(islice(em(Blocks(X, w), first), 4, 5)), expected)
    assert_same(next(islice(em(Blocks(X, w).parts, first), 4, 5)), expected)
    unweighted = [X[:10], X[10:5000], X[5000:]]
    assert_same(next(islice(em(unweighted, first), 4, 5)), next(islice(em(X, first), 4, 5)))
    np.testing.assert_allclose(
        log_densities(unweighted, first), log_densities(X, first), rtol=1e-13
    )
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    assert_same(next(islice(em(mapped, first, w), 4, 5)), expected, 1e-15)


def test_a_block_may_count_for_nothing_but_not_all_of_them():
    X, labels = clouds()
    mixture = start(X, labels, "diag")
    zero = [(X[:100], np.zeros(100)), (X[100:], np.ones(500))]
    assert_same_sums(statistics(zero, mixture), statistics(X[100:], mixture))
    with pytest.raises(ValueError, match="zero"):
        statistics([(X, np.zeros(600))], mixture)


def assert_same_sums(a, b):
    for name in ("counts", "sums", "products", "log_likelihood", "weight", "rows"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-11, atol=1e-9)


@pytest.mark.parametrize("covariance_type", ["full", "tied"])
def test_numbers_do_not_depend_on_the_number_of_threads(covariance_type, monkeypatch):
    monkeypatch.setattr("gmmlib.statistics.WORTH_THREADS", 0.0)
    X, labels = clouds(n=60_000, d=6)
    mixture = start(X, labels, covariance_type)
    one, two, five = (statistics(X, mixture, n_threads=n) for n in (1, 2, 5))
    for name in ("counts", "sums", "products", "log_likelihood"):
        assert np.array_equal(getattr(one, name), getattr(two, name))
        assert np.array_equal(getattr(one, name), getattr(five, name))


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_blas_has_one_thread_meanwhile_and_its_own_afterwards(monkeypatch):
    X, labels = clouds(n=60_000, d=6)
    mixture = start(X, labels, "full")
    before, seen = blas_threads(), []
    real = ways.Features.log_joint
    monkeypatch.setattr("gmmlib.statistics.WORTH_THREADS", 0.0)

    def watch(self, phi):
        seen.append((threading.current_thread(), blas_threads()))
        return real(self, phi)

    monkeypatch.setattr(ways.Features, "log_joint", watch)
    callers = [threading.Thread(target=statistics, args=(X, mixture, None, 2)) for _ in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert {number for _, numbers in seen for number in numbers} == {1}
    assert not {thread for thread, _ in seen} & {threading.main_thread(), *callers}
    assert blas_threads() == before
    X[50_000] = np.nan
    with pytest.raises(ValueError, match="nan"):
        statistics(X, mixture)
    assert blas_threads() == before


def test_no_array_of_rows_times_components_is_made():
    import tracemalloc

    X, labels = clouds(n=200_000, d=4, K=20)
    first = start(X[:5000], labels[:5000], "full")
    tracemalloc.start()
    try:
        for _ in islice(em(X, first), 3):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16e6  # X itself is 6.4 MB, responsibilities would be 32 MB


# --- What is refused ------------------------------------------------------------------------------

TWO = Mixture([0.5, 0.5], [[0.0, 0.0], [1.0, 1.0]], [1.0, 1.0], "spherical")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@every_type
def test_a_number_that_is_not_finite_is_named(bad, covariance_type):
    X, labels = clouds(n=40_000, d=2)
    mixture = start(X, labels, covariance_type)
    X[31_234, 1] = bad
    for call in (em, statistics, log_densities, responsibilities):
        with pytest.raises(ValueError, match=r"X\[31234, 1\] is -?(nan|inf)"):
            call(X, mixture)
    with pytest.raises(ValueError, match=r"block 1 of X\[11234, 1\] is"):
        statistics([X[:20_000], X[20_000:]], mixture)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.ones((5, 3)), "3 feature.s. but the mixture has 2"),
        ([np.ones((5, 2)), np.ones((5, 3))], "block 1 of X has 3 feature"),
        ([np.ones((5, 2)), (np.ones((5, 2)), np.ones(4))], "sample_weight has shape"),
        ([(np.ones((5, 2)), -np.ones(5))], "negative"),
        (np.ones((0, 2)), "empty"),
        (iter([]), "iterator"),
        (np.ones((2, 2, 2)), "3 dimensions"),
        ([["a", "b"]], "real numbers"),
        ([[1, 2], [3]], "real numbers"),
        (np.ones((5, 2)) * 1j, "complex"),
        (np.ones((5, 2)) * 1e200, "overflows"),
    ],
)
def test_bad_rows_are_refused(X, message):
    with pytest.raises(ValueError, match=message):
        statistics(X, TWO)


def test_an_empty_iterable_is_refused():
    class Nothing:
        def __iter__(self):
            return iter(())

    with pytest.raises(ValueError, match="no block"):
        statistics(Nothing(), TWO)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_threads": 0}, "n_threads"),
        ({"n_threads": 1.5}, "n_threads"),
        ({"sample_weight": [1, 2]}, "sample_weight has shape"),
        ({"about": np.zeros(2)}, "about has shape"),
        ({"about": np.full((2, 2), np.nan)}, "about"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        statistics(np.random.default_rng(0).normal(size=(9, 2)), TWO, **options)


def test_em_refuses_at_the_call():
    X = np.random.default_rng(0).normal(size=(9, 2))
    with pytest.raises(ValueError, match="reg_covar"):
        em(X, TWO, reg_covar=-1)
    with pytest.raises(ValueError, match="exceeds the 1 row"):
        em(X[:1], TWO)
    with pytest.raises(ValueError, match="sample_weight goes with an array"):
        em([X], TWO, sample_weight=np.ones(9))
    with pytest.raises(ValueError, match="iterator"):
        em((X for _ in range(2)), TWO)


@every_type
def test_collapse_is_the_readable_path_s(covariance_type):
    # A component that sits on one point, four times in the data.
    X, labels = clouds(n=200, d=2, K=2)
    X = np.concatenate([X, np.full((4, 2), 40.0)])
    labels = np.append(labels, [2] * 4)
    first = m_step(X, 0.999 * np.eye(3)[labels] + 0.001 / 3, covariance_type)
    slow = fast = None
    for states in (readable.em(X, first), em(X, first)):
        try:
            for _ in islice(states, 40):
                pass
            message = "none"
        except CollapseError as error:
            message = str(error)[:25]
        slow, fast = fast, message
    assert fast == slow
    if covariance_type != "tied":
        assert "component 2" in fast


def test_an_empty_component_is_a_collapse():
    X = np.random.default_rng(0).normal(size=(50, 2))
    far = Mixture([0.5, 0.5], [[0.0, 0.0], [1e3, 1e3]], [1.0, 1.0], "spherical")
    with pytest.raises(CollapseError, match="component 1 is empty"):
        statistics(X, far).mixture()
    with pytest.raises(ValueError, match="exceeds the 1 row"):
        statistics(X[:1], TWO).mixture()
