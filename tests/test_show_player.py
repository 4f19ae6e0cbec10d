"""The EM player: its numbers are gmmlib's, and it plays where there is no kernel."""

from __future__ import annotations

import json
import re
from itertools import islice, pairwise
from urllib.parse import urlsplit

import numpy as np
import pytest
from bs4 import BeautifulSoup
from scipy.stats import norm

from gmmlib import Mixture, elbo, log_likelihood
from gmmlib.covariance import as_full
from gmmlib.data import old_faithful, shop_customers
from gmmlib.em import em
from gmmlib.show import live
from gmmlib.show.player import LEVELS, EMPlayer, em_player

SHOP = shop_customers().X
SHOP_START = Mixture([0.5, 0.5], [[156.0], [172.0]], [[[90.0]], [[90.0]]])
GEYSER = old_faithful().X
GEYSER_START = Mixture(
    np.ones(3) / 3, [[2.0, 80.0], [3.5, 50.0], [4.5, 80.0]], [np.cov(GEYSER.T) / 2] * 3
)
# Halves in the last decimal that is shown, which Python and JavaScript round differently.
POOR_START = Mixture([0.5, 0.5], [[140.25], [195.25]], [[[9.0]], [[9.0]]])
ALT = "The left bell slides to 140 cm."


def shop_player(iterations: int = 30, **options) -> EMPlayer:
    options = {"name": "shop", "alt": ALT, "xlabel": "height", "units": "cm"} | options
    return em_player(SHOP, SHOP_START, iterations, **options)


def geyser_player(iterations: int = 30, **options) -> EMPlayer:
    options = {
        "name": "geyser",
        "alt": "Three ellipses part.",
        "xlabel": "eruption",
        "ylabel": "waiting",
        "units": "min",
    } | options
    return em_player(GEYSER, GEYSER_START, iterations, **options)


def decode(bets: str, n_components: int) -> np.ndarray:
    """Responsibilities of all components but the last, one row a point."""
    steps = np.array([LEVELS.index(character) for character in bets])
    return steps.reshape(-1, n_components - 1) / (len(LEVELS) - 1)


def rows_of(payload: dict) -> np.ndarray:
    """The points of a payload, repeated as often as they occur."""
    return np.repeat(np.transpose(payload["points"]), payload["counts"], axis=0)


# Its numbers

every_player = pytest.mark.parametrize(
    ("make", "X", "start"),
    [(shop_player, SHOP, SHOP_START), (geyser_player, GEYSER, GEYSER_START)],
    ids=["one feature", "two features"],
)


@every_player
def test_the_numbers_are_those_of_gmmlib(make, X, start) -> None:
    payload = make(8).payload
    states = list(islice(em(X, start), 9))
    assert len(payload["states"]) == 9
    spread = X.std(axis=0)
    for shown, state in zip(payload["states"], states, strict=True):
        mixture = state.mixture
        full = as_full(
            mixture.covariances, mixture.covariance_type, mixture.n_components, X.shape[1]
        )
        np.testing.assert_allclose(shown["weights"], mixture.weights, atol=1e-6)
        assert (abs(np.array(shown["means"]) - mixture.means) < 1e-4 * spread).all()
        np.testing.assert_allclose(shown["covariances"], full, rtol=1e-5)
        assert shown["log_likelihood"] == pytest.approx(state.log_likelihood, abs=1e-6)
        assert shown["elbo"] == pytest.approx(state.elbo, abs=1e-6)
        np.testing.assert_allclose(
            shown["effective"], state.responsibilities.sum(axis=0), atol=0.006
        )


@every_player
def test_points_and_bets_are_those_of_gmmlib(make, X, start) -> None:
    payload = make(5).payload
    rows = rows_of(payload)
    assert len(rows) == len(X)
    order, shown_order = np.lexsort(X.T[::-1]), np.lexsort(rows.T[::-1])
    assert (abs(rows[shown_order] - X[order]) < 1e-2 * X.std(axis=0)).all()
    points = np.transpose(payload["points"])
    for shown, state in zip(payload["states"], islice(em(X, start), 6), strict=True):
        bets = decode(shown["bets"], start.n_components)
        expected = state.mixture.responsibilities(points)[:, :-1]
        # Half a step of the text, and what rounding a point may do where the bets are steep.
        np.testing.assert_allclose(bets, expected, atol=0.5 / 63 + 0.01)


