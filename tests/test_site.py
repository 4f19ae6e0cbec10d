"""The built pages, as a reader without a network gets them (`make book` builds them).

The first half reads the HTML; the second opens every page in Chromium from ``file://`` with the
network off, narrow and wide, light and dark. Pages come from ``_toc.yml``, so that a new chapter
is covered without a change here.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup, Tag

ROOT = Path(__file__).parent.parent
HTML = ROOT / "_build" / "html"


def toc_pages() -> list[str]:
    """Document names of ``_toc.yml``, such as ``chapters/notation``, in reading order."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [entry["file"] for part in toc["parts"] for entry in part["chapters"]]
    return [toc["root"], *chapters]


PAGES = toc_pages()
CHAPTERS = [page for page in PAGES if re.match(r"chapters/\d", page)]

every_page = pytest.mark.parametrize("page", PAGES)
every_chapter = pytest.mark.parametrize("page", CHAPTERS)


def page_file(page: str) -> Path:
    path = HTML / f"{page}.html"
    assert path.exists(), f"{path.relative_to(ROOT)} is missing: run `make book` first"
    return path


@cache
def soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def article(page: str) -> Tag:
    return soup(page_file(page)).select_one("article.bd-article")


def is_elsewhere(address: str) -> bool:
    """True for an address that a browser would fetch from another host."""
    return bool(urlsplit(address).netloc) or urlsplit(address).scheme in ("http", "https")


def local_target(path: Path, address: str) -> Path:
    parts = urlsplit(address)
    return (path.parent / unquote(parts.path)).resolve() if parts.path else path


def loaded(document: BeautifulSoup) -> Iterator[str]:
    """Addresses that a browser fetches by itself, or sends a form to."""
    for tag in document.find_all(["script", "img", "iframe", "source", "video", "audio", "embed"]):
        yield from filter(None, [tag.get("src"), tag.get("poster")])
        yield from re.findall(r"(\S+)(?:\s+\S+)?(?:,|$)", tag.get("srcset", ""))
    for tag in document.find_all("link"):
        yield tag["href"]
    for tag in document.find_all(["object", "form"]):
        yield from filter(None, [tag.get("data"), tag.get("action")])
    for tag in document.find_all(style=True):
        yield from re.findall(r"url\(['\"]?([^'\")]+)", tag["style"])
    for tag in document.find_all("style"):
        yield from re.findall(r"url\(['\"]?([^'\")]+)", tag.text)


# What the HTML says


@pytest.mark.site
def test_the_pages_are_those_of_the_table_of_contents() -> None:
    found = {path.relative_to(HTML).as_posix() for path in (HTML / "chapters").glob("**/*.html")}
    assert found == {f"{page}.html" for page in PAGES}


@pytest.mark.site
def test_the_folder_opens_on_the_first_page() -> None:
    (refresh,) = soup(HTML / "index.html").find_all("meta", attrs={"http-equiv": "Refresh"})
    assert refresh["content"].endswith(f"url={PAGES[0]}.html")


@pytest.mark.site
@every_page
def test_a_page_has_a_language_a_title_and_one_main_heading(page: str) -> None:
    document = soup(page_file(page))
    assert document.html["lang"] == "en"
    (heading,) = article(page).find_all("h1")
    assert document.title.text.strip() != ""
    assert heading.text.strip() != ""


@pytest.mark.site
@pytest.mark.parametrize("page", [*PAGES, "search"])
def test_a_page_loads_nothing_from_elsewhere_and_misses_nothing(page: str) -> None:
    path = page_file(page)
    addresses = [a for a in loaded(soup(path)) if not a.startswith(("data:", "#"))]
    assert len(addresses) > 5, "the style sheets and scripts of a page should be among these"
    assert [a for a in addresses if is_elsewhere(a)] == []
    assert [a for a in addresses if not local_target(path, a).exists()] == []
    inline = "\n".join(script.text for script in soup(path).find_all("script"))
    assert re.findall(r"(?:import|fetch|src\s*=|URL\s*=)\W{0,3}https?://\S+", inline) == []


@pytest.mark.site
def test_style_sheets_load_nothing_from_elsewhere() -> None:
    sheets = list((HTML / "_static").glob("**/*.css"))
    assert any(sheet.name == "katex.min.css" for sheet in sheets)
    for sheet in sheets:
        text = sheet.read_text(encoding="utf-8")
        addresses = re.findall(r"(?:url\(|@import\s+)['\"]?([^'\")\s;]+)", text)
        assert [a for a in addresses if is_elsewhere(a)] == [], sheet.name


