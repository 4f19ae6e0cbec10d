"""Settings and fixtures that tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from benchmarks.pages import Server, chromium, serve
from gmmlib.show import live
from tests.pages import HTML

# The same examples on every machine and every run: a failure can be repeated by anybody.
settings.register_profile(
    "repeatable",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.load_profile("repeatable")


@pytest.fixture(scope="module")
def browser():
    """Chromium of this machine, driven by playwright."""
    pytest.importorskip("playwright.sync_api")
    try:
        with chromium() as program:
            yield program
    except FileNotFoundError as missing:
        pytest.skip(f"NO BROWSER TESTS: {missing}")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """The built book on a web server of this machine."""
    with serve(HTML) as running:
        yield running


@pytest.fixture
def visit(browser, tmp_path):
    """Open a scratch page with one live element; at the end, nothing must have gone wrong in it."""
    trouble, pages = [], []

    def opened(game, width: int = 375, theme: str = "light"):
        file = tmp_path / f"{game.kind}.html"
        file.write_text(
            f'<!doctype html><html lang="en" data-theme="{theme}"><meta charset="utf-8">'
            f"<title>Scratch page</title><style>{live.style()}"
            "body { font: 16px/1.5 sans-serif; box-sizing: border-box }"
            'html[data-theme="dark"] { background: #121212; color: #ced6dd }</style>'
            f"<main><h1>Scratch page</h1>{game.html}</main><script>{live.script()}</script></html>",
            encoding="utf-8",
        )
        page = browser.new_page(offline=True, viewport={"width": width, "height": 800})
        page.set_default_timeout(20_000)
        page.on("console", lambda m: m.type in ("error", "warning") and trouble.append(m.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.goto(file.as_uri())
        pages.append(page)
        return page, page.locator(f'[data-casebook="{game.kind}"]')

    yield opened
    for page in pages:
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        page.close()
    assert trouble == []
