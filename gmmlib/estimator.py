r"""`GaussianMixture`: the mixture of this book with scikit-learn's interface (chapter 11).

Parameters, attributes and methods are those of `sklearn.mixture.GaussianMixture`; from the same
start it takes the same steps. It adds `sample_weight`, `partial_fit`, data in blocks, stopping and
resuming, and files without pickle. Each iteration is {eq}`e-step-product` and
{eq}`m-step-product` as `gmmlib.statistics` runs them.

It stands on scikit-learn's public base classes, not on its GaussianMixture: what it could inherit
from there are private methods that change from version to version.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from numbers import Real
from time import perf_counter
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state, gen_batches
from sklearn.utils.validation import check_is_fitted, validate_data

from gmmlib import covariance
from gmmlib.blocks import Rows, check_n_threads, is_blocks
from gmmlib.init_params import INIT_PARAMS, first_mixture, precisions_of
from gmmlib.mixture import Mixture
from gmmlib.runs import Data, Progress, Run, runs, sample_rows
from gmmlib.saved import SavedWithoutPickle
from gmmlib.selection import n_parameters
from gmmlib.statistics import Statistics, log_densities, responsibilities, statistics, stepwise
from gmmlib.validation import (
    CollapseError,
    as_sample_weight,
    check_n_components,
    check_reg_covar,
)

#: `predict` labels so many rows at a time, so that it needs no (n_samples, n_components) array.
PREDICT_ROWS = 2**16
FLOATS = [np.float64, np.float32]  # number types that are used as they come


class GaussianMixture(SavedWithoutPickle, DensityMixin, BaseEstimator):
    r"""A Gaussian mixture, fitted by EM, with the interface of scikit-learn's GaussianMixture.

    Parameters
    ----------
    n_components, covariance_type, tol, reg_covar, max_iter, n_init, weights_init, means_init, \
    precisions_init, random_state, warm_start, verbose, verbose_interval
        As in scikit-learn. `tol` compares the change of the mean log-likelihood per sample, in
        nats; `reg_covar`, in squared units of X, is added to every variance.
    init_params : 'kmeans', 'k-means++', 'random', 'random_from_data', or a function
        The names draw what scikit-learn draws with the same `random_state`. A function is called
        like those of `gmmlib.start`, say ``gmmlib.kmeans_start``, whose draw does not depend on
        the order of the rows, nor on whether a row is repeated or weighted.
    n_jobs : int or None
        Threads. None or -1: one for each core that this process may use. Results do not depend
        on it.
    learning_decay : float in (0.5, 1]
        $\alpha$ of `partial_fit`: a batch of weight b, the last of weight W in all, is blended in
        with the step $(b / W)^\alpha$, so batch t of equal ones with $t^{-\alpha}$. 1 averages all
        batches, stale ones too; smaller values forget faster.

    Attributes
    ----------
    weights_, means_, covariances_, precisions_, precisions_cholesky_, converged_, n_iter_, \
    lower_bound_, lower_bounds_, n_features_in_, feature_names_in_
        As in scikit-learn; always float64.
    stopped_ : bool
        Whether Ctrl-C ended the last `fit`.
    weight_seen_ : float
        Sum of the weights of all rows that `fit` and then `partial_fit` have seen.

    Notes
    -----
    *Data in blocks.* `fit` and `score` also take an iterable of blocks of rows, or of pairs
    (block, weights), that can be iterated again and again. A few of them are in memory at a time;
    starts are drawn from a random sample of 65,536 rows.

    *Long fits.* ``verbose=1`` prints a line every `verbose_interval` iterations. Ctrl-C ends `fit`
    with the best mixture so far and a warning. With ``warm_start=True`` the next `fit` goes on from
    there, and ends where it would have ended without the interruption, to the last bit; so it does
    from a file (`save`, `load`). Where even that is not enough, let each call do a few iterations::

        model = GaussianMixture(20, max_iter=10, warm_start=True)
        while not model.fit(X).converged_:
            model.save("so-far.npz")
    """

    def __init__(
        self,
        n_components=1,
        *,
        covariance_type="full",
        tol=1e-3,
        reg_covar=1e-6,
        max_iter=100,
        n_init=1,
        init_params="kmeans",
        weights_init=None,
        means_init=None,
        precisions_init=None,
        random_state=None,
        warm_start=False,
        verbose=0,
        verbose_interval=10,
        n_jobs=None,
        learning_decay=0.6,
    ):
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.weights_init = weights_init
        self.means_init = means_init
        self.precisions_init = precisions_init
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
        self.verbose_interval = verbose_interval
        self.n_jobs = n_jobs
        self.learning_decay = learning_decay

    _saved_classes = (Mixture, Statistics, Run, Progress)

    # --- Fitting ----------------------------------------------------------------------------------

    def fit(self, X: ArrayLike, y: None = None, sample_weight: ArrayLike | None = None) -> Self:
        """Run EM from `n_init` starts and keep the run with the highest lower bound.

        Parameters
        ----------
        X : array (n_samples, n_features), or an iterable of blocks (see the notes of the class)
        y : ignored
        sample_weight : array (n_samples,), how often each row counts

        Returns
        -------
        self; after an error it is what it was before

        Raises
        ------
        ValueError
            For invalid data or parameters.
        CollapseError
            A ValueError: every run collapsed.
        """
        with self._unchanged_by_errors():
            self._check_parameters()
            data, began = self._data(X, sample_weight), perf_counter()
            progress, rng = self._begin()
            limits = self.reg_covar, self.tol, self.max_iter
            states = runs(data, partial(self._start, data), progress, rng, *limits)
            try:
                for progress in states:
                    if self.verbose and progress.is_due(self.verbose_interval):
                        print(f"{progress}, {perf_counter() - began:.1f} s", flush=True)
            except KeyboardInterrupt:
                if progress.leading is None:  # no run has made a step
                    raise
            self._finish(progress)
        return self

    def fit_predict(
        self, X: ArrayLike, y: None = None, sample_weight: ArrayLike | None = None
    ) -> NDArray:
        """`fit`, then `predict` for the same rows, which must be one array."""
        if _in_blocks(X):
            raise ValueError("X comes in blocks; call fit, then predict for one after the other")
        return self.fit(X, sample_weight=sample_weight).predict(X)

    def partial_fit(
        self, X: ArrayLike, y: None = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        r"""One step of stepwise EM on a batch of rows: {eq}`stepwise-em` {cite}`cappe2009`.

        The batch's statistics are blended into those of the rows before, with the step size of
        `learning_decay`, and the M-step follows. The first batch also gives the start, so it needs
        `n_components` rows; later ones may be of any size. After `fit` it goes on from the fit.

        Returns
        -------
        self; after an error it is what it was before. `lower_bound_` is the batch's mean
        log-likelihood per sample before the step.
        """
        with self._unchanged_by_errors():
            self._check_parameters()
            first = not hasattr(self, "weights_")
            data = self._array(X, sample_weight, fewest=1, reset=first)
            rng = check_random_state(self.random_state)
            new = data.take(self._start(data, rng) if first else self._fitted())
            found, old = new, getattr(self, "_found", None)
            if old is not None:
                rate = (new.weight / (old.weight + new.weight)) ** self.learning_decay
                found = stepwise(old, new, rate)
            bound = new.log_likelihood / new.weight
            self._publish(Run(found.mixture(self.reg_covar), bounds=(bound,), found=found))
        return self

    def _begin(self) -> tuple[Progress, np.random.RandomState]:
        """Where a fit begins: at its first start, or, if warm, where the last fit ended."""
        if not (self.warm_start and hasattr(self, "weights_")):
            rng = check_random_state(self.random_state)
            return Progress(rng.get_state(), self.n_init), rng
        mixture, rng = self._fitted(), np.random.RandomState(0)
        asked = (self.n_components, self.covariance_type)
        if (mixture.n_components, mixture.covariance_type) != asked:
            raise ValueError(
                f"warm_start goes on with {mixture.n_components} component(s) of type "
                f"{mixture.covariance_type!r}, but n_components={self.n_components} and "
                f"covariance_type={self.covariance_type!r} are asked for; set warm_start=False"
            )
        progress = getattr(self, "_progress", None)
        if progress is None:  # the last fit had come to its end: one more run, from where it is
            run = Run(mixture, before=getattr(self, "lower_bound_", -np.inf))
            progress = Progress(rng.get_state(), n_init=1, run=run)
        rng.set_state(progress.rng)
        return progress, rng

    def _finish(self, progress: Progress) -> None:
        """Take over the best run, and warn of what the user should know."""
        run, collapses = progress.leading, progress.collapses
        if collapses:
            message = f"{len(collapses)} of {progress.n_init} run(s) collapsed; the last: "
            message += collapses[-1]
            if run is None:
                raise CollapseError(message)
            warnings.warn(message, RuntimeWarning, stacklevel=3)
        stopped = progress.finished < progress.n_init
        self._publish(run, progress if stopped else None)
        if stopped:
            warnings.warn(
                f"stopped by Ctrl-C in run {progress.finished + 1} of {progress.n_init}; this is "
                "the best mixture so far. Set warm_start=True and fit again to go on",
                ConvergenceWarning,
                stacklevel=3,
            )
        elif not run.converged and self.max_iter > 0:
            warnings.warn(
                f"not converged after {len(run.bounds)} iteration(s) of the best run; raise "
                "max_iter or tol, or try other starts",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _publish(self, run: Run, progress: Progress | None = None) -> None:
        """Set the attributes."""
        mixture = self._mixture = run.mixture
        self._found, self._progress = run.found, progress
        self.weights_ = mixture.weights.copy()
        self.means_ = mixture.means.copy()
        self.covariances_ = mixture.covariances.copy()
        self.precisions_, self.precisions_cholesky_ = precisions_of(mixture)
        self.n_features_in_ = mixture.n_features
        self.converged_ = run.converged
        self.n_iter_ = len(run.bounds)
        self.lower_bound_ = run.bound
        self.lower_bounds_ = list(run.bounds)
        self.stopped_ = progress is not None
        self.weight_seen_ = 0.0 if run.found is None else run.found.weight

    # --- Data and starts --------------------------------------------------------------------------

    def _data(self, X: ArrayLike, sample_weight: ArrayLike | None, reset: bool = True) -> Data:
        if hasattr(X, "__dask_graph__"):  # before all else: it looks like an array
            from gmmlib.distributed import data  # needs the optional extra gmmlib[dask]

            return data(X, sample_weight)
        if not _in_blocks(X):
            return self._array(X, sample_weight, reset=reset)
        Rows.of(X, 1, sample_weight).check_repeatable()
        first = next(iter(X), None)
        first = first[0] if isinstance(first, tuple) else first
        if first is None:
            raise ValueError("X yields no block; it needs a row at least")
        try:
            first = validate_data(self, first, reset=reset, dtype=FLOATS)
        except ValueError as error:
            raise ValueError(f"block 0 of X: {error}") from None
        rows = Rows.of(X, first.shape[1])
        take = partial(statistics, rows, n_threads=self._n_threads())
        return Data(first.shape[1], take, partial(sample_rows, rows))

    def _array(
        self, X: ArrayLike, sample_weight: ArrayLike | None, fewest: int = 2, reset: bool = True
    ) -> Data:
        X = self._rows(X, reset, fewest)
        w = _weights(sample_weight, len(X))
        if reset:
            check_n_components(self.n_components, np.broadcast_to(1, len(X)) if w is None else w)

        def sample(rng: np.random.RandomState) -> tuple[NDArray, NDArray | None]:
            return (X, w) if w is None or w.all() else (X[w > 0], w[w > 0])

        rows = Rows.of(X, X.shape[1], w)
        return Data(X.shape[1], partial(statistics, rows, n_threads=self._n_threads()), sample)

    def _start(self, data: Data, rng: np.random.RandomState) -> Mixture:
        return first_mixture(self.get_params(deep=False), data.n_features, data.sample, rng)

    # --- What a fitted mixture says ---------------------------------------------------------------

    def predict(self, X: ArrayLike) -> NDArray:
        """The most probable component of each row: int array (n_samples,)."""
        mixture, X = self._fitted(), self._rows(X)
        labels = np.empty(len(X), dtype=np.int64)
        for batch in gen_batches(len(X), PREDICT_ROWS):
            gamma = responsibilities(X[batch], mixture, self._n_threads())
            labels[batch] = gamma.argmax(axis=1)
        return labels

    def predict_proba(self, X: ArrayLike) -> NDArray:
        """Posterior probability of each component, (n_samples, n_components)."""
        mixture = self._fitted()
        return responsibilities(self._rows(X), mixture, self._n_threads())

    def score_samples(self, X: ArrayLike) -> NDArray:
        """Log-density of each row, (n_samples,), in nats."""
        mixture = self._fitted()
        return log_densities(self._rows(X), mixture, self._n_threads())

    def score(self, X: ArrayLike, y: None = None, sample_weight: ArrayLike | None = None) -> float:
        """Mean log-density of the rows, in nats, weighted if weights are given."""
        log_L, N, _ = self._log_likelihood(X, sample_weight)
        return log_L / N

    def aic(self, X: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Akaike's criterion, {eq}`aic`; smaller is better."""
        log_L, _, M = self._log_likelihood(X, sample_weight)
        return 2 * M - 2 * log_L

    def bic(self, X: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """The Bayesian criterion, {eq}`bic`; N is the sum of the weights; smaller is better."""
        log_L, N, M = self._log_likelihood(X, sample_weight)
        return float(M * np.log(N) - 2 * log_L)

    def sample(self, n_samples: int = 1) -> tuple[NDArray, NDArray]:
        """Draw rows, sorted by component, with `random_state`; the same as scikit-learn draws.

        Returns
        -------
        X : array (n_samples, n_features)
        labels : int array (n_samples,)
        """
        mixture = self._fitted()
        if n_samples < 1:
            raise ValueError(f"n_samples is {n_samples!r}; it must be 1 or more")
        rng = check_random_state(self.random_state)
        counts = rng.multinomial(n_samples, mixture.weights)
        drawn = []
        for k, (n, mean) in enumerate(zip(counts, mixture.means, strict=True)):
            sigma = covariance.of_component(mixture.covariances, mixture.covariance_type, k)
            if sigma.ndim == 2:
                drawn.append(rng.multivariate_normal(mean, sigma, int(n)))
            else:
                drawn.append(mean + rng.standard_normal((n, mixture.n_features)) * np.sqrt(sigma))
        return np.vstack(drawn), np.repeat(np.arange(len(counts)), counts)

    def _fitted(self) -> Mixture:
        """The mixture that the attributes describe; they may have been set by hand."""
        check_is_fitted(self, "weights_")
        arrays, kept = (self.weights_, self.means_, self.covariances_), vars(self).get("_mixture")
        if kept and all(map(np.array_equal, arrays, (kept.weights, kept.means, kept.covariances))):
            return kept  # making it anew takes time, for covariances are checked
        return Mixture(*arrays, self.covariance_type)

    def _rows(self, X: ArrayLike, reset: bool = False, fewest: int = 1) -> NDArray:
        if _in_blocks(X):
            raise ValueError("X comes in blocks; call this method for one block after the other")
        return validate_data(self, X, reset=reset, dtype=FLOATS, ensure_min_samples=fewest)

    def _log_likelihood(
        self, X: ArrayLike, sample_weight: ArrayLike | None
    ) -> tuple[float, float, int]:
        """log L of all rows, in nats; the sum of their weights; the number of parameters."""
        mixture = self._fitted()
        M = n_parameters(mixture.covariance_type, *mixture.means.shape)
        if _in_blocks(X):
            found = self._data(X, sample_weight, reset=False).take(mixture)
            return found.log_likelihood, found.weight, M
        log_density = self.score_samples(X)
        w = _weights(sample_weight, len(log_density))
        w = np.ones(len(log_density)) if w is None else w
        return float(w @ log_density), float(w.sum()), M

    # --- Checks -----------------------------------------------------------------------------------

    @contextmanager
    def _unchanged_by_errors(self) -> Iterator[None]:
        before = dict(vars(self))
        try:
            yield
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    def _n_threads(self) -> int | None:
        if self.n_jobs in (None, -1):
            return None
        try:
            return check_n_threads(self.n_jobs)
        except ValueError:
            raise ValueError(f"n_jobs is {self.n_jobs!r}; use None, -1, or 1 or more") from None

    def _check_parameters(self) -> None:
        at_least = {"n_components": 1, "n_init": 1, "max_iter": 0, "verbose_interval": 1}
        for name, least in at_least.items():
            value = getattr(self, name)
            whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
            if not whole or value < least:
                raise ValueError(f"{name} is {value!r}; it must be a whole number, {least} or more")
        check_reg_covar(self.reg_covar)
        if not isinstance(self.tol, Real) or not 0 <= self.tol < np.inf:
            raise ValueError(
                f"tol is {self.tol!r}; it must be finite and zero or more (nats per sample)"
            )
        if not isinstance(self.learning_decay, Real) or not 0.5 < self.learning_decay <= 1:
            raise ValueError(
                f"learning_decay is {self.learning_decay!r}; it must be above 0.5 and at most 1"
            )
        covariance.shape(self.covariance_type, 1, 1)  # raises unless it is one of the four types
        if not callable(self.init_params) and self.init_params not in INIT_PARAMS:
            raise ValueError(
                f"init_params is {self.init_params!r}; choose one of "
                f"{', '.join(map(repr, INIT_PARAMS))}, or pass a function like gmmlib.kmeans_start"
            )
        self._n_threads()


def _weights(sample_weight: ArrayLike | None, n_samples: int) -> NDArray | None:
    # np.asarray first: scikit-learn also passes objects that are arrays only when asked
    return None if sample_weight is None else as_sample_weight(np.asarray(sample_weight), n_samples)


def _in_blocks(X: object) -> bool:
    """Whether X comes in blocks; a sparse matrix or a data frame does not, iterable as it is."""
    return hasattr(X, "__dask_graph__") or (is_blocks(X) and not hasattr(X, "shape"))