@pytest.mark.site
@every_page
def test_all_math_is_set(page: str) -> None:
    body = article(page)
    for formula in body.select(".math"):
        assert formula.select_one(".katex"), f"not set: {formula.text[:80]}"
    assert body.select(".katex-error") == []
    copy = BeautifulSoup(str(body), "html.parser")
    for tag in copy.select(".katex, pre, code, script, style, svg"):
        tag.decompose()
    left_over = re.findall(r"\$\$|\$[^$\n]*\\[a-z]+[^$\n]*\$|\\\(|\\\[|\\begin\{", copy.text)
    assert left_over == []


@pytest.mark.site
@every_chapter
def test_a_chapter_has_math(page: str) -> None:
    assert article(page).select(".katex-display")


@pytest.mark.site
@every_page
def test_directives_and_records_do_not_show(page: str) -> None:
    body = BeautifulSoup(str(article(page)), "html.parser")
    for code in body.select("pre"):
        code.decompose()
    text = body.text
    assert '"kind":' not in text
    assert "derivation-record" not in text
    assert ":::" not in text


def equation_numbers(page: str) -> dict[str, str]:
    """Number by element id of every numbered equation on a page."""
    numbered = article(page).select("div.math:has(> .eqno)")
    return {tag["id"]: re.search(r"\(.*?\)", tag.select_one(".eqno").text)[0] for tag in numbered}


@pytest.mark.site
def test_equation_numbers_are_unique_and_carry_the_chapter() -> None:
    numbers = {page: list(equation_numbers(page).values()) for page in PAGES}
    counts = Counter(number for page in PAGES for number in numbers[page])
    assert [number for number, count in counts.items() if count > 1] == []
    for page in CHAPTERS:
        chapter = int(re.match(r"chapters/(\d+)-", page)[1])
        expected = [f"({chapter}.{count})" for count in range(1, len(numbers[page]) + 1)]
        assert numbers[page] == expected
        assert expected, f"{page} has no numbered equation"


@pytest.mark.site
@every_page
def test_links_within_the_book_arrive_and_name_the_right_equation(page: str) -> None:
    path = page_file(page)
    for link in soup(path).select("a[href]"):
        address = link["href"]
        if is_elsewhere(address) or urlsplit(address).scheme == "mailto":
            continue
        target, anchor = local_target(path, address), unquote(urlsplit(address).fragment)
        assert target.exists(), address
        if not anchor:
            continue
        goal = soup(target).find(id=anchor)
        assert goal is not None, f"{address} points nowhere"
        if anchor.startswith("equation-") and re.fullmatch(r"\(.*\)", link.text.strip()):
            assert link.text.strip() in goal.select_one(".eqno").text, address


def is_described(image: Tag) -> bool:
    """True when a screen reader gets something to say for an image, or is told to pass it."""
    if image.name == "img":
        return image.get("alt", "").strip() != "" or image.get("role") == "presentation"
    for tag in [image, *image.parents]:
        named = tag.get("aria-label") or tag.get("aria-labelledby")
        if (tag.get("role") == "img" and named) or tag.get("aria-hidden") == "true":
            return True
    return False


@pytest.mark.site
@every_page
def test_every_picture_is_described(page: str) -> None:
    # The drawings inside formulas (roots, braces) are hidden, and MathML speaks for them.
    pictures = article(page).select("img, svg")
    assert [str(picture)[:120] for picture in pictures if not is_described(picture)] == []
    for figure in article(page).select("figure.gmm-figure"):
        described = figure.get("aria-label") or figure.select_one("[aria-label], img[alt]")
        assert described, str(figure)[:120]


@pytest.mark.site
@every_chapter
def test_the_ledger_lists_every_chapter(page: str) -> None:
    rows = article("chapters/ledger").select("table.ledger tbody tr")
    assert any(row.select(f"a[href^='{Path(page).name}.html']") for row in rows)


# What Chromium does with it

PHONE, DESK = 375, 1280


