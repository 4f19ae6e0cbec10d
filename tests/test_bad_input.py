"""Bad input: always a ValueError that names the argument, what is wrong, and what to do."""

import numpy as np
import pytest

from gmmlib import (
    Mixture,
    complete_log_likelihood,
    e_step,
    elbo,
    elbo_gap,
    entropy,
    fit,
    kl_divergence,
    kmeans_plus_plus_start,
    kmeans_start,
    log_likelihood,
    m_step,
    q_function,
    random_start,
)
from gmmlib.em import em

RNG = np.random.default_rng(0)
N = 6
X = RNG.normal(size=(N, 2))
Q = np.full((N, 2), 0.5)
LABELS = np.zeros(N, int)
MIXTURE = Mixture([0.5, 0.5], [[0.0, 0.0], [1.0, 1.0]], [1.0, 1.0], "spherical")

# Every public function that takes data, as a function of (X, sample_weight).
TAKES_DATA = {
    "log_likelihood": lambda X, w=None: log_likelihood(X, MIXTURE, w),
    "complete_log_likelihood": lambda X, w=None: complete_log_likelihood(X, LABELS, MIXTURE, w),
    "q_function": lambda X, w=None: q_function(X, Q, MIXTURE, w),
    "elbo": lambda X, w=None: elbo(X, Q, MIXTURE, w),
    "elbo_gap": lambda X, w=None: elbo_gap(X, Q, MIXTURE, w),
    "e_step": lambda X, w=None: e_step(X, MIXTURE, w),
    "m_step": lambda X, w=None: m_step(X, Q, sample_weight=w),
    "em": lambda X, w=None: em(X, MIXTURE, w),
    "fit": lambda X, w=None: fit(X, 2, rng=RNG, sample_weight=w),
    "kmeans_start": lambda X, w=None: kmeans_start(X, 2, RNG, sample_weight=w),
    "kmeans_plus_plus_start": lambda X, w=None: kmeans_plus_plus_start(X, 2, RNG, sample_weight=w),
    "random_start": lambda X, w=None: random_start(X, 2, RNG, sample_weight=w),
}
TAKES_WEIGHTS_ONLY = {
    "entropy": lambda X, w: entropy(Q, w),
    "kl_divergence": lambda X, w: kl_divergence(Q, Q, w),
}
TAKES_MIXTURE_AND_DATA = {
    "log_joint": MIXTURE.log_joint,
    "log_density": MIXTURE.log_density,
    "responsibilities": MIXTURE.responsibilities,
    "log_responsibilities": MIXTURE.log_responsibilities,
}


def with_entry(array, index, value):
    array = np.array(array, dtype=float)
    array[index] = value
    return array


def by_name(functions):
    return pytest.mark.parametrize("function", functions.values(), ids=functions.keys())


@by_name(TAKES_DATA | TAKES_MIXTURE_AND_DATA)
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (with_entry(X, (3, 1), np.nan), r"X\[3, 1\] is nan; remove or impute"),
        (with_entry(X, (0, 0), np.inf), r"X\[0, 0\] is inf; remove or impute"),
        (with_entry(X, (5, 0), -np.inf), r"X\[5, 0\] is -inf"),
        (np.empty((0, 2)), r"X is empty \(shape \(0, 2\)\)"),
        (np.empty((N, 0)), r"X is empty"),
        ([], r"X is empty"),
        (X[None], r"X has 3 dimensions; pass \(n_samples, n_features\)"),
        (1.0, r"X has 0 dimensions"),
        ([["tall", "short"]], r"X must be an array of real numbers"),
        ([[1.0, 2.0], [3.0]], r"X must be an array of real numbers"),
        (X + 1j, r"X must be an array of real numbers"),
    ],
    ids=[
        "nan",
        "inf",
        "-inf",
        "rows",
        "features",
        "list",
        "3-d",
        "0-d",
        "text",
        "ragged",
        "complex",
    ],
)
def test_data(function, data, message):
    with pytest.raises(ValueError, match=message):
        function(data)


@by_name(TAKES_MIXTURE_AND_DATA | {k: TAKES_DATA[k] for k in ("e_step", "em", "log_likelihood")})
@pytest.mark.parametrize("data", [X[:, :1], np.hstack([X, X]), X[0]])
def test_data_of_another_dimension_than_the_mixture(function, data):
    with pytest.raises(ValueError, match=r"X has \d feature\(s\) but the mixture has 2; select"):
        function(data)


