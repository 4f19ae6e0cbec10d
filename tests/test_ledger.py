"""The ledger: its headings sort, its two controls pick rows, and on a phone it is a list."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.pages import wait_until
from tests.pages import article, page_file

pytestmark = pytest.mark.site

PAGE = "chapters/ledger"
STRENGTH = ["definition", "proved", "instances", "tested", "cited"]

# Of the rows that show: number of the equation, evidence, steps, seconds, width of the row.
ROWS = """() => [...document.querySelectorAll('table.ledger tbody tr')]
  .filter(row => row.offsetParent !== null)
  .map(row => ({
    equation: row.cells[0].textContent.trim(),
    chapter: Number(row.cells[1].textContent),
    title: row.querySelector('.ledger-title').textContent.trim(),
    evidence: row.cells[3].textContent.trim(),
    steps: Number(row.cells[4].textContent),
    seconds: Number(row.cells[6].textContent.replace('< 0.1', '0')),
    width: row.getBoundingClientRect().right,
  }))"""


@pytest.fixture
def open_ledger(browser) -> Iterator:
    """Opens the page from its file, at a width of so many pixels."""
    context = browser.new_context(offline=True, reduced_motion="reduce")

    def opened(width: int = 1280):
        tab = context.new_page()
        tab.set_viewport_size({"width": width, "height": 800})
        tab.goto(page_file(PAGE).as_uri())
        tab.locator("table.ledger thead button").first.wait_for()
        return tab

    yield opened
    context.close()


def heading(tab, name: str):
    return tab.get_by_role("columnheader", name=name)


def test_equations_stand_in_the_order_of_the_book_and_every_cell_has_a_sort_key() -> None:
    rows = article(PAGE).select("table.ledger tbody tr")
    numbers = [tuple(map(int, row.td.text.strip(" ()").split("."))) for row in rows]
    assert numbers == sorted(numbers)
    assert max(second for _, second in numbers) > 9, "or text would sort as well as numbers do"
    assert [int(row.td["data-sort"]) for row in rows] == list(range(1, len(rows) + 1))
    assert all(cell.has_attr("data-sort") for row in rows for cell in row.select("td"))


def test_without_script_there_is_no_dead_control() -> None:
    assert article(PAGE).select("table.ledger button, .ledger-controls") == []


@pytest.mark.browser
@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Chapter", lambda row: row["chapter"]),
        ("Claim", lambda row: row["title"].casefold().replace("-", "").replace(" ", "")[:1]),
        ("Evidence", lambda row: STRENGTH.index(row["evidence"])),
        ("Steps", lambda row: row["steps"]),
        ("Seconds", lambda row: row["seconds"]),
    ],
)
def test_a_heading_sorts_by_keyboard_up_and_down_and_equation_restores(open_ledger, name, key):
    tab = open_ledger()
    book_order = [row["equation"] for row in tab.evaluate(ROWS)]
    assert heading(tab, "Equation").get_attribute("aria-sort") == "ascending"
    button = heading(tab, name).get_by_role("button")
    for press, direction, reverse in (("Enter", "ascending", False), ("Space", "descending", True)):
        button.press(press)
        status = tab.locator(".ledger-controls output")
        sorted_by = f"sorted by {name.lower()}, {direction}"
        wait_until(tab, "text => document.querySelector('output').value.includes(text)", sorted_by)
        assert heading(tab, name).get_attribute("aria-sort") == direction
        assert tab.locator("th[aria-sort]").count() == 1
        keys = [key(row) for row in tab.evaluate(ROWS)]
        assert keys == sorted(keys, reverse=reverse)
        assert len(set(keys)) > 1
        assert status.is_visible()
    assert button.evaluate("button => button === document.activeElement")
    heading(tab, "Equation").get_by_role("button").click()
    wait_until(tab, "document.querySelector('output').value.includes('by equation')")
    assert [row["equation"] for row in tab.evaluate(ROWS)] == book_order


@pytest.mark.browser
def test_words_and_evidence_pick_rows_and_the_count_says_how_many(open_ledger) -> None:
    tab = open_ledger()
    everything = tab.evaluate(ROWS)
    status = tab.locator(".ledger-controls output")
    assert status.text_content() == f"All {len(everything)} equations"
    tab.get_by_label("Evidence").select_option("instances")
    picked = tab.evaluate(ROWS)
    instances = [row["equation"] for row in everything if row["evidence"] == "instances"]
    assert [row["equation"] for row in picked] == instances
    assert 0 < len(picked) < len(everything)
    assert status.text_content() == f"{len(picked)} of {len(everything)} equations"
    tab.get_by_label("Evidence").select_option("any")
    tab.get_by_label("Find").fill("SCORE mean")
    found = tab.evaluate(ROWS)
    assert 0 < len(found) < len(everything)
    assert "The score of a mean" in [row["title"] for row in found]
    heading(tab, "Steps").get_by_role("button").click()
    wait_until(tab, "document.querySelector('output').value.includes('by steps')")
    assert {row["equation"] for row in tab.evaluate(ROWS)} == {row["equation"] for row in found}
    tab.get_by_label("Find").fill("nothing has this title")
    assert tab.evaluate(ROWS) == []
    tab.get_by_label("Find").fill("")
    assert len(tab.evaluate(ROWS)) == len(everything)


@pytest.mark.browser
def test_on_a_phone_rows_are_blocks_that_fit_and_still_a_table_to_a_screen_reader(open_ledger):
    tab = open_ledger(375)
    assert max(row["width"] for row in tab.evaluate(ROWS)) <= 375
    assert tab.get_by_role("row").count() == len(tab.evaluate(ROWS)) + 1
    heading(tab, "Evidence").get_by_role("button").click()
    wait_until(tab, "document.querySelector('output').value.includes('by evidence')")
    assert tab.evaluate(ROWS)[0]["evidence"] == "proved"
