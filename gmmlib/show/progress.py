"""The reader's progress: what the browser remembers, chapter by chapter, in the index."""

from __future__ import annotations

import re
from pathlib import Path

from gmmlib.show.beside import chapter_pages
from gmmlib.show.markup import Element, Shown, Words, part, show
from gmmlib.show.questions import QuestionFile, load_questions

FALLBACK = (
    "The boxes fill as you answer. That needs JavaScript, and what you did is kept in your browser "
    "only."
)
HEADS = ("Chapter", "Questions right", "Cards known", "Finished")


def progress_table(folder: str | Path = ".") -> Shown:
    """A table of the chapters with their questions and cards; a script fills in what was done.

    Parameters
    ----------
    folder : holds the chapters ``NN-name.md``; those with a ``NN-name.yml`` beside are listed

    Raises
    ------
    ValueError
        If there is no such chapter, one has no heading, or a YAML is not valid.
    """
    pages = chapter_pages(folder)
    files = {page: page.with_suffix(".yml") for page in pages}
    chapters = [(page, load_questions(file)) for page, file in files.items() if file.exists()]
    if not chapters:
        raise ValueError(f"no chapter NN-name.md with a NN-name.yml beside it in {folder}")
    # The book's link takes the title from the page by itself, and arrives in any builder.
    in_book = [_row(page.stem, content, _book_link(page)) for page, content in chapters]
    in_notebook = [_row(page.stem, content, _file_link(page)) for page, content in chapters]
    return show(_table(in_book), _table(in_notebook))


def title(page: Path) -> str:
    """The first heading of a chapter."""
    found = re.search(r"^# +(.+?)\s*$", page.read_text(encoding="utf-8"), flags=re.M)
    if found is None:
        raise ValueError(f"{page.name} has no heading")
    return found[1]


def _book_link(page: Path) -> Words:
    return Words(f"{{doc}}`{page.stem}`")


def _file_link(page: Path) -> Element:
    return part("a", title(page), attributes={"href": page.name})


def _row(stem: str, content: QuestionFile, link: Element | Words) -> Element:
    first = () if content.guess_first is None else (content.guess_first,)
    questions = [f"{stem}/{q.id}" for q in (*first, *content.in_text, *content.questions)]
    cards = [f"{stem}/{card.id}" for card in content.cards]
    attributes = {
        "data-chapter": stem,
        "data-questions": " ".join(questions),
        "data-cards": " ".join(cards),
    }
    cells = (part("td", text) for text in (f"of {len(questions)}", f"of {len(cards)}", "–"))
    return part("tr", part("th", link, attributes={"scope": "row"}), *cells, attributes=attributes)


def _table(rows: list[Element]) -> Element:
    heads = (part("th", head, attributes={"scope": "col"}) for head in HEADS)
    return part(
        "div",
        part("table", part("thead", part("tr", *heads)), part("tbody", *rows)),
        part("p", FALLBACK, attributes={"class": "gmm-fallback"}),
        attributes={"class": "gmm-progress", "data-casebook": "progress"},
    )
