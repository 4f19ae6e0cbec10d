"""Two games of choosing and growing: *guess K* against BIC, and the Chinese restaurant.

``guess.js`` and ``restaurant.js`` of the folder ``browser`` draw them. What *guess K* shows was
fitted here, when the page was built; the restaurant seats its customers in the browser, and tests
hold its arithmetic to the numbers of this module.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma

from gmmlib.mixture import Mixture
from gmmlib.selection import best, sweep
from gmmlib.show.cases import NO_GROUP, Case, cases
from gmmlib.show.games import number_table, room
from gmmlib.show.live import Live
from gmmlib.validation import as_rows

#: The player and the criteria may bet on 1 to so many components.
MOST = 6
#: Rows of one case that a page still draws, and sends, without delay.
MAX_ROWS = 500
#: Runs of EM for each K of a case; the best of them bets.
STARTS = 2
#: The concentrations that the restaurant's slider stops at.
CONCENTRATIONS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0)
#: Customers for whom there is room, in the house and on a phone.
CAPACITY = 300


def guess_k(given: Iterable[Case] | None = None, rounds: int = 5) -> Live:
    """Bets on the number of components, against {eq}`bic` and {eq}`aic`.

    In each case the player sees rows and says how many groups they came from. Each component too
    many or too few costs one cake, to BIC and AIC too, which choose among mixtures with full
    covariances and 1 to ``MOST`` components.

    Parameters
    ----------
    given : cases in the order of play; by default those of ``gmmlib.show.cases``
    rounds : cases in one game; those left over make the next game

    Raises
    ------
    ValueError
        If there are no cases, or not a whole number of games of them; or one has more than two
        features, more than ``MAX_ROWS`` rows, a name too few, or labels that do not fit.
    CollapseError
        A ValueError: some case has no fit at all.
    """
    given = cases() if given is None else tuple(given)
    if not isinstance(rounds, int) or not 1 <= rounds <= 10:
        raise ValueError(f"rounds is {rounds!r}; choose a whole number from 1 to 10")
    if not given or len(given) % rounds:
        raise ValueError(
            f"there are {len(given)} cases; with rounds={rounds} pass {rounds}, or a multiple of it"
        )
    for number, case in enumerate(given, 1):
        _check_case(number, case)
    payload = {
        "most": MOST,
        "rounds": rounds,
        "starts": STARTS,
        "cases": [_shown(case) for case in given],
    }
    return Live("guess-k", payload, _guesses_on_paper(payload["cases"][:rounds]))


def _check_case(number: int, case: Case) -> None:
    X = as_rows(case.X)
    if X.shape[1] > 2:
        raise ValueError(
            f"case {number} has {X.shape[1]} features; a page draws one or two, choose among them"
        )
    if len(X) > MAX_ROWS:
        raise ValueError(
            f"case {number} has {len(X)} rows, more than the {MAX_ROWS} that a page draws; "
            "pass a sample"
        )
    if len(case.features) < X.shape[1]:
        raise ValueError(
            f"case {number} has {X.shape[1]} features and {len(case.features)} name(s); name each"
        )
    labels = np.asarray(case.labels)
    groups = set(labels.tolist()) - {NO_GROUP}
    if labels.shape != (len(X),) or groups != set(range(len(groups))) or len(groups) > MOST:
        raise ValueError(
            f"case {number} needs one label for each of its {len(X)} rows: 0, 1, ... for at most "
            f"{MOST} groups, {NO_GROUP} for a row of none"
        )


def _shown(case: Case) -> dict:
    X = as_rows(case.X)
    # starts that lie far apart: from k-means, outliers hide the best fits with many components
    options = {"n_restarts": STARTS, "start": "kmeans++", "tol": 1e-5}
    candidates = tuple(
        sweep(X, range(1, MOST + 1), ("full",), rng=np.random.default_rng(0), **options)
    )
    chosen = best(candidates, "bic")
    return {
        "story": case.story,
        "remark": case.remark,
        "axes": list(case.features[: X.shape[1]]),
        "ranges": [room(column) for column in X.T],
        "rows": X.tolist(),
        "labels": np.asarray(case.labels).tolist(),
        "truth": case.truth,
        "fits": [
            # a K for which every start collapsed has no numbers
            None if c.fit is None else [round(v, 2) for v in (c.log_likelihood, c.bic, c.aic)]
            for c in candidates
        ],
        "bic": chosen.n_components,
        "aic": best(candidates, "aic").n_components,
        "mixture": _numbers(chosen.fit.mixture),
    }


def _numbers(mixture: Mixture) -> dict[str, list]:
    """What the browser draws: for one feature as ``density.js`` takes it, for two with matrices."""
    one = mixture.n_features == 1
    covariances, means = mixture.full_covariances, mixture.means
    return {
        "weights": mixture.weights.tolist(),
        "means": (means[:, 0] if one else means.round(4)).tolist(),
        "variances": (covariances[:, 0, 0] if one else covariances.round(4)).tolist(),
    }


def _guesses_on_paper(shown: Sequence[dict]) -> str:
    rows = [
        (str(number), str(len(case["rows"])), *(str(case[key]) for key in ("truth", "bic", "aic")))
        for number, case in enumerate(shown, 1)
    ]
    remarks = "".join(
        f"<li>{html.escape(case['story'])} {html.escape(case['remark'])}</li>" for case in shown
    )
    return (
        "<p>This is a game with JavaScript: you bet on the number of groups that some rows came "
        "from, and so do BIC and AIC. Here is how they bet, and why they err.</p>"
        f"{number_table(('case', 'rows', 'truth', 'BIC', 'AIC'), rows)}<ol>{remarks}</ol>"
    )


def expected_tables(concentration: float, customers: int) -> float:
    r"""Expected number of occupied tables: the sum of the terms of {eq}`expected-tables`.

    $\alpha (\psi(\alpha + n) - \psi(\alpha)) = \sum_{i<n} \alpha / (\alpha + i)$, with digamma psi.
    """
    a = concentration
    return float(a * (digamma(a + customers) - digamma(a)))


def chinese_restaurant(concentration: float = 1.0, seed: int = 1) -> Live:
    """An evening in the restaurant of {eq}`seat-taken` and {eq}`seat-free`, with bets on seats.

    Parameters
    ----------
    concentration : where the slider starts; its other stops are ``CONCENTRATIONS``
    seed : of the first evening; the same page always shows the same evenings

    Raises
    ------
    ValueError
        If the concentration lies outside the slider, or the seed is not a whole number >= 0.
    """
    low, high = CONCENTRATIONS[0], CONCENTRATIONS[-1]
    # written so that nan fails too
    if not np.isscalar(concentration) or not low <= concentration <= high:
        raise ValueError(
            f"concentration is {concentration!r}; the slider runs from {low} to {high:g}"
        )
    if not isinstance(seed, int) or not 0 <= seed < 2**31:
        raise ValueError(f"seed is {seed!r}; choose a whole number from 0 to 2**31 - 1")
    payload = {
        "concentration": float(concentration),
        "concentrations": sorted({*CONCENTRATIONS, float(concentration)}),
        "capacity": CAPACITY,
        "seed": seed,
    }
    return Live("chinese-restaurant", payload, _restaurant_on_paper(seed))


def _restaurant_on_paper(seed: int) -> str:
    """Rules for slips of paper, one evening played with them, and what to expect."""
    draws, seats = _evening(np.random.default_rng(seed), 12)
    shown = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
    sizes = (10, 50, 100, 300)
    expected = number_table(
        ("α", *(f"n = {n}" for n in sizes)),
        [(f"{a:g}", *(f"{expected_tables(a, n):.1f}" for n in sizes)) for a in shown],
    )
    evening = number_table(
        ("customer", "draws", "sits at table"),
        [(str(n), str(draw), str(seat))
         for n, (draw, seat) in enumerate(zip(draws, seats, strict=True), 1)],
    )  # fmt: skip
    return (
        "<p>A game for paper, with α = 1: the first customer opens table 1. Customer n draws one "
        "of the numbers 1 to n. Whoever draws an earlier customer’s number sits down at that "
        "customer’s table; whoever draws n opens a new one. So a table with m of the n − 1 "
        "customers is drawn with probability m/n, a new one with probability 1/n. Before each "
        "draw, bet on the table.</p>"
        f"<details><summary>One evening that was played so</summary>{evening}</details>"
        "<p>How many tables to expect after n customers, for some values of α: the sum of "
        "α/(α + i) over i = 0, …, n − 1. It never stops growing, but it grows like a logarithm."
        f"</p>{expected}"
    )


def _evening(rng: np.random.Generator, customers: int) -> tuple[NDArray, list[int]]:
    """What each customer draws for alpha = 1, and the table, counted from 1."""
    draws = np.array([rng.integers(1, n + 1) for n in range(1, customers + 1)])
    seats: list[int] = []
    for n, draw in enumerate(draws):
        seats.append(seats[draw - 1] if draw <= n else max(seats, default=0) + 1)
    return draws, seats
