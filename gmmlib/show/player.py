r"""The EM player: every half-step of one run, in the page and, with a kernel, in the reader's hand.

The states come from `gmmlib.em`. On a page they are numbers in the HTML, drawn by
``browser/player.js``; in JupyterLab the same cell shows a widget that asks this module for a new
run when the reader drags a starting mean, draws a start or adds points.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Context, Decimal
from itertools import islice, pairwise

import anywidget
import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray

from gmmlib.em import State, em
from gmmlib.likelihood import elbo, log_likelihood
from gmmlib.mixture import Mixture
from gmmlib.show import live
from gmmlib.show.palette import COMPONENTS
from gmmlib.start import kmeans_plus_plus_start
from gmmlib.validation import CollapseError, as_float_array, as_rows, check_finite

#: More than this is too much for a page to hold and for a reader to see.
MAX_ROWS, MAX_ITERATIONS, MAX_FEATURES = 2000, 200, 2

#: A gain in nats that the numbers of the page, with two decimals, no longer show.
VISIBLE_GAIN = 0.005

#: Decimals of log L and the ELBO in the payload; the page shows two of them.
_NATS_DIGITS = 6

#: A responsibility is one of these characters: "A" is 0, "_" is 1, in steps of 1 / 63.
LEVELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

#: Where a bound is drawn: 0 are the old parameters, 1 the new ones.
STEPS = np.linspace(-0.5, 2, 26)


@dataclass(frozen=True, eq=False)
class Run:
    """What is played: data, start and length, and what the axes are called.

    Attributes
    ----------
    X : array (n_samples, n_features), one or two features
    start : the mixture before the first half-step
    iterations : M-steps at most
    columns, units : one name and one unit for each feature; a unit may be empty
    labels : one name for each component
    bound : whether the ELBO is shown too, and with each M-step its bound
    """

    X: NDArray
    start: Mixture
    iterations: int
    columns: tuple[str, ...]
    units: tuple[str, ...]
    labels: tuple[str, ...]
    bound: bool
    states: tuple[State, ...] = field(init=False, repr=False)
    ending: str = field(init=False)

    def __post_init__(self) -> None:
        X = as_rows(self.X, self.start.n_features).copy()
        _check_size(X, self.start, self.iterations)
        object.__setattr__(self, "X", X)
        states, ending = _follow(X, self.start, self.iterations)
        object.__setattr__(self, "states", states)
        object.__setattr__(self, "ending", ending)

    @property
    def digits(self) -> tuple[int, ...]:
        """Decimals of each feature that a reader needs: a thousandth of the data's spread."""
        spread = np.where(np.ptp(self.X, axis=0) > 0, self.X.std(axis=0), 1.0)
        return tuple(int(d) for d in np.clip(2 - np.floor(np.log10(spread)), 0, 12))


def _plain_labels(n_components: int) -> tuple[str, ...]:
    return tuple(f"component {k + 1}" for k in range(n_components))


def _check_size(X: NDArray, start: Mixture, iterations: int) -> None:
    if len(X) > MAX_ROWS:
        raise ValueError(
            f"X has {len(X)} rows and a page can show {MAX_ROWS}; pass a part of them, such as "
            f"rng.choice(X, {MAX_ROWS}, replace=False)"
        )
    if X.shape[1] > MAX_FEATURES:
        raise ValueError(
            f"X has {X.shape[1]} features and a page can show {MAX_FEATURES}; choose two of them"
        )
    if start.n_components > len(COMPONENTS):
        raise ValueError(
            f"start has {start.n_components} components and a page can tell {len(COMPONENTS)} "
            "apart; use fewer"
        )
    whole = isinstance(iterations, int | np.integer) and not isinstance(iterations, bool)
    if not whole or not 1 <= iterations <= MAX_ITERATIONS:
        raise ValueError(
            f"iterations is {iterations!r}; it must be a whole number from 1 to {MAX_ITERATIONS}"
        )


def _follow(X: NDArray, start: Mixture, iterations: int) -> tuple[tuple[State, ...], str]:
    """The states until nothing visible is to come, and a sentence that says why they end."""
    states: list[State] = []
    try:
        states.extend(islice(em(X, start), iterations + 1))
    except CollapseError as error:
        if not states:
            raise
        return tuple(states), f"The next M-step breaks down: {error}."
    # Not the first small gain: a run may rest on a plateau and climb again.
    end = states[-1].log_likelihood
    shown = next(
        t for t in range(1, iterations + 1) if end - states[t].log_likelihood < VISIBLE_GAIN
    )
    if shown == iterations:
        return tuple(states), "Here the run was stopped; log L still rises."
    return (
        tuple(states[: shown + 1]),
        f"{iterations - shown} more iterations add less than {VISIBLE_GAIN} nats.",
    )


