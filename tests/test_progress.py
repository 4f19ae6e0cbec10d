"""The reader's progress as it stands in the page; ``test_questions_live.py`` fills it."""

from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from gmmlib.show.progress import progress_table

QUESTION = """
  id: {id}
  ask: One or two?
  options:
    - {{text: One, right: true, feedback: Yes.}}
    - {{text: Two, feedback: No.}}
"""


@pytest.fixture
def folder(tmp_path):
    first = "guess_first:" + QUESTION.format(id="first")
    deck = "cards:\n  - {id: gamma, front: What, back: That}\n"
    (tmp_path / "03-one.yml").write_text(first + deck, encoding="utf-8")
    (tmp_path / "03-one.md").write_text("---\na: b\n---\n\n# 03 一 One\n", encoding="utf-8")
    (tmp_path / "04-no-questions.md").write_text("# 04 None\n", encoding="utf-8")
    (tmp_path / "notation.yml").write_text("- not of a chapter\n", encoding="utf-8")
    return tmp_path


def rows(folder):
    page = BeautifulSoup(progress_table(folder).html, "html.parser")
    return page.select("tr[data-chapter]")


def test_the_table_names_each_chapter_and_what_it_asks(folder):
    (row,) = rows(folder)
    assert row["data-chapter"] == "03-one"
    assert row["data-questions"] == "03-one/first"
    assert row["data-cards"] == "03-one/gamma"
    assert row.th.text == "03 一 One"
    assert row.a["href"] == "03-one.md"
    assert [cell.text for cell in row("td")] == ["of 1", "of 1", "–"]


def test_in_the_book_the_link_takes_its_title_from_the_page(folder):
    assert "{doc}`03-one`" in progress_table(folder).markdown


def test_without_script_the_page_says_what_is_missing_and_where_it_is_kept(folder):
    page = BeautifulSoup(progress_table(folder).html, "html.parser")
    assert "JavaScript" in page.select_one(".gmm-fallback").text
    assert "your browser" in page.select_one(".gmm-fallback").text
    assert page.select("button") == []


def test_a_folder_without_questions_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no chapter"):
        progress_table(tmp_path)


def test_a_chapter_without_a_heading_is_refused(folder):
    Path(folder / "03-one.md").write_text("No heading.\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"03-one\.md has no heading"):
        progress_table(folder)
