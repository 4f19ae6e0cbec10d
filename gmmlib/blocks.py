"""Rows in blocks, on worker threads: what the fast path needs to know of machines (chapter 11).

X is never copied whole. It is an array (memory-mapped, float32 or Fortran order too), or an
iterable of blocks of rows, or of pairs (block, weights) - anything that starts anew when it is
iterated again, such as a list. Each piece of it becomes float64 by itself, when its turn comes.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import islice
from threading import Lock

import numpy as np
from numpy.typing import ArrayLike, NDArray

# BLAS can be told its number of threads by its own C functions only. threadpoolctl calls them; it
# is no array library, and scikit-learn, which gmmlib needs anyway, brings it along.
from threadpoolctl import ThreadpoolController

from gmmlib.validation import as_float_array, as_sample_weight, as_table, check_n_features

Blocks = ArrayLike | Iterable[ArrayLike] | Iterable[tuple[ArrayLike, ArrayLike]]


@dataclass(frozen=True, eq=False)
class Piece:
    """Consecutive rows of X as they came, whatever their number type."""

    rows: NDArray  # (n, n_features)
    weight: NDArray | None  # (n,); None: every row counts once
    name: str = "X"  # for messages: X, or which block of it
    first: int = 0  # where in it these rows begin

    def parts(self, size: int) -> Iterator["Piece"]:
        """Cut into parts of about equal size, of at most `size` rows."""
        n = len(self.rows)
        if n <= size:
            yield self
            return
        size = -(-n // -(-n // size))  # rounded up, twice
        for i in range(0, n, size):
            w = None if self.weight is None else self.weight[i : i + size]
            yield Piece(self.rows[i : i + size], w, self.name, self.first + i)

    def check_finite(self) -> None:
        """Raise if an entry is NaN or infinite; the message names the first."""
        finite = np.isfinite(self.rows)
        if not finite.all():
            n, i = np.argwhere(~finite)[0]
            raise ValueError(
                f"{self.name}[{self.first + n}, {i}] is {self.rows[n, i]}; "
                "remove or impute such entries first"
            )


@dataclass(frozen=True, eq=False)
class Rows:
    """X as pieces: one, if it is an array, or one per block."""

    X: Blocks | Piece
    n_features: int

    @classmethod
    def of(cls, X: Blocks, n_features: int, sample_weight: ArrayLike | None = None) -> "Rows":
        """An array is checked here, blocks when their turn comes.

        Whether numbers are finite turns out when somebody computes with them.

        Raises
        ------
        ValueError
            If X is empty, a block is not (n, n_features), its weights are not valid (see
            `as_sample_weight`), or X is a Dask array.
        """
        if isinstance(X, cls):
            return X
        if hasattr(X, "__dask_graph__"):
            raise ValueError(
                "X is a Dask array, whose blocks are for its workers to compute; use "
                "gmmlib.distributed, or pass X.compute() if it fits into memory"
            )
        if not is_blocks(X):
            return cls(as_piece("X", X, n_features, sample_weight), n_features)
        if sample_weight is not None:
            raise ValueError(
                "sample_weight goes with an array; let X yield pairs (block, weights) instead"
            )
        return cls(X, n_features)

    @property
    def known_length(self) -> int | None:
        """The number of rows, if X is an array."""
        return len(self.X.rows) if isinstance(self.X, Piece) else None

    def __iter__(self) -> Iterator[Piece]:
        if isinstance(self.X, Piece):
            yield self.X
            return
        i = -1
        for i, block in enumerate(self.X):
            block, weight = block if isinstance(block, tuple) else (block, None)
            yield as_piece(f"block {i} of X", block, self.n_features, weight, may_be_zero=True)
        if i < 0:
            raise ValueError("X yields no block; it needs a row at least")

    def check_repeatable(self) -> None:
        """Raise if X can be read only once."""
        if isinstance(self.X, Iterator):
            raise ValueError(
                "X is an iterator, which can be read once, and more than one pass may be needed; "
                "pass a list of blocks, or an object whose __iter__ starts anew"
            )


def pieces(X: Blocks, n_features: int, sample_weight: ArrayLike | None = None) -> Iterator[Piece]:
    """The pieces of `Rows.of(X, n_features, sample_weight)`, one after the other."""
    return iter(Rows.of(X, n_features, sample_weight))


def is_blocks(X: object) -> bool:
    """Whether X is an iterable of blocks rather than one array (or nested list) of rows."""
    if hasattr(X, "__array__") or isinstance(X, str) or not isinstance(X, Iterable):
        return False
    if isinstance(X, (list, tuple)):
        first = X[0] if len(X) else None
        first = first[0] if isinstance(first, tuple) and len(first) == 2 else first
        return getattr(first, "ndim", 0) == 2
    return True


def as_piece(
    name: str,
    rows: ArrayLike,
    n_features: int,
    weight: ArrayLike | None,
    may_be_zero: bool = False,
) -> Piece:
    """Check one array of rows and its weights; `name` stands in messages."""
    try:
        rows = np.asarray(rows)
    except ValueError as error:
        raise ValueError(f"{name} must be an array of real numbers ({error})") from None
    if rows.dtype.kind not in "fiu" or rows.dtype.itemsize > 8:
        rows = as_float_array(name, rows)
    rows = as_table(name, rows)
    check_n_features(name, rows, n_features)
    if weight is not None:
        weight = np.asarray(weight)
        if not may_be_zero or weight.shape != (len(rows),) or weight.any():
            weight = as_sample_weight(weight, len(rows))
        else:  # a block may count for nothing, as long as another one counts
            weight = np.zeros(len(rows))
    return Piece(rows, weight, name)


@cache
def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1


def check_n_threads(n_threads: int | None) -> int:
    """The number of threads; None means one per core that this process may use."""
    if n_threads is None:
        return _cores()
    whole = isinstance(n_threads, (int, np.integer)) and not isinstance(n_threads, bool)
    if not whole or n_threads < 1:
        raise ValueError(f"n_threads is {n_threads!r}; it must be a whole number, 1 or more")
    return int(n_threads)


def in_order(function: Callable, items: Iterable, n_threads: int) -> Iterator:
    """`map(function, items)` on worker threads; at most twice their number of items are waiting.

    Results come in the order of the items, so that a sum of them does not depend on `n_threads`.
    """
    if n_threads == 1:
        yield from map(function, items)
        return
    items = iter(items)
    with ThreadPoolExecutor(n_threads, initializer=_one_blas_thread_here) as workers:
        waiting = deque(workers.submit(function, x) for x in islice(items, 2 * n_threads))
        try:
            while waiting:
                result = waiting.popleft().result()
                waiting.extend(workers.submit(function, x) for x in islice(items, 1))
                yield result
        finally:  # after an error nobody wants the rest
            for future in waiting:
                future.cancel()


_lock, _users, _before = Lock(), 0, {}


@cache
def _blas() -> list:
    return ThreadpoolController().select(user_api="blas").lib_controllers


def _of_thread(library: object) -> bool:
    """Whether each thread has a setting of its own (BLAS built upon OpenMP) or all share one."""
    return getattr(library, "threading_layer", None) == "openmp"


def _set_blas_threads(numbers: dict) -> None:
    """Set the number of threads of each library."""
    for library, number in numbers.items():
        # threadpoolctl listens to the first thread that came until that one is done, and ignores
        # the others. Here whoever holds the lock speaks for all.
        free = getattr(library, "clear_controlling_thread", lambda force: None)
        free(force=True)
        library.set_num_threads(number)
        free(force=True)


def _one_blas_thread_here() -> None:
    for library in _blas():
        if _of_thread(library):
            library.set_num_threads(1)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold BLAS to one thread meanwhile: its own threads would fight with the workers for cores.

    The setting usually belongs to the process. So the first of several callers at a time sets it,
    and the last one restores it.
    """
    global _users
    with _lock:
        own = {b: b.get_num_threads() for b in _blas() if _users == 0 or _of_thread(b)}
        if _users == 0:
            _before.update(own)
        _set_blas_threads(dict.fromkeys(own, 1))
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users > 0:  # what belongs to the process waits for the last one
                own = {library: n for library, n in own.items() if _of_thread(library)}
            _set_blas_threads(own if _users > 0 else _before)
