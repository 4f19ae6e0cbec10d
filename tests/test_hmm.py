"""The forward and backward recursions: brute force, hmmlearn and the mixture as peers."""

import warnings
from itertools import pairwise, product

import numpy as np
import pytest
from hmmlearn import _hmmc
from hmmlearn.hmm import GaussianHMM
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp

from gmmlib import Mixture
from gmmlib.data import vowels
from gmmlib.hmm import backward, forward, log_likelihood, state_probabilities


@pytest.fixture(autouse=True)
def warnings_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def random_model(N, K, seed, zeros=0.0):
    """Log densities, start and transition probabilities; a share of the transitions is zero."""
    rng = np.random.default_rng(seed)
    log_densities = rng.normal(scale=3.0, size=(N, K))
    startprob = rng.dirichlet(np.ones(K))
    transmat = rng.dirichlet(np.ones(K), size=K)
    transmat[(rng.random((K, K)) < zeros) & ~np.eye(K, dtype=bool)] = 0.0
    return log_densities, startprob, transmat / transmat.sum(axis=1, keepdims=True)


def brute_force(log_densities, startprob, transmat):
    """log L and state probabilities from the sum over all K^N paths."""
    N, K = log_densities.shape
    densities, total, share = np.exp(log_densities), 0.0, np.zeros((N, K))
    for path in product(range(K), repeat=N):
        p = startprob[path[0]] * np.prod([densities[n, k] for n, k in enumerate(path)])
        p *= np.prod([transmat[j, k] for j, k in pairwise(path)])
        total += p
        share[np.arange(N), path] += p
    return np.log(total), share / total


models = st.builds(
    random_model,
    N=st.integers(1, 6),
    K=st.integers(1, 4),
    seed=st.integers(0, 2**32 - 1),
    zeros=st.sampled_from([0.0, 0.5]),
)


@given(models)
@settings(deadline=None, max_examples=25)
def test_the_sum_over_all_paths(model):
    log_l, probabilities = brute_force(*model)
    assert log_likelihood(*model) == pytest.approx(log_l, rel=1e-10, abs=1e-10)
    np.testing.assert_allclose(state_probabilities(*model), probabilities, atol=1e-12)


@given(models)
@settings(deadline=None, max_examples=25)
def test_forward_and_backward_meet_at_every_row(model):
    log_densities, _, transmat = model
    both = forward(*model) + backward(log_densities, transmat)
    np.testing.assert_allclose(
        logsumexp(both, axis=1), log_likelihood(*model), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("zeros", [0.0, 0.5])
def test_lattices_are_those_of_hmmlearn(zeros):
    log_densities, startprob, transmat = model = random_model(400, 5, seed=3, zeros=zeros)
    log_l, peer_forward = _hmmc.forward_log(startprob, transmat, log_densities)
    peer_backward = _hmmc.backward_log(startprob, transmat, log_densities)
    np.testing.assert_allclose(forward(*model), peer_forward, rtol=1e-10)
    np.testing.assert_allclose(backward(log_densities, transmat), peer_backward, rtol=1e-10)
    assert log_likelihood(*model) == pytest.approx(log_l, rel=1e-10)


def fitted_to_vowels():
    """A GaussianHMM whose states are the ten vowels, and real rows in an order of ours."""
    data = vowels()
    X, labels = np.log(data.X), data.labels
    peer = GaussianHMM(n_components=10, covariance_type="full")
    peer.n_features = 4  # what fit would have set
    peer.means_ = np.array([X[labels == k].mean(axis=0) for k in range(10)])
    peer.covars_ = np.array([np.cov(X[labels == k].T) for k in range(10)])
    rng = np.random.default_rng(12)
    peer.startprob_ = rng.dirichlet(np.ones(10))
    peer.transmat_ = rng.dirichlet(np.ones(10), size=10)
    return peer, X[rng.permutation(len(X))[:300]]


def test_score_and_states_are_those_of_hmmlearn_on_real_vowels():
    peer, X = fitted_to_vowels()
    states = Mixture(peer.startprob_, peer.means_, peer.covars_)
    log_densities = states.log_joint(X) - np.log(peer.startprob_)
    model = log_densities, peer.startprob_, peer.transmat_
    assert log_likelihood(*model) == pytest.approx(peer.score(X), rel=1e-10)
    np.testing.assert_allclose(state_probabilities(*model), peer.predict_proba(X), atol=1e-10)
    log_l, probabilities = peer.score_samples(X)
    assert log_likelihood(*model) == pytest.approx(log_l, rel=1e-10)
    np.testing.assert_allclose(state_probabilities(*model), probabilities, atol=1e-10)


def test_equal_rows_make_a_mixture():
    X = np.log(vowels().X[:200])
    mixture = Mixture([0.3, 0.7], X[[0, 100]], np.array([np.cov(X.T)] * 2))
    log_densities = mixture.log_joint(X) - np.log(mixture.weights)
    model = log_densities, mixture.weights, np.tile(mixture.weights, (2, 1))
    assert log_likelihood(*model) == pytest.approx(mixture.log_density(X).sum(), rel=1e-10)
    np.testing.assert_allclose(state_probabilities(*model), mixture.responsibilities(X), atol=1e-10)


@given(models, st.randoms())
@settings(deadline=None, max_examples=25)
def test_relabelling_the_states_relabels_the_answer(model, random):
    log_densities, startprob, transmat = model
    order = random.sample(range(len(startprob)), len(startprob))
    relabelled = log_densities[:, order], startprob[order], transmat[np.ix_(order, order)]
    assert log_likelihood(*relabelled) == pytest.approx(
        log_likelihood(*model), rel=1e-10, abs=1e-10
    )
    np.testing.assert_allclose(
        state_probabilities(*relabelled), state_probabilities(*model)[:, order], atol=1e-10
    )


def test_a_left_to_right_model_never_goes_back():
    log_densities = np.random.default_rng(0).normal(size=(50, 3))
    startprob, transmat = [1.0, 0.0, 0.0], [[0.9, 0.1, 0.0], [0.0, 0.9, 0.1], [0.0, 0.0, 1.0]]
    log_f = forward(log_densities, startprob, transmat)
    assert np.isneginf(log_f[0, 1:]).all()
    assert np.isneginf(log_f[1, 2])
    assert np.isfinite(log_f[2:]).all()
    probabilities = state_probabilities(log_densities, startprob, transmat)
    assert (np.diff(probabilities[:, 0]) <= 1e-15).all()  # who has left state 1 stays away
    assert (np.diff(probabilities[:, 2]) >= -1e-15).all()  # who is in state 3 remains
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-12)


