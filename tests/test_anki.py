"""The package for Anki: what is in it, read as Anki reads it."""

from __future__ import annotations

import re
import sqlite3
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
CHAPTERS = ROOT / "chapters"
sys.path.insert(0, str(ROOT / "_extensions"))

from casebook import anki  # noqa: E402
from gmmlib.show.review import chapter_files  # noqa: E402

CARD = {"id": "gamma", "front": "What is $a < b$ & <i>?", "back": "A *bet*.\n\n$$\np_{nk}\n$$"}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "04-bets.md").write_text("# 04 Bets & more\n", encoding="utf-8")
    (tmp_path / "04-bets.yml").write_text(yaml.safe_dump({"cards": [CARD]}), encoding="utf-8")
    return tmp_path


def content(package: Path, query: str) -> list[tuple]:
    """Rows from the collection in a package."""
    target = package.with_suffix(".db")
    with zipfile.ZipFile(package) as archive:
        assert archive.testzip() is None
        target.write_bytes(archive.read("collection.anki2"))
    connection = sqlite3.connect(target)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_the_package_holds_every_card_of_the_book(tmp_path):
    package = tmp_path / anki.FILE
    count = anki.write(CHAPTERS, package)
    wanted = [
        (page.stem[:2], anki.to_anki(card.front, inline=True), anki.to_anki(card.back))
        for page, questions in chapter_files(CHAPTERS).items()
        for card in questions.cards
    ]
    notes = content(package, "SELECT tags, flds, guid FROM notes ORDER BY id")
    found = [
        (tags.strip().removeprefix("mixtures::chapter-"), *fields.split("\x1f")[:2])
        for tags, fields, _ in notes
    ]
    assert found == wanted
    assert count == len(wanted) >= 80
    assert len({guid for *_, guid in notes}) == count
    assert content(package, "SELECT count(*) FROM cards") == [(count,)]


def test_math_markdown_and_html_are_as_anki_wants_them(folder):
    anki.write(folder, folder / anki.FILE)
    ((fields, tags),) = content(folder / anki.FILE, "SELECT flds, tags FROM notes")
    front, back, source = fields.split("\x1f")
    assert front == r"What is \(a &lt; b\) &amp; &lt;i&gt;?"
    assert back == "<p>A <em>bet</em>.</p>\n<p>\\[p_{nk}\\]</p>"
    assert source == "The Cake-Shop Detective, chapter 4: Bets &amp; more"
    assert tags == " mixtures::chapter-04 "


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$a_1$ and $b_1$", r"\(a_1\) and \(b_1\)"),
        ("costs \\$5", "costs $5"),
        ("`$HOME` and `a $ b`", "<code>$HOME</code> and <code>a $ b</code>"),
        ("*$\\mu$*", r"<em>\(\mu\)</em>"),
    ],
)
def test_dollars(text, expected):
    assert anki.to_anki(text, inline=True) == expected


def test_no_card_of_the_book_has_what_anki_cannot_show():
    for note in anki.notes(CHAPTERS):
        for field in (note.front, note.back):
            assert "$" not in field, note.id
            assert not re.search(r"\{(eq|doc|ref|term|cite)\b", field), note.id


def test_two_packages_of_the_same_cards_are_the_same(tmp_path):
    first, second = tmp_path / "first.apkg", tmp_path / "second.apkg"
    anki.write(CHAPTERS, first)
    anki.write(CHAPTERS, second)
    assert first.read_bytes() == second.read_bytes()


def test_a_changed_card_stays_the_same_note_of_the_same_deck(folder):
    query = "SELECT guid, mid, (SELECT did FROM cards LIMIT 1) FROM notes"
    anki.write(folder, folder / anki.FILE)
    before = content(folder / anki.FILE, query)
    changed = {"cards": [CARD | {"back": "Another back."}]}
    (folder / "04-bets.yml").write_text(yaml.safe_dump(changed), encoding="utf-8")
    anki.write(folder, folder / anki.FILE)
    assert content(folder / anki.FILE, query) == before
    assert "Another" in content(folder / anki.FILE, "SELECT flds FROM notes")[0][0]


def test_no_cards_no_package(tmp_path):
    assert anki.write(tmp_path, tmp_path / anki.FILE) == 0
    assert not (tmp_path / anki.FILE).exists()
