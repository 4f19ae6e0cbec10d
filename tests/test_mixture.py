"""A mixture is what its definition says, and nothing changes it."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import chi2, multivariate_normal, norm

from gmmlib import Mixture
from gmmlib.covariance import COVARIANCE_TYPES, as_full

WEIGHTS = np.array([0.2, 0.5, 0.3])
MEANS = np.array([[0.0, 0.0], [3.0, -1.0], [-2.0, 4.0]])
COVARIANCES = {
    "full": np.array([[[1.0, 0.3], [0.3, 2.0]], [[0.5, -0.2], [-0.2, 0.4]], [[2.0, 0], [0, 1.0]]]),
    "tied": np.array([[1.0, 0.6], [0.6, 0.8]]),
    "diag": np.array([[1.0, 2.0], [0.3, 0.1], [4.0, 1.0]]),
    "spherical": np.array([1.0, 0.2, 3.0]),
}
MIXTURES = [Mixture(WEIGHTS, MEANS, COVARIANCES[T], T) for T in COVARIANCE_TYPES]
every_mixture = pytest.mark.parametrize("mixture", MIXTURES, ids=COVARIANCE_TYPES)
HEIGHTS = Mixture([0.4, 0.6], [[140.0], [170.0]], [[[25.0]], [[64.0]]])


@every_mixture
def test_log_joint_log_density_and_responsibilities_by_definition(mixture):
    X = np.random.default_rng(0).normal(size=(30, 2), scale=3)
    full = as_full(mixture.covariances, mixture.covariance_type, 3, 2)
    joint = np.column_stack(
        [w * multivariate_normal(m, S).pdf(X) for w, m, S in zip(WEIGHTS, MEANS, full, strict=True)]
    )
    np.testing.assert_allclose(mixture.log_joint(X), np.log(joint), rtol=1e-11)
    np.testing.assert_allclose(mixture.log_density(X), np.log(joint.sum(axis=1)), rtol=1e-11)
    posterior = joint / joint.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(mixture.responsibilities(X), posterior, rtol=1e-10)
    np.testing.assert_allclose(np.exp(mixture.log_responsibilities(X)), posterior, rtol=1e-10)


def test_the_density_integrates_to_one():
    total, _ = quad(lambda x: np.exp(HEIGHTS.log_density([x])[0]), 60, 300, points=[140, 170])
    assert total == pytest.approx(1, abs=1e-9)


def test_a_vector_is_one_feature():
    heights = [120.0, 150.0, 171.0]
    column = np.array(heights)[:, None]
    assert (HEIGHTS.log_joint(heights) == HEIGHTS.log_joint(column)).all()
    assert HEIGHTS.log_joint([171]).shape == (1, 2)


def test_far_away_the_density_underflows_and_its_logarithm_does_not():
    x = [10_000.0]
    assert norm(170, 8).pdf(x) == 0
    assert HEIGHTS.log_density(x)[0] == pytest.approx(np.log(0.6) + norm(170, 8).logpdf(x)[0])
    assert HEIGHTS.responsibilities(x).tolist() == [[0.0, 1.0]]
    assert np.isfinite(HEIGHTS.log_responsibilities(x)).all()


def test_a_component_of_weight_zero_never_speaks():
    mixture = Mixture([1.0, 0.0], [[0.0], [1.0]], [[[1.0]], [[1.0]]])
    assert mixture.responsibilities([5.0]).tolist() == [[1.0, 0.0]]
    assert mixture.log_density([5.0])[0] == pytest.approx(norm.logpdf(5))


@every_mixture
def test_samples_have_the_labels_means_and_covariances_of_the_mixture(mixture):
    n = 40_000
    X, labels = mixture.sample(n, np.random.default_rng(1))
    assert X.shape == (n, 2)
    full = as_full(mixture.covariances, mixture.covariance_type, 3, 2)
    for k in range(3):
        rows = X[labels == k]
        assert len(rows) / n == pytest.approx(WEIGHTS[k], abs=5 * np.sqrt(0.25 / n))
        error = rows.mean(axis=0) - MEANS[k]
        # n (xbar - mu)^T Sigma^-1 (xbar - mu) is chi-squared with d degrees of freedom
        assert len(rows) * error @ np.linalg.solve(full[k], error) < chi2.isf(1e-5, 2)
        np.testing.assert_allclose(
            np.cov(rows.T) / np.trace(full[k]), full[k] / np.trace(full[k]), atol=0.02
        )


def test_the_same_generator_gives_the_same_sample():
    draws = [HEIGHTS.sample(50, np.random.default_rng(3))[0] for _ in range(2)]
    assert (draws[0] == draws[1]).all()


@every_mixture
def test_a_mixture_cannot_be_changed(mixture):
    for name in ("weights", "means", "covariances"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(mixture, name)[0] = 0
        with pytest.raises(FrozenInstanceError):
            setattr(mixture, name, 0)


def test_a_mixture_keeps_its_own_copy():
    weights = np.array([0.5, 0.5])
    mixture = Mixture(weights, [[0.0], [1.0]], [1.0, 1.0], "spherical")
    weights[:] = [1.0, 0.0]
    assert mixture.weights.tolist() == [0.5, 0.5]


def test_sizes():
    assert (MIXTURES[0].n_components, MIXTURES[0].n_features) == (3, 2)
    assert MIXTURES[0].weights.dtype == np.float64


@every_mixture
def test_relabelling_keeps_the_density_and_moves_the_components(mixture):
    X = np.array([[0.1, 0.4], [2.0, -3.0]])
    order = [2, 0, 1]
    moved = mixture.relabelled(order)
    np.testing.assert_allclose(moved.log_density(X), mixture.log_density(X), rtol=1e-14)
    np.testing.assert_allclose(moved.log_joint(X), mixture.log_joint(X)[:, order], rtol=1e-14)


@pytest.mark.parametrize("order", [[0, 1], [0, 0, 1], [1, 2, 3]])
def test_relabelling_needs_a_permutation(order):
    with pytest.raises(ValueError, match="0 to 2 once"):
        MIXTURES[0].relabelled(order)


# --- The whole mixture, some of its features, and some given others -------------------------------


@st.composite
def mixtures(draw, n_features=(1, 4)):
    """A random mixture of any type, its generator, and a random split of its features in two."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    K, d = draw(st.integers(1, 3)), draw(st.integers(*n_features))
    covariance_type = draw(st.sampled_from(COVARIANCE_TYPES))
    roots = rng.normal(size=(K, d, d)) + 2 * np.eye(d)
    full = roots @ roots.transpose(0, 2, 1)
    diagonals = np.einsum("kii->ki", full)
    covariances = {"full": full, "tied": full[0], "diag": diagonals, "spherical": diagonals[:, 0]}
    mixture = Mixture(
        rng.dirichlet(np.ones(K)),
        rng.normal(scale=3, size=(K, d)),
        covariances[covariance_type],
        covariance_type,
    )
    split = draw(st.integers(1, max(1, d - 1)))
    order = rng.permutation(d)
    return mixture, rng, order[:split], np.sort(order[split:])