def test_a_thousand_rows_do_not_underflow():
    log_densities = np.full((1000, 2), -800.0)  # exp(-800) is zero to the computer
    model = log_densities, [0.5, 0.5], [[0.9, 0.1], [0.2, 0.8]]
    assert log_likelihood(*model) == pytest.approx(-800_000.0, rel=1e-12)
    assert np.isfinite(state_probabilities(*model)).all()


def test_rows_that_no_path_can_produce():
    model = [[0.0, -np.inf], [-np.inf, 0.0]], [1.0, 0.0], [[1.0, 0.0], [0.0, 1.0]]
    assert log_likelihood(*model) == -np.inf
    with pytest.raises(ValueError, match="log_densities: no path"):
        state_probabilities(*model)


GOOD = {
    "log_densities": np.zeros((4, 2)),
    "startprob": [0.5, 0.5],
    "transmat": [[0.9, 0.1], [0.2, 0.8]],
}
BAD = {
    "a vector": ({"log_densities": np.zeros(4)}, r"log_densities has shape \(4,\)"),
    "no rows": ({"log_densities": np.zeros((0, 2))}, r"log_densities has shape \(0, 2\)"),
    "not a number": ({"log_densities": [[0.0, np.nan]]}, r"log_densities\[0, 1\] is nan"),
    "infinite": ({"log_densities": [[np.inf, 0.0]]}, r"log_densities\[0, 0\] is inf"),
    "words": ({"log_densities": [["uw", "iy"]]}, "log_densities must be an array of real numbers"),
    "start too long": ({"startprob": [0.2, 0.3, 0.5]}, r"startprob has shape \(3,\)"),
    "start sums to two": ({"startprob": [1.0, 1.0]}, "startprob sums to 2"),
    "negative start": ({"startprob": [1.5, -0.5]}, r"startprob\[1\] is negative"),
    "transmat not square": ({"transmat": [[0.9, 0.1]]}, r"transmat has shape \(1, 2\)"),
    "columns sum to one": ({"transmat": [[0.9, 0.2], [0.1, 0.8]]}, r"transmat\[0\] sums to 1.1"),
    "negative step": ({"transmat": [[1.1, -0.1], [0.2, 0.8]]}, r"transmat\[0, 1\] is negative"),
}


@pytest.mark.parametrize(("bad", "message"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("function", [forward, backward, log_likelihood, state_probabilities])
def test_bad_input_is_named(function, bad, message):
    arguments = GOOD | bad
    if function is backward:
        if "startprob" in bad:
            pytest.skip("backward takes no start")
        del arguments["startprob"]
    with pytest.raises(ValueError, match=message):
        function(**arguments)
