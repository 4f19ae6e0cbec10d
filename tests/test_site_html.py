"""The HTML of the built pages (`make book` builds them).

Pages come from ``_toc.yml``, so that a new chapter is covered without a change here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup, Tag
from fontTools.ttLib import TTFont

from tests.pages import CHAPTERS, HTML, PAGES, article, every_chapter, every_page, page_file, soup


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


@pytest.mark.site
def test_the_pages_are_those_of_the_table_of_contents() -> None:
    found = {path.relative_to(HTML).as_posix() for path in (HTML / "chapters").glob("**/*.html")}
    assert found == {f"{page}.html" for page in PAGES}


POLICY = "Content-Security-Policy"


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
@pytest.mark.parametrize("page", [*PAGES, "search"])
def test_a_page_forbids_itself_other_hosts(page: str) -> None:
    head = [item for item in soup(page_file(page)).head.children if item.name]
    (policy,) = [i for i, item in enumerate(head) if item.get("http-equiv") == POLICY]
    assert not any(item.name in ("script", "link", "style") for item in head[:policy])
    rules = dict(rule.strip().split(" ", 1) for rule in head[policy]["content"].split(";"))
    assert rules["default-src"] == "'self' file: data: blob: 'unsafe-inline'"
    assert set(rules) == {"default-src", "object-src", "base-uri", "form-action"}
    assert "http" not in head[policy]["content"]


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


@pytest.mark.site
@pytest.mark.parametrize("page", [*PAGES, "search"])
def test_every_icon_has_its_drawing(page: str) -> None:
    font = TTFont(HTML / "_static" / "vendor" / "fontawesome" / "webfonts" / "fa-solid-900.woff")
    sheet = (HTML / "_static" / "casebook-page.css").read_text(encoding="utf-8")
    icons = soup(page_file(page)).select(".fa-solid, .fas")
    assert icons
    for icon in icons:
        names = "|".join(map(re.escape, icon["class"]))
        found = re.findall(rf'\.(?:{names}):before[^{{}}]*\{{content:"\\([0-9a-f]+)"', sheet)
        assert found, f"{icon} has no rule"
        assert all(int(code, 16) in font.getBestCmap() for code in found), icon
