r"""EM as it is run: an iteration is one pass over blocks of rows, which leaves a few sums.

    statistics      E-step, and the sums that the M-step needs         {eq}`statistics-add`
    Statistics      these sums: parts add up; `mixture()` is the M-step
    stepwise        old sums blended with new ones                     {eq}`stepwise-em`
    em              the states of EM
    log_densities, responsibilities     what the E-step says of each row

Chapter 11. The same numbers as `gmmlib.em`, which is the one to read first, to 1e-10 or better:
`gmmlib.products` says how a block is computed, and what is done if its products would lose digits.

X is (n_samples, n_features), or (n_samples,) for one feature, of any number type, memory-mapped if
you like; or an iterable of such blocks of rows, or of pairs (block, weights), that starts anew each
time. No more than a few blocks are held at a time. Sums do not depend on the number of threads.
`n_threads` is one per core unless you say otherwise.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmlib import covariance
from gmmlib.blocks import Blocks, Piece, Rows, check_n_threads, in_order, one_blas_thread
from gmmlib.mixture import Mixture
from gmmlib.products import MOST_CANCELLATION, Moments, Residuals, Way, cheapest
from gmmlib.validation import (
    as_float_array,
    check_finite,
    check_n_components,
    check_not_empty,
    check_reg_covar,
)

#: exp of less than this is slow, and vanishes beside exp(FAINTEST) all the same.
LEAST_EXPONENT = -700.0
#: The log-density, less that of the highest peak, below which rows take their own maximum first.
FAINTEST = -600.0
#: Work of a call, in nanoseconds on one core, below which threads cost more than they bring: they
#: wait for Python's lock between their products, the longer the busier the machine is.
WORTH_THREADS = 8e6


# --- What EM needs to know ------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Statistics:
    """What the M-step needs to know of rows: sums, under the posterior of one mixture.

    With gamma_nk the responsibilities times the weights of the rows, and r_nk = x_n - about_k:
    """

    under: Mixture  # the mixture of the E-step
    about: NDArray  # (K, d), units of X: points near the data, so that sums lose no digits
    counts: NDArray  # (K,): sum_n gamma_nk
    sums: NDArray  # (K, d): sum_n gamma_nk r_nk
    #: of gamma_nk r_nk r_nk^T, in the shape of the type: full (K, d, d); diag (K, d), its diagonal;
    #: spherical (K,), its trace; tied (d, d), summed over k
    products: NDArray
    log_likelihood: float  # of `under`, in nats, summed over rows
    weight: float  # sum of the weights of the rows
    rows: int  # how many of them have a weight above zero

    def __add__(self, other: "Statistics") -> "Statistics":
        """Of two parts of the data together: {eq}`statistics-add`.

        Raises
        ------
        ValueError
            Unless both were taken under the same mixture, about the same points.
        """
        if not (_same(self.under, other.under) and np.array_equal(self.about, other.about)):
            raise ValueError(
                "statistics add up only when they were taken under the same mixture, about the "
                "same points; take both again, or blend old ones with new ones by `stepwise`"
            )
        names = ("counts", "sums", "products", "log_likelihood", "weight", "rows")
        return replace(self, **{name: getattr(self, name) + getattr(other, name) for name in names})

    def __mul__(self, factor: float) -> "Statistics":
        """As if every row's weight were multiplied by `factor`, a number above zero."""
        if not 0 < factor < np.inf:
            raise ValueError(f"statistics times {factor!r}: use a finite factor above zero")
        names = ("counts", "sums", "products", "log_likelihood", "weight")
        return replace(self, **{name: getattr(self, name) * factor for name in names})

    __rmul__ = __mul__

    @property
    def means(self) -> NDArray:
        """(K, d): the means that the M-step would give, units of X."""
        return self.about + self._shift

    @property
    def accurate(self) -> bool:
        """Whether `about` is near enough to the means for covariances with all their digits.

        If not, take the statistics once more, with ``about=found.means``. `statistics` does so by
        itself; whoever adds up parts asks for the sum.
        """
        second, variances = self._variances
        good = second <= MOST_CANCELLATION * variances
        # A component that sits on one point has no variance of its own; reg_covar is all it has.
        return bool(good.all() or (good | (second <= covariance.EPS * self._spread)).all())

    def mixture(self, reg_covar: float = 0.0) -> Mixture:
        r"""The M-step, as `em.m_step`: {eq}`m-step-weights`, {eq}`m-step-means` and
        {eq}`m-step-covariances`, the latter as $\overline{r r^T} - \bar r \bar r^T$.

        Parameters
        ----------
        reg_covar : float, squared units of X, added to every variance

        Raises
        ------
        ValueError
            If there are fewer rows than components.
        CollapseError
            A ValueError that names the component that is empty or has collapsed.
        """
        check_reg_covar(reg_covar)
        check_n_components(len(self.counts), np.ones(min(self.rows, len(self.counts))))
        check_not_empty(self.counts)
        kind = self.under.covariance_type
        N, shift, (_, variances) = self.counts.sum(), self._shift, self._variances
        pi, mu = self.counts / N, self.about + shift
        ridge = reg_covar
        if kind == "full":
            sigma = self.products / self.counts[:, None, None]
            sigma -= shift[:, :, None] * shift[:, None, :]
        elif kind == "tied":
            root = np.sqrt(self.counts)[:, None] * shift
            sigma = (self.products - root.T @ root) / N
        else:
            sigma = variances
        if kind in ("full", "tied"):
            ridge = reg_covar * np.eye(mu.shape[1])
        sigma, spread = sigma + ridge, self._spread
        # The largest |x| enters beside the spread only, and matters only far from the origin.
        largest = np.sqrt((pi @ mu) ** 2 + spread)
        with one_blas_thread():
            try:
                fitted = Mixture(pi, mu, sigma, kind)
            except ValueError:  # it is not positive definite: a collapse
                covariance.check_thick_enough(spread, largest, sigma, kind)
                raise
            covariance.check_thick_enough(spread, largest, sigma, kind, definite=True)
        return fitted

    @cached_property
    def _shift(self) -> NDArray:
        """(K, d): from `about` to the means; zero where a component is empty."""
        return self.sums / self._divisors[:, None]

    @cached_property
    def _divisors(self) -> NDArray:
        """(K,): the counts; one where a component is empty and all its sums are zero."""
        return np.where(self.counts > 0, self.counts, 1.0)

    @cached_property
    def _variances(self) -> tuple[NDArray, NDArray]:
        """Mean squares about `about`, and about the means: (K, d), tied (1, d), spherical (K,)."""
        kind, squares, N_k = self.under.covariance_type, self._shift**2, self._divisors
        if kind == "full":
            second = self.products.diagonal(axis1=1, axis2=2) / N_k[:, None]
        elif kind == "tied":
            pi = self.counts / self.counts.sum()
            second, squares = self.products.diagonal()[None] / self.counts.sum(), pi @ squares
        elif kind == "diag":
            second = self.products / N_k[:, None]
        else:
            d = squares.shape[1]
            second, squares = self.products / N_k / d, squares.sum(axis=1) / d
        return second, second - squares

    @property
    def _spread(self) -> NDArray:
        """Variance of all rows together: (d,), or (1,) for 'spherical', the mean over features."""
        pi, means, (_, variances) = self.counts / self.counts.sum(), self.means, self._variances
        deviations = (means - pi @ means) ** 2
        if variances.ndim == 1:
            variances, deviations = variances[:, None], deviations.mean(axis=1, keepdims=True)
        return pi @ (variances + deviations)