several_features = given(mixtures(n_features=(2, 4)))


def moved(mixture, A, b):
    """The density of A x + b."""
    full = as_full(mixture.covariances, mixture.covariance_type, *mixture.means.shape)
    return Mixture(mixture.weights, mixture.means @ A.T + b, A @ full @ A.T)


def assert_same_density(one, other, X):
    np.testing.assert_allclose(one.log_density(X), other.log_density(X), rtol=1e-8, atol=1e-8)


def test_mean_and_covariance_in_one_dimension():
    assert HEIGHTS.mean == pytest.approx([158.0])
    within, between = 0.4 * 25 + 0.6 * 64, 0.4 * 18**2 + 0.6 * 12**2
    np.testing.assert_allclose(HEIGHTS.covariance, [[within + between]], rtol=1e-14)


@every_mixture
def test_mean_and_covariance_are_those_of_a_large_sample(mixture):
    n = 200_000
    X, _ = mixture.sample(n, np.random.default_rng(5))
    sd = np.sqrt(np.diag(mixture.covariance))
    np.testing.assert_allclose(X.mean(axis=0), mixture.mean, atol=5 * sd.max() / np.sqrt(n))
    # a product of two features has at most a few times the spread of a normal's
    error = (np.cov(X.T) - mixture.covariance) / np.outer(sd, sd)
    assert np.abs(error).max() < 15 / np.sqrt(n)


