"""Guess K and the Chinese restaurant: their numbers are gmmlib's, and they are won and lost."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from bs4 import BeautifulSoup
from numpy.testing import assert_allclose

from gmmlib import Mixture
from gmmlib.data import adult_heights
from gmmlib.selection import aic, best, bic, n_parameters, sweep
from gmmlib.show import live
from gmmlib.show.arcade import (
    CAPACITY,
    CONCENTRATIONS,
    MAX_ROWS,
    MOST,
    chinese_restaurant,
    expected_tables,
    guess_k,
)
from gmmlib.show.cases import NEAR, NO_GROUP, Case, cases, crescents
from tests import games
from tests.games import AXE, press

RESTAURANT = chinese_restaurant()
CASES = cases()


@cache
def guess():
    """The game of the book: ten cases, fitted once for all tests."""
    return guess_k()


def choice(X, most: int = MOST, **options) -> int:
    options = {"n_restarts": 4, "start": "kmeans++", "tol": 1e-5} | options
    found = sweep(X, range(1, most + 1), ("full",), rng=np.random.default_rng(0), **options)
    return best(found, "bic").n_components


# Guess K: what goes into the page


def test_the_truth_of_a_case_is_its_number_of_groups() -> None:
    assert [case.truth for case in CASES] == [4, 1, 3, 2, 2, 2, 2, 2, 1, 3]
    assert [case["truth"] for case in guess().payload["cases"]] == [case.truth for case in CASES]
    assert np.count_nonzero(CASES[3].labels == NO_GROUP) == 8
    for case, shown in zip(CASES, guess().payload["cases"], strict=True):
        assert shown["rows"] == case.X.tolist()
        assert shown["labels"] == case.labels.tolist()


@pytest.mark.parametrize("i", range(10))
def test_bic_and_aic_of_a_case_are_gmmlibs(i) -> None:
    shown, X = guess().payload["cases"][i], CASES[i].X
    d, N = X.shape[1], len(X)
    for K, fitted in enumerate(shown["fits"], 1):
        if fitted is not None:
            log_L, M = fitted[0], n_parameters("full", K, d)
            assert_allclose(fitted[1:], [M * np.log(N) - 2 * log_L, 2 * M - 2 * log_L], atol=0.03)
    values = np.array([fitted or [np.nan] * 3 for fitted in shown["fits"]])
    assert shown["bic"] == np.nanargmin(values[:, 1]) + 1
    assert shown["aic"] == np.nanargmin(values[:, 2]) + 1
    drawn = shown["mixture"]
    means = np.reshape(drawn["means"], (-1, d))
    mixture = Mixture(drawn["weights"], means, np.reshape(drawn["variances"], (-1, d, d)))
    assert mixture.n_components == shown["bic"]
    expected = [bic(X, mixture), aic(X, mixture)]
    assert_allclose(values[shown["bic"] - 1, 1:], expected, atol=0.05)
    found = values[~np.isnan(values[:, 0]), 0]
    assert (np.diff(found) > 0).all()  # more components never fit worse, or the search was poor


def test_each_game_shows_bic_right_and_wrong_in_both_ways() -> None:
    """And in the order in which the remarks explain it."""
    answers = [(case["bic"], case["truth"]) for case in guess().payload["cases"]]
    assert answers[:5] == [(4, 4), (1, 1), (2, 3), (3, 2), (5, 2)]
    assert answers[5:] == [(2, 2), (2, 2), (1, 2), (2, 1), (2, 3)]
    first = guess().payload["cases"][0]
    assert first["aic"] > first["truth"]  # "AIC often takes a component too many"


@pytest.mark.parametrize(
    ("remark", "chosen"),
    [
        ("With ten times the rows of the same mixture BIC chooses 3", lambda: choice(
            NEAR.sample(600, np.random.default_rng(0))[0], most=4)),
        ("Without them it chooses 2", lambda: choice(CASES[3].X[CASES[3].labels != NO_GROUP])),
        ("On the logarithms of the same times it chooses 1", lambda: choice(np.log(CASES[8].X))),
        ("All 1,629 heights of the same study do: there it chooses 2", lambda: choice(
            *all_heights()[:1], most=3, sample_weight=all_heights()[1])),
        ("it takes as many components as it may", lambda: choice(
            crescents(1500, np.random.default_rng(0))[0], n_restarts=2)),
    ],
)  # fmt: skip
def test_what_a_remark_says_of_other_data_is_so(remark, chosen) -> None:
    assert sum(remark in case.remark for case in CASES) == 1
    assert chosen() == (MOST if "may" in remark else int(remark[-1]))


def all_heights():
    return np.unique(adult_heights().X, return_counts=True)


def test_guess_k_is_light() -> None:
    assert len(guess().html) < 40_000


def test_without_script_guess_k_is_a_table_with_remarks() -> None:
    page = BeautifulSoup(guess().fallback, "html.parser")
    rows = [[int(cell.text) for cell in row.select("td")] for row in page.select("tbody tr")]
    shown = guess().payload["cases"][:5]
    assert rows == [
        [i, len(case["rows"]), case["truth"], case["bic"], case["aic"]]
        for i, case in enumerate(shown, 1)
    ]
    assert [item.text for item in page.select("li")] == [
        f"{case['story']} {case['remark']}" for case in shown
    ]
    assert "JavaScript" in page.text


PAIR = Case("Two.", np.array([[0.0], [0.1], [0.3], [5.0], [5.2], [5.3], [5.7]]),
            np.array([0, 0, 0, 1, 1, 1, 1]), "Far apart.")  # fmt: skip


@pytest.mark.parametrize(
    ("game", "says"),
    [
        (lambda: guess_k([]), "there are 0 cases"),
        (lambda: guess_k([PAIR] * 3, rounds=2), "3 cases; with rounds=2"),
        (lambda: guess_k([PAIR], rounds=0), "rounds is 0"),
        (lambda: guess_k([replace(PAIR, X=np.full((7, 1), np.nan))], 1), r"X\[0, 0\] is nan"),
        (lambda: guess_k([replace(PAIR, X=np.zeros((7, 3)))], 1), "case 1 has 3 features"),
        (lambda: guess_k([replace(PAIR, X=np.zeros((MAX_ROWS + 1, 1)))], 1), "pass a sample"),
        (lambda: guess_k([replace(PAIR, features=())], 1), "case 1 has 1 features and 0 name"),
        (lambda: guess_k([replace(PAIR, labels=np.zeros(6, int))], 1), "one label for each"),
        (lambda: guess_k([replace(PAIR, labels=np.full(7, 2))], 1), "0, 1, ... for at most 6"),
        (lambda: guess_k([PAIR, replace(PAIR, labels=np.arange(7))], 2), "case 2 needs one"),
        (lambda: chinese_restaurant(0.05), "concentration is 0.05; the slider runs from 0.1 to 10"),
        (lambda: chinese_restaurant(11), "concentration is 11"),
        (lambda: chinese_restaurant(np.nan), "concentration is nan"),
        (lambda: chinese_restaurant([1.0, 2.0]), "concentration is"),
        (lambda: chinese_restaurant(seed=-1), "seed is -1"),
        (lambda: chinese_restaurant(seed=1.5), "seed is 1.5"),
    ],
)
def test_bad_input_is_refused(game, says) -> None:
    with pytest.raises(ValueError, match=says):
        game()


# The restaurant: its arithmetic, in Python and in the browser


def test_expected_tables_are_the_sum_of_the_chances_of_a_new_one() -> None:
    for a in CONCENTRATIONS:
        for n in (1, 2, 10, 300):
            assert_allclose(expected_tables(a, n), (a / (a + np.arange(n))).sum(), rtol=1e-12)


def in_node(program: str, **data):
    """What a program with the restaurant's arithmetic returns for some data."""
    names = "const { chance, seat, probabilities, tables, dine } = casebook.restaurant;"
    return games.in_node("restaurant", f"{names} {program}", **data)


