"""Review: every chapter's questions and cards in one place, and a text to write.

Each question and card is written once, in its chapter's YAML (``gmmlib/show/questions.py``), and
keeps its id here: what was answered in a chapter counts on the page of review, and the other way.
Without script they stand under the chapters, folded; with script (``browser/review.js``) they can
be searched, filtered and drawn at random.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gmmlib.show.beside import chapter_pages
from gmmlib.show.markup import Element, Shown, Words, part, show
from gmmlib.show.progress import title
from gmmlib.show.questions import (
    QuestionFile,
    Task,
    card_part,
    load_questions,
    question_part,
)

TICK = "Does your text say this? Tick what it does."
MISTAKES = "What is often said wrongly"
MODEL = "A model answer"
WITHOUT_SCRIPT = "Write on paper, then compare."


def question_bank(folder: str | Path = ".", own: str = "") -> Shown:
    """Every question of every chapter, with the feedback of every option.

    Parameters
    ----------
    folder : holds the chapters ``NN-name.md``, each with a ``NN-name.yml`` beside
    own : stem of the chapter that shows the bank as its quiz. Its ``guess_first``, which stands at
        its top, is not asked again

    Raises
    ------
    ValueError
        If no chapter asks anything, a chapter has no heading, or a YAML is not valid.
    """

    def parts(stem: str, content: QuestionFile) -> list[Element]:
        asked = content.questions if stem == own else content.every_question
        return [question_part(stem, question) for question in asked]

    return _by_chapter("question", folder, parts)


def deck(folder: str | Path = ".") -> Shown:
    """Every flash card of every chapter.

    Parameters
    ----------
    folder : holds the chapters ``NN-name.md``, each with a ``NN-name.yml`` beside

    Raises
    ------
    ValueError
        If no chapter has a card, a chapter has no heading, or a YAML is not valid.
    """

    def parts(stem: str, content: QuestionFile) -> list[Element]:
        return [card_part(stem, card) for card in content.cards]

    return _by_chapter("card", folder, parts)


def chapter_files(folder: str | Path = ".") -> dict[Path, QuestionFile]:
    """What each chapter asks, by its page, in the order of the chapters."""
    pages = chapter_pages(folder)
    files = {page: page.with_suffix(".yml") for page in pages}
    return {page: load_questions(file) for page, file in files.items() if file.exists()}


def _by_chapter(
    kind: str,
    folder: str | Path,
    parts: Callable[[str, QuestionFile], list[Element]],
) -> Shown:
    made = {page: parts(page.stem, content) for page, content in chapter_files(folder).items()}
    made = {page: items for page, items in made.items() if items}
    if not made:
        raise ValueError(f"no chapter NN-name.md in {folder} has a {kind}")

    def everything(link: Callable[[Path], Element | Words]) -> Element:
        chapters = [_chapter(page, link(page), kind, items) for page, items in made.items()]
        attributes = {"class": "gmm-review", "data-casebook": "review", "data-kind": kind}
        return part("div", *chapters, attributes=attributes)

    # The book's link takes the title from the page by itself, and arrives in any builder.
    return show(
        everything(lambda page: Words(f"{{doc}}`{page.stem}`")),
        everything(lambda page: part("a", title(page), attributes={"href": page.name})),
    )


def _chapter(page: Path, link: Element | Words, kind: str, items: list[Element]) -> Element:
    count = f"{len(items)} {kind}{'s' * (len(items) != 1)}"
    return part(
        "div",
        part("h4", link),
        part("details", part("summary", count), *items),
        attributes={"data-chapter": page.stem},
    )


def finish(stem: str) -> Shown:
    """The button for who has finished a chapter whose quiz is the bank; without script, nothing."""
    return show(part("div", attributes={"data-casebook": "finish", "data-chapter": stem}))


def explain(stem: str) -> Shown:
    """The text to write of a chapter, from ``<stem>.yml`` in the current folder.

    The reader judges it alone: by the ideas to tick, the usual mistakes and a model.

    Raises
    ------
    ValueError
        If the file has no ``explain``, or is not valid (see ``load_questions``).
    """
    task = load_questions(f"{stem}.yml").explain
    if task is None:
        raise ValueError(f"{stem}.yml has no explain")
    return show(_task_part(stem, task))


def _task_part(stem: str, task: Task) -> Element:
    name = f"{stem}/{task.id}"
    ideas = []
    for number, idea in enumerate(task.ideas, 1):
        control = {"type": "checkbox", "name": f"{name}/{number}", "autocomplete": "off"}
        words = part("span", f"**{idea.idea}** {idea.look_for}")
        ideas.append(part("li", part("label", part("input", attributes=control), words)))
    return part(
        "div",
        part("p", task.ask),
        part("p", WITHOUT_SCRIPT, attributes={"class": "gmm-fallback"}),
        part("fieldset", part("legend", TICK), part("ul", *ideas)),
        part(
            "details",
            part("summary", MISTAKES),
            part("ul", *(part("li", mistake) for mistake in task.mistakes)),
        ),
        part("details", part("summary", MODEL), part("div", Words(task.model, inline=False))),
        attributes={
            "class": "gmm-question gmm-explain",
            "data-casebook": "explain",
            "data-text": name,
        },
        origin=f"{stem}.yml, explain {task.id!r}",
    )
