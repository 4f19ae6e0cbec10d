"""The games: their numbers are gmmlib's, bad input is refused, and they can be won and lost."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from bs4 import BeautifulSoup
from numpy.testing import assert_allclose

from gmmlib import Mixture
from gmmlib.data import adult_heights, clinic_heights, old_faithful, shop_customers
from gmmlib.em import e_step, em, m_step
from gmmlib.likelihood import log_likelihood
from gmmlib.show.games import LIMITS, MAX_ROWS, beat_em, detectives_bet, two_humps
from gmmlib.validation import CollapseError
from tests import games
from tests.games import press

PATIENTS, CUSTOMERS = clinic_heights(), shop_customers()


def bells(means, sds, weights) -> Mixture:
    return Mixture(weights, np.array(means)[:, None], np.square(sds)[:, None, None])


def learned(X, start: Mixture, iterations: int = 100) -> Mixture:
    return next(islice(em(X, start), iterations, None)).mixture


CLINIC = learned(PATIENTS.X, bells([140.0, 170.0], [10.0, 10.0], [0.5, 0.5]))
POOR = bells([165.0, 175.0], [12.0, 12.0], [0.5, 0.5])
BET = detectives_bet(CLINIC, PATIENTS, seed=1)
RACE = beat_em(CUSTOMERS.X, POOR)
HUMPS = two_humps({"equal": bells([0.0, 30.0], [10.0, 10.0], [0.5, 0.5])})


# The numbers that go into the page


def test_the_bets_of_the_payload_are_the_posterior_of_gmmlib() -> None:
    gamma = CLINIC.responsibilities(PATIENTS.X)[:, 1]
    assert_allclose(BET.payload["posterior"], gamma, rtol=1e-5)
    assert BET.payload["values"] == PATIENTS.X[:, 0].tolist()
    assert BET.payload["truth"] == PATIENTS.labels.tolist()
    assert BET.payload["percent"] == 35


def test_the_posteriors_average_pays_for_the_limits_and_without_them() -> None:
    log_gamma = CLINIC.log_responsibilities(PATIENTS.X)
    unlimited = -log_gamma[np.arange(len(log_gamma)), PATIENTS.labels].mean()
    adult = np.clip(np.exp(log_gamma[:, 1]), *LIMITS)
    limited = -np.log(np.where(PATIENTS.labels == 1, adult, 1 - adult)).mean()
    assert_allclose(BET.payload["average"]["unlimited"], unlimited, rtol=1e-12)
    assert_allclose(BET.payload["average"]["posterior"], limited, rtol=1e-12)
    # What the verdict teaches: certainty without limits costs more than knowing nothing.
    assert limited < np.log(2) < unlimited


def test_a_bet_on_the_other_component_is_the_rest() -> None:
    child = detectives_bet(CLINIC, PATIENTS, component=0).payload
    assert_allclose(np.add(child["posterior"], BET.payload["posterior"]), 1, atol=1e-5)
    assert child["target"] == "a child"
    assert child["truth"] == (1 - PATIENTS.labels).tolist()


def test_the_trace_of_the_payload_is_gmmlibs() -> None:
    trace = [state.log_likelihood for state in islice(em(CUSTOMERS.X, POOR), 11)]
    assert RACE.payload["trace"] == trace
    end = list(islice(em(CUSTOMERS.X, POOR), 500))[-1].log_likelihood
    assert_allclose(RACE.payload["end"], end, atol=1e-6)
    assert np.repeat(RACE.payload["values"], RACE.payload["counts"]).tolist() == sorted(
        CUSTOMERS.X[:, 0]
    )


def test_the_race_is_open() -> None:
    """EM is several nats short after its rounds, and a mixture read off the histogram beats it."""
    trace, end = RACE.payload["trace"], RACE.payload["end"]
    assert 5 < end - trace[-1] < 30
    by_eye = bells([140.0, 170.0], [5.0, 8.0], [0.4, 0.6])
    careless = bells([145.0, 165.0], [10.0, 10.0], [0.5, 0.5])
    assert log_likelihood(CUSTOMERS.X, by_eye) > trace[-1] + 5
    assert trace[0] < log_likelihood(CUSTOMERS.X, careless) < trace[-1] - 5


def test_what_the_verdict_says_of_ems_pace() -> None:
    missing = RACE.payload["end"] - np.array(
        [state.log_likelihood for state in islice(em(CUSTOMERS.X, POOR), 30)]
    )
    near, half = RACE.payload["near"], RACE.payload["half"]
    assert missing[near] < 0.1 <= missing[near - 1]
    assert missing[1 + half] <= missing[1] / 2 < missing[half]


def test_an_example_is_measured_in_spreads_of_the_left_bell() -> None:
    right_first = bells([170.0, 140.0], [8.0, 5.0], [0.6, 0.4])
    (example,) = two_humps({"shop": right_first}).payload["examples"]
    assert example["name"] == "shop"
    assert_allclose([example[key] for key in ("gap", "ratio", "weight")], [6.0, 1.6, 0.4])


@pytest.mark.parametrize("game", [BET, RACE, HUMPS], ids=lambda game: game.kind)
def test_a_game_is_light(game) -> None:
    assert len(game.html) < 10_000


def test_the_bet_can_be_played_on_paper() -> None:
    fallback = BeautifulSoup(BET.fallback, "html.parser")
    rows = [[cell.text for cell in row.select("td")] for row in fallback.select("details tbody tr")]
    assert len(rows) == 10
    outside = fallback.find_all("p")[1].text
    total = 0.0
    for height, truth, bet, pays in rows:
        assert height in outside
        assert truth in ("a child", "an adult")
        gamma = np.clip(CLINIC.responsibilities([float(height)])[0, 1], *LIMITS)
        assert_allclose(float(bet), gamma, atol=1e-4)
        given = gamma if truth == "an adult" else 1 - gamma
        assert_allclose(float(pays), -np.log(given), atol=0.006)
        total -= np.log(given)
    below = fallback.select("details p")[0].text
    assert f"the posterior pays {total:.2f} nats; 50% every time would cost 6.93." in below


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_the_round_on_paper_is_typical(seed) -> None:
    game = detectives_bet(CLINIC, PATIENTS, seed=seed)
    rows = BeautifulSoup(game.fallback, "html.parser").select("details tbody tr")
    total = sum(float(row.select("td")[-1].text) for row in rows)
    assert abs(total - 10 * game.payload["average"]["posterior"]) < 0.2


def test_numbers_below_zero_have_their_minus() -> None:
    X = CUSTOMERS.X - 300
    start = Mixture(POOR.weights, POOR.means - 300, POOR.covariances)
    cold = replace(PATIENTS, X=PATIENTS.X - 300)
    clinic = Mixture(CLINIC.weights, CLINIC.means - 300, CLINIC.covariances)
    for game in (beat_em(X, start), detectives_bet(clinic, cold)):
        cells = [cell.text for cell in BeautifulSoup(game.fallback, "html.parser").select("td")]
        assert any(cell.startswith("−1") for cell in cells)
        assert not any(cell.startswith("-") for cell in cells)


def test_without_script_the_race_is_a_table() -> None:
    rows = BeautifulSoup(RACE.fallback, "html.parser").select("tbody tr")
    shown = [[float(cell.text.replace("−", "-")) for cell in row.select("td")] for row in rows]
    states = list(islice(em(CUSTOMERS.X, POOR), 11))
    assert_allclose([row[-1] for row in shown], RACE.payload["trace"], atol=0.006)
    assert_allclose([row[1] for row in shown], [s.mixture.means[0, 0] for s in states], atol=0.06)
    assert "at most two" in HUMPS.fallback
    assert "JavaScript" in RACE.fallback
    assert "JavaScript" in HUMPS.fallback


# What is refused

TRIPLE = bells([130.0, 150.0, 170.0], [9.0, 9.0, 9.0], [0.3, 0.3, 0.4])
PLANE = Mixture([0.5, 0.5], [[3.0, 50.0], [4.0, 80.0]], [np.eye(2), np.eye(2)])


@pytest.mark.parametrize(
    ("game", "says"),
    [
        (lambda: detectives_bet(PLANE, PATIENTS), "one feature"),
        (lambda: detectives_bet(CLINIC, old_faithful()), "X has 2 feature"),
        (lambda: detectives_bet(CLINIC, replace(PATIENTS, labels=None)), "no labels"),
        (lambda: detectives_bet(TRIPLE, PATIENTS), "3 components.* 2 labels"),
        (lambda: detectives_bet(CLINIC, PATIENTS, names=("a child",)), "1 names"),
        (lambda: detectives_bet(CLINIC, PATIENTS, component=2), "component is 2; choose"),
        (lambda: detectives_bet(CLINIC.relabelled([1, 0]), PATIENTS), "order of the labels"),
        (lambda: detectives_bet(CLINIC, PATIENTS, customers=129), "1 to 128"),
        (lambda: detectives_bet(CLINIC, PATIENTS, customers=0), "customers is 0"),
        (lambda: beat_em(CUSTOMERS.X, TRIPLE), "the start has 3"),
        (lambda: beat_em(old_faithful().X, POOR), "X has 2 feature"),
        (lambda: beat_em([150.0, np.nan], POOR), r"X\[1, 0\] is nan"),
        (lambda: beat_em([150.0] * 9, POOR), "all values of X are equal"),
        (lambda: beat_em(np.linspace(130, 190, MAX_ROWS + 1), POOR), "pass a sample"),
        (lambda: beat_em(CUSTOMERS.X, POOR, rounds=0), "rounds is 0"),
        (lambda: beat_em(CUSTOMERS.X, POOR, helps=11), "helps is 11"),
        (lambda: beat_em(CUSTOMERS.X, POOR, rounds=40), "poorer start or fewer rounds"),
        (
            lambda: beat_em(CUSTOMERS.X, bells([100.0, 175.0], [12.0, 12.0], [0.5, 0.5])),
            "means .* run from 130 to 190",
        ),
        (
            lambda: beat_em(CUSTOMERS.X, bells([165.0, 175.0], [12.0, 40.0], [0.5, 0.5])),
            "sds .* run from 1 to 20",
        ),
        (lambda: two_humps({"three": TRIPLE}), "'three' has 3 components"),
        (lambda: two_humps({"far": bells([0.0, 9.0], [1.0, 1.0], [0.5, 0.5])}), "gap 9"),
        (lambda: two_humps({"plane": PLANE}), "one feature"),
    ],
)
def test_bad_input_is_refused(game, says) -> None:
    with pytest.raises(ValueError, match=says):
        game()


# The arithmetic of the browser, held to gmmlib


def in_node(program: str, **data):
    return games.in_node("density", f"const {{ density }} = casebook; {program}", **data)


def numbers(mixture: Mixture) -> dict:
    return {
        "weights": mixture.weights.tolist(),
        "means": mixture.means[:, 0].tolist(),
        "variances": mixture.covariances[:, 0, 0].tolist(),
    }


OUTLIERS = np.array([-1e6, -300.0, 0.0, 81.3, 240.0, 1e4, 1e7])
CASES = {
    "customers": (CUSTOMERS.X[:, 0], POOR),
    "patients": (PATIENTS.X[:, 0], CLINIC),
    "adults, three bells": (adult_heights().X[:, 0], TRIPLE),
    "outliers": (np.append(PATIENTS.X[:, 0], OUTLIERS), CLINIC),
    "far from the origin": (
        CUSTOMERS.X[:, 0] + 1e6,
        Mixture(POOR.weights, POOR.means + 1e6, POOR.covariances),
    ),
}
each_case = pytest.mark.parametrize(("X", "mixture"), CASES.values(), ids=CASES)


@each_case
def test_densities_and_log_likelihood_in_the_browser_are_gmmlibs(X, mixture) -> None:
    weight = 1.0 + np.arange(len(X)) % 3
    log_density, gamma, log_L, weighted = in_node(
        "return [density.logDensity(data.X, data.m), density.responsibilities(data.X, data.m),"
        " density.logLikelihood(data.X, data.m), density.logLikelihood(data.X, data.m, data.w)]",
        X=X.tolist(), m=numbers(mixture), w=weight.tolist(),
    )  # fmt: skip
    assert_allclose(log_density, mixture.log_density(X), rtol=1e-10)
    # Below 1e-300 numbers lose digits, and far out they are zero on both sides.
    assert_allclose(gamma, mixture.responsibilities(X), rtol=1e-10, atol=1e-300)
    assert_allclose(log_L, log_likelihood(X, mixture), rtol=1e-10)
    assert_allclose(weighted, log_likelihood(X, mixture, weight), rtol=1e-10)


@each_case
def test_one_step_of_em_in_the_browser_is_gmmlibs(X, mixture) -> None:
    weight = 1.0 + np.arange(len(X)) % 3
    for w in (None, weight):
        step = in_node(
            "return density.emStep(data.X, data.m, data.w ?? undefined)",
            X=X.tolist(), m=numbers(mixture), w=None if w is None else w.tolist(),
        )  # fmt: skip
        gamma, _ = e_step(X, mixture)
        expected = numbers(m_step(X, gamma, sample_weight=w))
        for name in ("weights", "means", "variances"):
            assert_allclose(step[name], expected[name], rtol=1e-10)


def test_a_mean_far_from_the_origin_keeps_its_digits() -> None:
    X = np.tile(CUSTOMERS.X[:, 0], 100) + 1e9
    step = in_node(
        "return density.mStep(data.X, data.X.map(() => [1]))",
        X=X.tolist(),
    )
    assert_allclose(step["means"], math.fsum(X) / len(X), rtol=0, atol=2 * np.spacing(1e9))


def test_many_steps_in_the_browser_follow_gmmlibs_trace() -> None:
    payload = RACE.payload
    trace = in_node(
        "let m = data.start; const trace = [];"
        "for (let t = 0; t <= data.rounds; t++) {"
        "  trace.push(density.logLikelihood(data.values, m, data.counts));"
        "  m = density.emStep(data.values, m, data.counts);"
        "} return trace",
        **payload,
    )
    assert_allclose(trace, payload["trace"], rtol=1e-10)


@pytest.mark.parametrize(
    ("X", "mixture", "says"),
    [
        ([1.0, 2.0, 3.0], bells([2.0, 1e4], [1.0, 1.0], [0.5, 0.5]), "component 1 is empty"),
        ([1.0, 1.0, 5.0, 6.0], bells([1.0, 5.5], [1e-3, 1.0], [0.5, 0.5]), "component 0 has coll"),
        (  # two neighbouring numbers: a variance, but one that is lost in rounding
            [1e6, np.nextafter(1e6, 2e6), 1e6 + 5, 1e6 + 6],
            bells([1e6, 1e6 + 5.5], [1e-3, 1.0], [0.5, 0.5]),
            "component 0 has coll",
        ),
    ],
)
def test_the_browser_refuses_a_step_where_gmmlib_does(X, mixture, says) -> None:
    with pytest.raises(CollapseError, match=says):
        m_step(X, e_step(X, mixture)[0])
    message = in_node(
        "try { density.emStep(data.X, data.m) } catch (error) { return error.message }",
        X=X, m=numbers(mixture),
    )  # fmt: skip
    assert says in message


def humps(mixture: Mixture, grid) -> np.ndarray:
    height = mixture.log_density(grid)
    inner = (height[1:-1] > height[:-2]) & (height[1:-1] >= height[2:])
    return grid[1:-1][inner]


@pytest.mark.parametrize(
    ("gap", "sd", "weight", "count"),
    [
        (1.9, 1.0, 0.5, 1),
        (2.0, 1.0, 0.5, 1),
        (2.1, 1.0, 0.5, 2),
        (2.1, 1.0, 0.3, 1),
        (6.0, 1.6, 0.4, 2),
        (0.0, 2.0, 0.5, 1),
    ],
)
def test_humps_in_the_browser_are_those_of_gmmlibs_density(gap, sd, weight, count) -> None:
    mixture, grid = bells([0.0, gap], [1.0, sd], [weight, 1 - weight]), np.linspace(-1, 7, 801)
    found = in_node(
        "return density.modes(data.grid, data.m)", grid=grid.tolist(), m=numbers(mixture)
    )
    assert len(found) == count
    # Rounding may move a flat top by one point.
    assert_allclose(found, humps(mixture, grid), atol=0.011)


# What Chromium does with it


def play_a_round(bet, truthfully: bool) -> tuple[list[int], float, float]:
    """Bet 99% on the truth, or against it; the rows, and what both sides should have paid."""
    rows, yours, posterior = [], 0.0, 0.0
    for turn in range(1, 11):
        n = int(bet.get_attribute("data-row"))
        truth, height = BET.payload["truth"][n], BET.payload["values"][n]
        assert f"Patient {turn} of 10: {height:g} cm" in bet.inner_text()
        bet.get_by_role("slider").fill("99" if bool(truth) == truthfully else "1")
        press(bet, "Bet")
        assert ("An adult!" if truth else "A child!") in bet.inner_text()
        gamma = np.clip(CLINIC.responsibilities([height])[0, 1], *LIMITS)
        posterior -= np.log(gamma if truth else 1 - gamma)
        yours -= np.log(0.99 if truthfully else 0.01)
        totals = [float(cell) for cell in bet.locator(".gmm-game-totals td").all_inner_texts()]
        assert_allclose(totals, [yours, posterior, turn * np.log(2)], atol=0.0051)
        press(bet, "Next patient" if turn < 10 else "See the verdict")
        rows.append(n)
    return rows, yours, posterior


@pytest.mark.browser
def test_the_bet_can_be_won_and_lost_and_played_again(visit) -> None:
    _, bet = visit(BET)
    first, yours, posterior = play_a_round(bet, truthfully=True)
    verdict = bet.inner_text()
    assert f"You win: you paid {yours:.2f} nats, the posterior {posterior:.2f}" in verdict
    assert "10\u00a0·\u00a0log\u00a02 = 6.93 nats" in verdict
    assert "You stayed below it" in verdict
    assert "may be luck" in verdict
    assert "Rounds won: 1 of 1" in verdict
    press(bet, "Play again")
    second, yours, posterior = play_a_round(bet, truthfully=False)
    verdict = bet.inner_text()
    assert f"The posterior wins: it paid {posterior:.2f} nats, you {yours:.2f}" in verdict
    assert "cheaper to say" in verdict
    assert "Your most expensive bet" not in verdict  # they all cost the same
    assert "Log loss punishes certainty" in verdict
    assert "It went well" not in verdict
    assert "more than betting 50% every time would cost (0.69)" in verdict
    assert "Rounds won: 1 of 2" in verdict
    assert len(set(first)) == len(set(second)) == 10
    assert first != second


@pytest.mark.browser
def test_the_verdict_names_the_worst_bet_the_lucky_one_and_the_remark(visit) -> None:
    remark = "Here it is not quite right."
    _, bet = visit(detectives_bet(CLINIC, PATIENTS, remark=remark, seed=1))
    saved = []
    for turn in range(10):
        n = int(bet.get_attribute("data-row"))
        truth, height = BET.payload["truth"][n], BET.payload["values"][n]
        given = 60 if turn == 0 else 99
        bet.get_by_role("slider").fill(str(given if truth else 100 - given))
        press(bet, "Bet")
        press(bet, "Next patient" if turn < 9 else "See the verdict")
        gamma = np.clip(CLINIC.responsibilities([height])[0, 1], *LIMITS)
        pays = -np.log(gamma if truth else 1 - gamma)
        saved.append((pays + np.log(given / 100), height, "99%" if truth else "1%", gamma))
    verdict = bet.inner_text()
    assert "Your most expensive bet was number 1, " in verdict
    assert "to which you gave 60%, and that cost 0.51 of your 0.60 nats." in verdict
    assert f"can pay less on average. {remark} A single round" in verdict
    _, height, yours, gamma = max(saved)
    percent = f"{100 * gamma:.1f}".removesuffix(".0")
    said = f"At {height:g} cm you said {yours}, the posterior {percent}%. It went well this time."
    assert said in verdict


@pytest.mark.browser
def test_the_bells_wait_for_the_bet(visit) -> None:
    _, bet = visit(BET)
    assert bet.locator("path.gmm-game-bell").count() == 0
    press(bet, "Bet")
    assert bet.locator("path.gmm-game-bell").count() == 2


@pytest.mark.browser
def test_the_bet_is_played_by_keyboard(visit) -> None:
    page, bet = visit(BET)
    slider = bet.get_by_role("slider", name="Your bet that it is an adult")
    slider.focus()
    for key, value in [("ArrowRight", 51), ("Home", 1), ("End", 99)]:
        page.keyboard.press(key)
        assert slider.get_attribute("aria-valuetext") == f"{value}%"
    page.keyboard.press("Enter")
    assert "You bet 99%" in bet.inner_text()
    page.keyboard.press("Enter")  # the focus has moved to the button
    assert "Patient 2 of 10" in bet.inner_text()
    page.keyboard.press("ArrowLeft")  # and back to the slider
    assert slider.get_attribute("aria-valuetext") == "49%"


@pytest.mark.browser
def test_a_seed_repeats_a_round_and_without_one_rounds_differ(visit) -> None:
    free = detectives_bet(CLINIC, PATIENTS)
    assert free.payload["seed"] is None
    _, first = visit(BET)
    _, again = visit(BET)
    assert first.get_attribute("data-row") == again.get_attribute("data-row")
    rows = []
    for _ in range(2):
        _, bet = visit(free)
        rows.append([])
        for _ in range(4):
            rows[-1].append(bet.get_attribute("data-row"))
            press(bet, "Bet")
            press(bet, "Next patient")
    assert rows[0] != rows[1]


def set_bells(race, mixture: Mixture) -> None:
    sds = np.sqrt(mixture.covariances[:, 0, 0])
    values = [*mixture.means[:, 0], *sds, mixture.weights[0]]
    for slider, value in zip(race.get_by_role("slider").all(), values, strict=True):
        slider.fill(f"{value:g}")


def status(race) -> str:
    return race.locator("[aria-live]").inner_text().replace("−", "-")


@pytest.mark.browser
def test_the_race_can_be_won_by_eye(visit) -> None:
    _, race = visit(RACE)
    by_eye = bells([140.0, 170.0], [5.0, 8.0], [0.4, 0.6])
    set_bells(race, by_eye)
    press(race, "Done")
    mine = log_likelihood(CUSTOMERS.X, by_eye)
    assert f"you {mine:.2f}" in status(race)
    for t in range(2, 11):
        press(race, "Done")
        assert f"Round {t}: you {mine:.2f} (unchanged), EM {RACE.payload['trace'][t]:.2f}" in (
            status(race)
        )
    margin = mine - RACE.payload["trace"][10]
    text = race.inner_text()
    assert f"You win by {margin:.1f} nats" in text
    assert "needed 6 more to gain half" in text
    one_more = list(islice(em(CUSTOMERS.X, by_eye), 2))[1].log_likelihood
    assert f"would gain {one_more - mine:.1f} nats more, and you had calls left" in text
    press(race, "Play again")
    assert f"start at log L = {RACE.payload['trace'][0]:.2f}" in status(race)
    assert "165.0 cm" in race.inner_text()


@pytest.mark.browser
def test_the_race_is_lost_by_who_does_nothing_or_harm(visit) -> None:
    _, race = visit(RACE)
    set_bells(race, bells([131.0, 189.0], [2.0, 2.0], [0.5, 0.5]))
    for _ in range(10):
        press(race, "Done")
    text = race.inner_text()
    assert "EM wins by" in text
    assert "Yours fell once" in text
    assert "put one bell on each hump" in text
    harm = bells([131.0, 189.0], [2.0, 2.0], [0.5, 0.5])
    gain = np.diff([state.log_likelihood for state in islice(em(CUSTOMERS.X, harm), 2)])[0]
    assert (
        f"And you had help at hand: one iteration of EM from your mixture would gain {gain:.1f}"
        in (text)
    )
    assert race.get_by_role("button", name="Done").is_hidden()
    assert race.get_by_role("slider").first.is_disabled()


@pytest.mark.browser
def test_who_is_content_lets_the_race_run_to_its_end(visit) -> None:
    _, race = visit(RACE)
    run = race.get_by_role("button", name="Let it run to the end")
    assert run.is_hidden()
    for _ in range(3):
        press(race, "Let EM move me")
    mine = list(islice(em(CUSTOMERS.X, POOR), 4))[3].log_likelihood
    run.click()
    assert f"Round 10: you {mine:.2f} (unchanged), EM {RACE.payload['trace'][10]:.2f}" in (
        status(race)
    )
    assert "EM wins by" in race.inner_text()
    assert "help at hand" not in race.inner_text()  # all calls are used
    assert race.locator(".gmm-game-verdict").evaluate("e => e === document.activeElement")
    assert run.is_hidden()


@pytest.mark.browser
def test_em_makes_three_moves_for_the_player_and_they_are_gmmlibs(visit) -> None:
    _, race = visit(RACE)
    start = bells([150.0, 180.0], [15.0, 6.0], [0.6, 0.4])
    set_bells(race, start)
    states = list(islice(em(CUSTOMERS.X, start), 4))
    for t, state in enumerate(states[1:], 1):
        press(race, "Let EM move me")
        assert f"Round {t}: you {state.log_likelihood:.2f}" in status(race)
        shown = [slider.get_attribute("aria-valuetext") for slider in race.locator("input").all()]
        means, sds = state.mixture.means[:, 0], np.sqrt(state.mixture.covariances[:, 0, 0])
        assert shown == [
            *(f"{value:.1f} cm" for value in (*means, *sds)),
            f"{state.mixture.weights[0]:.2f}",
        ]
    assert race.get_by_role("button", name="Let EM move me").is_hidden()
    # A slider changes only its own number; the others keep all their digits.
    race.locator("input").last.fill("0.5")
    press(race, "Done")
    last = states[3].mixture
    mine = Mixture([0.5, 0.5], last.means, last.covariances)
    assert f"Round 4: you {log_likelihood(CUSTOMERS.X, mine):.2f}" in status(race)


@pytest.mark.browser
def test_the_referee_holds_a_spike(visit) -> None:
    _, race = visit(RACE)
    set_bells(race, bells([188.5, 160.0], [1.0, 16.0], [0.02, 0.98]))
    for _ in range(3):
        press(race, "Let EM move me")
    assert "the referee holds it there" in status(race)
    assert race.locator("input").nth(2).get_attribute("aria-valuetext") == "1.0 cm"


@pytest.mark.browser
def test_the_race_is_played_by_keyboard(visit) -> None:
    page, race = visit(RACE)
    race.get_by_label("mean of bell 1").focus()
    page.keyboard.press("ArrowLeft")
    assert race.get_by_label("mean of bell 1").get_attribute("aria-valuetext") == "164.5 cm"
    page.keyboard.press("Enter")
    moved = Mixture(POOR.weights, [[164.5], [175.0]], POOR.covariances)
    assert f"Round 1: you {log_likelihood(CUSTOMERS.X, moved):.2f}" in status(race)


@pytest.mark.browser
def test_the_explorer_says_one_hump_or_two(visit) -> None:
    page, explorer = visit(HUMPS)
    gap = explorer.get_by_role("slider", name="gap between the means")
    grid = np.linspace(-1, 4, 100_001)
    left, right = humps(bells([0.0, 3.0], [1.0, 1.0], [0.5, 0.5]), grid)
    assert f"Two humps, at {left:.2f} and {right:.2f}." in explorer.inner_text()
    page.clock.install(time=0)
    page.clock.pause_at(3600)
    press(explorer, "equal")
    gap.fill("2")
    assert "One hump, at 1.00." in explorer.inner_text()
    assert "exactly 2 standard deviations" in explorer.inner_text()
    gap.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    left, right = humps(bells([0.0, 2.1], [1.0, 1.0], [0.5, 0.5]), grid)
    assert f"Two humps, at {left:.2f} and {right:.2f}." in explorer.inner_text()
    spoken = explorer.locator("[aria-live=polite]")
    page.clock.run_for(500)
    assert spoken.text_content() == ""  # not while the slider moves
    page.clock.run_for(500)
    assert spoken.text_content().startswith(f"Two humps, at {left:.2f} and {right:.2f}.")


@pytest.mark.browser
def test_both_bells_stay_in_the_picture(visit) -> None:
    _, explorer = visit(HUMPS)

    def ends_of_bell_2() -> np.ndarray:
        """Its height at both edges of the picture, in parts of its top."""
        d = explorer.locator("path.gmm-game-bell").nth(1).get_attribute("d")
        y = np.array([pair.split()[1] for pair in re.split("[ML]", d)[1:]], float)
        return (y.max() - y[[0, -1]]) / (y.max() - y.min())

    for gap, sd in [("3", "1"), ("8", "3"), ("0", "3"), ("8", "1")]:
        explorer.get_by_role("slider", name="gap between").fill(gap)
        explorer.get_by_label("sd of bell 2").fill(sd)
        assert (ends_of_bell_2() < 0.02).all()
    assert explorer.locator("svg").count() == 2


@pytest.mark.browser
def test_the_explorers_border_is_where_gmmlibs_density_gets_its_second_hump(visit) -> None:
    _, explorer = visit(HUMPS)
    explorer.get_by_label("weight of bell 1").fill("0.3")
    border = float(re.search(r"gap of about ([\d.]+)\.", explorer.inner_text())[1])
    grid = np.linspace(-1, 5, 20_001)
    below, above = (
        len(humps(bells([0.0, border + more], [1.0, 1.0], [0.3, 0.7]), grid))
        for more in (-0.1, 0.1)
    )
    assert (below, above) == (1, 2)


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("game", [BET, RACE, HUMPS], ids=lambda game: game.kind)
def test_a_finished_game_is_accessible(visit, game, theme) -> None:
    if not games.AXE.exists():
        pytest.skip("axe-core is not installed: run `make book` first")
    page, element = visit(game, theme=theme)
    for _ in range(20):
        buttons = element.get_by_role("button")
        if buttons.first.inner_text() != "Play again":
            buttons.first.click()
    page.add_script_tag(path=games.AXE)
    violations = page.evaluate("axe.run().then(result => result.violations)")
    assert [(v["id"], v["nodes"][0]["html"]) for v in violations] == []