def encode(responsibilities: ArrayLike) -> str:
    """Bets as text: for each row one character of `LEVELS` per component but the last."""
    gamma = np.asarray(responsibilities)[:, :-1]
    steps = np.rint(gamma * (len(LEVELS) - 1)).astype(int)
    return "".join(LEVELS[step] for step in steps.ravel())


def bound_curves(X: ArrayLike, state: State, following: Mixture) -> dict[str, list[float]]:
    r"""log L and the bound of this state's bets, on the straight line to the next mixture.

    The line is $\theta_t + s\,(\theta_{t+1} - \theta_t)$ in weights, means and covariances. The
    bound {eq}`elbo` touches log L at s = 0 and has its top at s = 1, for the M-step finds the
    global maximum of Q ({eq}`m-step-global`).

    Parameters
    ----------
    X : array (n_samples, n_features)
    state : the state t, whose responsibilities make the bound
    following : the mixture t + 1

    Returns
    -------
    ``s`` (as far as the parameters are valid), ``log_likelihood`` and ``bound``, both in nats
    and relative to log L of the state
    """
    old = state.mixture
    s, curve, bound = [], [], []
    for step in STEPS:
        try:
            there = Mixture(
                old.weights + step * (following.weights - old.weights),
                old.means + step * (following.means - old.means),
                old.covariances + step * (following.covariances - old.covariances),
                old.covariance_type,
            )
            pair = log_likelihood(X, there), elbo(X, state.responsibilities, there)
        except ValueError:  # a weight below zero, a covariance that is none
            continue
        if np.isfinite(pair).all():
            s.append(round(float(step), 6))
            curve.append(pair[0] - state.log_likelihood)
            bound.append(pair[1] - state.log_likelihood)
    # Four digits of the gain; never so many that rounding in log L itself shows.
    rise = max(float(np.interp(1, s, curve)), 1e-6)
    digits = int(np.clip(4 - np.floor(np.log10(rise)), 0, 9))
    return {"s": s, "log_likelihood": _short(curve, digits), "bound": _short(bound, digits)}


def _short(values: ArrayLike, digits: int) -> list[float]:
    return [round(float(value), digits) + 0.0 for value in values]  # + 0.0: no minus zero


def payload(run: Run, alt: str) -> dict[str, object]:
    """The run as numbers for the page; equal rows stand once, with their count.

    Parameters
    ----------
    run : what is played
    alt : what happens in it, for who cannot see it
    """
    spread = [digits + 1 for digits in run.digits]
    points, first, counts = np.unique(
        np.column_stack([run.X[:, j].round(digits) for j, digits in enumerate(spread)]),
        axis=0,
        return_index=True,
        return_counts=True,
    )
    data: dict[str, object] = {
        "alt": alt,
        "axes": [
            {"name": name, "unit": unit, "digits": digits}
            for name, unit, digits in zip(run.columns, run.units, run.digits, strict=True)
        ],
        "labels": list(run.labels),
        "named": run.labels != _plain_labels(len(run.labels)),
        "points": [_short(points[:, j], digits) for j, digits in enumerate(spread)],
        "counts": counts.tolist(),
        "states": [_state(state, run.digits, first) for state in run.states],
        "ending": run.ending,
    }
    if run.bound:
        data["bounds"] = [
            bound_curves(run.X, state, following.mixture)
            for state, following in pairwise(run.states)
        ]
    return data


def _state(state: State, digits: Sequence[int], rows: NDArray) -> dict[str, object]:
    mixture = state.mixture
    return {
        "weights": _short(mixture.weights, 6),
        "means": [_rounded(mean, digits) for mean in mixture.means],
        # Significant digits, not decimals: the covariance of a thin component must stay one.
        "covariances": [
            [[float(f"{entry:.6g}") for entry in row] for row in matrix]
            for matrix in mixture.full_covariances
        ],
        "log_likelihood": round(state.log_likelihood, _NATS_DIGITS),
        "elbo": round(state.elbo, _NATS_DIGITS),
        "effective": _short(state.responsibilities.sum(axis=0), 4),
        "bets": encode(state.responsibilities[rows]),
    }


def _rounded(vector: ArrayLike, digits: Sequence[int]) -> list[float]:
    """A mean as the page gets it: three decimals more than it shows."""
    return [round(float(x), d + 3) for x, d in zip(vector, digits, strict=True)]