def test_expected_tables_in_the_browser_are_pythons() -> None:
    sizes = (1, 2, 10, 57, CAPACITY)
    found = in_node(
        "return data.alphas.map((a) => data.sizes.map((n) => tables(a, n)))",
        alphas=CONCENTRATIONS, sizes=sizes,
    )  # fmt: skip
    for a, row in zip(CONCENTRATIONS, found, strict=True):
        for n, one in zip(sizes, row, strict=True):
            p = a / (a + np.arange(n))
            assert_allclose(one["mean"], expected_tables(a, n), rtol=1e-10)
            assert_allclose(one["sd"], np.sqrt((p * (1 - p)).sum()), rtol=1e-10)


def test_a_seat_is_taken_in_proportion_to_its_guests() -> None:
    counts, a = [5, 1, 3], 2.5
    p = np.array([*counts, a]) / (sum(counts) + a)
    u = (np.arange(10_000) + 0.5) / 10_000
    chances, seats = in_node(
        "return [probabilities(data.counts, data.a),"
        " data.u.map((u) => seat(data.counts, data.a, u))]",
        counts=counts, a=a, u=u.tolist(),
    )  # fmt: skip
    assert_allclose(chances, p, rtol=1e-12)
    assert_allclose(np.bincount(seats) / len(u), p, atol=2e-4)
    assert in_node("return seat([], 0.1, 0)") == 0


