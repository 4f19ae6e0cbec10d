"""Criteria, counts, the sweep and cross-validation; published fits as peers."""

import warnings
from dataclasses import FrozenInstanceError
from functools import cache

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.mixture import GaussianMixture

from gmmlib import CollapseError, Mixture, complete_log_likelihood, fit, log_likelihood
from gmmlib.covariance import COVARIANCE_TYPES
from gmmlib.data import galaxies, old_faithful
from gmmlib.selection import (
    CRITERIA,
    aic,
    assign_folds,
    best,
    bic,
    cross_validate,
    icl,
    n_parameters,
    sweep,
)

every_type = pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
DATA = {"geyser": old_faithful().X, "iris": load_iris().data, "galaxies": galaxies().X}


def rng(seed=0):
    return np.random.default_rng(seed)


def two_clouds(n=60, seed=0):
    generator = rng(seed)
    return generator.normal(size=(n, 2)) + 6 * generator.integers(0, 2, size=(n, 1))


# --- Counts and criteria --------------------------------------------------------------------------


@pytest.mark.parametrize("d", [1, 2, 5])
@pytest.mark.parametrize("K", [1, 3])
@every_type
def test_parameters_are_the_numbers_that_scikit_learn_counts(covariance_type, K, d):
    X = rng(1).normal(size=(50, d))
    peer = GaussianMixture(K, covariance_type=covariance_type, random_state=0).fit(X)
    assert n_parameters(covariance_type, K, d) == peer._n_parameters()


@every_type
def test_aic_and_bic_are_those_of_scikit_learn(covariance_type):
    X = DATA["geyser"]
    peer = GaussianMixture(2, covariance_type=covariance_type, reg_covar=0, random_state=0).fit(X)
    ours = Mixture(peer.weights_, peer.means_, peer.covariances_, covariance_type)
    assert aic(X, ours) == pytest.approx(peer.aic(X), rel=1e-10)
    assert bic(X, ours) == pytest.approx(peer.bic(X), rel=1e-10)


def test_icl_charges_the_complete_log_likelihood_of_the_likeliest_labels():
    X = DATA["geyser"]
    mixture = Mixture([0.4, 0.6], [[2.5, 60], [4, 75]], [np.diag([1.0, 90])] * 2)
    labels = mixture.responsibilities(X).argmax(axis=1)
    expected = 11 * np.log(272) - 2 * complete_log_likelihood(X, labels, mixture)
    assert icl(X, mixture) == pytest.approx(expected, rel=1e-12)
    assert icl(X, mixture) > bic(X, mixture) + 1


def test_one_component_leaves_no_doubt():
    X = DATA["galaxies"]
    mixture = Mixture([1.0], [[20.0]], [[[20.0]]])
    assert icl(X, mixture) == pytest.approx(bic(X, mixture), rel=1e-14)
    assert aic(X, mixture) == pytest.approx(2 * 2 - 2 * log_likelihood(X, mixture), rel=1e-14)


@pytest.mark.parametrize("criterion", [aic, bic, icl])
def test_a_weight_of_two_is_a_row_twice(criterion):
    X, weight = two_clouds(), rng(2).integers(0, 3, size=60)
    mixture = fit(X, 2, n_restarts=2, rng=rng(), sample_weight=weight).mixture
    repeated = criterion(np.repeat(X, weight, axis=0), mixture)
    assert criterion(X, mixture, weight) == pytest.approx(repeated, rel=1e-12)


# --- What others have published -------------------------------------------------------------------

# mclust 5 (Scrucca et al. 2016) prints these, with the opposite sign, for its models VVV, EEE, VVI
# and VII; its EM stops a little early, hence the tolerance. Only entries at a maximum that both
# programs find: for larger K mclust's single start often ends lower than our restarts.
MCLUST = {
    ("geyser", "full", 1): 2607.623,
    ("geyser", "full", 2): 2322.192,
    ("geyser", "tied", 2): 2325.220,
    ("geyser", "tied", 3): 2314.316,
    ("geyser", "diag", 1): 3055.835,
    ("geyser", "diag", 2): 2346.065,
    ("geyser", "spherical", 1): 4024.721,
    ("geyser", "spherical", 2): 3458.305,
    ("geyser", "spherical", 3): 3336.598,
    ("iris", "full", 1): 829.9782,
    ("iris", "full", 2): 574.0178,
    ("iris", "full", 3): 580.8396,
    ("iris", "tied", 2): 688.0972,
    ("iris", "tied", 3): 632.9647,
    ("iris", "diag", 2): 857.5515,
    ("iris", "spherical", 2): 1012.2352,
    ("iris", "spherical", 3): 853.8144,
}

