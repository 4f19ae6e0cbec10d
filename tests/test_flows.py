"""Flows: exact densities, gradients that differences confirm, maps that can be undone."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad

from gmmlib import Mixture
from gmmlib.data import old_faithful
from gmmlib.flows import Bend, Coupling, Flow, standard_bell, start_flow, train

X = old_faithful().X
TWO = Mixture([0.4, 0.6], [[-1.0, 0.0], [1.0, 1.0]], [np.eye(2), [[0.5, 0.2], [0.2, 0.3]]])
CHAINS = [
    (Bend(0),),
    (Coupling(1, 3),),
    (Coupling(0),),
    (Bend(0), Coupling(1, 3), Bend(1), Coupling(0, 2)),
]


def flow_of(layers, base=TWO, seed=0):
    return start_flow(X, layers, np.random.default_rng(seed), base)


@pytest.mark.parametrize("layers", CHAINS)
def test_the_gradient_is_that_of_central_differences(layers):
    flow = flow_of(layers)
    _, slope = flow.gradient(X)

    def log_l(parameters):
        return flow.with_parameters(parameters).log_density(X).sum()

    steps = 1e-5 * np.eye(len(slope))
    found = [(log_l(flow.parameters + e) - log_l(flow.parameters - e)) / 2e-5 for e in steps]
    assert slope == pytest.approx(np.array(found), rel=1e-6, abs=1e-5 * np.abs(slope).max())


@pytest.mark.parametrize("layers", CHAINS)
def test_the_inverse_undoes_the_map(layers):
    flow = flow_of(layers)
    assert flow.inverse(flow.forward(X)[0]) == pytest.approx(X, rel=1e-11)


@pytest.mark.parametrize("layers", CHAINS)
def test_the_log_slope_is_the_log_determinant_of_differences(layers):
    flow, e = flow_of(layers), 1e-5
    columns = [(flow.forward(X + e * row)[0] - flow.forward(X - e * row)[0]) / (2 * e)
               for row in np.eye(2)]  # fmt: skip
    found = np.linalg.slogdet(np.stack(columns, axis=-1))
    assert found.sign == pytest.approx(1)
    assert flow.forward(X)[1] == pytest.approx(found.logabsdet, abs=1e-6)


def test_a_density_has_area_one_for_any_parameters():
    for seed in range(3):
        rng = np.random.default_rng(seed)
        flow = start_flow(X[:, 1:], [Bend(0), Coupling(0), Bend(0)], rng)
        flow = flow.with_parameters(rng.normal(size=8))
        area, _ = quad(lambda x, flow=flow: np.exp(flow.log_density([[x]])[0]), -2000, 2000,
                       points=[40, 60, 80, 100], limit=500)  # fmt: skip
        assert area == pytest.approx(1, abs=1e-6)


def test_without_layers_it_is_its_base_shifted_and_scaled():
    flow = start_flow(X, [], np.random.default_rng(0))
    bell = Mixture([1.0], X.mean(axis=0)[None], np.diag(X.var(axis=0))[None])
    assert flow.log_density(X) == pytest.approx(bell.log_density(X))
    assert flow.gradient(X)[1].shape == (0,)


def test_a_sample_has_the_density():
    flow = flow_of(CHAINS[3])
    draws = flow.sample(20_000, np.random.default_rng(3))
    fresh = flow.sample(20_000, np.random.default_rng(4))
    images = flow.forward(draws)[0]
    assert images.mean(axis=0) == pytest.approx(TWO.mean, abs=0.03)
    assert flow.log_density(draws).mean() == pytest.approx(flow.log_density(fresh).mean(), abs=0.05)


def test_training_never_loses_what_it_maximises_and_the_penalty_shrinks():
    start = flow_of(CHAINS[3], standard_bell(2))
    free, trace = train(start, X, max_iter=30)
    held, _ = train(start, X, penalty=10.0, max_iter=30)
    assert (np.diff(trace) >= 0).all()
    assert trace[-1] == pytest.approx(free.log_density(X).sum())
    assert np.linalg.norm(held.parameters) < np.linalg.norm(free.parameters)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"parameters": np.zeros(2)}, "layers take 3"),
        ({"parameters": np.array([0.0, np.nan, 0.0])}, "parameters.1. is nan"),
        ({"shift": np.zeros(1)}, "shift must have shape"),
        ({"scale": np.array([1.0, 0.0])}, "scale must be positive"),
        ({"layers": (Bend(2),)}, "feature that is not there"),
    ],
)
def test_a_flow_that_makes_no_sense_is_refused(change, complaint):
    flow = Flow((Bend(0),), np.zeros(3), np.zeros(2), np.ones(2), TWO)
    with pytest.raises(ValueError, match=complaint):
        replace(flow, **change)


def test_bad_input_is_refused():
    flow = flow_of(CHAINS[0])
    with pytest.raises(ValueError, match="1 feature"):
        flow.log_density(X[:, :1])
    with pytest.raises(ValueError, match="penalty"):
        train(flow, X, penalty=-1.0)
    with pytest.raises(ValueError, match="rng"):
        start_flow(X, CHAINS[0], 3)
