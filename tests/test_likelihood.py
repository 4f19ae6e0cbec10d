"""Log-likelihoods, Q, entropy and the bound, against loops over their definitions."""

from math import exp, inf, log, pi

import numpy as np
import pytest

from gmmlib import (
    Mixture,
    complete_log_likelihood,
    elbo,
    elbo_gap,
    entropy,
    kl_divergence,
    log_likelihood,
    q_function,
)

X = [140.0, 152.0, 171.0, 180.0]
MIXTURE = Mixture([0.4, 0.6], [[140.0], [170.0]], [[[25.0]], [[64.0]]])
GAMMA = [[0.9, 0.1], [0.5, 0.5], [0.0, 1.0], [0.2, 0.8]]
LABELS = [0, 0, 1, 1]
W = [1.0, 2.0, 0.0, 0.5]


def log_normal(x, mean, variance):
    return -0.5 * log(2 * pi * variance) - 0.5 * (x - mean) ** 2 / variance


JOINT = [[log(0.4) + log_normal(x, 140, 25), log(0.6) + log_normal(x, 170, 64)] for x in X]


def total(per_row, weights):
    return sum(w * r for w, r in zip(weights, per_row, strict=True))


weighted = pytest.mark.parametrize(
    ("sample_weight", "w"), [(None, [1.0] * 4), (W, W)], ids=["unweighted", "weighted"]
)


@weighted
def test_log_likelihood_is_the_sum_of_log_densities(sample_weight, w):
    expected = total([log(sum(exp(j) for j in row)) for row in JOINT], w)
    assert log_likelihood(X, MIXTURE, sample_weight) == pytest.approx(expected, rel=1e-13)


@weighted
def test_complete_log_likelihood_picks_the_label_of_each_row(sample_weight, w):
    expected = total([row[z] for row, z in zip(JOINT, LABELS, strict=True)], w)
    found = complete_log_likelihood(X, LABELS, MIXTURE, sample_weight)
    assert found == pytest.approx(expected, rel=1e-13)


@weighted
def test_q_is_the_expected_complete_log_likelihood(sample_weight, w):
    expected = total(
        [sum(g * j for g, j in zip(*rows, strict=True)) for rows in zip(GAMMA, JOINT, strict=True)],
        w,
    )
    assert q_function(X, GAMMA, MIXTURE, sample_weight) == pytest.approx(expected, rel=1e-13)
    sure = np.eye(2)[LABELS]
    assert q_function(X, sure, MIXTURE) == complete_log_likelihood(X, LABELS, MIXTURE)


@weighted
def test_entropy_counts_zero_log_zero_as_zero(sample_weight, w):
    expected = total([-sum(g * log(g) for g in row if g > 0) for row in GAMMA], w)
    assert entropy(GAMMA, sample_weight) == pytest.approx(expected, rel=1e-14)
    assert entropy(np.eye(2)) == 0
    assert entropy(np.full((5, 3), 1 / 3)) == pytest.approx(5 * log(3))


@weighted
def test_elbo_is_q_plus_entropy(sample_weight, w):
    expected = q_function(X, GAMMA, MIXTURE, sample_weight) + entropy(GAMMA, sample_weight)
    assert elbo(X, GAMMA, MIXTURE, sample_weight) == expected


@weighted
def test_kl_divergence_row_by_row(sample_weight, w):
    posterior = MIXTURE.responsibilities(X)
    expected = total(
        [
            sum(q * log(q / p) for q, p in zip(*rows, strict=True) if q > 0)
            for rows in zip(GAMMA, posterior, strict=True)
        ],
        w,
    )
    assert kl_divergence(GAMMA, posterior, sample_weight) == pytest.approx(expected, rel=1e-13)
    assert elbo_gap(X, GAMMA, MIXTURE, sample_weight) == pytest.approx(expected, rel=1e-12)


def test_kl_divergence_is_infinite_where_the_posterior_excludes_what_q_allows():
    assert kl_divergence([[0.5, 0.5]], [[1.0, 0.0]]) == inf
    assert kl_divergence([[1.0, 0.0]], [[1.0, 0.0]]) == 0
    assert kl_divergence([[1.0, 0.0]], [[0.5, 0.5]]) == pytest.approx(log(2))


def test_the_gap_stays_finite_where_the_posterior_underflows():
    far, q = [10_000.0], [[0.5, 0.5]]
    assert kl_divergence(q, MIXTURE.responsibilities(far)) == inf
    gap = log_likelihood(far, MIXTURE) - elbo(far, q, MIXTURE)
    assert elbo_gap(far, q, MIXTURE) == pytest.approx(gap, rel=1e-12)


def test_a_component_of_weight_zero_costs_nothing_unless_it_is_used():
    mixture = Mixture([1.0, 0.0], [[0.0], [1.0]], [[[1.0]], [[1.0]]])
    assert np.isfinite(q_function([0.0], [[1.0, 0.0]], mixture))
    assert q_function([0.0], [[0.5, 0.5]], mixture) == -inf
    assert complete_log_likelihood([0.0, 0.0], [0, 1], mixture) == -inf
    # a row of weight zero is absent, whatever it says
    assert np.isfinite(complete_log_likelihood([0.0, 0.0], [0, 1], mixture, [1, 0]))