# The R package sBIC (Drton and Plummer 2017) on the galaxies: log L with a variance for each.
SBIC_LOG_L = {1: -240.3379, 3: -203.1792, 4: -197.4621, 5: -190.0724, 6: -186.8674}
SBIC_BIC = {1: -244.7446, 3: -220.8061, 5: -220.9195}


@cache
def fitted(name, covariance_type, K):
    X = DATA[name]
    start = "kmeans++" if name == "galaxies" else "random"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* starts collapsed", RuntimeWarning)
        return fit(X, K, covariance_type, tol=1e-8, n_restarts=12, start=start, rng=rng())


@pytest.mark.parametrize(("name", "covariance_type", "K"), MCLUST)
def test_bic_of_mclust(name, covariance_type, K):
    published = MCLUST[name, covariance_type, K]
    ours = bic(DATA[name], fitted(name, covariance_type, K).mixture)
    assert ours == pytest.approx(published, abs=0.07)
    assert ours <= published + 5e-3  # never a lower likelihood than theirs


def test_log_likelihood_and_icl_of_mclust_on_the_geyser():
    found = fitted("geyser", "tied", 3)
    assert found.log_likelihood == pytest.approx(-1126.326, abs=0.02)
    # ICL asks for more than BIC does: it moves with the single bets of an early stop
    assert icl(DATA["geyser"], found.mixture) == pytest.approx(2357.824, abs=1.0)


@pytest.mark.parametrize("K", SBIC_LOG_L)
def test_galaxies_of_sbic(K):
    found = fitted("galaxies", "full", K)
    assert found.log_likelihood == pytest.approx(SBIC_LOG_L[K], abs=0.01)
    assert found.log_likelihood >= SBIC_LOG_L[K] - 1e-3
    if K in SBIC_BIC:
        ours = bic(DATA["galaxies"], found.mixture)
        assert ours == pytest.approx(-2 * SBIC_BIC[K], abs=0.01)


def test_galaxies_three_and_five_tie():
    three, five = (bic(DATA["galaxies"], fitted("galaxies", "full", K).mixture) for K in (3, 5))
    assert abs(three - five) < 0.5


# --- The sweep ------------------------------------------------------------------------------------


def test_a_sweep_yields_every_type_with_every_number_in_turn():
    X = two_clouds()
    steps = sweep(X, [2, 1], ["tied", "diag"], rng=rng(), n_restarts=2)
    first = next(steps)  # before the others have been fitted
    assert (first.covariance_type, first.n_components) == ("tied", 2)
    rest = [(c.covariance_type, c.n_components) for c in steps]
    assert rest == [("tied", 1), ("diag", 2), ("diag", 1)]


def test_a_candidate_says_what_the_functions_say():
    X, weight = two_clouds(), np.tile([1.0, 2.0], 30)
    (c,) = sweep(X, [2], ["diag"], rng=rng(), n_restarts=2, sample_weight=weight)
    assert c.fit.mixture.covariance_type == "diag"
    assert c.n_parameters == n_parameters("diag", 2, 2) == 9
    assert c.log_likelihood == pytest.approx(log_likelihood(X, c.fit.mixture, weight), rel=1e-12)
    for criterion in (aic, bic, icl):
        assert getattr(c, criterion.__name__) == criterion(X, c.fit.mixture, weight)
    with pytest.raises(FrozenInstanceError):
        c.bic = 0.0


def test_the_same_seed_gives_the_same_sweep():
    X = two_clouds()
    once, again = (
        [c.log_likelihood for c in sweep(X, [1, 2, 3], ["full"], rng=rng(5), n_restarts=3)]
        for _ in range(2)
    )
    assert once == again