def summary(run: Run) -> str:
    """What happened, in one or two sentences made from the numbers."""
    first, last = run.states[0], run.states[-1]
    steps = f"{last.iteration} iteration{'' if last.iteration == 1 else 's'}"
    return (
        f"In {steps} log L goes from {_nats(first.log_likelihood)} to "
        f"{_nats(last.log_likelihood)} nats. The means go from {_means(run, first.mixture)} to "
        f"{_means(run, last.mixture)}. {run.ending}"
    )


def _fixed(value: float, digits: int) -> str:
    """As the page's script writes it: JavaScript rounds a tie away from zero, Python to even."""
    # 400 digits are room for every float.
    number = Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP, Context(400))
    return f"{abs(number) if number == 0 else number:f}".replace("-", "−")


def _nats(value: float) -> str:
    return _fixed(round(value, _NATS_DIGITS), 2)


def _vectors(run: Run, vectors: ArrayLike) -> str:
    """One vector per component, in the digits of the features, such as (2.04, 54.5), (4.3, 80)."""
    texts = []
    for vector in vectors:
        rounded = _rounded(vector, run.digits)
        numbers = [_fixed(x, d) for x, d in zip(rounded, run.digits, strict=True)]
        texts.append(numbers[0] if len(numbers) == 1 else f"({', '.join(numbers)})")
    return ", ".join(texts)


def _means(run: Run, mixture: Mixture) -> str:
    return f"{_vectors(run, mixture.means)} {' and '.join(dict.fromkeys(run.units))}".rstrip()