def test_equal_rows_stand_once_with_their_count() -> None:
    X = [1.0, 5.0, 1.0, 2.0, 5.0, 1.0]
    start = Mixture([0.5, 0.5], [[1.0], [4.0]], [[[1.0]], [[1.0]]])
    payload = em_player(X, start, 1, name="few", alt="A few.").payload
    assert payload["points"] == [[1.0, 2.0, 5.0]]
    assert payload["counts"] == [3, 1, 2]
    assert len(payload["states"][0]["bets"]) == 3


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_every_covariance_type_is_shown_as_matrices(covariance_type) -> None:
    covariances = {
        "full": [np.diag([1.0, 150.0])] * 2,
        "tied": np.diag([1.0, 150.0]),
        "diag": [[1.0, 150.0]] * 2,
        "spherical": [100.0, 100.0],
    }[covariance_type]
    start = Mixture([0.5, 0.5], [[2.0, 55.0], [4.0, 80.0]], covariances, covariance_type)
    player = em_player(GEYSER, start, 2, name="types", alt="Two.", bound=True)
    state = list(islice(em(GEYSER, start), 3))[-1]
    expected = as_full(state.mixture.covariances, covariance_type, 2, 2)
    np.testing.assert_allclose(player.payload["states"][-1]["covariances"], expected, rtol=1e-5)
    assert len(player.payload["bounds"]) == 2


@every_player
def test_the_bound_touches_log_l_stays_below_and_has_its_top_at_the_new_parameters(
    make, X, start
) -> None:
    player = make(6, bound=True)
    states = list(islice(em(X, start), 7))
    assert len(player.payload["bounds"]) == 6
    for curves, (old, new) in zip(player.payload["bounds"], pairwise(states), strict=True):
        s = np.array(curves["s"])
        log_l, bound = np.array(curves["log_likelihood"]), np.array(curves["bound"])
        here, there = list(s).index(0.0), list(s).index(1.0)
        assert log_l[here] == bound[here] == 0.0
        assert (bound <= log_l).all()
        assert bound.max() == bound[there] > 0
        gain = new.log_likelihood - old.log_likelihood
        assert log_l[there] == pytest.approx(gain, rel=1e-3)
        assert bound[there] == pytest.approx(new.elbo - old.log_likelihood, rel=1e-3)
        assert -0.5 <= s[0] < 0 < 1 < s[-1] <= 2


def test_the_bound_between_is_that_of_the_parameters_on_the_straight_line() -> None:
    curves = shop_player(3, bound=True).payload["bounds"][1]
    old, new = list(islice(em(SHOP, SHOP_START), 3))[1:]
    for s in (-0.5, 0.4, 1.5):
        between = Mixture(
            *(
                getattr(old.mixture, name)
                + s * (getattr(new.mixture, name) - getattr(old.mixture, name))
                for name in ("weights", "means", "covariances")
            )
        )
        k = curves["s"].index(s)
        log_l = log_likelihood(SHOP, between) - old.log_likelihood
        bound = elbo(SHOP, old.responsibilities, between) - old.log_likelihood
        assert curves["log_likelihood"][k] == pytest.approx(log_l, abs=1e-3)
        assert curves["bound"][k] == pytest.approx(bound, abs=1e-3)


def test_the_bound_ends_where_the_parameters_do() -> None:
    # The first M-step takes nearly all the weight off component 1: s = 2 would make it negative.
    start = Mixture([0.5, 0.5], [[160.0], [195.0]], [[[400.0]], [[30.0]]])
    curves = em_player(SHOP, start, 1, name="end", alt="It ends.", bound=True).payload["bounds"][0]
    assert 1.0 in curves["s"]
    assert curves["s"][-1] < 2


def test_a_player_without_bound_carries_none() -> None:
    assert "bounds" not in shop_player(3).payload


def test_it_ends_when_nothing_visible_is_to_come() -> None:
    payload = shop_player(200).payload
    values = [state["log_likelihood"] for state in payload["states"]]
    final = final_log_l(SHOP, SHOP_START, 200)
    assert len(values) < 40
    assert final - values[-1] < 0.005 <= final - values[-2]
    assert payload["ending"] == f"{201 - len(values)} more iterations add less than 0.005 nats."
    assert "stopped" in shop_player(5).payload["ending"]