@given(mixtures())
def test_mean_and_covariance_by_their_second_moments(case):
    mixture, *_ = case
    full = as_full(mixture.covariances, mixture.covariance_type, *mixture.means.shape)
    second = sum(
        w * (S + np.outer(m, m))
        for w, m, S in zip(mixture.weights, mixture.means, full, strict=True)
    )
    expected = second - np.outer(mixture.mean, mixture.mean)
    np.testing.assert_allclose(mixture.covariance, expected, rtol=1e-9, atol=1e-9)
    assert (mixture.covariance == mixture.covariance.T).all()


@several_features
def test_a_marginal_times_a_conditional_is_the_joint_density(case):
    mixture, rng, seen, hidden = case
    X, _ = mixture.sample(4, rng)
    marginal = mixture.marginal(seen).log_density(X[:, seen])
    conditional = [
        mixture.conditional(seen, row[seen]).log_density(row[None, hidden])[0] for row in X
    ]
    np.testing.assert_allclose(marginal + conditional, mixture.log_density(X), rtol=1e-9, atol=1e-9)


@several_features
def test_marginals_and_conditionals_keep_the_covariance_type_and_the_order_asked_for(case):
    mixture, rng, seen, hidden = case
    row = rng.normal(size=mixture.n_features)
    marginal, conditional = mixture.marginal(seen), mixture.conditional(seen, row[seen])
    assert marginal.covariance_type == conditional.covariance_type == mixture.covariance_type
    assert (marginal.n_features, conditional.n_features) == (len(seen), len(hidden))
    np.testing.assert_array_equal(marginal.means, mixture.means[:, seen])
    swapped = mixture.conditional(seen[::-1], row[seen[::-1]])
    assert_same_density(swapped, conditional, rng.normal(size=(3, len(hidden))))


@every_mixture
def test_averaging_the_conditionals_over_what_may_be_seen_gives_the_other_marginal(mixture):
    grid = np.linspace(-15, 15, 121)  # fine and wide enough for all of these mixtures
    hidden = np.array([-2.0, 0.5, 4.0])
    density = np.exp(mixture.marginal(0).log_density(grid))
    given_seen = [np.exp(mixture.conditional(0, s).log_density(hidden)) for s in grid]
    total = density @ np.array(given_seen) * (grid[1] - grid[0])
    np.testing.assert_allclose(total, np.exp(mixture.marginal(1).log_density(hidden)), rtol=1e-9)


@several_features
def test_shifting_and_stretching_commute_with_marginal_and_conditional(case):
    mixture, rng, seen, hidden = case
    d = mixture.n_features
    stretch, shift = np.exp(rng.normal(size=d)), rng.normal(size=d)
    values, X = rng.normal(size=len(seen)), rng.normal(size=(3, d))
    after = moved(mixture, np.diag(stretch), shift)
    for part in (seen, hidden):
        before = moved(mixture.marginal(part), np.diag(stretch[part]), shift[part])
        assert_same_density(after.marginal(part), before, X[:, part])
    before = mixture.conditional(seen, values)
    before = moved(before, np.diag(stretch[hidden]), shift[hidden])
    values = stretch[seen] * values + shift[seen]
    assert_same_density(after.conditional(seen, values), before, X[:, hidden])