@by_name(TAKES_DATA | TAKES_WEIGHTS_ONLY)
@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (
            with_entry(np.ones(N), 2, -0.5),
            r"sample_weight\[2\] is negative \(-0\.5\).*zero or more",
        ),
        (np.zeros(N), r"sample_weight is zero for every row; at least one"),
        (with_entry(np.ones(N), 4, np.nan), r"sample_weight\[4\] is nan"),
        (with_entry(np.ones(N), 4, np.inf), r"sample_weight\[4\] is inf"),
        (np.ones(N + 1), r"sample_weight has shape \(7,\); X has 6 rows, so pass \(6,\)"),
        (np.ones((N, 1)), r"sample_weight has shape \(6, 1\)"),
        (2.0, r"sample_weight has shape \(\)"),
        (["a"] * N, r"sample_weight must be an array of real numbers"),
    ],
    ids=["negative", "zero", "nan", "inf", "longer", "column", "scalar", "text"],
)
def test_sample_weight(function, weight, message):
    with pytest.raises(ValueError, match=message):
        function(X, weight)


MORE = np.full((N, N + 1), 1 / (N + 1))
SEVEN = Mixture(MORE[0], np.zeros((N + 1, 2)), np.ones(N + 1), "spherical")


@pytest.mark.parametrize(
    "call",
    [
        lambda: m_step(X, MORE),
        lambda: em(X, SEVEN),
        lambda: fit(X, N + 1, rng=RNG),
        lambda: kmeans_start(X, N + 1, RNG),
        lambda: kmeans_plus_plus_start(X, N + 1, RNG),
        lambda: random_start(X, N + 1, RNG),
    ],
)
def test_more_components_than_rows(call):
    with pytest.raises(ValueError, match=r"n_components=7 exceeds the 6 row.*lower n_components"):
        call()


def test_rows_of_weight_zero_do_not_count():
    with pytest.raises(ValueError, match=r"n_components=2 exceeds the 1 row"):
        m_step(X, Q, sample_weight=[1, 0, 0, 0, 0, 0])


@pytest.mark.parametrize("n_components", [0, -1, 2.0, True, "2", None])
@pytest.mark.parametrize("start", [kmeans_start, kmeans_plus_plus_start, random_start])
def test_number_of_components(start, n_components):
    with pytest.raises(ValueError, match=r"n_components is .*; it must be a whole number"):
        start(X, n_components, RNG)
    with pytest.raises(ValueError, match=r"n_components is .*; it must be a whole number"):
        fit(X, n_components, rng=RNG)


@pytest.mark.parametrize(
    ("q", "message"),
    [
        (with_entry(Q, (1, 0), 0.6), r"responsibilities\[1\] sums to 1\.1, not to one; divide"),
        (with_entry(with_entry(Q, (2, 0), -0.1), (2, 1), 1.1), r"responsibilities\[2, 0\] is neg"),
        (with_entry(Q, (0, 1), np.nan), r"responsibilities\[0, 1\] is nan"),
        (Q[:-1], r"responsibilities has shape \(5, 2\); it must be \(6, "),
        (Q[0], r"responsibilities has shape \(2,\)"),
    ],
    ids=["sum", "negative", "nan", "rows", "vector"],
)
@by_name(
    {
        "m_step": lambda q: m_step(X, q),
        "q_function": lambda q: q_function(X, q, MIXTURE),
        "elbo": lambda q: elbo(X, q, MIXTURE),
        "elbo_gap": lambda q: elbo_gap(X, q, MIXTURE),
    }
)
def test_responsibilities(function, q, message):
    with pytest.raises(ValueError, match=message):
        function(q)


def test_probabilities_without_data_beside_them():
    for bad in ([[0.5, 0.6]], [[-0.5, 1.5]], [0.5, 0.5], [[np.nan, 1.0]], np.empty((0, 2))):
        with pytest.raises(ValueError, match="responsibilities"):
            entropy(bad)
        with pytest.raises(ValueError, match="responsibilities"):
            kl_divergence(bad, bad)
    with pytest.raises(ValueError, match=r"posterior has shape \(1, 3\); it must be \(1, 2\)"):
        kl_divergence([[0.5, 0.5]], [[0.2, 0.3, 0.5]])
    with pytest.raises(ValueError, match=r"posterior\[0\] sums to 0\.9"):
        kl_divergence([[0.5, 0.5]], [[0.4, 0.5]])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1, 2, 0, 1, 0], "labels run from 0 to 2; the mixture has components 0 to 1"),
        ([0, -1, 0, 0, 1, 0], "labels run from -1 to 1"),
        ([0, 1], r"labels must be 6 integers, one per row of X, got shape \(2,\)"),
        (np.zeros(N), "labels must be 6 integers.* of type float64"),
    ],
)
def test_labels(labels, message):
    with pytest.raises(ValueError, match=message):
        complete_log_likelihood(X, labels, MIXTURE)