def _same(a: Mixture, b: Mixture) -> bool:
    names = ("weights", "means", "covariances")
    return a is b or (
        a.covariance_type == b.covariance_type
        and all(np.array_equal(getattr(a, name), getattr(b, name)) for name in names)
    )


def stepwise(old: Statistics, new: Statistics, rate: float) -> Statistics:
    """(1 - rate) times old plus rate times new, each for one row on average: {eq}`stepwise-em`.

    What both say is expressed about the points of `new`. The result counts as many rows as both
    together have; `under` and `log_likelihood` are those of `new`.

    Parameters
    ----------
    rate : float, above 0 and at most 1

    Raises
    ------
    ValueError
        If the rate is out of range, or the shapes or types differ.
    """
    if not 0 < rate <= 1:
        raise ValueError(f"rate is {rate!r}; it must be above 0 and at most 1")
    if (old.under.covariance_type, old.sums.shape) != (new.under.covariance_type, new.sums.shape):
        raise ValueError("old and new statistics are of mixtures of different type or shape")
    weight = old.weight + new.weight
    old, fresh = _moved(old * (1 / old.weight), new.about), new * (1 / new.weight)
    blended = {
        name: weight * ((1 - rate) * getattr(old, name) + rate * getattr(fresh, name))
        for name in ("counts", "sums", "products")
    }
    return replace(new, **blended, weight=weight, rows=old.rows + new.rows)


