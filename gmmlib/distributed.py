r"""EM on the machines of Dask: chunks of rows stay where they are, and statistics travel.

    statistics      one pass: E-step, and the sums that the M-step needs      {eq}`statistics-add`
    em              the states of EM, a pass each
    data            the same for `GaussianMixture.fit`, with rows for its starts

Chapter 11; `pip install "gmmlib[dask]"`, on the scheduler and on the workers too. X is a
`dask.array`, (n_samples, n_features), or (n_samples,) for one feature, in chunks of whole rows;
`sample_weight`, if any, one with the chunks of X. Chunks may be empty, and of unknown length. Tasks
run where Dask runs things: on the workers of the active `dask.distributed.Client`, or else on
threads of this process; BLAS has one thread in each.

A pass reads X as Dask reads it: from its source each time, unless you have called `X.persist()`,
which keeps the chunks in the workers' memory. Whatever a lost worker held Dask computes again.
A sum depends on the chunks and on nothing else, so the numbers stay the same, to the last bit on
machines of one kind.

Per row, ask for one chunk after the other: ``X.map_blocks(model.predict, drop_axis=1, dtype=int)``.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial, reduce
from itertools import count
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmlib.blocks import Piece, Rows, as_piece, one_blas_thread
from gmmlib.mixture import Mixture
from gmmlib.products import Features, Residuals, cheapest
from gmmlib.runs import START_ROWS, Data
from gmmlib.statistics import State, Statistics, collect
from gmmlib.validation import check_reg_covar

try:
    import dask
    import dask.array as da
except ImportError as error:
    raise ImportError(
        f'Dask is not installed here ({error}); pip install "gmmlib[dask]"'
    ) from error

#: How many parts a task adds up. A tree of such tasks takes what is added up off the workers' hands
#: early, and leaves a single sum to come here.
FAN_IN = 8

Tickets = tuple[NDArray, NDArray, NDArray]  # rows that count, their weights, a random number each


def statistics(X: da.Array, mixture: Mixture, sample_weight: da.Array | None = None) -> Statistics:
    """The E-step and the sums of the M-step, as `gmmlib.statistics.statistics`.

    Raises
    ------
    ValueError
        If X or the weights are not valid; the message says which entry of which chunk is at fault.
    """
    return Chunks.of(X, sample_weight).statistics(mixture)


def em(
    X: da.Array,
    start: Mixture,
    sample_weight: da.Array | None = None,
    reg_covar: float = 0.0,
) -> Iterator[State]:
    """The states of EM from `start`, as `gmmlib.statistics.em`; take as many as you want.

    Yields
    ------
    State
        What is wrong with the chunks as such raises at the call, what is wrong inside one at the
        first pass; CollapseError comes at the iteration where it happens.
    """
    check_reg_covar(reg_covar)
    chunks = Chunks.of(X, sample_weight)
    chunks.check_features(start)

    def states() -> Iterator[State]:
        mixture = start
        for t in count():
            found = chunks.statistics(mixture)
            yield State(t, mixture, found.log_likelihood)
            mixture = found.mixture(reg_covar)

    return states()


def data(X: da.Array, sample_weight: da.Array | None = None) -> Data:
    """What `gmmlib.estimator.GaussianMixture` needs to know of X."""
    chunks = Chunks.of(X, sample_weight)
    return Data(chunks.n_features, chunks.statistics, chunks.sample)


@dataclass(frozen=True, eq=False)
class Chunks:
    """The rows of X and their weights, as tasks that Dask has yet to run, or has."""

    n_features: int
    rows: list  # of Delayed arrays (n,) or (n, n_features)
    weights: list  # of Delayed arrays (n,); or None, if each row counts once

    @classmethod
    def of(cls, X: da.Array, sample_weight: da.Array | None = None) -> "Chunks":
        """Nothing is computed here.

        Raises
        ------
        ValueError
            If X is no Dask array of rows in one piece, or the weights have not its chunks.
        """
        _check_rows(X)
        rows = list(X.to_delayed().ravel())
        weights = [None] * len(rows)
        if sample_weight is not None:
            _check_weights(sample_weight, X)
            weights = list(sample_weight.to_delayed())
        return cls(1 if X.ndim == 1 else X.shape[1], rows, weights)

    def statistics(self, mixture: Mixture) -> Statistics:
        """One pass, or two where digits would be lost (see `Statistics.accurate`)."""
        self.check_features(mixture)
        with one_blas_thread():
            way = cheapest(mixture)
        found = self._sums(way)
        if found.accurate:
            return found
        about = np.where(np.isfinite(found.means), found.means, mixture.means)
        with one_blas_thread():
            way = Residuals.of(mixture, about)
        return self._sums(way)

    def sample(self, rng: np.random.RandomState) -> tuple[NDArray, NDArray | None]:
        """A random sample of the rows that count, START_ROWS or all of them, in their order.

        As `runs.sample_rows`, but that each chunk draws its own random numbers, so the sample
        depends on the chunks, unless it holds all rows.
        """
        seed = deepcopy(rng).randint(2**31 - 1)
        X, w, _ = self._run(partial(_draw, self.n_features, seed), _merge)
        return X, None if (w == 1).all() else w

    def check_features(self, mixture: Mixture) -> None:
        """Raise unless rows and mixture have the same number of features."""
        if mixture.n_features != self.n_features:
            raise ValueError(
                f"X has {self.n_features} feature(s) but the mixture has {mixture.n_features}; "
                "select the same features"
            )

    def _sums(self, way: Features | Residuals) -> Statistics:
        # Made once, here: sums add up if they are about the same points, to the last bit.
        return self._run(partial(_sums, way), _add)

    def _run(self, task: Callable, combine: Callable) -> Any:
        """Compute task(i, rows, weights) of each chunk i, and combine what is not None.

        What else a task needs is a part of it. Were it a result that all tasks share, Dask would
        take its presence on a worker for a reason to send chunks there; so they stay where they
        are, unless Dask helps out a worker that lags behind.
        """
        task, combine = (dask.delayed(function, pure=False) for function in (task, combine))
        chunks = zip(self.rows, self.weights, strict=True)
        parts = [task(i, rows, weights) for i, (rows, weights) in enumerate(chunks)]
        while len(parts) > 1:
            parts = [combine(parts[i : i + FAN_IN]) for i in range(0, len(parts), FAN_IN)]
        (found,) = dask.compute(*parts)
        if found is None:
            raise ValueError("X has no row whose weight is above zero; at least one must count")
        return found


# --- What the workers do --------------------------------------------------------------------------


def _sums(
    way: Features | Residuals, i: int, rows: NDArray, weight: NDArray | None
) -> Statistics | None:
    """What chunk i adds to the sums; None if no row of it counts."""
    d = way.mixture.n_features
    piece = _chunk(i, rows, weight, d)
    if piece is None:
        return None
    with one_blas_thread():
        return collect(Rows(piece, d), way, n_threads=1)


def _add(parts: list[Statistics | None]) -> Statistics | None:
    return reduce(add, some) if (some := _present(parts)) else None


def _draw(
    n_features: int, seed: int, i: int, rows: NDArray, weight: NDArray | None
) -> Tickets | None:
    """Rows of chunk i that may be in the sample; None if none of them counts."""
    piece = _chunk(i, rows, weight, n_features)
    if piece is None:
        return None
    piece.check_finite()
    w = np.ones(len(piece.rows)) if weight is None else piece.weight
    tickets = np.random.default_rng([seed, i]).uniform(size=len(w))
    return _smallest(piece.rows, w, np.where(w > 0, tickets, np.inf))


def _merge(parts: list[Tickets | None]) -> Tickets | None:
    some = _present(parts)
    return _smallest(*map(np.concatenate, zip(*some, strict=True))) if some else None


def _smallest(rows: NDArray, weight: NDArray, tickets: NDArray) -> Tickets:
    """The START_ROWS smallest tickets, as far as they are finite, and their rows."""
    limit = np.inf
    if len(tickets) > START_ROWS:
        limit = np.partition(tickets, START_ROWS)[START_ROWS]
    wins = tickets < limit
    return rows[wins], weight[wins], tickets[wins]


def _present(parts: list) -> list:
    return [part for part in parts if part is not None]


def _chunk(i: int, rows: NDArray, weight: NDArray | None, n_features: int) -> Piece | None:
    """Chunk i, checked; None if no row of it counts."""
    rows = np.asarray(rows)
    if len(rows) == 0 and (weight is None or len(weight) == 0):
        return None
    try:
        piece = as_piece("X", rows, n_features, weight, may_be_zero=True)
    except ValueError as error:
        raise ValueError(f"chunk {i}: {error}") from None
    return replace(piece, name=f"chunk {i} of X") if weight is None or piece.weight.any() else None


# --- Checks ---------------------------------------------------------------------------------------


def _check_rows(X: da.Array) -> None:
    if not isinstance(X, da.Array):
        raise ValueError(
            f"X is a {type(X).__name__}, not a Dask array; use dask.array.from_array, or "
            "to_dask_array() of a Dask data frame"
        )
    if X.ndim not in (1, 2):
        raise ValueError(
            f"X has {X.ndim} dimensions; pass (n_samples, n_features), or (n_samples,) "
            "for one feature"
        )
    if X.dtype.kind not in "fiub":
        raise ValueError(f"X must be an array of real numbers, and its dtype is {X.dtype}")
    if X.ndim == 2 and len(X.chunks[1]) > 1:
        raise ValueError(
            f"the features of X are in {len(X.chunks[1])} chunks, and a task needs whole rows; "
            "pass X.rechunk({1: -1})"
        )
    if X.ndim == 2 and not X.shape[1] > 0:
        raise ValueError(
            f"X has {X.shape[1]} features; it needs one at least, and a known number of them"
        )


def _check_weights(sample_weight: da.Array, X: da.Array) -> None:
    if not isinstance(sample_weight, da.Array):
        raise ValueError(
            f"sample_weight is a {type(sample_weight).__name__}, not a Dask array as X is; pass "
            "dask.array.from_array(sample_weight, chunks=X.chunks[:1])"
        )
    if sample_weight.ndim != 1:
        raise ValueError(
            f"sample_weight has {sample_weight.ndim} dimensions; pass (n_samples,): one weight "
            "per row"
        )
    ours, theirs = sample_weight.chunks[0], X.chunks[0]
    # Unknown lengths are nan; the workers will compare them.
    known = [(a, b) for a, b in zip(ours, theirs, strict=False) if a == a and b == b]
    if len(ours) != len(theirs) or any(a != b for a, b in known):
        raise ValueError(
            f"sample_weight has other chunks than the rows of X ({len(ours)} and {len(theirs)} of "
            "them, or of other lengths); pass sample_weight.rechunk(X.chunks[:1])"
        )