def test_it_does_not_end_on_a_plateau() -> None:
    # Two almost equal bells: EM hardly moves at first, and then takes them apart.
    start = Mixture([0.5, 0.5], [[156.7], [160.7]], [[[267.0]], [[267.0]]])
    player = em_player(SHOP, start, 60, name="plateau", alt="They wait, then part.")
    values = [state["log_likelihood"] for state in player.payload["states"]]
    assert np.diff(values)[1] < 0.005
    assert values[-1] - values[2] > 50


def test_a_run_that_collapses_is_shown_up_to_there_and_says_so() -> None:
    X = np.append(SHOP, [[260.0]], axis=0)
    start = Mixture([0.5, 0.5], [[160.0], [260.0]], [[[200.0]], [[1.0]]])
    player = em_player(X, start, 10, name="collapse", alt="It collapses.")
    assert 1 <= len(player.payload["states"]) < 11
    assert "breaks down: component 1" in player.payload["ending"]


def test_sizes_stay_within_the_budget() -> None:
    rng = np.random.default_rng(1)
    X = np.concatenate([rng.normal(m, 1.5, (100, 2)) for m in ([0, 0], [2, 2], [4, 0])])
    start = Mixture(np.ones(3) / 3, [[0, 1], [1, 3], [3, 1]], [np.eye(2)] * 3)
    player = em_player(X, start, 30, name="typical", alt="Typical.", bound=False)
    assert len(player.payload["states"]) == 31
    for made in (player, shop_player(bound=True), geyser_player(bound=True)):
        assert len(json.dumps(made.payload, separators=(",", ":"))) <= 40_000


# What it shows without its script, and in which formats


def test_the_book_takes_the_twin_and_jupyterlab_the_widget() -> None:
    player = shop_player(3)
    data, _ = player._repr_mimebundle_()
    twin = live.Live("player", player.payload, player.fallback)
    assert data["text/markdown"] == twin._repr_mimebundle_()["text/markdown"]
    assert data["text/html"].count(twin.html) == 1
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == player.model_id
    assert "0x" not in data["text/plain"]  # an address would change with every build
    again, _ = shop_player(3)._repr_mimebundle_()
    assert again["text/markdown"] == data["text/markdown"]


def test_without_script_there_is_a_table_of_the_run() -> None:
    player = geyser_player(4, bound=True)
    document = BeautifulSoup(player.fallback, "html.parser")
    rows = document.select("tbody tr")
    assert [int(row.th.text) for row in rows] == [0, 1, 2, 3, 4]
    last = next(islice(em(GEYSER, GEYSER_START), 4, None))
    cells = [cell.text for cell in rows[-1].select("td")]
    assert cells[0] == f"{last.log_likelihood:.2f}".replace("-", "−")
    assert cells[1] == f"{last.elbo:.2f}".replace("-", "−")
    numbers = [float(number) for number in re.findall(r"[\d.]+", cells[3])]
    np.testing.assert_allclose(numbers, last.mixture.means.ravel(), atol=0.06)
    sds = [float(number) for number in re.findall(r"[\d.]+", cells[4])]
    np.testing.assert_allclose(
        sds, np.sqrt([np.diag(c) for c in last.mixture.covariances]).ravel(), atol=0.06
    )
    first, second = document.find_all("p")
    assert first.text == "This moves only with JavaScript; here is the run in numbers."
    assert second.text.startswith("Three ellipses part. In 4 iterations log L goes from")


def test_without_its_bound_a_player_says_nothing_of_the_elbo() -> None:
    document = BeautifulSoup(geyser_player(4).fallback, "html.parser")
    assert "ELBO" not in document.text
    cells = [len(row.find_all(["th", "td"])) for row in document.select("tr")]
    assert cells == [5] * 6


def test_names_are_text_and_never_markup() -> None:
    player = shop_player(1, alt="a <b> c.", xlabel="<i>h</i>", labels=["<u>1</u>", "2"])
    assert BeautifulSoup(player.fallback, "html.parser").select("b, i, u") == []


# Bad input