def _moved(old: Statistics, about: NDArray) -> Statistics:
    """The same statistics about other points."""
    step = old.about - about
    sums = old.sums + old.counts[:, None] * step
    mixed = old.sums[:, :, None] * step[:, None, :]
    mixed = mixed + mixed.transpose(0, 2, 1)
    mixed += old.counts[:, None, None] * step[:, :, None] * step[:, None, :]
    kind = old.under.covariance_type
    added = {
        "full": lambda: mixed,
        "tied": lambda: mixed.sum(axis=0),
        "diag": lambda: mixed.diagonal(axis1=1, axis2=2),
        "spherical": lambda: mixed.trace(axis1=1, axis2=2),
    }[kind]()
    return replace(old, about=about, sums=sums, products=old.products + added)


# --- One pass over the rows -----------------------------------------------------------------------


def statistics(
    X: Blocks,
    mixture: Mixture,
    sample_weight: ArrayLike | None = None,
    n_threads: int | None = None,
    about: ArrayLike | None = None,
) -> Statistics:
    """The E-step and the sums of the M-step, in one pass over blocks of rows.

    Parameters
    ----------
    X, n_threads : see the top of this module
    mixture : Mixture, under which rows have their responsibilities
    sample_weight : array (n_samples,), optional; with an array X only
    about : array (K, d), units of X; take sums about these points, by residuals. Unless it
        is given, points are chosen from the mixture, the same for every part of the data, and a
        second pass is made if they turn out to be too far from the new means.

    Raises
    ------
    ValueError
        If X, the weights, n_threads or about are not valid; the message says which entry of which
        block is at fault.
    """
    rows = Rows.of(X, mixture.n_features, sample_weight)
    rows.check_repeatable()
    n_threads = check_n_threads(n_threads)
    if about is None:
        with one_blas_thread():
            found = collect(rows, cheapest(mixture), n_threads)
        if found.accurate:
            return found
        about = found.means
    about = as_float_array("about", about)
    if about.shape != mixture.means.shape:
        raise ValueError(f"about has shape {about.shape}; it must be {mixture.means.shape}")
    check_finite("about", about)
    with one_blas_thread():
        return collect(rows, Residuals.of(mixture, about), n_threads)