def test_many_evenings_have_as_many_tables_as_expected() -> None:
    evenings = 3000
    found = in_node(
        "return data.alphas.map((a) => Array.from({ length: data.evenings },"
        " (_, e) => { const { counts, history } = dine(e, a, 40);"
        " const n = counts.reduce((x, y) => x + y);"
        " return [counts.length, Math.max(...counts), history.at(-1), n] }))",
        alphas=[0.1, 1.0, 10.0], evenings=evenings,
    )  # fmt: skip
    for a, rows in zip([0.1, 1.0, 10.0], np.array(found), strict=True):
        tables = rows[:, 0]
        p = a / (a + np.arange(40))
        error = np.sqrt((p * (1 - p)).sum() / evenings)
        assert abs(tables.mean() - expected_tables(a, 40)) < 4 * error
        assert_allclose(tables.var(), (p * (1 - p)).sum(), rtol=0.15)
        assert (rows[:, 2] == tables).all()
        assert (rows[:, 3] == 40).all()
    # With alpha = 1 the guests share tables as the items of a random permutation share cycles: the
    # longest cycle of 40 is longer than 20 with probability 1/21 + ... + 1/40.
    large = (np.array(found)[1, :, 1] > 20).mean()
    assert_allclose(large, (1 / np.arange(21, 41)).sum(), atol=4 * np.sqrt(0.25 / evenings))


def test_the_same_evening_with_a_larger_alpha_never_has_fewer_tables() -> None:
    found = in_node(
        "return Array.from({ length: 200 },"
        " (_, e) => data.alphas.map((a) => dine(e, a, 60).history))",
        alphas=CONCENTRATIONS,
    )
    assert (np.diff(np.array(found), axis=1) >= 0).all()
    assert (np.diff(np.array(found), axis=2) >= 0).all()


def test_the_chances_are_uniform_and_differ_from_evening_to_evening() -> None:
    u = np.array(in_node(
        "return Array.from({ length: 200 },"
        " (_, e) => Array.from({ length: 100 }, (_, i) => chance(e, i)))"
    ))  # fmt: skip
    counts = np.bincount((u.ravel() * 50).astype(int), minlength=50)
    chi_square = ((counts - 400.0) ** 2 / 400).sum()
    assert chi_square < 49 + 4 * np.sqrt(2 * 49)
    assert abs(np.corrcoef(u[:, :-1].ravel(), u[:, 1:].ravel())[0, 1]) < 4 / np.sqrt(u.size)
    assert abs(np.corrcoef(u[:-1].ravel(), u[1:].ravel())[0, 1]) < 4 / np.sqrt(u.size)
    assert len(np.unique(u)) == u.size


