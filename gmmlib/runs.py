"""Runs of EM from several starts, one after the other, that can be stopped and go on.

A run and its progress are frozen: each iteration makes a new one of the old. So whatever interrupts
a fit finds the last one whole, and a saved one goes on as if nothing had happened.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gmmlib.blocks import Rows
from gmmlib.mixture import Mixture
from gmmlib.statistics import Statistics
from gmmlib.validation import CollapseError

#: Of data in blocks, starts see a random sample of this many rows (all of them, if there are less).
START_ROWS = 2**16


@dataclass(frozen=True, eq=False)
class Data:
    """What `fit` needs to know of data; `gmmlib.distributed.data` makes one of a Dask array."""

    n_features: int
    take: Callable[[Mixture], Statistics]
    #: sample(rng): rows for starts and their weights (None: all one), none of which is zero
    sample: Callable[[np.random.RandomState], tuple[NDArray, NDArray | None]]


@dataclass(frozen=True, eq=False)
class Run:
    """One run of EM, as far as it has come."""

    mixture: Mixture
    before: float = -np.inf  # lower bound when the run began
    bounds: tuple[float, ...] = ()  # mean log-likelihood that each iteration *started* from
    found: Statistics | None = None  # whose M-step gave the mixture
    converged: bool = False

    @property
    def bound(self) -> float:
        """The last lower bound, in nats per sample."""
        return self.bounds[-1] if self.bounds else self.before


@dataclass(frozen=True, eq=False)
class Progress:
    """Where a fit of several runs stands; enough to go on from, bit for bit."""

    rng: tuple  # state of the random numbers for the next start
    n_init: int
    finished: int = 0  # runs that are over
    best: Run | None = None  # of those
    run: Run | None = None  # the one under way
    collapses: tuple[str, ...] = ()

    @property
    def leading(self) -> Run | None:
        """The best run so far, the one under way included once it has made a step."""
        under_way = self.run if self.run and self.run.bounds else None
        return max(filter(None, (self.best, under_way)), key=lambda r: r.bound, default=None)

    def is_due(self, interval: int) -> bool:
        """Whether to report: every `interval` iterations, and when a run has converged."""
        t = len(self.run.bounds) if self.run else 0
        return t > 0 and (self.run.converged or t % interval == 0)

    def __str__(self) -> str:
        """About the run under way, which must have made a step."""
        before, *_ = (*self.run.bounds[-2:-1], self.run.before)
        return (
            f"run {self.finished + 1} of {self.n_init}, iteration {len(self.run.bounds)}: "
            f"log-likelihood {self.run.bound:.6f} a row, change {self.run.bound - before:.1e}"
            + (", converged" if self.run.converged else "")
        )


def runs(
    data: Data,
    start: Callable[[np.random.RandomState], Mixture],
    progress: Progress,
    rng: np.random.RandomState,
    reg_covar: float,
    tol: float,
    max_iter: int,
) -> Iterator[Progress]:
    """The progress of a fit, iteration by iteration, from `progress` to its end.

    Parameters
    ----------
    start : start(rng), the first mixture of a run
    rng : its state must be ``progress.rng``
    tol : float, nats per row: a run has converged when the lower bound changes by less

    Yields
    ------
    Progress
        After every start, iteration and run. Runs that collapse are counted, and others go on.
    """
    while progress.finished < progress.n_init:
        best, collapses = progress.best, progress.collapses
        try:
            if progress.run is None:
                run = Run(start(rng))
                progress = replace(progress, run=run, rng=rng.get_state())
                yield progress
            while not progress.run.converged and len(progress.run.bounds) < max_iter:
                progress = replace(progress, run=_iterate(data, progress.run, reg_covar, tol))
                yield progress
            best = max(filter(None, (best, progress.run)), key=lambda run: run.bound)
        except CollapseError as error:
            collapses = (*collapses, str(error))
        n = progress.finished + 1
        progress = Progress(rng.get_state(), progress.n_init, n, best, None, collapses)
        yield progress


def _iterate(data: Data, run: Run, reg_covar: float, tol: float) -> Run:
    """One iteration: E-step and sums, M-step."""
    found = data.take(run.mixture)
    bound = found.log_likelihood / found.weight
    converged = abs(bound - run.bound) < tol
    return Run(found.mixture(reg_covar), run.before, (*run.bounds, bound), found, converged)


def sample_rows(rows: Rows, rng: np.random.RandomState) -> tuple[NDArray, NDArray | None]:
    """A random sample of the rows that count, START_ROWS or all of them, in their order; one pass.

    Every row draws a number, and the START_ROWS smallest win. The draws are made with a copy of
    `rng`, so that starts are those of the same rows in one array, if the sample holds them all.
    """
    rng, limit, kept = deepcopy(rng), np.inf, []
    for piece in rows:
        for part in piece.parts(START_ROWS):
            part.check_finite()
            w = np.ones(len(part.rows)) if part.weight is None else part.weight
            tickets = rng.uniform(size=len(w))
            wins = (w > 0) & (tickets < limit)
            kept.append((part.rows[wins], w[wins], tickets[wins]))
        if sum(len(w) for _, w, _ in kept) > START_ROWS:
            X, w, tickets = map(np.concatenate, zip(*kept, strict=True))
            limit = np.partition(tickets, START_ROWS)[START_ROWS]
            wins = tickets < limit
            kept = [(X[wins], w[wins], tickets[wins])]
    X, w, _ = map(np.concatenate, zip(*kept, strict=True))
    return X, None if (w == 1).all() else w
