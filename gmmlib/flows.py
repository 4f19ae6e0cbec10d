r"""A small normalising flow: an invertible map from the rows to a base density (chapter 15).

The map is a chain of layers, each increasing in the feature it moves and leaving the others alone,
so that its determinant is one slope. The log density of a row is that of its image plus the sum of
the layers' log slopes: {eq}`change-of-variables`, {eq}`log-slopes-add`. The gradient is written by
hand, layer by layer from the last to the first; there is no automatic differentiation here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

from gmmlib.mixture import Mixture
from gmmlib.validation import as_float_array, as_rows, check_finite, check_rng

_HALVINGS = 60  # of an interval of length 2 a: to the last bit


class Layer(Protocol):
    """An invertible map of rows (n_samples, n_features) that moves one feature."""

    def n_parameters(self, n_features: int) -> int: ...

    def forward(self, p: NDArray, X: NDArray) -> tuple[NDArray, NDArray]:
        """The image of each row (n_samples, n_features), and the log slopes (n_samples,)."""

    def backward(self, p: NDArray, X: NDArray, dY: NDArray) -> tuple[NDArray, NDArray]:
        """From the gradient by the image to that by X and by p; each log slope counts once."""

    def inverse(self, p: NDArray, Y: NDArray) -> NDArray: ...


@dataclass(frozen=True)
class Bend:
    r"""$y = x + a \tanh(b x + c)$ for one feature, {eq}`tanh-slope`; parameters log a, log b, c.

    With positive a and b the slope is above one, so the map is increasing for all parameters.
    """

    feature: int = 0

    def n_parameters(self, n_features: int) -> int:
        return 3

    def forward(self, p: NDArray, X: NDArray) -> tuple[NDArray, NDArray]:
        a, b = np.exp(p[:2])
        t = np.tanh(b * X[:, self.feature] + p[2])
        Y = X.copy()
        Y[:, self.feature] += a * t
        return Y, np.log1p(a * b * (1 - t**2))

    def backward(self, p: NDArray, X: NDArray, dY: NDArray) -> tuple[NDArray, NDArray]:
        a, b = np.exp(p[:2])
        x, dy = X[:, self.feature], dY[:, self.feature]
        t = np.tanh(b * x + p[2])
        bell = 1 - t**2
        slope = 1 + a * b * bell
        inner = dy * a * bell - 2 * a * b * t * bell / slope  # by the argument of tanh
        dp = [a * (dy * t + b * bell / slope), b * (x * inner + a * bell / slope), inner]
        dX = dY.copy()
        dX[:, self.feature] = dy + b * inner
        return dX, np.array([part.sum() for part in dp])

    def inverse(self, p: NDArray, Y: NDArray) -> NDArray:
        a, b = np.exp(p[:2])
        y = Y[:, self.feature]
        low, high = y - a, y + a
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            above = middle + a * np.tanh(b * middle + p[2]) > y
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        X = Y.copy()
        X[:, self.feature] = (low + high) / 2
        return X


@dataclass(frozen=True)
class Coupling:
    r"""$y = x e^s + t$ for one feature, with s and t functions of the others {cite}`dinh2017`.

    s and t share `n_hidden` tanh units and have weights of their own; with none, or with a single
    feature, they are constants. Its slope is $e^s$: {eq}`coupling-two`.
    """

    feature: int = 0
    n_hidden: int = 0

    def n_parameters(self, n_features: int) -> int:
        return 2 + self.n_hidden * (n_features + 2)

    def _split(self, p, X):
        others = np.delete(np.arange(X.shape[1]), self.feature)
        outer = p[: 2 + 2 * self.n_hidden].reshape(2, -1)  # s and t: a constant, then weights
        inner = p[2 + 2 * self.n_hidden :].reshape(X.shape[1], self.n_hidden)  # weights, constants
        hidden = np.tanh(X[:, others] @ inner[:-1] + inner[-1])
        s, t = outer[:, :1] + outer[:, 1:] @ hidden.T
        return others, outer, inner, hidden, s, t

    def forward(self, p: NDArray, X: NDArray) -> tuple[NDArray, NDArray]:
        *_, s, t = self._split(p, X)
        Y = X.copy()
        Y[:, self.feature] = X[:, self.feature] * np.exp(s) + t
        return Y, s

    def backward(self, p: NDArray, X: NDArray, dY: NDArray) -> tuple[NDArray, NDArray]:
        others, outer, inner, hidden, s, _ = self._split(p, X)
        dy = dY[:, self.feature]
        both = np.array([1 + dy * X[:, self.feature] * np.exp(s), dy])  # by s and by t
        into = (outer[:, 1:].T @ both).T * (1 - hidden**2)  # by the arguments of tanh
        dX = dY.copy()
        dX[:, self.feature] = dy * np.exp(s)
        dX[:, others] += into @ inner[:-1].T
        by_outer = np.column_stack([both.sum(axis=1), both @ hidden])
        by_inner = np.vstack([X[:, others].T @ into, into.sum(axis=0)])
        return dX, np.concatenate([by_outer.ravel(), by_inner.ravel()])

    def inverse(self, p: NDArray, Y: NDArray) -> NDArray:
        *_, s, t = self._split(p, Y)  # the other features are what they were
        X = Y.copy()
        X[:, self.feature] = (Y[:, self.feature] - t) * np.exp(-s)
        return X


@dataclass(frozen=True, eq=False)
class Flow:
    """A chain of layers from the rows, standardised, to a base density.

    Parameters
    ----------
    layers : the first one is applied first
    parameters : array, those of all layers, one after the other
    shift, scale : arrays (n_features,), units of X: a row is first shifted and divided by these
    base : Mixture in n_features dimensions

    Raises
    ------
    ValueError
        If shapes disagree, a number is not finite, or a scale is not positive.
    """

    layers: Sequence[Layer]
    parameters: NDArray
    shift: NDArray
    scale: NDArray
    base: Mixture

    def __post_init__(self) -> None:
        for name in ("parameters", "shift", "scale"):
            array = as_float_array(name, getattr(self, name))
            check_finite(name, array)
            object.__setattr__(self, name, array)
        d = self.base.n_features
        for name in ("shift", "scale"):
            if getattr(self, name).shape != (d,):
                raise ValueError(f"{name} must have shape ({d},): one number for each feature")
        if (self.scale <= 0).any():
            raise ValueError("scale must be positive; drop a feature that does not vary")
        for layer in self.layers:
            if not 0 <= layer.feature < d:
                raise ValueError(f"{layer} moves a feature that is not there: there are {d}")
        needed = sum(layer.n_parameters(d) for layer in self.layers)
        if self.parameters.shape != (needed,):
            raise ValueError(f"parameters has shape {self.parameters.shape}; layers take {needed}")

    @property
    def n_features(self) -> int:
        """Number of features d."""
        return self.base.n_features

    def _parts(self):
        """The parameters of each layer."""
        ends = np.cumsum([layer.n_parameters(self.n_features) for layer in self.layers])
        return np.split(self.parameters, ends[:-1]) if len(ends) else []

    def _pass(self, X):
        """The input of each layer and, last, the image; and the sum of all log slopes."""
        stages = [(X - self.shift) / self.scale]
        log_slope = np.full(len(X), -np.log(self.scale).sum())
        for layer, p in zip(self.layers, self._parts(), strict=True):
            Y, more = layer.forward(p, stages[-1])
            stages.append(Y)
            log_slope = log_slope + more
        return stages, log_slope

    def forward(self, X: ArrayLike) -> tuple[NDArray, NDArray]:
        """The image of each row (n_samples, d), and its log slope (n_samples,).

        Raises
        ------
        ValueError
            If X is not finite or has another number of features.
        """
        stages, log_slope = self._pass(as_rows(X, self.n_features))
        return stages[-1], log_slope

    def inverse(self, U: ArrayLike) -> NDArray:
        """The rows (n_samples, d) whose images are U."""
        X = as_rows(U, self.n_features)
        for layer, p in zip(self.layers[::-1], self._parts()[::-1], strict=True):
            X = layer.inverse(p, X)
        return X * self.scale + self.shift

    def log_density(self, X: ArrayLike) -> NDArray:
        """Log density of each row (n_samples,), in nats: {eq}`change-of-variables`."""
        U, log_slope = self.forward(X)
        return self.base.log_density(U) + log_slope

    def sample(self, n_samples: int, rng: np.random.Generator) -> NDArray:
        """Rows (n_samples, d): drawn from the base, sent back through the layers."""
        check_rng(rng)
        return self.inverse(self.base.sample(n_samples, rng)[0])

    def gradient(self, X: ArrayLike) -> tuple[float, NDArray]:
        """Log-likelihood, summed over rows in nats, and its gradient by `parameters`."""
        stages, log_slope = self._pass(as_rows(X, self.n_features))
        U = stages.pop()
        dY = _slope_of_log_density(self.base, U)
        found = []
        for layer, p in zip(self.layers[::-1], self._parts()[::-1], strict=True):
            dY, dp = layer.backward(p, stages.pop(), dY)
            found.append(dp)
        log_l = float((self.base.log_density(U) + log_slope).sum())
        return log_l, np.concatenate([np.empty(0), *found[::-1]])

    def with_parameters(self, parameters: NDArray) -> Self:
        """The same flow with other parameters."""
        return replace(self, parameters=parameters)


def standard_bell(n_features: int) -> Mixture:
    """The base of most flows: one normal, mean zero, covariance the identity."""
    return Mixture([1.0], np.zeros((1, n_features)), np.eye(n_features)[None])


def start_flow(
    X: ArrayLike, layers: Sequence[Layer], rng: np.random.Generator, base: Mixture | None = None
) -> Flow:
    """A flow to train on X: standardises its features, layers with small random parameters."""
    X = as_rows(X)
    check_rng(rng)
    count = sum(layer.n_parameters(X.shape[1]) for layer in layers)
    base = standard_bell(X.shape[1]) if base is None else base
    small = 0.3 * rng.normal(size=count)
    return Flow(tuple(layers), small, X.mean(axis=0), X.std(axis=0), base)


def train(
    flow: Flow, X: ArrayLike, penalty: float = 0.0, max_iter: int = 500
) -> tuple[Flow, list[float]]:
    """Maximise log L minus the penalty, by L-BFGS.

    Parameters
    ----------
    flow : where to start; its base stays as it is
    X : array (n_samples, n_features)
    penalty : times half the sum of squared parameters is taken off log L: a normal prior with
        variance one over `penalty`. Without one log L has no maximum, as for mixtures: a layer can
        be as steep as it likes at a single row

    Returns
    -------
    the trained flow, and what was maximised, in nats: at the start and after each iteration
    """
    X = as_rows(X, flow.n_features)
    if not 0 <= penalty < np.inf:
        raise ValueError(f"penalty is {penalty!r}; it must be finite and zero or more")

    def cost(parameters):
        log_l, slope = flow.with_parameters(parameters).gradient(X)
        price = penalty * parameters @ parameters / 2
        return (price - log_l) / len(X), (penalty * parameters - slope) / len(X)

    trace = [-len(X) * cost(flow.parameters)[0]]

    def note(intermediate_result):
        trace.append(-len(X) * float(intermediate_result.fun))

    options = {"maxiter": max_iter}
    found = minimize(
        cost, flow.parameters, jac=True, method="L-BFGS-B", callback=note, options=options
    )
    return flow.with_parameters(found.x), trace


def _slope_of_log_density(mixture, U):
    """The gradient of the base's log density by each row, (n_samples, n_features)."""
    gamma = mixture.responsibilities(U)
    pulls = (
        np.linalg.solve(sigma, (mean - U).T).T
        for mean, sigma in zip(mixture.means, mixture.full_covariances, strict=True)
    )
    return sum(gamma[:, [k]] * pull for k, pull in enumerate(pulls))