def test_the_concentration_is_a_stop_of_the_slider() -> None:
    assert RESTAURANT.payload["concentrations"] == list(CONCENTRATIONS)
    other = chinese_restaurant(0.9).payload
    assert other["concentrations"] == sorted([*CONCENTRATIONS, 0.9])


def test_without_script_the_restaurant_is_a_game_for_paper() -> None:
    page = BeautifulSoup(RESTAURANT.fallback, "html.parser")
    evening, expected = page.select("table")
    seats = []
    for n, row in enumerate(evening.select("tbody tr"), 1):
        customer, draw, seat = (int(cell.text) for cell in row.select("td"))
        assert customer == n
        assert 1 <= draw <= n
        assert seat == (max(seats, default=0) + 1 if draw == n else seats[draw - 1])
        seats.append(seat)
    assert 1 < len(set(seats)) < len(seats)
    sizes = [int(cell.text.removeprefix("n = ")) for cell in expected.select("th")[1:]]
    for row in expected.select("tbody tr"):
        a, *means = (float(cell.text) for cell in row.select("td"))
        exact = [(a / (a + np.arange(n))).sum() for n in sizes]
        assert_allclose(means, exact, atol=0.051)


# What Chromium does with them


def play(game, first: int, bets) -> list[int]:
    """Bet in five cases from number `first` on; the cakes of the player, BIC and AIC."""
    paid = np.zeros(3, int)
    shown = guess().payload["cases"][first : first + 5]
    for i, (case, bet) in enumerate(zip(shown, bets, strict=True), 1):
        assert f"Case {i} of 5. {case['story']}" in game.inner_text()
        assert case["remark"] not in game.inner_text()
        game.get_by_role("radio", name=str(bet), exact=True).check()
        press(game, "Bet")
        paid += np.abs(np.array([bet, case["bic"], case["aic"]]) - case["truth"])
        text = game.inner_text()
        assert f"The truth is {case['truth']}." in text
        assert f"You said {bet} and pay" in text
        assert f"BIC chose {case['bic']} and pays" in text
        assert case["remark"] in text
        totals = [int(cell) for cell in game.locator(".gmm-game-totals td").all_inner_texts()]
        assert totals == paid.tolist()
        press(game, "Next case" if i < 5 else "See the verdict")
    return paid.tolist()


def cakes(n: int) -> str:
    return "1 cake" if n == 1 else f"{n} cakes"


@pytest.mark.browser
def test_guess_k_is_won_lost_and_drawn(visit) -> None:
    _, game = visit(guess())
    shown = guess().payload["cases"]
    mine, bics, _ = play(game, 0, [case["truth"] for case in shown[:5]])
    assert mine == 0 < bics
    verdict = game.locator(".gmm-game-verdict").inner_text()
    assert f"You win: you paid 0 cakes, BIC {cakes(bics)}." in verdict
    assert "BIC was right in 2 of 5 cases, chose too few in 1 and too many in 2." in verdict
    assert "You were right every time." in verdict
    assert "more rows cure it" in verdict
    assert "do not cure that" in verdict
    assert "Games won: 1 of 1." in verdict
    press(game, "5 other cases")
    mine, bics, _ = play(game, 5, [MOST] * 5)
    assert mine > bics
    verdict = game.locator(".gmm-game-verdict").inner_text()
    assert f"BIC wins: it paid {cakes(bics)}, you {cakes(mine)}." in verdict
    assert "You were right in 0, chose too few in 0 and too many in 5." in verdict
    assert "Games won: 1 of 2." in verdict
    press(game, "5 other cases")
    play(game, 0, [case["bic"] for case in shown[:5]])
    verdict = game.locator(".gmm-game-verdict").inner_text()
    assert "A draw: you and BIC paid" in verdict
    assert "Games won: 1 of 3." in verdict