def collect(X: Rows, way: Way, n_threads: int) -> Statistics:
    """One pass, one way: no second one if digits are lost. `gmmlib.distributed` adds such parts."""
    total, log_L, weight, rows = None, 0.0, 0.0, 0

    def tasks() -> Iterator[Piece]:
        nonlocal weight, rows
        for piece in X:
            n, w = len(piece.rows), piece.weight
            weight += float(n if w is None else w.sum())
            rows += n if w is None else np.count_nonzero(w)
            yield from piece.parts(_task_rows(way, n))

    def sums_of(task: Piece) -> tuple[Moments, float]:
        moments, log_L = None, 0.0
        for part in task.parts(way.block_rows):
            more, log_L_part = _block(way, part)
            moments = _sum(moments, more)
            log_L += log_L_part
        return moments, log_L

    for moments, log_L_task in in_order(sums_of, tasks(), _worth(X, way, n_threads)):
        total = _sum(total, moments)
        log_L += log_L_task
    if weight == 0:
        raise ValueError("the weights of all rows are zero; at least one row must count")
    counts, sums, products = way.statistics(total)
    if way.mixture.covariance_type == "tied" and way.frame.kind != "tied":
        products = products.sum(axis=0)
    products = products.reshape(covariance.shape(way.mixture.covariance_type, *sums.shape))
    return Statistics(way.mixture, way.about, counts, sums, products, log_L, weight, rows)


def _sum(total: Moments | None, more: Moments) -> Moments:
    return more if total is None else tuple(a + b for a, b in zip(total, more, strict=True))


def _block(way: Way, part: Piece) -> tuple[Moments, float]:
    """What one block adds to the sums, and its log-likelihood."""
    phi, joint, density, log_density = _e_step(way, part)
    if part.weight is None:
        joint *= 1 / density  # the responsibilities, {eq}`responsibilities`
        return way.moments(joint, phi, None), float(log_density.sum())
    joint *= part.weight / density
    return way.moments(joint, phi, part.weight), float(part.weight @ log_density)


def _e_step(way: Way, part: Piece) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    r"""The E-step of one block.

    No density is above the highest peak of a component. In units of that peak, densities need no
    maximum over k taken from each row before exp, unless one is so far away that all of its vanish.

    Returns
    -------
    phi : the rows, as `way` represents them
    joint : array (K, n), $\pi_k N(x_n \mid \mu_k, \Sigma_k)$ in a unit of each row's own
    density : array (n,), their sum over k
    log_density : array (n,), $\log p(x_n)$
    """
    with np.errstate(all="ignore"):  # what is not finite is looked into
        phi, unit = way.represent(part.rows), way.frame.log_peak
        joint = way.log_joint(phi)
        density = _exp_and_sum(joint)
        if not density.min() >= np.exp(max(way.lowest, FAINTEST)):
            joint = way.log_joint(phi)
            if not joint.max(axis=0).min() >= way.lowest:  # rows beyond reach, or not finite
                joint, unit = _log_joint(way.mixture, part), 0.0
            top = joint.max(axis=0)
            joint -= top
            unit += top
            density = _exp_and_sum(joint)
        return phi, joint, density, unit + np.log(density)


def _exp_and_sum(joint: NDArray) -> NDArray:
    """exp in place, and its sums over k."""
    np.maximum(joint, LEAST_EXPONENT, out=joint)
    np.exp(joint, out=joint)
    return joint.sum(axis=0)


def _log_joint(mixture: Mixture, part: Piece) -> NDArray:
    """(K, n): the readable way, with messages that name the row as the caller counts it."""
    part.check_finite()
    try:
        return np.ascontiguousarray(mixture.log_joint(part.rows).T)
    except ValueError as error:
        raise ValueError(f"{part.name}, rows from {part.first} on: {error}") from None


def _work(way: Way, n: int) -> float:
    """About how long n rows take on one core, in nanoseconds (see `cheapest`)."""
    return n * (0.075 * way.cost(way.mixture) + 4 * way.mixture.n_components)


