"""Games, and the explorer of humps: numbers from ``gmmlib``, played in the page without a kernel.

The files ``bells.js``, ``bet.js``, ``beat.js`` and ``humps.js`` of the folder ``browser`` draw
them; ``density.js`` there does what arithmetic a player's own move needs, and tests hold it to
``gmmlib``'s numbers.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmlib.data import Dataset
from gmmlib.em import State, em
from gmmlib.mixture import Mixture
from gmmlib.show.live import Live
from gmmlib.validation import as_rows

#: Rows that a page still draws, and sends, without delay.
MAX_ROWS = 5000
#: Nobody, the posterior included, may bet less or more: log loss stays below log 100.
LIMITS = (0.01, 0.99)


def detectives_bet(
    mixture: Mixture,
    dataset: Dataset,
    component: int = 1,
    *,
    names: Sequence[str] = ("a child", "an adult"),
    plurals: Sequence[str] = ("children", "adults"),
    who: str = "patient",
    customers: int = 10,
    remark: str = "",
    seed: int | None = None,
) -> Live:
    """A round of bets on the labels of a data set, beside the posterior's: {eq}`responsibilities`.

    The player states the probability of one component and pays log loss on the true label; so does
    the posterior. Bets of both are kept within ``LIMITS``.

    Parameters
    ----------
    mixture : one-dimensional, its components in the order of the data set's labels
    dataset : X (N, 1) with known labels; rows are drawn from it without replacement
    component : index of the component, and label, that the bets are on
    names, plurals : what a row of each component is called, with its article, and many of them
    who : what a row is called before its label is known
    customers : rows in one round
    remark : for the verdict, a sentence on how right this mixture is for these data; it follows
        "If the mixture is right, nobody who sees nothing else can pay less on average."
    seed : for a game that is the same each time; by default every reader draws other rows

    Raises
    ------
    ValueError
        If the mixture is not one-dimensional, the data have no labels, the components are not in
        the order of the labels, or there are fewer rows than a round needs.
    """
    X, labels = _one_column(dataset.X), dataset.labels
    K = mixture.n_components
    if labels is None:
        raise ValueError(
            f"{dataset.name} has no labels, so no bet can be settled; take a data set with labels"
        )
    _check_one_dimensional(mixture)
    if not len(dataset.label_names) == len(names) == len(plurals) == K:
        raise ValueError(
            f"the mixture has {K} components, the data have {len(dataset.label_names)} labels, and "
            f"there are {len(names)} names and {len(plurals)} plurals; all must agree"
        )
    if component not in range(K):
        raise ValueError(f"component is {component!r}; choose one of 0 to {K - 1}")
    groups = [X[labels == k].mean() for k in range(K)]
    if (np.argsort(groups) != np.argsort(mixture.means[:, 0])).any():
        raise ValueError(
            "the components are not in the order of the labels; pass "
            "mixture.relabelled(np.argsort(mixture.means[:, 0]))"
        )
    if not 1 <= customers <= len(X):
        raise ValueError(f"customers is {customers}; {dataset.name} can give 1 to {len(X)} a round")

    truth = labels == component
    log_gamma = mixture.log_responsibilities(X)
    gamma = np.exp(log_gamma[:, component])
    others = np.delete(log_gamma, component, axis=1)
    # log(1 - gamma) from the other components: finite where gamma rounds to one
    unlimited = -np.where(truth, log_gamma[:, component], np.logaddexp.reduce(others, axis=1))
    limited = np.clip(gamma, *LIMITS)
    loss = -np.log(np.where(truth, limited, 1 - limited))
    payload = {
        "values": X.tolist(),
        "posterior": _significant(gamma, 6),
        "truth": truth.astype(int).tolist(),
        "customers": customers,
        "limits": LIMITS,
        "average": {"posterior": float(loss.mean()), "unlimited": float(unlimited.mean())},
        "percent": round(100 * truth.mean()),
        "who": who,
        "target": names[component],
        "targets": plurals[component],
        # with more than two components: any of the others
        "other": names[1 - component] if K == 2 else f"not {names[component]}",
        "names": [name.split(maxsplit=1)[-1] for name in names],
        "what": dataset.columns[0],
        "unit": dataset.units[0],
        "range": room(X),
        "mixture": _numbers(mixture),
        "remark": remark,
        "seed": seed,
    }
    return Live("detectives-bet", payload, _bets_on_paper(payload, loss))


def _bets_on_paper(payload: Mapping, loss: NDArray) -> str:
    """Rows to bet on with a pencil, and what to compare with behind a fold.

    ``loss`` (N,) is what the posterior pays for each row, in nats. A single round may cost it twice
    its average, or half: of a hundred rounds the most typical one is printed.
    """
    rng = np.random.default_rng(payload["seed"] or 0)
    size = payload["customers"]
    rounds = [rng.choice(len(loss), size, replace=False) for _ in range(100)]
    rows = min(rounds, key=lambda rows: abs(loss[rows].mean() - loss.mean()))
    unit, target = html.escape(payload["unit"]), html.escape(payload["target"])
    values = [_minus(f"{payload['values'][n]:g}") for n in rows]
    low, high = payload["limits"]
    answers = number_table(
        (unit, "truth", f"posterior's bet on {payload['target']}", "it pays (nats)"),
        [
            (
                value,
                payload["target"] if payload["truth"][n] else payload["other"],
                f"{min(max(payload['posterior'][n], low), high):.4f}",
                f"{loss[n]:.2f}",
            )
            for n, value in zip(rows, values, strict=True)
        ],
    )
    return (
        f"<p>A game for paper: for each of these {len(rows)} {html.escape(payload['who'])}s write "
        f"down the probability that it is {target}, from {low:.0%} to {high:.0%}. When the truth "
        "is out you pay minus the logarithm of the probability that you gave to it, and so does "
        f"the posterior. The lower sum wins.</p><p>{', '.join(values)} {unit}</p>"
        f"<details><summary>The truth, and the posterior's bets</summary>{answers}"
        f"<p>Together the posterior pays {loss[rows].sum():.2f} nats; 50% every time would cost "
        f"{size * math.log(2):.2f}. These {size} are chosen so that it pays about what it pays on "
        "average. If the mixture is right, nobody who sees nothing else can pay less on average. "
        f"{html.escape(payload['remark'])}</p></details>"
    )


def beat_em(
    X: ArrayLike,
    start: Mixture,
    rounds: int = 10,
    *,
    helps: int = 3,
    what: str = "height",
    unit: str = "cm",
    bins: int = 30,
) -> Live:
    """A race to the highest log L: five sliders against EM, from the same start.

    Parameters
    ----------
    X : array (N, 1) or (N,), in ``unit``
    start : two components in one dimension; a poor one, or there is nothing to win
    rounds : moves of the player, and iterations of EM
    helps : how many moves the player may leave to EM
    what, unit : label of the axis
    bins : bars of the histogram

    Raises
    ------
    ValueError
        If X is not one column of at most ``MAX_ROWS`` rows, the start has not two components or
        lies outside the sliders, or EM has almost arrived after ``rounds`` iterations.
    CollapseError
        A ValueError: a component of EM's own run collapses.
    """
    column = _one_column(X)
    _check_one_dimensional(start)
    if start.n_components != 2:
        raise ValueError(
            f"the game has sliders for 2 components, the start has {start.n_components}"
        )
    for name, value, most in (("rounds", rounds, 50), ("helps", helps, rounds)):
        if not isinstance(value, int) or not 1 <= value <= most:
            raise ValueError(f"{name} is {value!r}; choose a whole number from 1 to {most}")
    if np.ptp(column) == 0:
        raise ValueError("all values of X are equal; no two bells can be fitted")
    values, counts = np.unique(column, return_counts=True)
    ranges = _sliders(values)
    first = _numbers(start)
    sds = np.sqrt(first["variances"])
    for name, numbers in (("mean", first["means"]), ("sd", sds), ("weight", first["weights"])):
        low, high, _ = ranges[name]
        if min(numbers) < low or max(numbers) > high:
            raise ValueError(
                f"the start's {name}s {np.round(numbers, 3).tolist()} leave the sliders, which run "
                f"from {low:g} to {high:g}; start nearer to the data"
            )
    states, end = _race(column, start, rounds)
    trace = np.array([state.log_likelihood for state in states])
    if end - trace[rounds] < 1.0:
        raise ValueError(
            f"after {rounds} rounds EM is {end - trace[rounds]:.2g} nats below its end: nobody can "
            "beat it by more; choose a poorer start or fewer rounds"
        )
    missing = end - trace
    payload = {
        "values": values.tolist(),
        "counts": counts.tolist(),
        "start": first,
        "rounds": rounds,
        "helps": helps,
        "trace": trace[: rounds + 1].tolist(),
        "end": end,
        # iterations until 0.1 nats are missing, and until half of what the first step left is
        "near": int(np.argmax(missing < 0.1)),
        "half": int(np.argmax(missing <= missing[1] / 2)) - 1,
        "ranges": ranges,
        "bars": [float(values[0]), float(values[-1]), bins],
        "what": what,
        "unit": unit,
    }
    return Live("beat-em", payload, _race_on_paper(states, rounds, end, unit))


def _race(X: NDArray, start: Mixture, rounds: int) -> tuple[list[State], float]:
    """States of EM until it stands still (at least ``rounds`` of them), and its last log L."""
    states: list[State] = []
    for state in islice(em(X, start), 5001):
        states.append(state)
        gain = math.inf if len(states) == 1 else state.log_likelihood - states[-2].log_likelihood
        if len(states) > rounds and gain < 1e-10 * len(X):
            return states, state.log_likelihood
    raise ValueError("EM has not converged from this start after 5000 iterations; choose another")


def _race_on_paper(states: Sequence[State], rounds: int, end: float, unit: str) -> str:
    rows = []
    for state in states[: rounds + 1]:
        m = _numbers(state.mixture)
        numbers = (*m["means"], *np.sqrt(m["variances"]), m["weights"][0])
        last = f"{numbers[-1]:.2f}"
        rows.append(
            (str(state.iteration), *(_signed(v, 1) for v in numbers[:-1]), last,
             _signed(state.log_likelihood))
        )  # fmt: skip
    head = ("round", "μ₁", "μ₂", "σ₁", "σ₂", "π₁", "log L (nats)")
    return (
        "<p>This is a game with JavaScript; here is EM's side of it in numbers.</p>"
        f"<p>EM from a poor start, means and spreads in {html.escape(unit)}. After {rounds} rounds "
        f"it has reached {_signed(states[rounds].log_likelihood)} nats; it ends at "
        f"{_signed(end)}.</p>"
        f"{number_table(head, rows)}"
    )


def two_humps(examples: Mapping[str, Mixture] | None = None) -> Live:
    """Sliders for the gap, the spreads and the weights of two bells: does their sum have two humps?

    Parameters
    ----------
    examples : name of a button -> the one-dimensional mixture of two components that it sets

    Raises
    ------
    ValueError
        If an example is not one-dimensional with two components, or lies outside the sliders.
    """
    ranges = {"gap": (0, 8, 0.05), "ratio": (0.3, 3, 0.05), "weight": (0.05, 0.95, 0.01)}
    cases = []
    for name, mixture in (examples or {}).items():
        _check_one_dimensional(mixture)
        if mixture.n_components != 2:
            raise ValueError(
                f"example {name!r} has {mixture.n_components} components; the sliders are for 2"
            )
        ordered = _numbers(mixture.relabelled(np.argsort(mixture.means[:, 0])))
        first, second = np.sqrt(ordered["variances"])
        case = {
            "gap": (ordered["means"][1] - ordered["means"][0]) / first,
            "ratio": second / first,
            "weight": ordered["weights"][0],
        }
        for key, value in case.items():
            low, high, _ = ranges[key]
            if not low <= value <= high:
                raise ValueError(
                    f"example {name!r} has the {key} {value:.3g}; the slider runs from {low} to "
                    f"{high}, choose another"
                )
        cases.append({"name": name, **{key: float(value) for key, value in case.items()}})
    payload = {
        "ranges": ranges,
        "start": {"gap": 3, "ratio": 1, "weight": 0.5},
        "examples": cases,
    }
    fallback = (
        "<p>This moves only with JavaScript; here is what it shows, in words.</p>"
        "<p>Two bells of equal weight and equal spread add up to one hump as long as their means "
        "are at most two spreads apart, and to two humps beyond. With unequal weights or spreads "
        "the border lies elsewhere.</p>"
    )
    return Live("two-humps", payload, fallback)


def _check_one_dimensional(mixture: Mixture) -> None:
    if mixture.n_features != 1:
        raise ValueError(f"the game is for one feature; the mixture has {mixture.n_features}")


def _one_column(X: ArrayLike) -> NDArray:
    """X as (N,), checked to be one finite column of a size that a page can bear."""
    X = as_rows(X, 1)
    if len(X) > MAX_ROWS:
        raise ValueError(
            f"X has {len(X)} rows, more than the {MAX_ROWS} that a page draws; pass a sample"
        )
    return X[:, 0]


def _numbers(mixture: Mixture) -> dict[str, list[float]]:
    """A one-dimensional mixture as ``density.js`` takes it."""
    return {
        "weights": mixture.weights.tolist(),
        "means": mixture.means[:, 0].tolist(),
        "variances": mixture.full_covariances[:, 0, 0].tolist(),
    }


def _signed(number: float, digits: int = 2) -> str:
    return _minus(f"{number:.{digits}f}")


def _minus(number: str) -> str:
    return number.replace("-", "−")


def _significant(numbers: NDArray, digits: int) -> list[float]:
    return [float(f"{value:.{digits}g}") for value in numbers]


def room(values: NDArray) -> tuple[float, float]:
    """A little more than the data take, in round numbers."""
    step = _round_up(np.ptp(values) / 20)
    return (
        float(math.floor(values.min() / step) * step),
        float(math.ceil(values.max() / step) * step),
    )


def _sliders(values: NDArray) -> dict[str, tuple[float, float, float]]:
    """Lowest, highest and step of each slider, about 150 steps wide."""
    low, high = room(values)
    step = _round_up((high - low) / 200)
    # A bell narrower than two steps could hide on a few rows and win by its spike alone.
    sd = (2 * step, _round_up((high - low) / 3), step / 5)
    return {"mean": (low, high, step), "sd": sd, "weight": (0.02, 0.98, 0.01)}


def _round_up(number: float) -> float:
    """The next of ..., 0.1, 0.2, 0.5, 1, 2, 5, 10, ... that is not smaller."""
    power = 10.0 ** math.floor(math.log10(number))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= number)


def number_table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    def line(tag: str, cells: Iterable[str]) -> str:
        return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag[:2]}>' for cell in cells)}</tr>"

    body = "".join(line("td", cells) for cells in rows)
    return (
        '<table class="gmm-game-table">'
        f"<thead>{line('th', head).replace('<th>', '<th scope=col>')}</thead>"
        f"<tbody>{body}</tbody></table>"
    )