@pytest.mark.browser
def test_the_truth_waits_for_the_bet(visit) -> None:
    _, game = visit(guess())
    shown = guess().payload["cases"]
    for i, case in enumerate(shown[:5]):
        flat = len(case["axes"]) == 1
        fitted = game.locator(".gmm-game-bell" if flat else ".gmm-guess-ellipse")
        picture = game.get_by_role("img")
        assert fitted.count() == 0
        assert f"{len(case['rows'])} rows" in picture.get_attribute("aria-label")
        assert game.locator("details").count() == 1
        assert game.locator("details").is_hidden()
        game.get_by_role("radio", name="2", exact=True).check()
        press(game, "Bet")
        assert fitted.count() == case["bic"]
        assert ("one component" if case["bic"] == 1 else f"{case['bic']} components") in (
            picture.get_attribute("aria-label")
        )
        groups = np.bincount([label for label in case["labels"] if label >= 0])
        assert f"{', '.join(map(str, groups))} rows" in picture.get_attribute("aria-label")
        if not flat:  # one path for each group, with one mark for each row
            drawn = game.locator("svg svg path:not(.gmm-guess-ellipse):not(.gmm-game-axis)")
            marks = [d.get_attribute("d").count("M") for d in drawn.all()]
            assert marks == groups.tolist()
        game.locator("summary").click()
        rows = game.locator("details tbody tr").all()
        for row, fitted_k in zip(rows, case["fits"], strict=True):
            cells = row.locator("td").all_inner_texts()
            K = int(cells[0])
            assert ["←" in cell for cell in cells[2:]] == [case["bic"] == K, case["aic"] == K]
            if fitted_k is None:
                assert cells[1:] == ["–"] * 3
            else:
                numbers = [cell.replace("−", "-").removesuffix(" ←") for cell in cells[1:]]
                assert_allclose(np.array(numbers, float), fitted_k, atol=0.051)
        press(game, "Next case" if i < 4 else "See the verdict")


@pytest.mark.browser
def test_an_ellipse_is_two_standard_deviations_around_its_mean(visit) -> None:
    _, game = visit(guess())
    game.get_by_role("radio", name="4", exact=True).check()
    press(game, "Bet")
    case = guess().payload["cases"][0]
    (left, right), (low, high) = case["ranges"]
    floor = float(game.locator("svg svg").get_attribute("height"))
    for k, path in enumerate(game.locator(".gmm-guess-ellipse").all()):
        pairs = path.get_attribute("d").replace("M", "").split("L")
        place = np.array([pair.split() for pair in pairs], float)
        x = left + (place[:, 0] - 14) / (360 - 28) * (right - left)
        y = low + (floor - 6 - place[:, 1]) / (floor - 6 - 22) * (high - low)
        residuals = np.column_stack([x, y]) - case["mixture"]["means"][k]
        inverse = np.linalg.inv(case["mixture"]["variances"][k])
        distance = np.sqrt(np.einsum("ni,ij,nj->n", residuals, inverse, residuals))
        assert_allclose(distance, 2, atol=0.03)


@pytest.mark.browser
def test_guess_k_is_played_by_keyboard(visit) -> None:
    page, game = visit(guess())
    press(game, "Bet")
    assert "Choose a number first." in game.inner_text()
    assert game.get_by_role("radio").first.evaluate("e => e === document.activeElement")
    page.keyboard.press("Space")
    assert "Choose a number first." not in game.inner_text()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert "You said 4 and pay nothing." in game.inner_text()
    page.keyboard.press("Enter")  # the focus has moved to the button
    assert "Case 2 of 5" in game.inner_text()
    assert game.get_by_role("radio").first.evaluate("e => e === document.activeElement")


@pytest.mark.browser
def test_two_games_on_one_page_do_not_share_their_radio_buttons(browser, tmp_path) -> None:
    small = guess_k([PAIR], rounds=1)
    file = tmp_path / "two.html"
    file.write_text(f"{small.html}{small.html}<script>{live.script()}</script>", encoding="utf-8")
    page = browser.new_page(offline=True)
    page.goto(file.as_uri())
    one, other = page.locator("[data-casebook]").all()
    one.get_by_role("radio").first.check()
    other.get_by_role("radio").last.check()
    assert one.get_by_role("radio").first.is_checked()
    press(one, "Bet")
    press(one, "See the verdict")
    assert one.get_by_role("button", name="Play again").is_visible()
    page.close()