@pytest.fixture(scope="module")
def browser():
    """Chromium of this machine, driven by playwright."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip(f"NO BROWSER TESTS: none of {', '.join(names)} is installed here")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=program)
        yield chromium
        chromium.close()


class Visit:
    """One page, opened with the network off; collects what went wrong."""

    def __init__(self, browser, address: str, width: int = DESK) -> None:
        self.trouble: list[str] = []
        self.page = browser.new_page(
            offline=True,
            viewport={"width": width, "height": 800},
            color_scheme="light",
            reduced_motion="reduce",
        )
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.trouble.append(f"script error: {error}"))
        self.page.on("request", self._on_request)
        self.page.on("requestfailed", lambda r: self.trouble.append(f"failed: {r.url}"))
        self.page.goto(address, wait_until="load")
        self.page.evaluate("document.fonts.ready.then(() => true)")

    def _on_console(self, message) -> None:
        if message.type in ("error", "warning"):
            self.trouble.append(f"console: {message.text}")

    def _on_request(self, request) -> None:
        if urlsplit(request.url).scheme not in ("file", "data", "blob"):
            self.trouble.append(f"asked for {request.url}")

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *_) -> None:
        self.page.close()


# Elements that stick out on the right, outside every box that scrolls by itself.
STICKS_OUT = """() => [...document.querySelectorAll('main *')].filter(element => {
  if (element.closest('.katex-mathml, svg, dialog, .visually-hidden')) return false;
  if (element.closest('.bd-sidebar-secondary')) return false;  // a drawer, parked off the screen
  const box = element.getBoundingClientRect();
  if (box.width === 0 || box.right <= innerWidth + 1) return false;
  for (let a = element.parentElement; a && a.tagName !== 'MAIN'; a = a.parentElement)
    if (['auto', 'scroll'].includes(getComputedStyle(a).overflowX)) return false;
  return true;
}).map(element => element.outerHTML.slice(0, 100))"""

# Heights of the first formulas outside folds.
FORMULA_HEIGHTS = """() => [...document.querySelectorAll('article .katex-html')]
  .filter(formula => !formula.closest('details')).slice(0, 3)
  .map(formula => formula.getBoundingClientRect().height)"""

# Boxes that scroll sideways but cannot be reached by keyboard.
UNREACHABLE = """() => [...document.querySelectorAll('.katex-display, .scrolls')].filter(
  box => box.scrollWidth > box.clientWidth + 1 && box.tabIndex !== 0
).map(box => box.outerHTML.slice(0, 100))"""

# Contrast of every evidence badge (WCAG 2 relative luminance), by its text.
CONTRASTS = """() => {
  const luminance = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(Number)
    .map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  return [...document.querySelectorAll('.evidence')].map(badge => {
    const style = getComputedStyle(badge);
    const [low, high] = [luminance(style.color), luminance(style.backgroundColor)].sort();
    return [badge.textContent, (high + 0.05) / (low + 0.05)];
  });
}"""


@pytest.mark.site
@pytest.mark.browser
@pytest.mark.parametrize("width", [PHONE, DESK])
@every_page
def test_a_page_works_from_a_folder_with_the_network_off(browser, page, width) -> None:
    with Visit(browser, page_file(page).as_uri(), width) as visit:
        run = visit.page.evaluate
        wide = "document.scrollingElement.scrollWidth - innerWidth"
        assert run(wide) <= 0, f"scrolls sideways: {run(STICKS_OUT)[:3]}"
        assert run(STICKS_OUT) == []
        assert run(UNREACHABLE) == []
        assert [height for height in run(FORMULA_HEIGHTS) if height <= 5] == []
        if run("!!document.querySelector('article .katex')"):
            fonts = run("[...document.fonts].filter(f => f.status === 'loaded').map(f => f.family)")
            assert "KaTeX_Math" in fonts
        for scheme in ("light", "dark"):
            visit.page.emulate_media(color_scheme=scheme)
            visit.page.wait_for_function(
                "scheme => document.documentElement.dataset.theme === scheme", arg=scheme
            )
            assert [(word, ratio) for word, ratio in run(CONTRASTS) if ratio < 4.5] == []
        assert visit.trouble == []


@pytest.mark.site
@pytest.mark.browser
def test_search_finds_pages_without_a_server(browser) -> None:
    address = (HTML / "search.html").as_uri() + "?q=likelihood"
    with Visit(browser, address) as visit:
        visit.page.locator("#search-results ul.search li a").nth(1).wait_for(timeout=10_000)
        assert visit.trouble == []