FEW = SHOP[:20]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": np.append(FEW, [[np.nan]], axis=0)}, r"X\[20, 0\] is nan; remove or impute"),
        ({"X": np.resize(SHOP, (2001, 1))}, "2001 rows and a page can show 2000"),
        ({"X": np.ones((20, 2))}, r"2 feature\(s\) but the mixture has 1"),
        (
            {
                "X": np.random.default_rng(0).normal(size=(20, 3)),
                "start": Mixture([1.0], np.zeros((1, 3)), [np.eye(3)]),
            },
            "3 features and a page can show 2",
        ),
        (
            {"start": Mixture(np.ones(7) / 7, np.arange(140.0, 147)[:, None], np.ones((7, 1, 1)))},
            "7 components and a page can tell 6",
        ),
        ({"iterations": 201}, "iterations is 201; it must be a whole number from 1 to 200"),
        ({"iterations": 0}, "iterations is 0"),
        ({"iterations": 2.5}, "iterations is 2.5"),
        ({"name": "A name"}, "player name 'A name' must be lower-case"),
        ({"alt": "no sentence"}, "needs an alt text"),
        ({"labels": ["one"]}, "labels has 1 names for 2 components"),
        ({"units": ("cm", "kg")}, r"X has 1 feature\(s\), so pass 1"),
    ],
)
def test_bad_input_is_refused_with_a_reason(change, message) -> None:
    arguments = {"X": FEW, "start": SHOP_START, "iterations": 2, "name": "few", "alt": ALT} | change
    with pytest.raises(ValueError, match=message):
        em_player(**arguments)


# What Python answers to the page


def ask(player: EMPlayer, **request) -> str:
    """Send a request as the page would; returns the error, or nothing."""
    number = player.answer.get("id", 0) + 1
    player.request = {"id": number, **request}
    assert player.answer["id"] == number
    return player.answer["error"]


def final_log_l(X, start: Mixture, iterations: int) -> float:
    return next(islice(em(X, start), iterations, None)).log_likelihood


def test_new_means_give_the_run_that_em_gives() -> None:
    player = shop_player(5, bound=True)
    assert ask(player, kind="means", means=[[150.0], [180.0]]) == ""
    start = Mixture(SHOP_START.weights, [[150.0], [180.0]], SHOP_START.covariances)
    states = player.payload["states"]
    assert states[0]["means"] == [[150.0], [180.0]]
    assert states[-1]["log_likelihood"] == pytest.approx(final_log_l(SHOP, start, 5), abs=1e-6)
    assert len(player.payload["bounds"]) == 5
    # The alternative text belongs to the author's run and not to this one.
    assert ALT not in player.payload["alt"]
    assert "150.0, 180.0 cm" in player.payload["alt"]
    assert "150.0, 180.0" in player.fallback


def test_added_points_count() -> None:
    player = geyser_player(3)
    points = [[1.0, 95.0], [1.1, 94.0]]
    assert ask(player, kind="add", points=points) == ""
    assert ask(player, kind="add", points=[[5.5, 40.0]]) == ""
    X = np.concatenate([GEYSER, points, [[5.5, 40.0]]])
    assert sum(player.payload["counts"]) == len(X)
    shown = player.payload["states"][-1]["log_likelihood"]
    assert shown == pytest.approx(final_log_l(X, GEYSER_START, 3), abs=1e-6)


def test_a_drawn_start_is_another_one_and_runs_as_em_does() -> None:
    player = shop_player(4)
    assert ask(player, kind="draw") == ""
    first = player.run.start
    assert first.means[0, 0] < first.means[1, 0]
    assert first.means.tolist() != SHOP_START.means.tolist()
    shown = player.payload["states"][-1]["log_likelihood"]
    done = len(player.payload["states"]) - 1
    assert shown == pytest.approx(final_log_l(SHOP, first, done), abs=1e-6)
    starts = set()
    for _ in range(5):
        ask(player, kind="draw")
        starts.add(player.run.start.means.tobytes())
    assert len(starts) > 1


def test_reset_brings_the_authors_run_back() -> None:
    player = shop_player(4)
    before = player.payload
    ask(player, kind="means", means=[[150.0], [180.0]])
    ask(player, kind="add", points=[[150.0]])
    assert player.payload != before
    assert ask(player, kind="reset") == ""
    assert player.payload == before


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"kind": "means", "means": [[np.nan], [170.0]]}, "means"),
        ({"kind": "means", "means": [[150.0]]}, r"means has shape \(1, 1\)"),
        ({"kind": "means", "means": [["tall"], [170.0]]}, "means must be an array of real numbers"),
        ({"kind": "means", "means": [[1e200], [170.0]]}, "so far from means"),
        ({"kind": "means"}, "means"),
        ({"kind": "add", "points": [[float("inf")]]}, r"points\[0, 0\] is inf"),
        ({"kind": "add", "points": [[1.0, 2.0]]}, r"points has shape \(1, 2\)"),
        ({"kind": "add", "points": [[170.0]] * 2000}, "2200 rows and a page can show 2000"),
        ({"kind": "add"}, "points"),
        ({"kind": "dance"}, "unknown request 'dance'"),
        ({}, "unknown request None"),
    ],
)
def test_a_bad_request_is_answered_and_loses_nothing(request_, message) -> None:
    player = shop_player(3)
    ask(player, kind="means", means=[[150.0], [180.0]])
    before, table = player.payload, player.fallback
    assert re.search(message, ask(player, **request_))
    assert player.payload == before
    assert player.fallback == table
    assert ask(player, kind="means", means=[[151.0], [180.0]]) == ""  # it still answers


