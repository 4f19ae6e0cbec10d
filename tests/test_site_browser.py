"""The built pages in Chromium: from a server and from a folder, narrow and wide, light and dark.

Every page of ``_toc.yml`` is opened, and the search page. Whatever is addressed to another host is
stopped and counted. Pictures of some pages are left in ``_build/screenshots`` to look at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from benchmarks.pages import (
    MOST_KB_WITHOUT_PLAYER,
    MOST_REQUESTS,
    page_of_equations,
    visit,
    wait_until,
)
from gmmlib import Mixture
from gmmlib.em import em
from tests.pages import CHAPTERS, HTML, PAGES, ROOT, article, page_file, soup

pytestmark = [pytest.mark.site, pytest.mark.browser]

WIDTHS = (375, 1280)
HEIGHT = 800
SCREENSHOTS = ROOT / "_build" / "screenshots"
PHOTOGRAPHED = [PAGES[0], CHAPTERS[-1], "chapters/ledger", "chapters/notation"]

every_page = pytest.mark.parametrize("page", [*PAGES, "search"])
from_both = pytest.mark.parametrize("origin", ["server", "folder"])

#: Games draw the same rounds in every run; in a rare other one a perfect player only ties.
SAME_CHANCE = """{
  let state = 20261123;
  Math.random = () => (state = (state * 48271) % 2147483647) / 2147483647;
}"""


@contextmanager
def opened(browser, address: str, *, width: int = WIDTHS[1]) -> Iterator[tuple]:
    """A tab on a page, and the list of what went wrong in it; nothing from elsewhere gets in."""
    host = urlsplit(address).netloc
    trouble: list[str] = []

    def on_console(message) -> None:
        if message.type in ("error", "warning"):
            trouble.append(f"console: {message.text}")

    def on_response(response) -> None:
        if response.status >= 400:
            trouble.append(f"{response.status}: {response.url}")

    def stop(route) -> None:
        trouble.append(f"asked for {route.request.url}")
        route.abort()

    context = browser.new_context(
        offline=not host,
        viewport={"width": width, "height": HEIGHT},
        color_scheme="light",
        reduced_motion="reduce",
    )
    context.set_default_timeout(15_000)
    context.add_init_script(SAME_CHANCE)
    context.route(lambda url: urlsplit(url).netloc not in ("", host), stop)
    tab = context.new_page()
    tab.on("console", on_console)
    tab.on("pageerror", lambda error: trouble.append(f"script error: {error}"))
    tab.on("requestfailed", lambda request: trouble.append(f"failed: {request.url}"))
    tab.on("response", on_response)
    try:
        tab.goto(address, wait_until="load")
        tab.evaluate("document.fonts.ready.then(() => true)")
        yield tab, trouble
    finally:
        context.close()


@pytest.fixture
def address(request, server, origin):
    """Where a page is, such as ``chapters/index``; "origin" says from a server or from a folder."""

    def of(page: str) -> str:
        path = page_file(page)
        if origin == "folder":
            return path.as_uri()
        return f"{server.address}/{path.relative_to(HTML).as_posix()}"

    return of


# Everything on the page that a reader would call broken; no entry means well.
FAULTS = """() => {
  const article = document.querySelector('article') ?? document.querySelector('main');
  const faults = [];
  const note = (fault, elements) => {
    for (const element of [...elements].slice(0, 3)) {
      faults.push(`${fault}: ${(element.outerHTML ?? element.textContent).slice(0, 120)}`);
    }
  };
  const all = (selector, root = article) => [...root.querySelectorAll(selector)];
  note('broken image', all('img', document).filter(i => i.complete && i.naturalWidth === 0));
  note('not set', all('.math').filter(formula => !formula.querySelector('.katex')));
  note('refused by KaTeX', all('.katex-error'));
  const flat = all('.katex-html').filter(formula => !formula.closest('details, [hidden]'))
    .slice(0, 3).filter(formula => formula.getBoundingClientRect().height <= 5);
  note('no height', flat);
  const words = document.createTreeWalker(article, NodeFilter.SHOW_TEXT, node =>
    node.parentElement.closest('.katex, pre, code, script, style, svg')
      ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT);
  while (words.nextNode()) {
    if (/\\$\\$|\\\\[()\\[]|\\\\begin\\{|\\$[^$]*\\\\[a-z]/.test(words.currentNode.data)) {
      note('TeX as text', [words.currentNode]);
    }
  }
  const live = all('[data-casebook]').filter(element => !('drawn' in element.dataset));
  note('live element without its script', live);
  if (article.querySelector('.katex')) {
    const loaded = [...document.fonts].filter(font => font.status === 'loaded');
    if (!loaded.some(font => font.family === 'KaTeX_Math')) faults.push('no font for formulas');
  }
  return faults;
}"""

# Elements that stick out on the right, outside every box that scrolls by itself or is hidden.
STICKS_OUT = """() => [...document.querySelectorAll('main *')].filter(element => {
  if (element.closest('.katex-display *, .katex-mathml, svg, dialog, .visually-hidden'))
    return false;
  if (element.closest('.bd-sidebar-secondary')) return false;  // a drawer, parked off the screen
  const box = element.getBoundingClientRect();
  if (box.width === 0 || box.right <= innerWidth + 1) return false;
  for (let a = element.parentElement; a && a.tagName !== 'MAIN'; a = a.parentElement) {
    const { overflowX, clipPath } = getComputedStyle(a);
    if (['auto', 'scroll'].includes(overflowX) || clipPath !== 'none') return false;
  }
  return true;
}).map(element => element.outerHTML.slice(0, 100))"""

# Boxes that scroll sideways but cannot be reached by keyboard. (One off the screen is laid out only
# when something within it is asked for its place.)
UNREACHABLE = """() => {
  const boxes = [...document.querySelectorAll('.katex-display, .scrolls, pre')];
  return boxes.filter(box => {
    box.firstElementChild?.getBoundingClientRect();
    return box.scrollWidth > box.clientWidth + 1 && box.tabIndex !== 0
      && ['auto', 'scroll'].includes(getComputedStyle(box).overflowX);
  }).map(box => box.outerHTML.slice(0, 100));
}"""


def wait_until_reachable(tab) -> None:
    """Wait until each box that scrolls can be reached by keyboard.

    The page's script looks at its boxes when it has time.
    """
    wait_until(tab, f"({UNREACHABLE})().length === 0")


def settle_theme(tab, scheme: str) -> None:
    """Have the system ask for light or dark, and wait until the page follows."""
    tab.emulate_media(color_scheme=scheme)
    wait_until(tab, "wanted => document.documentElement.dataset.theme === wanted", scheme)


def photograph(tab, page: str, width: int, scheme: str) -> None:
    """Keep the first screen, and the page down to a limit."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    name = f"{Path(page).name}-{width}-{scheme}"
    tab.screenshot(path=SCREENSHOTS / f"{name}.png")
    height = min(tab.evaluate("document.documentElement.scrollHeight"), 6000)
    tab.set_viewport_size({"width": width, "height": height})
    tab.screenshot(path=SCREENSHOTS / f"{name}-long.png")
    tab.set_viewport_size({"width": width, "height": HEIGHT})


@from_both
@every_page
def test_a_page_is_whole(browser, address, origin, page) -> None:
    with opened(browser, address(page), width=WIDTHS[0]) as (tab, trouble):
        assert tab.evaluate(FAULTS) == []
        for width in WIDTHS:
            tab.set_viewport_size({"width": width, "height": HEIGHT})
            for scheme in ("light", "dark"):
                settle_theme(tab, scheme)
                sticks_out = tab.evaluate(STICKS_OUT) if scheme == "light" else []
                assert sticks_out == [], f"{width} px: {sticks_out[:3]}"
                wide = tab.evaluate("document.scrollingElement.scrollWidth - innerWidth")
                assert wide <= 0, f"{width} px, {scheme}: scrolls sideways by {wide} px"
                if origin == "server" and page in PHOTOGRAPHED:
                    photograph(tab, page, width, scheme)
            wait_until_reachable(tab)
        assert trouble == []


REFUSED = """address => new Promise(answer => {
  document.addEventListener('securitypolicyviolation', event => answer(event.blockedURI));
  fetch(address).then(() => answer('answered'), () => setTimeout(() => answer('asked'), 1000));
})"""


@from_both
@pytest.mark.parametrize("page", ["chapters/index", "search"])
def test_a_page_may_not_ask_another_host(browser, address, page) -> None:
    other = "http://127.0.0.2:9/"  # nobody answers there, but it would be asked
    with opened(browser, address(page)) as (tab, _):
        assert tab.evaluate(REFUSED, other) == other


LOADED_FONTS = """[...document.fonts].filter(font => font.status === 'loaded')
  .map(font => font.family).sort().join()"""


@pytest.mark.parametrize("origin", ["folder"])
def test_formulas_off_the_screen_get_their_fonts_for_printing(browser, address, origin) -> None:
    longest = max(CHAPTERS, key=lambda page: len(article(page).select(".katex-display")))
    with opened(browser, address(longest)) as (tab, _):
        tab.add_style_tag(content=".katex-display { content-visibility: visible !important }")
        tab.evaluate("document.body.getBoundingClientRect()")
        tab.evaluate("document.fonts.ready.then(() => true)")
        needed = tab.evaluate(LOADED_FONTS)
    assert "KaTeX_Size" in needed
    with opened(browser, address(longest)) as (tab, _):
        wait_until(tab, f"needed => {LOADED_FONTS} === needed", needed)


@pytest.mark.parametrize("page", PAGES)
def test_a_first_visit_stays_within_its_budget(browser, server, page) -> None:
    seen = visit(browser, server, f"/{page}.html", scroll=False)
    assert seen.kilobytes <= seen.kilobytes_allowed
    assert seen.requests <= MOST_REQUESTS
    assert seen.requests > 5, "the style sheet and scripts of a page should be among these"


def test_a_page_of_equations_stays_within_its_budget(browser, server) -> None:
    server.made_up["/chapters/150-equations.html"] = page_of_equations(HTML)
    seen = visit(browser, server, "/chapters/150-equations.html", scroll=False)
    assert seen.formulas == 150
    assert seen.kilobytes <= MOST_KB_WITHOUT_PLAYER
    assert seen.requests <= MOST_REQUESTS


AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"

# A formula is one tree for the eye and one of MathML for screen readers, both KaTeX's own:
# thousands of elements, with which axe takes five times as long. A word stands in for each.
PREPARE_AXE = """() => {
  for (const formula of document.querySelectorAll('.katex')) formula.replaceWith('formula');
}"""

RUN_AXE = """async rules => {
  const options = { resultTypes: ['violations'] };
  if (rules) options.runOnly = rules;
  const { violations } = await axe.run(options);
  return violations.filter(v => ['serious', 'critical'].includes(v.impact)).map(v =>
    `${v.id} (${v.nodes.length}): ${v.help}: ` + v.nodes.slice(0, 3).map(n =>
      `${n.target} ${n.html.slice(0, 120)} ${n.any[0]?.message ?? ''}`).join(' | '));
}"""


@pytest.mark.parametrize("origin", ["server"])
@every_page
def test_axe_finds_nothing_serious(browser, address, origin, page) -> None:
    with opened(browser, address(page), width=WIDTHS[0]) as (tab, _):
        wait_until_reachable(tab)
        tab.evaluate(PREPARE_AXE)
        tab.evaluate(AXE.read_text(encoding="utf-8"))
        assert tab.evaluate(RUN_AXE, None) == []
        settle_theme(tab, "dark")
        assert tab.evaluate(RUN_AXE, ["color-contrast"]) == []


@from_both
def test_search_finds_pages(browser, address, origin) -> None:
    with opened(browser, address("search") + "?q=likelihood") as (tab, trouble):
        tab.locator("#search-results ul.search li a").nth(1).wait_for()
        assert trouble == []


@from_both
def test_the_search_button_leads_to_the_results(browser, address, origin) -> None:
    with opened(browser, address(PAGES[0])) as (tab, trouble):
        tab.keyboard.press("Control+k")
        tab.keyboard.type("likelihood")
        tab.keyboard.press("Enter")
        tab.locator("#search-results ul.search li a").nth(1).wait_for()
        assert trouble == []


@from_both
def test_the_theme_switch_holds_for_the_next_page(browser, address, origin) -> None:
    with opened(browser, address(PAGES[0])) as (tab, trouble):
        assert tab.locator("html").get_attribute("data-theme") == "light"
        for _ in range(3):  # auto, light, dark, in a circle
            tab.locator(".theme-switch-button:visible").click()
            if tab.locator("html").get_attribute("data-mode") == "dark":
                break
        assert tab.locator("html").get_attribute("data-theme") == "dark"
        dark = tab.evaluate("getComputedStyle(document.body).backgroundColor")
        tab.goto(address(CHAPTERS[0]))
        assert tab.locator("html").get_attribute("data-theme") == "dark"
        assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == dark
        assert trouble == []


# What is alive on the pages: each kind once, on the first page that has it


def page_with(kind: str) -> str:
    """The first page that holds a live element of a kind."""
    holds = [page for page in PAGES if soup(page_file(page)).select(f"[data-casebook={kind}]")]
    if not holds:
        pytest.fail(f"no page of the book holds a {kind}")
    return holds[0]


@pytest.fixture
def live(browser, address) -> Iterator:
    """Open the page with the first element of a kind; nothing may go wrong until the end."""
    with ExitStack() as open_pages:
        troubles = []

        def of(kind: str):
            page = opened(browser, address(page_with(kind)), width=WIDTHS[0])
            tab, trouble = open_pages.enter_context(page)
            troubles.append(trouble)
            return tab.locator(f"[data-casebook={kind}]").first

        yield of
        assert [trouble for trouble in troubles if trouble] == []


def press(element, name: str) -> None:
    element.get_by_role("button", name=name, exact=True).click()


@from_both
def test_the_player_steps_plays_and_resets(live) -> None:
    player = live("player")
    place = player.locator("input[type=range]").first
    press(player, "Step")
    press(player, "Step")
    assert place.input_value() == "2"
    said = player.get_by_role("status").inner_text()
    press(player, "Back")
    assert place.input_value() == "1"
    assert player.get_by_role("status").inner_text() != said
    press(player, "Play")
    wait_until(place.page, "place => place.value > 2", place.element_handle())
    press(player, "Pause")
    press(player, "Reset")
    assert place.input_value() == "0"


@from_both
def test_a_question_answers_wrong_and_right_and_is_remembered(live) -> None:
    question = live("question")
    verdicts = question.locator("details li[data-verdict]").evaluate_all(
        "items => items.map(item => item.dataset.verdict)"
    )
    wrong = next(i for i, verdict in enumerate(verdicts) if verdict != "right")
    boxes, status = question.locator("fieldset input"), question.get_by_role("status")
    boxes.nth(wrong).check()
    press(question, "Check")
    assert status.locator("li").count() == 1
    assert status.locator("[data-verdict=right]").count() == 0
    assert len(status.inner_text()) > 20, "a wrong answer should be told why"
    if boxes.first.get_attribute("type") == "checkbox":
        boxes.nth(wrong).uncheck()
    for i, verdict in enumerate(verdicts):
        if verdict == "right":
            boxes.nth(i).check()
    press(question, "Check")
    assert status.locator("[data-verdict=right]").count() == verdicts.count("right")
    question.page.reload()
    assert "You have answered this one right." in question.inner_text()


@from_both
def test_a_card_turns_and_remembers(live) -> None:
    card = live("card")
    front = card.locator("summary")
    button = card.get_by_role("button", name="I knew it")
    assert not button.is_visible()
    front.focus()
    card.page.keyboard.press("Enter")
    button.click()
    assert not button.is_visible()
    assert "known" in front.inner_text()
    card.page.reload()
    assert "known" in front.inner_text()


@pytest.mark.parametrize("truthfully", [True, False])
@from_both
def test_the_bet_can_be_won_and_lost(live, truthfully) -> None:
    game = live("detectives-bet")
    data = json.loads(game.locator("script").inner_text())
    for turn in range(1, data["customers"] + 1):
        truth = bool(data["truth"][int(game.get_attribute("data-row"))])
        game.get_by_role("slider").fill("99" if truth == truthfully else "1")
        press(game, "Bet")
        game.get_by_role(
            "button", name="See the verdict" if turn == data["customers"] else "Next"
        ).click()
    assert ("You win" if truthfully else "The posterior wins") in game.inner_text()


@from_both
def test_the_race_can_be_won_and_lost(live) -> None:
    game = live("beat-em")
    data = json.loads(game.locator("script").inner_text())
    for _ in range(data["rounds"]):
        press(game, "Done")
    assert "EM wins" in game.inner_text()
    press(game, "Play again")
    X = np.repeat(data["values"], data["counts"])[:, None]
    low, high = np.quantile(X, [0.15, 0.85])
    spread = [[[X.var() / 4]], [[X.var() / 4]]]
    *_, last = islice(em(X, Mixture([0.5, 0.5], [[low], [high]], spread)), 500)
    best = last.mixture
    values = [*best.means[:, 0], *np.sqrt(best.covariances[:, 0, 0]), best.weights[0]]
    for slider, value in zip(game.get_by_role("slider").all(), values, strict=True):
        slider.evaluate(SET_SLIDER, value)
    for _ in range(data["rounds"]):
        press(game, "Done")
    assert "You win" in game.inner_text()


SET_SLIDER = """(slider, value) => {
  slider.value = value;
  slider.dispatchEvent(new Event('input', { bubbles: true }));
}"""