@given(mixtures())
def test_mean_and_covariance_follow_a_linear_map(case):
    mixture, rng, *_ = case
    d = mixture.n_features
    rows = min(2, d)
    A, b = rng.normal(size=(rows, d)) + 3 * np.eye(rows, d), rng.normal(size=rows)
    after = moved(mixture, A, b)
    np.testing.assert_allclose(after.mean, A @ mixture.mean + b, rtol=1e-9, atol=1e-9)
    expected = A @ mixture.covariance @ A.T
    np.testing.assert_allclose(after.covariance, expected, rtol=1e-8, atol=1e-8)


def test_one_component_is_the_regression_of_textbooks():
    S = np.array([[2.0, 0.6, -0.4], [0.6, 1.0, 0.3], [-0.4, 0.3, 1.5]])
    one = Mixture([1.0], [[1.0, 2.0, 3.0]], [S])
    slopes = np.linalg.solve(S[:2, :2], S[:2, 2])
    mean = 3.0 + slopes @ (np.array([0.5, 4.0]) - [1.0, 2.0])
    sd = np.sqrt(S[2, 2] - slopes @ S[:2, 2])
    hidden = [1.0, 3.0, 7.0]
    log_density = one.conditional([0, 1], [0.5, 4.0]).log_density(hidden)
    np.testing.assert_allclose(log_density, norm(mean, sd).logpdf(hidden), rtol=1e-12)
    X = np.random.default_rng(8).normal(size=(5, 2))
    expected = multivariate_normal([3.0, 1.0], S[np.ix_([2, 0], [2, 0])]).logpdf(X)
    np.testing.assert_allclose(one.marginal([2, 0]).log_density(X), expected, rtol=1e-12)


def test_what_was_seen_decides_the_new_weights():
    mixture = Mixture([0.5, 0.5], [[0.0, 10.0], [8.0, -10.0]], [1.0, 1.0], "spherical")
    far_left, between = mixture.conditional(0, -3.0), mixture.conditional(0, 4.0)
    assert far_left.weights[0] > 1 - 1e-10
    np.testing.assert_allclose(between.weights, [0.5, 0.5])
    np.testing.assert_allclose(between.mean, [0.0], atol=1e-12)


def test_features_that_are_nearly_copies_leave_a_positive_variance():
    near = 1 - 1e-13
    twins = Mixture([1.0], [[0.0, 0.0]], [[[1.0, near], [near, 1.0]]])
    left = twins.conditional(0, 0.7)
    assert left.covariances[0, 0, 0] == pytest.approx(2e-13, rel=1e-2)
    assert left.mean == pytest.approx([0.7])


def test_a_marginal_and_a_conditional_cannot_be_changed():
    for part in (MIXTURES[0].marginal(1), MIXTURES[0].conditional(0, 0.0)):
        with pytest.raises(ValueError, match="read-only"):
            part.means[0] = 0


@pytest.mark.parametrize("features", [[], [2], [-1], [0, 0], [0.0], [True], "0", [[0]], None])
def test_bad_features_are_refused(features):
    with pytest.raises(ValueError, match=r"features is .* different indices from 0 to 1"):
        MIXTURES[0].marginal(features)
    with pytest.raises(ValueError, match=r"features is .* different indices from 0 to 1"):
        MIXTURES[0].conditional(features, 0.0)


@pytest.mark.parametrize(
    ("features", "values", "complaint"),
    [
        ([0, 1], [0.0, 0.0], "none remains"),
        (0, [0.0, 1.0], r"values has shape \(2,\); 1 feature"),
        (0, [[0.0]], r"values has shape \(1, 1\)"),
        (0, np.nan, r"values\[0\] is nan"),
        (0, [np.inf], r"values\[0\] is inf"),
        (0, "tall", "values must be an array of real numbers"),
        (0, 1e200, "values are so far .* check their units"),
    ],
)
def test_bad_values_are_refused(features, values, complaint):
    with pytest.raises(ValueError, match=complaint):
        MIXTURES[0].conditional(features, values)