# In the browser


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    """A page with three players, as a built page would carry them."""
    path = tmp_path_factory.mktemp("player") / "page.html"
    twins = [
        live.Live("player", player.payload, player.fallback).html
        for player in (
            shop_player(6, bound=True),
            geyser_player(6),
            em_player(SHOP, POOR_START, 6, name="poor", alt="From far away.", units="cm"),
        )
    ]
    path.write_text(
        "<!doctype html><html lang=en><head><meta charset=utf-8><title>Players</title>"
        f"<style>{live.style()}</style></head><body>{''.join(twins)}"
        f"<script>{live.script()}</script></body></html>",
        encoding="utf-8",
    )
    return path


@pytest.fixture
def page(browser, scratch):
    """The page, from a file with the network off; fails on any complaint of the browser."""
    page = browser.new_page(offline=True, viewport={"width": 375, "height": 800})
    trouble = []
    page.on("console", lambda m: trouble.append(m.text) if m.type != "log" else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on(
        "request",
        lambda r: trouble.append(r.url) if urlsplit(r.url).scheme not in ("file", "data") else None,
    )
    page.goto(scratch.as_uri())
    yield page
    page.close()
    assert trouble == []


def status(page, player: str = "shop") -> str:
    return page.locator(f"#{player} .player-status").inner_text()


def click(page, name: str, player: str = "shop") -> None:
    page.locator(f"#{player}").get_by_role("button", name=name, exact=True).click()


def shown(value: float, digits: int = 2) -> str:
    return f"{value:.{digits}f}".replace("-", "−")


@pytest.mark.browser
def test_it_steps_goes_back_and_resets_and_says_gmmlibs_numbers(page) -> None:
    states = list(islice(em(SHOP, SHOP_START), 3))
    assert "nobody has bet yet" in status(page)
    assert shown(states[0].log_likelihood) in status(page)
    back = page.locator("#shop").get_by_role("button", name="Back", exact=True)
    assert back.get_attribute("aria-disabled") == "true"
    back.click(force=True)  # does nothing, and keeps the focus
    assert status(page).startswith("Start")
    click(page, "Step")
    assert status(page).startswith("E-step 1: the first bets")
    N_k = states[0].responsibilities.sum(axis=0)
    assert f"{shown(N_k[0], 1)} and {shown(N_k[1], 1)} rows" in status(page)
    click(page, "Step")
    assert status(page).startswith("M-step 1")
    left, right = states[1].mixture.means[:, 0]
    assert f"the means moved to {shown(left, 1)} and {shown(right, 1)} cm" in status(page)
    rise = states[1].elbo - states[0].log_likelihood
    log_l = shown(states[1].log_likelihood)
    assert status(page).endswith(
        f"the ELBO rose by {shown(rise)} to {shown(states[1].elbo)} nats, and log L with it, to "
        f"{log_l}."
    )
    click(page, "Step")
    gap = states[1].log_likelihood - states[1].elbo
    assert status(page) == (
        f"E-step 2: the bets follow; log L stays at {log_l}; the gap of {shown(gap)} nats is "
        "closed."
    )
    click(page, "Back")
    assert status(page).startswith("M-step 1")
    click(page, "Reset")
    assert status(page).startswith("Start")


@pytest.mark.browser
def test_without_the_bound_it_speaks_and_draws_log_l_alone(page) -> None:
    before, after = islice(em(GEYSER, GEYSER_START), 2)
    for _ in range(2):
        click(page, "Step", "geyser")
    rise = after.log_likelihood - before.log_likelihood
    log_l = shown(after.log_likelihood)
    assert f"log L rose by {shown(rise)} to {log_l} nats." in status(page, "geyser")
    click(page, "Step", "geyser")
    N_k = [shown(value, 1) for value in after.responsibilities.sum(axis=0)]
    assert status(page, "geyser") == (
        f"E-step 2: every row bets anew; the bets add up to {N_k[0]}, {N_k[1]} and {N_k[2]} rows; "
        f"log L stays at {log_l} nats."
    )
    assert "ELBO" in page.locator("#shop").inner_html()
    assert "ELBO" not in page.locator("#geyser").inner_html()
    assert page.locator("#shop .player-trace .player-gap").count() == 6
    assert page.locator("#geyser .player-trace :is(.player-gap, .player-bound)").count() == 0


@pytest.mark.browser
@pytest.mark.parametrize("player", ["shop", "geyser", "poor"])
def test_the_status_says_the_numbers_of_the_table(page, player) -> None:
    table = page.locator(f"#{player} tbody tr").evaluate_all(
        "rows => rows.map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    for h in range(2 * len(table)):
        if h > 0:
            click(page, "Step", player)
        iteration, log_l, *_, means, _ = table[h // 2]
        assert int(iteration) == h // 2
        assert log_l in status(page, player)
        if h % 2 == 0:
            said = re.search(r"means (?:stand at|moved to) (.*?) (?:cm|min)", status(page, player))
            assert said[1].replace(" and ", ", ") == means


@pytest.mark.browser
def test_a_start_far_below_the_frame_is_an_arrow_and_no_dot(page) -> None:
    dot = page.locator("#poor .player-trace circle")
    arrow = page.locator("#poor .player-trace path.player-dot")
    assert "↓ from" in page.locator("#poor .player-trace").text_content()
    for step in range(4):
        at_start = step < 2  # the E-step stays there
        assert (dot.is_hidden(), arrow.is_hidden()) == (at_start, not at_start)
        click(page, "Step", "poor")


@pytest.mark.browser
def test_the_plane_tells_its_ellipses_and_a_number_once(page) -> None:
    assert page.locator("#geyser .player-centre").all_text_contents() == ["1", "2", "3"]
    note = "Ellipses at one and two standard deviations"
    assert note in page.locator("#geyser").inner_text()
    assert note not in page.locator("#shop").inner_text()


@pytest.mark.browser
def test_on_a_phone_the_bound_stands_above_the_trace(page) -> None:
    bound, trace = page.locator("#shop .player-panels svg").all()[::-1]
    assert bound.bounding_box()["y"] < trace.bounding_box()["y"]
    page.set_viewport_size({"width": 1280, "height": 800})
    page.wait_for_timeout(100)
    assert bound.bounding_box()["x"] > trace.bounding_box()["x"]


@pytest.mark.browser
def test_the_sentence_for_a_page_without_script_goes(page, browser, scratch) -> None:
    page.locator("#shop summary").click()
    assert page.locator(".player-still").first.is_hidden()
    still = browser.new_page(java_script_enabled=False)
    still.goto(scratch.as_uri())
    assert still.get_by_text("This moves only with JavaScript").first.is_visible()
    still.close()


@pytest.mark.browser
def test_it_plays_to_the_end_and_pauses(page) -> None:
    page.locator("#shop select").select_option("4")
    click(page, "Play")
    live_region = page.locator("#shop .player-status")
    assert live_region.get_attribute("aria-live") == "off"
    page.wait_for_function(
        "document.querySelector('#shop .player-status').textContent.startsWith('M-step 2')"
    )
    click(page, "Pause")
    assert live_region.get_attribute("aria-live") == "polite"
    page.wait_for_timeout(600)
    assert status(page).startswith("M-step 2")
    click(page, "Play")
    page.wait_for_function(
        "document.querySelector('#shop .player-status').textContent.startsWith('E-step 7')"
    )
    page.locator("#shop").get_by_role("button", name="Play", exact=True).wait_for()
    assert "Here the run was stopped" in status(page)
    click(page, "Play")  # from the end it begins again
    page.wait_for_function(
        "document.querySelector('#shop .player-status').textContent.startsWith('E-step 1')"
    )


@pytest.mark.browser
def test_it_jumps_by_range_by_trace_and_by_keyboard(page) -> None:
    slider = page.locator("#shop").get_by_role("slider", name="Half-step")
    assert slider.get_attribute("max") == "13"
    slider.focus()
    page.keyboard.press("End")
    assert status(page).startswith("E-step 7")
    assert slider.get_attribute("aria-valuetext") == "E-step 7"
    page.keyboard.press("ArrowLeft")
    assert status(page).startswith("M-step 6")
    page.locator("#shop .player-trace").scroll_into_view_if_needed()
    trace = page.locator("#shop .player-trace").bounding_box()
    page.mouse.click(trace["x"] + trace["width"] / 2, trace["y"] + trace["height"] / 2)
    half = int(slider.input_value())
    assert 4 <= half <= 9
    stage = page.locator("#shop .player-stage")
    stage.focus()
    page.keyboard.press("ArrowRight")
    assert int(slider.input_value()) == half + 1
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert int(slider.input_value()) == half - 1
    page.keyboard.press("Space")
    page.locator("#shop").get_by_role("button", name="Pause").wait_for()
    page.keyboard.press("Space")
    page.locator("#shop").get_by_role("button", name="Play").wait_for()


def bell(page) -> str:
    return page.locator("#shop .player-main .player-curve").nth(1).get_attribute("d")


@pytest.mark.browser
def test_the_bells_move_in_the_m_step_and_the_colours_in_the_e_step(page) -> None:
    page.emulate_media(reduced_motion="reduce")
    colours = "[...document.querySelectorAll('#shop .player-data rect')].map(r => r.style.color)"
    start, grey = bell(page), page.evaluate(colours)
    assert set(grey) == {""}
    click(page, "Step")
    first = page.evaluate(colours)
    assert bell(page) == start
    assert len(set(first)) > 5
    click(page, "Step")
    assert bell(page) != start
    assert page.evaluate(colours) == first
    click(page, "Step")
    assert page.evaluate(colours) != first


@pytest.mark.browser
@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_motion_only_for_who_wants_it(page, motion) -> None:
    page.emulate_media(reduced_motion=motion)
    click(page, "Step")
    frames = page.evaluate(
        """async () => {
          const bell = document.querySelectorAll("#shop .player-main .player-curve")[1];
          const seen = new Set([bell.getAttribute("d")]);
          const button = [...document.querySelectorAll("#shop button")]
            .find((b) => b.textContent === "Step");
          button.click();
          const end = performance.now() + 900;
          while (performance.now() < end) {
            seen.add(bell.getAttribute("d"));
            await new Promise(requestAnimationFrame);
          }
          return seen.size;
        }"""
    )
    assert frames == 2 if motion == "reduce" else frames > 3


@pytest.mark.browser
def test_the_arithmetic_of_the_page_is_that_of_scipy_and_numpy(page) -> None:
    x, mean, sd = np.linspace(120, 200, 33), 143.2, 6.7
    densities = page.evaluate(
        "([x, mean, variance]) => x.map((v) => casebook.player.density(v, mean, variance))",
        [x.tolist(), mean, sd**2],
    )
    np.testing.assert_allclose(densities, norm.pdf(x, mean, sd), rtol=1e-12)

    covariance = np.array([[1.3, 9.0], [9.0, 180.0]])
    for r in (1, 2):
        points = page.evaluate(
            "([mean, covariance, r]) => casebook.player.ellipse(mean, covariance, r)",
            [[3.5, 71.0], covariance.tolist(), r],
        )
        away = np.array(points) - [3.5, 71.0]
        squared = np.einsum("ni,ij,nj->n", away, np.linalg.inv(covariance), away)
        np.testing.assert_allclose(squared, r**2, rtol=1e-9)

    state = geyser_player(1).payload["states"][0]
    bets = np.array(page.evaluate("bets => casebook.player.decode(bets, 3)", state["bets"]))
    np.testing.assert_allclose(bets[:, :-1], decode(state["bets"], 3), atol=1e-12)
    np.testing.assert_allclose(bets.sum(axis=1), 1, atol=0.017)  # two roundings to 1 / 63

    states = geyser_player(1).payload["states"]
    halfway = page.evaluate("([a, b]) => casebook.player.between(a, b, 0.25)", states)
    for key in ("weights", "means", "covariances"):
        expected = 0.75 * np.array(states[0][key]) + 0.25 * np.array(states[1][key])
        np.testing.assert_allclose(halfway[key], expected, rtol=1e-12)


@pytest.mark.browser
def test_the_drawn_tops_stand_over_the_means(page) -> None:
    page.locator("#shop .player-jump input").evaluate(
        "e => { e.value = 12; e.dispatchEvent(new Event('input')); }"
    )
    mixture = next(islice(em(SHOP, SHOP_START), 6, None)).mixture
    ticks = page.evaluate(
        """[...document.querySelectorAll("#shop .player-main text[text-anchor=middle]")]
          .filter((t) => /^\\d+$/.test(t.textContent))
          .map((t) => [Number(t.textContent), Number(t.getAttribute("x"))])"""
    )
    (low, x_low), *_, (high, x_high) = ticks
    for k, mean in enumerate(mixture.means[:, 0]):
        d = page.locator("#shop .player-main .player-curve").nth(k + 1).get_attribute("d")
        points = np.array([pair.split() for pair in re.split("[ML]", d)[1:]], float)
        top = points[points[:, 1].argmin(), 0]
        value = low + (top - x_low) / (x_high - x_low) * (high - low)
        assert value == pytest.approx(mean, abs=1.0)


@pytest.mark.browser
def test_nothing_on_a_page_asks_for_a_kernel_and_nothing_is_wider_than_a_phone(page) -> None:
    names = page.locator("#shop button").all_inner_texts()
    assert names == ["Reset", "Back", "Play", "Step"]
    assert page.locator(".player-handle, fieldset").count() == 0
    assert page.evaluate("document.scrollingElement.scrollWidth - innerWidth") <= 0
    details = page.locator("#shop details")
    assert not details.evaluate("e => e.open")
    details.locator("summary").click()
    assert details.locator("tbody tr").count() == 7
    assert page.evaluate("document.scrollingElement.scrollWidth - innerWidth") <= 0


@pytest.mark.browser
def test_two_players_of_a_page_do_not_meet(page) -> None:
    click(page, "Step")
    assert page.locator("#geyser .player-status").inner_text().startswith("Start")
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))


# A stand-in for the kernel's side; tests/test_jupyterlab.py has a real one.
STAND_IN = """
player => {
  const listeners = {};
  const state = { payload: player.payload, fallback: player.fallback, answer: {} };
  globalThis.asked = [];
  const model = {
    get: (name) => state[name],
    set: (name, value) => asked.push(value),
    save_changes: () => {},
    on: (name, listener) => { listeners[name] = listener; },
    off: () => {},
  };
  globalThis.answer = (changes) => {
    Object.assign(state, changes);
    for (const name of Object.keys(changes)) listeners[`change:${name}`]?.();
  };
  const el = document.createElement("div");
  el.id = "live";
  document.body.prepend(el);
  casebook.kinds.player({ el, payload: player.payload, fallback: null, model });
}
"""


@pytest.mark.browser
def test_with_a_kernel_means_are_dragged_in_the_plane_and_refusals_are_said(page) -> None:
    player = geyser_player(3, name="live-geyser")
    page.set_viewport_size({"width": 800, "height": 900})
    page.evaluate(STAND_IN, {"payload": player.payload, "fallback": player.fallback})
    handles = page.locator(".player-handle")
    assert handles.count() == 3
    assert handles.first.get_attribute("aria-label") == "Starting mean of component 1"
    box = handles.first.bounding_box()
    x, y = box["x"] + 14, box["y"] + 14
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 50, y + 40, steps=4)
    page.mouse.up()
    (request,) = page.evaluate("asked")
    assert request["kind"] == "means"
    assert request["means"][1:] == player.payload["states"][0]["means"][1:]
    moved = handles.first.bounding_box()
    assert moved["x"] - box["x"] == pytest.approx(50, abs=1)
    assert moved["y"] - box["y"] == pytest.approx(40, abs=1)
    eruption, waiting = request["means"][0]
    assert eruption > 2.2
    assert waiting < 78
    state = page.locator(".player-status").first
    assert state.inner_text().startswith("gmmlib computes")

    # Refused: said, and the handle returns.
    page.evaluate("answer({answer: {id: 1, error: 'it collapses'}})")
    assert state.inner_text() == "Nothing is changed: it collapses."
    assert handles.first.bounding_box() == box

    # Granted: the new run is drawn.
    player.request = {"id": 1, **request}
    page.evaluate(
        "changes => answer(changes)",
        {"payload": player.payload, "fallback": player.fallback, "answer": player.answer},
    )
    expected = player.run.states[0].log_likelihood
    assert f"log L = {shown(expected)} nats" in state.inner_text()

    # Handles move the start alone: after the first half-step they are gone.
    page.get_by_role("button", name="Step").first.click()
    assert handles.first.is_hidden()
