"""Settings and fixtures that tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from benchmarks.pages import Server, chromium, serve
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