def next_seat(page, restaurant, alpha: float = 1.0) -> tuple[int, list[float]]:
    """Where the next customer of evening 1 will sit, and the chances of all seats."""
    counts = [int(table) for table in restaurant.locator(".gmm-table").all_inner_texts()[:-1]]
    return page.evaluate(
        "([counts, alpha, seed]) => { const r = casebook.restaurant;"
        " const n = counts.reduce((a, b) => a + b);"
        " return [r.seat(counts, alpha, r.chance(seed, n)), r.probabilities(counts, alpha)] }",
        [counts, alpha, RESTAURANT.payload["seed"]],
    )


@pytest.mark.browser
def test_bets_on_seats_are_won_and_lost_and_counted(visit) -> None:
    page, restaurant = visit(RESTAURANT)
    chances, right, likeliest = 0.0, 0, 0
    for n in range(2, 14):
        seat, p = next_seat(page, restaurant)
        bet = seat if n % 3 else (seat + 1) % len(p)
        restaurant.locator(".gmm-table").nth(bet).click()
        chances, right = chances + p[bet], right + (bet == seat)
        likeliest += int(np.argmax(p)) == seat
        answer = restaurant.locator("[aria-live]").inner_text()
        assert answer.startswith("Right!" if bet == seat else "Wrong.")
        event = "opens" if seat == len(p) - 1 else "sits down at"
        assert f"Customer {n} {event} table {seat + 1}" in answer
        assert f"Your bet had the probability {p[bet]:.2f}" in answer
        assert ("and none had more" in answer) == np.isclose(p[bet], max(p))
        totals = restaurant.locator(".gmm-game-totals td").all_inner_texts()
        assert [int(totals[0]), int(totals[1])] == [right, likeliest]
        assert_allclose(float(totals[2]), chances, atol=0.051)
    assert 0 < right < 12
    assert "Bets won, of 12" in restaurant.inner_text()


@pytest.mark.browser
def test_customers_come_in_until_the_house_is_full(visit) -> None:
    page, restaurant = visit(RESTAURANT)
    for step in ("10", "50", "50", "50", "50", "50", "10", "10", "10"):
        restaurant.get_by_role("button", name=step, exact=True).click()
    tables = restaurant.locator(".gmm-table")
    counts = [int(table) for table in tables.all_inner_texts()[:-1]]
    assert sum(counts) == 291
    text = restaurant.inner_text()
    assert f"Evening 1: 291 customers, {len(counts)} tables." in text
    mean = expected_tables(1.0, 291)
    assert f"over all evenings {mean:.2f} on average" in text
    assert f"largest table holds {100 * max(counts) / 291:.0f}%" in text
    alt = restaurant.get_by_role("img").get_attribute("aria-label")
    assert f"after 291 customers: {len(counts)} tables; expected {mean:.2f}" in alt
    assert restaurant.get_by_role("button", name="10", exact=True).is_disabled()
    for _ in range(9):
        restaurant.get_by_role("button", name="1", exact=True).click()
    assert "The house is full" in restaurant.locator("[aria-live]").inner_text()
    assert all(table.is_disabled() for table in tables.all())
    new = restaurant.get_by_role("button", name="New evening")
    assert new.evaluate("e => e === document.activeElement")
    page.keyboard.press("Enter")
    assert "Evening 2: 1 customer, 1 table." in restaurant.inner_text()
    assert tables.first.is_enabled()


