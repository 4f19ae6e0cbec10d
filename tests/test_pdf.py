"""The document that `make pdf` prints, joined from a few built pages."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pikepdf
import pytest
from bs4 import BeautifulSoup, Tag

from _extensions.book_pdf import document, mend_outline
from tests.pages import HTML, page_file, soup

PAGES = ["chapters/index", "chapters/12-voices", "chapters/17-the-final-case"]


@pytest.fixture(scope="module")
def joined() -> BeautifulSoup:
    return BeautifulSoup(document(HTML, PAGES), "html.parser")


def asked(joined: BeautifulSoup) -> list[Tag]:
    return joined.select("article:not(#answers) .gmm-question")


@pytest.mark.site
def test_ids_are_there_once(joined: BeautifulSoup) -> None:
    ids = Counter(item["id"] for item in joined(id=True))
    assert [name for name, count in ids.items() if count > 1] == []


@pytest.mark.site
def test_addresses_inside_the_document_lead_somewhere(joined: BeautifulSoup) -> None:
    ids = {item["id"] for item in joined(id=True)}
    places = [link["href"] for link in joined("a", href=True) if link["href"].startswith("#")]
    assert len(places) > 100
    assert {place for place in places if place[1:] not in ids} == set()
    addresses = {link["href"] for link in joined("a", href=True)} - set(places)
    assert [to for to in addresses if not to.startswith(("https://", "http://", "mailto:"))] == []
    drawn = re.findall(r"url\(#([^)]*)\)", str(joined))
    drawn += [
        item[key][1:]
        for item in joined("use")
        for key in ("href", "xlink:href")
        if item.get(key, "").startswith("#")
    ]
    assert drawn
    assert set(drawn) <= ids


@pytest.mark.site
def test_links_to_printed_places_are_kept(joined: BeautifulSoup) -> None:
    """Only a link into what paper leaves out loses its address."""
    kept = {link["href"] for link in joined("a", href=True)}
    ids = {item["id"] for item in joined(id=True)}
    article = soup(page_file("chapters/12-voices")).find("article")
    inside = {link["href"] for link in article("a", href=True) if link["href"].startswith("#")}
    wanted = {f"#12-voices--{place[1:]}" for place in inside if place != "#"}
    assert wanted
    assert {place for place in wanted if place[1:] in ids} == wanted & kept


@pytest.mark.site
def test_every_question_is_asked_once_and_answered_once_at_the_end(joined: BeautifulSoup) -> None:
    names = [
        question["data-question"] for question in asked(joined) if question.get("data-question")
    ]
    in_book = {
        question["data-question"]
        for page in PAGES
        for question in soup(page_file(page)).select("[data-question]")
        if question["data-question"].split("/")[0] in {page.split("/")[1] for page in PAGES}
    }
    assert len(names) == len(set(names))
    assert set(names) == in_book
    answers = [answer["id"] for answer in joined.select("#answers .answer")]
    assert len(answers) == len(set(answers)) == len(asked(joined))
    for question in asked(joined):
        answer = joined.find(id=question["id"].replace("question", "answer"))
        assert answer["id"] in answers
        if question.get("data-question"):
            verdicts = [option["data-verdict"] for option in answer.select("[data-verdict]")]
            assert len(verdicts) == len(question.select("label"))
            assert "right" in verdicts


@pytest.mark.site
def test_no_answer_stands_beside_its_question(joined: BeautifulSoup) -> None:
    for question in asked(joined):
        assert not question.select("details, input, [data-verdict], .gmm-right, .gmm-wrong")
        answer = joined.find(id=question["id"].replace("question", "answer"))
        for reason in answer.select("li > div"):
            assert reason.get_text().strip() not in question.get_text()


@pytest.mark.site
def test_nothing_is_folded_and_nothing_needs_a_script(joined: BeautifulSoup) -> None:
    assert joined.select("details:not([open]), script, noscript, input") == []
    assert "JavaScript" not in joined.get_text()


@pytest.mark.site
def test_the_contents_name_every_page(joined: BeautifulSoup) -> None:
    linked = [link["href"] for link in joined.select("#contents a")]
    assert linked == [*(f"#{page.split('/')[1]}" for page in PAGES), "#answers"]


def test_the_outline_gets_its_spaces_and_loses_its_doubled_lines(tmp_path: Path) -> None:
    path = tmp_path / "small.pdf"
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        with pdf.open_outline() as outline:
            chapter = pikepdf.OutlineItem("the averagecustomer", 0)
            chapter.children.append(pikepdf.OutlineItem("Where Q is flatWhere Q is flat", 0))
            outline.root += [chapter, pikepdf.OutlineItem("See it", 0)]
        pdf.save(path)
    mend_outline(path, ["the average customer", "Where Q is\nflat", "See it", "See"])
    with pikepdf.open(path) as pdf, pdf.open_outline() as outline:
        assert [item.title for item in outline.root] == ["the average customer", "See it"]
        assert [item.title for item in outline.root[0].children] == ["Where Q is flat"]