def table(run: Run, alt: str) -> str:
    """The run as HTML: sentences and a table, for a page without script and for the curious."""
    rows = []
    for state in run.states:
        sds = np.sqrt(np.diagonal(state.mixture.full_covariances, axis1=1, axis2=2))
        cells = [
            f"<th scope=row>{state.iteration}</th>",
            *(
                f"<td>{text}</td>"
                for text in (
                    _nats(state.log_likelihood),
                    *([_nats(state.elbo) if state.iteration else ""] if run.bound else []),
                    ", ".join(f"{weight:.3f}" for weight in state.mixture.weights),
                    _vectors(run, state.mixture.means),
                    _vectors(run, sds),
                )
            ),
        ]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    names = html.escape(
        ", ".join(
            f"{column} ({unit})" if unit else column
            for column, unit in zip(run.columns, run.units, strict=True)
        )
    )
    heads = (
        "iteration", "log L", *(["ELBO, half-way"] if run.bound else []),
        "weights", f"means: {names}", "sds",
    )  # fmt: skip
    return (
        # The style sheet hides this line where the script has drawn the player.
        '<p class="player-still">This moves only with JavaScript; here is the run in numbers.</p>'
        f"<p>{html.escape(alt)}</p>"
        '<div class="player-numbers" role="region" tabindex="0" aria-label="Numbers of the run">'
        f"<table><thead><tr>{''.join(f'<th scope=col>{head}</th>' for head in heads)}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


_RENDER = """
export default {
  render({ model, el }) {
    const fallback = document.createElement("div");
    return globalThis.casebook.kinds.player({ el, payload: model.get("payload"), fallback, model });
  },
};
"""


class EMPlayer(anywidget.AnyWidget):
    """One run of EM to play; made by `em_player`.

    In JupyterLab this is a widget. `payload` holds the run, `fallback` the same as a table;
    the browser sets `request`, and Python answers with a new payload or with the reason why
    there is none, in `answer`. What was asked for in vain changes nothing.

    Requests are ``{"id": any, "kind": kind}`` with one of the kinds ``means`` (and ``"means"``,
    K lists of d numbers), ``draw``, ``add`` (and ``"points"``, lists of d numbers) and ``reset``.
    """

    _esm = live.script() + _RENDER
    _css = live.style()
    payload = traitlets.Dict().tag(sync=True)
    fallback = traitlets.Unicode().tag(sync=True)
    request = traitlets.Dict().tag(sync=True)
    answer = traitlets.Dict().tag(sync=True)

    def __init__(self, run: Run, name: str, alt: str, rng: np.random.Generator) -> None:
        self._name, self._alt, self._rng = name, alt, rng
        self._first = run
        super().__init__()
        self._show(run)
        self.observe(self._on_request, names="request")

    def _show(self, run: Run) -> None:
        alt = f"{self._alt} {summary(run)}" if run is self._first else summary(run)
        data = {"name": self._name, **payload(run, alt)}
        fallback = table(run, alt)
        live.Live("player", data, fallback)  # refuses what a page cannot draw
        self._run = run
        with self.hold_sync():  # one message, so that table and numbers never disagree
            self.payload, self.fallback = data, fallback

    @property
    def run(self) -> Run:
        """What is played now."""
        return self._run

    def _on_request(self, change: Mapping[str, object]) -> None:
        request = change["new"]
        try:
            kind = request.get("kind")
            if kind not in _REQUESTS:
                raise ValueError(f"unknown request {kind!r}; ask for {', '.join(_REQUESTS)}")
            self._show(_REQUESTS[kind](self, request))
            error = ""
        except ValueError as reason:  # a collapse or bad input; the run before it stays
            error = str(reason)
        self.answer = {"id": request.get("id"), "error": error}

    def _move_means(self, request: Mapping[str, object]) -> Run:
        means = as_float_array("means", request.get("means"))
        if means.shape != self._run.start.means.shape:
            raise ValueError(
                f"means has shape {means.shape}; the start needs {self._run.start.means.shape}"
            )
        return replace(self._run, start=replace(self._run.start, means=means))

    def _draw_start(self, request: Mapping[str, object]) -> Run:
        old = self._run.start
        start = kmeans_plus_plus_start(
            self._run.X, old.n_components, self._rng, old.covariance_type
        )
        # Labels carry no meaning; sorted, the colours of two starts can be compared.
        start = start.relabelled(np.argsort(start.means[:, 0], kind="stable"))
        return replace(self._run, start=start)

    def _add_points(self, request: Mapping[str, object]) -> Run:
        points = as_float_array("points", request.get("points"))
        if points.ndim != 2 or points.shape[1] != self._run.X.shape[1]:
            raise ValueError(
                f"points has shape {points.shape}; it must be (n, {self._run.X.shape[1]})"
            )
        check_finite("points", points)
        return replace(self._run, X=np.concatenate([self._run.X, points]))

    def _reset(self, request: Mapping[str, object]) -> Run:
        return self._first

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        """The widget for JupyterLab, and for the book the same run without a kernel."""
        data, metadata = super()._repr_mimebundle_(**kwargs)
        static = live.Live("player", self.payload, self.fallback)
        # The plain text would hold an address in memory, another one in every build.
        return data | static._repr_mimebundle_() | {"text/plain": self.payload["alt"]}, metadata


_REQUESTS: dict[str, Callable[[EMPlayer, Mapping[str, object]], Run]] = {
    "means": EMPlayer._move_means,
    "draw": EMPlayer._draw_start,
    "add": EMPlayer._add_points,
    "reset": EMPlayer._reset,
}


def em_player(
    X: ArrayLike,
    start: Mixture,
    iterations: int = 30,
    *,
    name: str,
    alt: str,
    labels: Sequence[str] | None = None,
    xlabel: str = "x",
    ylabel: str = "y",
    units: str | Sequence[str] = "",
    bound: bool = False,
    rng: np.random.Generator | None = None,
) -> EMPlayer:
    """A run of EM that the reader can play, step by half-step.

    It ends early where the iterations to come add less than `VISIBLE_GAIN` nats, and before an
    M-step that collapses; the last half-step says so.

    Parameters
    ----------
    X : array (n_samples, n_features), or (n_samples,) for one feature; at most 2,000 rows of one
        or two features
    start : the mixture to begin with, at most six components
    iterations : M-steps at most, up to 200
    name : unique on its page, of letters, digits and hyphens
    alt : what happens in this run, for who cannot see it; a sentence
    labels : names of the components; "component 1", ... when None
    xlabel, ylabel : names of the features, without unit
    units : the unit of both, or one each
    bound : whether to show the ELBO beside log L and, for each M-step, draw the bound that touches
        log L ({eq}`elbo`)
    rng : draws the starts that the reader asks for in JupyterLab; seeded with 0 when None

    Raises
    ------
    ValueError
        If the input is more than a page can show, holds NaN or infinity, or `name`, `alt`,
        `labels` or `units` are not as above; CollapseError, one of these, if not even the first
        E-step can be made.
    """
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise ValueError(
            f"player name {name!r} must be lower-case letters, digits and hyphens, starting with "
            "a letter"
        )
    if not alt.strip().endswith((".", "!", "?")):
        raise ValueError(
            f"player {name!r} needs an alt text: a sentence that tells what happens (got {alt!r})"
        )
    X = as_rows(X, start.n_features)
    d, K = X.shape[1], start.n_components
    units = (units,) * d if isinstance(units, str) else tuple(units)
    if len(units) != d:
        raise ValueError(f"units is {units}; X has {d} feature(s), so pass {d}, or one for all")
    labels = _plain_labels(K) if labels is None else tuple(labels)
    if len(labels) != K:
        raise ValueError(f"labels has {len(labels)} names for {K} components")
    columns = (xlabel, ylabel)[:d] if d <= 2 else (xlabel,) * d
    run = Run(X, start, iterations, columns, units, labels, bound)
    return EMPlayer(run, name, alt.strip(), np.random.default_rng(0) if rng is None else rng)