def test_every_criterion_finds_two_clouds():
    candidates = tuple(sweep(two_clouds(200), range(1, 4), rng=rng(), n_restarts=3, tol=1e-6))
    for criterion in CRITERIA:
        values = {c: getattr(c, criterion) for c in candidates}
        assert best(candidates, criterion) is min(values, key=values.get)
    assert best(candidates).n_components == best(candidates, "icl").n_components == 2
    assert best(candidates).covariance_type in ("spherical", "tied")  # the clouds are round


def test_collapses_are_kept_and_not_announced():
    X = [0.0, 0.0, 0.0, 5.0, 6.0, 7.0, 8.0]  # three equal rows: any bell on them alone collapses
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one, two = sweep(X, [1, 2], ["full"], rng=rng(), n_restarts=3)
    assert one.fit is not None
    assert two.fit is None
    assert np.isnan([two.aic, two.bic, two.icl, two.log_likelihood]).all()
    assert "collapsed" in two.collapse
    assert best([one, two]) is one
    with pytest.raises(ValueError, match="no candidate has a fit"):
        best([two])


def test_the_criteria_can_disagree_where_the_book_says_so():
    sweep_ = tuple(sweep(DATA["iris"], [1, 2, 3], ["full"], rng=rng(), n_restarts=4, tol=1e-7))
    assert best(sweep_, "bic").n_components == best(sweep_, "icl").n_components == 2
    assert best(sweep_, "aic").n_components == 3


# --- Cross-validation -----------------------------------------------------------------------------


def test_folds_are_even_and_random():
    folds = assign_folds(23, 5, rng())
    assert sorted(np.bincount(folds)) == [4, 4, 5, 5, 5]
    assert not np.array_equal(folds, assign_folds(23, 5, rng(1)))


def test_a_row_is_judged_by_the_other_folds():
    X = two_clouds(40)
    folds = assign_folds(40, 4, rng())
    held_out = cross_validate(X, 1, "full", folds, rng=rng(), n_restarts=1)
    for fold in range(4):
        others = X[folds != fold]
        mixture = Mixture([1.0], [others.mean(axis=0)], [np.cov(others.T, bias=True)])
        np.testing.assert_allclose(
            held_out[folds == fold], mixture.log_density(X[folds == fold]), rtol=1e-10
        )


def test_held_out_rows_prefer_the_truth():
    X = two_clouds(200)
    folds = assign_folds(200, 5, rng())
    options = {"rng": rng(), "n_restarts": 2, "tol": 1e-6}
    one, two, many = (cross_validate(X, K, "tied", folds, **options) for K in (1, 2, 8))
    assert one.shape == (200,)
    assert two.sum() > one.sum() + 20
    assert two.sum() > many.sum()


# --- Refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_components": [0]}, "n_components is 0"),
        ({"n_components": [2.5]}, "n_components is 2.5"),
        ({"n_components": [61]}, "exceeds the 60 row"),
        ({"covariance_types": ["round"]}, "covariance_type is 'round'"),
        ({"X": [[np.nan, 1.0]]}, r"X\[0, 0\] is nan"),
        ({"rng": 3}, "rng is 3"),
    ],
)
def test_a_sweep_refuses_nonsense_at_the_call(changes, message):
    options = {"X": two_clouds(), "n_components": [1], "rng": rng()} | changes
    with pytest.raises(ValueError, match=message):
        sweep(**options)


def test_best_names_the_criteria_it_knows():
    with pytest.raises(ValueError, match="criterion is 'mdl'; choose one of aic, bic, icl"):
        best([], "mdl")


@pytest.mark.parametrize("n_folds", [1, 11, 2.0])
def test_folds_must_leave_rows_to_fit(n_folds):
    with pytest.raises(ValueError, match="from 2 to the 10 rows"):
        assign_folds(10, n_folds, rng())


def test_cross_validation_refuses_what_it_cannot_do():
    X = two_clouds()
    with pytest.raises(ValueError, match="one fold for each"):
        cross_validate(X, 1, "full", [0, 1], rng=rng())
    with pytest.raises(ValueError, match="one fold only"):
        cross_validate(X, 1, "full", np.zeros(60), rng=rng())
    rows = [0.0, 0.0, 0.0, 5.0, 6.0, 7.0]
    with pytest.raises(CollapseError, match="without fold 0: all 2 starts collapsed"):
        cross_validate(rows, 2, "full", [0, 0, 0, 0, 1, 1], rng=rng(), n_restarts=2)