def _task_rows(way: Way, n: int) -> int:
    """Rows of a worker's task: enough tasks to keep all workers busy to the end, and not more.

    It must not depend on the number of workers, or sums would.
    """
    if _work(way, n) < WORTH_THREADS:
        return n
    return max(-(-n // 32), min(way.block_rows, max(256, -(-n // 8))))


def _worth(X: Rows, way: Way, n_threads: int) -> int:
    """The number of threads that is worth its cost."""
    n = X.known_length
    return n_threads if n is None or _work(way, n) >= WORTH_THREADS else 1


# --- What the E-step says of each row -------------------------------------------------------------


def log_densities(X: Blocks, mixture: Mixture, n_threads: int | None = None) -> NDArray:
    r"""$\log p(x_n)$, (n_samples,), in nats: as `Mixture.log_density`, faster."""

    def fill(out: NDArray, joint: NDArray, density: NDArray, log_density: NDArray) -> None:
        out[:] = log_density

    return _per_row(X, mixture, n_threads, (), fill)


def responsibilities(X: Blocks, mixture: Mixture, n_threads: int | None = None) -> NDArray:
    """Posterior probability of each component for each row, (n_samples, n_components).

    As `Mixture.responsibilities`, faster; one below 1e-304 may come out as anything below 1e-300.
    """

    def fill(out: NDArray, joint: NDArray, density: NDArray, log_density: NDArray) -> None:
        np.divide(joint, density, out=out.T)

    return _per_row(X, mixture, n_threads, (mixture.n_components,), fill)


def _per_row(
    X: Blocks, mixture: Mixture, n_threads: int | None, shape: tuple[int, ...], fill: Callable
) -> NDArray:
    """An array (n_samples, *shape), filled block by block."""
    X, n_threads = Rows.of(X, mixture.n_features), check_n_threads(n_threads)
    with one_blas_thread():
        way = cheapest(mixture)
    filled = []

    def tasks() -> Iterator[tuple[Piece, NDArray]]:
        for piece in X:
            filled.append(np.empty((len(piece.rows), *shape)))
            for task in piece.parts(_task_rows(way, len(piece.rows))):
                yield task, filled[-1][task.first : task.first + len(task.rows)]

    def do(task: tuple[Piece, NDArray]) -> None:
        piece, out = task
        for part in piece.parts(way.block_rows):
            i = part.first - piece.first
            fill(out[i : i + len(part.rows)], *_e_step(way, part)[1:])

    with one_blas_thread():
        for _ in in_order(do, tasks(), _worth(X, way, n_threads)):
            pass
    return filled[0] if len(filled) == 1 else np.concatenate(filled)


# --- EM -------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class State:
    """One iteration of EM, without the responsibilities that `gmmlib.em.State` has."""

    iteration: int  # 0 is the start
    mixture: Mixture  # after that many M-steps
    log_likelihood: float  # of this mixture; in nats, summed over rows


def em(
    X: Blocks,
    start: Mixture,
    sample_weight: ArrayLike | None = None,
    reg_covar: float = 0.0,
    n_threads: int | None = None,
) -> Iterator[State]:
    """The states of EM from `start`, as `gmmlib.em.em` has them; take as many as you want.

    Parameters
    ----------
    X, n_threads : see the top of this module
    start : Mixture, which fixes the covariance type
    sample_weight : array (n_samples,), optional; with an array X only
    reg_covar : float, squared units of X, added to every fitted variance

    Yields
    ------
    State
        Invalid input raises at the call, but what is wrong inside a block of an iterable X at the
        first pass; CollapseError comes at the iteration where it happens.
    """
    check_reg_covar(reg_covar)
    check_n_threads(n_threads)
    rows = Rows.of(X, start.n_features, sample_weight)
    rows.check_repeatable()
    if rows.known_length is not None:
        for piece in rows:
            for part in piece.parts(65536):
                part.check_finite()
            w = np.ones(len(piece.rows)) if piece.weight is None else piece.weight
            check_n_components(start.n_components, w)

    def states() -> Iterator[State]:
        mixture, found = start, None
        for t in count():
            with one_blas_thread():
                if found is not None:
                    mixture = found.mixture(reg_covar)
                found = statistics(rows, mixture, n_threads=n_threads)
            yield State(t, mixture, found.log_likelihood)

    return states()
