"""Starts: valid for every type, repeatable, and blind to units, origin, order and repetition."""

import numpy as np
import pytest

from gmmlib import CollapseError, kmeans_plus_plus_start, kmeans_start, log_likelihood, random_start
from gmmlib.covariance import COVARIANCE_TYPES

STARTS = [kmeans_start, kmeans_plus_plus_start, random_start]
every_start = pytest.mark.parametrize("start", STARTS)
every_type = pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)


def clusters(n=90, d=2):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(n, d)) + 8 * rng.integers(0, 3, size=(n, 1))
    return np.round(X * 1024) / 1024


def same_component_means(a, b, **tolerance):
    def ordered(mixture):
        return mixture.means[np.lexsort(mixture.means.T)]

    np.testing.assert_allclose(ordered(a), ordered(b), **tolerance)


@every_start
@every_type
def test_a_start_is_a_mixture_of_its_type_better_than_nothing(start, covariance_type):
    X = clusters()
    mixture = start(X, 3, np.random.default_rng(0), covariance_type)
    assert mixture.covariance_type == covariance_type
    assert mixture.n_components == 3
    one = start(X, 1, np.random.default_rng(0), covariance_type)
    assert log_likelihood(X, mixture) > log_likelihood(X, one)
    np.testing.assert_allclose(mixture.weights @ mixture.means, X.mean(axis=0))


@every_start
def test_the_generator_decides(start):
    X = np.random.default_rng(0).normal(size=(200, 2))
    draw = [start(X, 4, np.random.default_rng(seed)).means for seed in (1, 1, 2)]
    assert (draw[0] == draw[1]).all()
    assert (draw[0] != draw[2]).any()


@every_start
@pytest.mark.parametrize(
    ("unit", "offset"), [(1.0, 1e8), (2.0**-27, 0.0), (2.0**27, 0.0), (1.0, -1e8)]
)
def test_a_start_does_not_depend_on_units_and_origin(start, unit, offset):
    X = clusters()
    near = start(X, 3, np.random.default_rng(0))
    far = start(unit * X + offset, 3, np.random.default_rng(0))
    np.testing.assert_allclose((far.means - offset) / unit, near.means, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(far.covariances / unit**2, near.covariances, rtol=1e-6, atol=1e-6)


@every_start
def test_features_in_different_units_weigh_the_same(start):
    X = clusters()
    metres = start(X, 3, np.random.default_rng(0))
    mixed = start(X * [1.0, 2.0**10], 3, np.random.default_rng(0))
    np.testing.assert_allclose(mixed.means / [1.0, 2.0**10], metres.means, rtol=1e-9)


@every_start
def test_order_and_repetition_of_rows_do_not_matter(start):
    X = clusters()
    times = np.random.default_rng(1).integers(0, 4, size=len(X))
    rows = np.random.default_rng(2).permutation(np.repeat(np.arange(len(X)), times))
    weighted = start(X, 3, np.random.default_rng(0), sample_weight=times)
    repeated = start(X[rows], 3, np.random.default_rng(0))
    np.testing.assert_allclose(weighted.means, repeated.means, rtol=1e-12)
    np.testing.assert_allclose(weighted.covariances, repeated.covariances, rtol=1e-10)
    np.testing.assert_allclose(weighted.weights @ weighted.means, X[rows].mean(axis=0))


@every_start
def test_two_components_never_start_at_the_same_place(start):
    X = np.repeat([150.0, 160.0, 170.0, 180.0], [500, 3, 3, 3])
    for seed in range(20):
        means = start(X, 3, np.random.default_rng(seed), "tied", reg_covar=1.0).means[:, 0]
        assert np.diff(np.sort(means)).min() > 1e-6


@every_start
def test_too_few_distinct_rows(start):
    with pytest.raises(ValueError, match=r"only 2 distinct row.*n_components=3"):
        start([1.0, 1.0, 2.0, 2.0], 3, np.random.default_rng(0))


@every_start
def test_reg_covar_reaches_the_covariances(start):
    X = clusters()
    plain = start(X, 3, np.random.default_rng(0), "spherical")
    thick = start(X, 3, np.random.default_rng(0), "spherical", reg_covar=2.0)
    np.testing.assert_allclose(thick.covariances, plain.covariances + 2.0)


def test_kmeans_finds_clusters_that_lie_apart():
    X = clusters()
    mixture = kmeans_start(X, 3, np.random.default_rng(0))
    assert np.sort(mixture.means.mean(axis=1)) == pytest.approx([0, 8, 16], abs=0.7)


def test_soft_starts_survive_where_clusters_are_too_small_for_a_covariance():
    X = np.random.default_rng(0).normal(size=(14, 2))
    with pytest.raises(CollapseError, match=r"component \d has collapsed"):
        kmeans_start(X, 4, np.random.default_rng(1))  # leaves a cluster of two rows
    for seed in range(10):
        kmeans_plus_plus_start(X, 4, np.random.default_rng(seed))
        random_start(X, 4, np.random.default_rng(seed))