@pytest.mark.browser
def test_another_alpha_replays_the_evening_and_evenings_are_the_same_next_time(visit) -> None:
    page, restaurant = visit(RESTAURANT)
    restaurant.locator(".gmm-table").first.click()
    restaurant.get_by_role("button", name="50", exact=True).click()
    before = restaurant.locator(".gmm-table").all_inner_texts()
    restaurant.get_by_role("slider", name="α, the weight of a new table").focus()
    page.keyboard.press("End")
    many = restaurant.locator(".gmm-table").all_inner_texts()
    assert restaurant.get_by_role("slider").get_attribute("aria-valuetext") == "α = 10"
    assert len(many) > len(before)
    text = restaurant.inner_text()
    assert f"52 customers, {len(many) - 1} tables" in text
    assert f"over all evenings {expected_tables(10.0, 52):.2f} on average" in text
    page.wait_for_function(
        "document.querySelector('[aria-live]').textContent.startsWith('The same 52 customers')"
    )
    assert restaurant.locator(".gmm-game-totals td").first.inner_text() == "0"
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    assert restaurant.get_by_role("slider").get_attribute("aria-valuetext") == "α = 1.5"
    page.keyboard.press("ArrowLeft")
    assert restaurant.locator(".gmm-table").all_inner_texts() == before
    press(restaurant, "New evening")
    restaurant.get_by_role("button", name="50", exact=True).click()
    second = restaurant.locator(".gmm-table").all_inner_texts()
    page.reload()
    restaurant.get_by_role("button", name="50", exact=True).click()
    restaurant.get_by_role("button", name="1", exact=True).click()
    assert restaurant.locator(".gmm-table").all_inner_texts() == before
    press(restaurant, "New evening")
    restaurant.get_by_role("button", name="50", exact=True).click()
    assert restaurant.locator(".gmm-table").all_inner_texts() == second
    assert second != before


@pytest.mark.browser
def test_the_restaurant_is_played_by_keyboard_and_keeps_still_when_asked(visit) -> None:
    page, restaurant = visit(RESTAURANT)
    page.emulate_media(reduced_motion="reduce")
    first = restaurant.get_by_role("button", name="table 1, 1 guest")
    first.focus()
    for n in range(2, 6):
        page.keyboard.press("Enter")
        assert f"Customer {n} " in restaurant.locator("[aria-live]").inner_text()
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("table 1")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert "Customer 6 " in restaurant.locator("[aria-live]").inner_text()
    durations = restaurant.locator(".gmm-table").evaluate_all(
        "all => all.map((e) => getComputedStyle(e).transitionDuration)"
    )
    assert set(durations) == {"0s"}


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_guess_k_is_accessible(visit, theme) -> None:
    page, game = visit(guess(), theme=theme)
    for step in (None, "Bet", "Next case"):
        if step == "Bet":
            game.get_by_role("radio").first.check()
        if step:
            press(game, step)
        check(page)
    press_through = ["Bet", "Next case"] * 3 + ["Bet", "See the verdict"]
    for step in press_through:
        if step == "Bet":
            game.get_by_role("radio").first.check()
        press(game, step)
    check(page)


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_restaurant_is_accessible(visit, theme) -> None:
    page, restaurant = visit(RESTAURANT, theme=theme)
    restaurant.locator(".gmm-table").first.click()
    check(page)
    restaurant.get_by_role("slider").fill("11")
    for _ in range(5):
        restaurant.get_by_role("button", name="50", exact=True).click()
    check(page)


def check(page) -> None:
    """Nothing to complain of for axe, and nothing too small for a finger."""
    small = page.locator("button:visible, .gmm-guess-choice label:visible").evaluate_all(
        "all => all.filter((e) => { const box = e.getBoundingClientRect();"
        " return Math.min(box.width, box.height) < 36 }).map((e) => e.outerHTML)"
    )
    assert small == []
    if not AXE.exists():
        pytest.skip("axe-core is not installed: run `make book` first")
    page.add_script_tag(path=AXE)
    violations = page.evaluate("axe.run().then(result => result.violations)")
    assert [(v["id"], v["nodes"][0]["html"]) for v in violations] == []


@pytest.mark.browser
def test_without_script_both_games_show_their_tables(browser, tmp_path) -> None:
    file = tmp_path / "still.html"
    file.write_text(f"{guess().html}{RESTAURANT.html}", encoding="utf-8")
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(file.as_uri())
    assert page.get_by_text("This is a game with JavaScript").is_visible()
    assert page.get_by_text("A game for paper").is_visible()
    assert page.get_by_role("table").count() == 2  # the third is behind a fold
    assert page.get_by_role("button").count() == 0
    context.close()