GOOD = {
    "weights": [0.5, 0.5],
    "means": [[0.0, 0.0], [1.0, 1.0]],
    "covariances": np.array([np.eye(2), np.eye(2)]),
    "covariance_type": "full",
}
DIAG = {"covariance_type": "diag"}
TIED = {"covariance_type": "tied"}
BALL = {"covariance_type": "spherical"}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"weights": [0.5, 0.6]}, r"weights sums to 1\.1, not to one; divide by the sum"),
        ({"weights": [-0.1, 1.1]}, r"weights\[0\] is negative"),
        ({"weights": [np.nan, 1.0]}, r"weights\[0\] is nan"),
        ({"weights": [[0.5, 0.5]]}, r"weights has shape \(1, 2\)"),
        ({"weights": []}, r"weights is empty"),
        ({"weights": [0.2, 0.3, 0.5]}, r"means has shape \(2, 2\); with 3 weights it must be \(3,"),
        ({"means": [0.0, 1.0]}, r"means has shape \(2,\)"),
        ({"means": [[0.0, np.inf], [0.0, 0.0]]}, r"means\[0, 1\] is inf"),
        ({"means": np.empty((2, 0))}, r"means has shape \(2, 0\)"),
        ({"covariances": np.eye(2)}, r"covariances has shape \(2, 2\).*'full'.*need \(2, 2, 2\)"),
        ({"covariances": np.ones((2, 3))} | DIAG, r"covariances has shape \(2, 3\)"),
        ({"covariances": [np.eye(2), np.eye(2) * np.nan]}, r"covariances\[1, 0, 0\] is nan"),
        ({"covariance_type": "round"}, "covariance_type is 'round'; choose one of full, tied"),
        ({"covariances": [np.eye(2), -np.eye(2)]}, r"covariances\[1\] is not positive definite"),
        (
            {"covariances": [np.eye(2), [[1.0, 2.0], [2.0, 1.0]]]},
            r"covariances\[1\] is not positive definite \(smallest eigenvalue -1\.0e\+00\); "
            "increase reg_covar or lower n_components",
        ),
        (
            {"covariances": [[[1e-16, 2e-16], [2e-16, 1e-16]], np.eye(2)]},
            r"covariances\[0\] is not positive definite \(smallest eigenvalue -1\.0e-16\)",
        ),
        ({"covariances": np.zeros((2, 2, 2))}, r"covariances\[0\] is not positive definite"),
        ({"covariances": [np.ones((2, 2))] * 2}, r"covariances\[0\] is not positive definite"),
        ({"covariances": np.ones((2, 2))} | TIED, "covariances is not positive definite"),
        ({"covariances": [[1.0, 1.0], [1.0, 0.0]]} | DIAG, r"covariances\[1\] is not positive def"),
        ({"covariances": [1.0, -1.0]} | BALL, r"covariances\[1\] is not positive definite"),
        ({"covariances": [[[1.0, 0.5], [0.2, 1.0]], np.eye(2)]}, r"covariances\[0\] is not symm"),
    ],
)
def test_mixture(wrong, message):
    Mixture(**GOOD)
    with pytest.raises(ValueError, match=message):
        Mixture(**(GOOD | wrong))


@pytest.mark.parametrize("reg_covar", [-1e-6, np.nan, np.inf, "a", None, [0.1]])
def test_reg_covar(reg_covar):
    for call in (
        lambda: m_step(X, Q, reg_covar=reg_covar),
        lambda: em(X, MIXTURE, reg_covar=reg_covar),
        lambda: random_start(X, 2, RNG, reg_covar=reg_covar),
        lambda: fit(X, 2, rng=RNG, reg_covar=reg_covar),
    ):
        with pytest.raises(
            ValueError, match=r"reg_covar is .*; it must be finite and zero or more"
        ):
            call()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"covariance_type": "round"}, "covariance_type is 'round'; choose one of"),
        ({"start": "best"}, "start is 'best'; choose one of 'kmeans', 'kmeans\\+\\+', 'random'"),
        ({"rng": None}, "rng is None; pass numpy.random.default_rng"),
        ({"rng": 0}, "rng is 0; pass numpy.random.default_rng"),
        ({"tol": -1.0}, "tol is -1.0"),
        ({"tol": np.nan}, "tol is nan"),
        ({"max_iter": 0}, "max_iter is 0; it must be a whole number, 1 or more"),
        ({"n_restarts": 0}, "n_restarts is 0"),
        ({"n_restarts": 1.5}, "n_restarts is 1.5"),
    ],
)
def test_options_of_fit(options, message):
    with pytest.raises(ValueError, match=message):
        fit(X, 2, **({"rng": RNG} | options))


@pytest.mark.parametrize("start", [kmeans_start, kmeans_plus_plus_start, random_start])
def test_options_of_the_starts(start):
    with pytest.raises(ValueError, match="covariance_type is 'round'"):
        start(X, 2, RNG, "round")
    with pytest.raises(ValueError, match="rng is 3; pass numpy"):
        start(X, 2, 3)


def test_a_row_beyond_all_distances():
    thin = Mixture([1.0], [[0.0]], [1e-10], "spherical")
    with pytest.raises(ValueError, match=r"X\[1\] is so far from means\[0\] that its squared dist"):
        thin.log_density([0.0, 1e200])
