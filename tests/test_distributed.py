"""`gmmlib.distributed`: on chunks of a Dask array the same numbers, wherever they are computed."""

import builtins
import importlib
import logging
import os
import re
import sys
from itertools import islice

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmlib import CollapseError, Mixture, m_step
from gmmlib import em as readable
from gmmlib.covariance import COVARIANCE_TYPES
from gmmlib.estimator import GaussianMixture

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
from gmmlib import distributed  # noqa: E402 (it needs Dask)

every_type = pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
K = 3


def clouds(n=1200, d=2, seed=0):
    """Rows, and a first mixture of each covariance type."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(K, size=n)
    X = rng.normal(size=(n, d)) * (1 + labels[:, None]) + 4 * labels[:, None]
    gamma = np.eye(K)[labels] * 0.6 + rng.dirichlet(np.ones(K), size=n) * 0.4
    return X, {kind: m_step(X, gamma, kind) for kind in COVARIANCE_TYPES}


X, STARTS = clouds()
WEIGHT = np.random.default_rng(1).gamma(1.0, size=len(X))
WEIGHT[450:900] = 0.0
CHUNKS = (300, 0, 150, 450, 1, 299)  # one is empty, and all the weights of one are zero


def chunked(array, rows=CHUNKS):
    return da.from_array(array, chunks=(rows, *array.shape[1:]))


def states(X, start, weight=None, n=5):
    return list(islice(distributed.em(X, start, weight), n))


def assert_same(ours, theirs, rtol=1e-10):
    """States of EM; numbers are compared with the largest of their kind."""
    for a, b in zip(ours, theirs, strict=True):
        assert a.iteration == b.iteration
        assert_allclose(a.log_likelihood, b.log_likelihood, rtol=rtol)
        for name in ("weights", "means", "covariances"):
            x, y = getattr(a.mixture, name), getattr(b.mixture, name)
            assert_allclose(x, y, rtol=0, atol=rtol * np.abs(y).max(), err_msg=name)


# --- The same numbers -----------------------------------------------------------------------------


@every_type
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
def test_every_state_is_that_of_the_whole_array(covariance_type, weight):
    start = STARTS[covariance_type]
    w = None if weight is None else chunked(weight)
    assert_same(states(chunked(X), start, w), islice(readable.em(X, start, weight), 5))


def test_a_sum_depends_on_the_chunks_and_not_on_who_computes_them():
    found = []
    for scheduler in ("synchronous", "threads"):
        with dask.config.set(scheduler=scheduler):
            found.append(states(chunked(X, 97), STARTS["full"])[-1].mixture)
    assert_array_equal(found[0].covariances, found[1].covariances)


@every_type
def test_a_second_pass_where_the_first_would_lose_digits(covariance_type):
    rows = np.random.default_rng(0).normal(3e4, 1, (600, 2))  # far from the start, for its width
    sigma = {"full": np.tile(np.eye(2), (2, 1, 1)), "tied": np.eye(2), "diag": np.ones((2, 2))}
    sigma = 1e8 * sigma.get(covariance_type, np.ones(2))
    start = Mixture([0.5, 0.5], [[-1e4, 0.0], [1e4, 0.0]], sigma, covariance_type)
    assert_same(states(chunked(rows, 170), start), islice(readable.em(rows, start), 5))


@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_other_number_types(dtype):
    rows = (10 * X).astype(dtype)
    start = Mixture([0.4, 0.6], [[0.0, 5.0], [60.0, 70.0]], np.full(2, 500.0), "spherical")
    assert_same(states(chunked(rows), start), islice(readable.em(rows, start), 5))


def test_one_feature_may_be_a_vector():
    start = STARTS["diag"].marginal(0)
    column = X[:, 0]
    assert_same(states(chunked(column), start), islice(readable.em(column, start), 5))


def test_chunks_of_unknown_length():
    kept = X[:, 0] > 0
    rows, w = chunked(X)[chunked(kept)], chunked(1 + WEIGHT)[chunked(kept)]
    assert np.isnan(rows.shape[0])
    expected = list(islice(readable.em(X[kept], STARTS["full"], 1 + WEIGHT[kept]), 5))
    assert_same(states(rows, STARTS["full"], w), expected)


def test_statistics_are_those_of_one_pass():
    found = distributed.statistics(chunked(X), STARTS["tied"], chunked(WEIGHT))
    _, log_L = readable.e_step(X, STARTS["tied"], WEIGHT)
    assert_allclose(found.log_likelihood, log_L, rtol=1e-12)
    assert_allclose(found.weight, WEIGHT.sum(), rtol=1e-12)
    assert found.rows == np.count_nonzero(WEIGHT)


def test_each_iteration_reads_the_data_once():
    read = []

    def source(block):
        read.append(len(block))
        return block

    rows = chunked(X, 400).map_blocks(source, meta=np.empty((0, 2)))
    states(rows, STARTS["full"], n=4)
    assert read == [400] * 12


# --- The estimator --------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
def test_the_estimator_fits_a_dask_array_as_it_fits_the_array(weight):
    options = {"n_components": K, "random_state": 0}
    w = None if weight is None else chunked(weight)
    ours = GaussianMixture(**options).fit(chunked(X), sample_weight=w)
    theirs = GaussianMixture(**options).fit(X, sample_weight=weight)
    assert ours.n_iter_ == theirs.n_iter_
    assert_allclose(ours.means_, theirs.means_, rtol=1e-10)
    assert_allclose(ours.score(chunked(X), sample_weight=w), theirs.score(X, sample_weight=weight))
    assert_allclose(ours.bic(chunked(X)), theirs.bic(X))
    labels = chunked(X, 400).map_blocks(ours.predict, drop_axis=1, dtype=int)
    assert_array_equal(labels.compute(), theirs.predict(X))


def test_starts_are_drawn_from_a_fair_sample_of_the_rows(monkeypatch):
    monkeypatch.setattr(distributed, "START_ROWS", 20)
    w = np.ones(100)
    w[::10] = 0.0
    rows = np.column_stack([np.arange(100.0), w])
    chunks = (10, 50, 0, 40)
    sample = distributed.data(chunked(rows, chunks), chunked(w, chunks)).sample
    drawn = np.zeros(100)
    with dask.config.set(scheduler="synchronous"):
        for seed in range(100):
            found, weight = sample(np.random.RandomState(seed))
            assert weight is None
            assert len(found) == 20
            assert (np.diff(found[:, 0]) > 0).all()  # in their order, none twice
            drawn[found[:, 0].astype(int)] += 1
        again, _ = sample(np.random.RandomState(99))
    assert_array_equal(again, found)
    assert (drawn[w == 0] == 0).all()
    assert drawn[w > 0].min() >= 8  # 22 on average, sd 4
    assert drawn[w > 0].max() <= 38
    assert_allclose(drawn[:10].sum(), 2000 * 9 / 90, rtol=0.2)


# --- Bad input ------------------------------------------------------------------------------------


def spoilt(n, i, value):
    rows = X.copy()
    rows[n, i] = value
    return chunked(rows)


REFUSED = {
    "features in chunks": (
        lambda: (da.from_array(X, chunks=(300, 1)), None),
        r"in 2 chunks.*X\.rechunk\(\{1: -1\}\)",
    ),
    "three dimensions": (lambda: (da.zeros((4, 2, 2)), None), "3 dimensions"),
    "not a number": (lambda: (da.from_array(X + 1j, chunks=300), None), "complex128"),
    "no feature": (lambda: (da.zeros((4, 0)), None), "0 features"),
    "another number of features": (
        lambda: (da.zeros((4, 3)), None),
        r"3 feature\(s\) but the mixture has 2",
    ),
    "nan": (lambda: (spoilt(451, 1, np.nan), None), r"chunk 3 of X\[1, 1\] is nan"),
    "infinity": (lambda: (spoilt(2, 0, np.inf), None), r"chunk 0 of X\[2, 0\] is inf"),
    "no row": (lambda: (da.zeros((0, 2)), None), "no row"),
    "weights not from Dask": (lambda: (chunked(X), WEIGHT), r"from_array\(sample_weight, chunks="),
    "weights of two dimensions": (lambda: (chunked(X), chunked(X)), "sample_weight has 2 dim"),
    "weights in other chunks": (
        lambda: (chunked(X), chunked(WEIGHT, 400)),
        r"sample_weight\.rechunk\(X\.chunks\[:1\]\)",
    ),
    "weights in as many other chunks": (
        lambda: (chunked(X, 600), chunked(WEIGHT, (500, 700))),
        r"sample_weight\.rechunk\(X\.chunks\[:1\]\)",
    ),
    "weights of other, unknown length": (
        lambda: (chunked(X), chunked(WEIGHT)[chunked(WEIGHT) > 0.1]),
        r"chunk \d: sample_weight has shape .*; X has \d+ rows",
    ),
    "a negative weight": (
        lambda: (chunked(X), chunked(np.where(np.arange(len(X)) == 451, -1, WEIGHT))),
        r"chunk 3: sample_weight\[1\] is neg",
    ),
    "weights all zero": (lambda: (chunked(X), chunked(0 * WEIGHT)), "weight is above zero"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_with_a_reason(case):
    make, message = REFUSED[case]
    rows, weight = make()
    with pytest.raises(ValueError, match=message):
        next(distributed.em(rows, STARTS["full"], weight))


@pytest.mark.parametrize("case", ["features in chunks", "another number of features"])
def test_what_needs_no_look_at_the_rows_is_refused_at_the_call(case):
    make, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        distributed.em(make()[0], STARTS["full"])


def test_an_array_that_is_not_dask_s_is_refused():
    with pytest.raises(ValueError, match="ndarray, not a Dask array"):
        distributed.data(X)


def test_the_estimator_refuses_it_in_the_same_words_and_is_what_it_was():
    model = GaussianMixture(K, random_state=0).fit(X)
    before = model.means_.copy()
    with pytest.raises(ValueError, match=r"X\.rechunk\(\{1: -1\}\)"):
        model.fit(da.from_array(X, chunks=(300, 1)))
    with pytest.raises(ValueError, match=r"chunk 3 of X\[1, 1\] is nan"):
        model.fit(spoilt(451, 1, np.nan))
    with pytest.raises(ValueError, match=r"1 feature\(s\) but the mixture has 2"):
        model.score(chunked(X[:, 0]))
    assert_array_equal(model.means_, before)


def test_a_collapse_is_reported_where_it_happens():
    same = da.zeros((100, 2), chunks=30)
    run = distributed.em(same, Mixture([1.0], [[0.0, 0.0]], [np.eye(2)]))
    next(run)
    with pytest.raises(CollapseError, match="component 0"):
        next(run)


def test_without_dask_the_message_names_the_extra(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] == "dask":
            raise ModuleNotFoundError("No module named 'dask'", name="dask")
        return real(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "gmmlib.distributed")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=re.escape('pip install "gmmlib[dask]"')):
        importlib.import_module("gmmlib.distributed")


# --- A cluster ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """Two worker processes on this machine; no dashboard, so no other port."""
    workers = pytest.importorskip("dask.distributed")
    with (
        dask.config.set({"distributed.scheduler.work-stealing": False}),
        workers.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
            local_directory=str(tmp_path_factory.mktemp("dask")),
        ) as cluster,
        workers.Client(cluster) as client,
    ):
        yield client


def process_of(client):
    """Process ids of the workers, by address."""
    return client.run(os.getpid)


def sent(client):
    """Bytes of results that the workers have sent to anybody."""
    return sum(client.run(lambda dask_worker: dask_worker.transfer_outgoing_bytes_total).values())


def test_on_a_cluster_only_statistics_travel(client):
    rows, starts = clouds(n=100_000, d=4)
    big = da.from_array(rows, chunks=(12_500, 4)).persist()
    dask.distributed.wait(big)
    before = sent(client)
    ours = states(big, starts["full"], n=3)
    assert sent(client) - before < 0.05 * rows.nbytes
    assert_same(ours, islice(readable.em(rows, starts["full"]), 3))


def test_a_lost_worker_costs_time_but_no_digit(client):
    psutil = pytest.importorskip("psutil")
    rows = chunked(X, 100).persist()
    dask.distributed.wait(rows)
    run = distributed.em(rows, STARTS["full"])
    ours = list(islice(run, 3))
    lost, process = next(iter(process_of(client).items()))
    held = [keys for address, keys in client.has_what().items() if address == lost]
    assert held[0], "the worker that is to die holds none of the rows"
    psutil.Process(process).kill()
    ours += islice(run, 5)
    assert lost not in process_of(client)
    assert_same(ours, islice(readable.em(X, STARTS["full"]), 8))


def test_a_worker_may_be_lost_in_the_middle_of_a_pass(client, tmp_path):
    trap = str(tmp_path / "trap")

    def dies_once(block):  # in here, so that workers need not import this module
        """The block; but the process that finds the trap set ends at once."""
        try:
            os.unlink(trap)
        except FileNotFoundError:
            return block
        os._exit(1)

    rows = chunked(X, 100).map_blocks(dies_once, meta=np.empty((0, 2)))
    run = distributed.em(rows, STARTS["diag"])
    ours = list(islice(run, 2))
    open(trap, "x").close()
    ours += islice(run, 3)
    assert not os.path.exists(trap)
    assert_same(ours, islice(readable.em(X, STARTS["diag"]), 5))
