"""The pages of review: the question bank, the deck, the text to write, and the glossary."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from bs4 import BeautifulSoup

from gmmlib.show import live
from gmmlib.show.questions import load_questions
from gmmlib.show.receipts import receipt_figure
from gmmlib.show.review import chapter_files, deck, explain, question_bank

CHAPTERS = Path(__file__).parents[1] / "chapters"
OWN = "17-the-final-case"


def question(id: str, ask: str, feedback: str = "No.") -> dict:
    options = [
        {"text": "Right", "right": True, "feedback": "Yes."},
        {"text": "Wrong", "feedback": feedback},
    ]
    return {"id": id, "ask": ask, "options": options}


FIRST = {
    "guess_first": question("guess", "Guess the mean?"),
    "in_text": [question("within", "Jérôme's variance?")],
    "questions": [question("mean", "What is the *mean*?"), question("jensen", "Why?", "Jensen.")],
    "cards": [{"id": f"card-{i}", "front": f"Front {i}?", "back": f"Back {i}."} for i in range(3)],
}
SECOND = {
    "guess_first": question("guess", "Guess here?"),
    "questions": [question("mean", "And the mean there?")],
    "cards": [{"id": "card-0", "front": "Front of two?", "back": "Jensen's back."}],
    "explain": {
        "id": "text",
        "ask": "Explain it.",
        "ideas": [{"idea": "One.", "look_for": "This."}, {"idea": "Two.", "look_for": "That."}],
        "mistakes": ["It is *not* so."],
        "model": "So.\n\nAnd so.",
    },
}


def write(folder: Path, stem: str, content: dict) -> None:
    (folder / f"{stem}.md").write_text(f"# {stem[:2]} {stem[3:].title()}\n", encoding="utf-8")
    text = yaml.safe_dump(content, allow_unicode=True)
    (folder / f"{stem}.yml").write_text(text, encoding="utf-8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    write(tmp_path, "01-one", FIRST)
    write(tmp_path, "02-two", SECOND)
    (tmp_path / "03-silent.md").write_text("# 03 Silent\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def in_page(shown) -> BeautifulSoup:
    page = BeautifulSoup(shown.html, "html.parser")
    for tag in page(["style", "script"]):
        tag.decompose()
    return page


def ids(page: BeautifulSoup, kind: str) -> list[str]:
    return [tag[f"data-{kind}"] for tag in page.select(f"[data-{kind}]")]


# What stands in the page


def test_the_bank_has_every_question_under_the_ids_of_its_chapter(folder):
    page = in_page(question_bank())
    expected = ["guess", "within", "mean", "jensen"]
    assert ids(page, "question") == [f"01-one/{id}" for id in expected] + [
        "02-two/guess",
        "02-two/mean",
    ]
    names = [[i["name"] for i in q.select("input")] for q in page.select("[data-question]")]
    assert len({group[0] for group in names}) == len(names), "radio buttons would clash"
    assert all(len(set(group)) == 1 for group in names)


def test_without_script_all_is_under_its_chapter_folded_and_linked(folder):
    for shown, count in ((question_bank(), "4 questions"), (deck(), "3 cards")):
        page = in_page(shown)
        groups = page.select("[data-chapter]")
        assert [group.h4.a["href"] for group in groups] == ["01-one.md", "02-two.md"]
        assert groups[0].select_one("details > summary").text == count
        assert page.select("details[open]") == []
        assert page.select("button, input[type=search], select") == []


def test_in_the_book_the_links_take_their_titles_from_the_pages(folder):
    assert "{doc}`01-one`" in question_bank().markdown
    assert "{doc}`02-two`" in deck().markdown


def test_a_chapters_own_bank_leaves_out_what_stands_at_its_top(folder):
    page = in_page(question_bank(own="02-two"))
    assert "02-two/guess" not in ids(page, "question")
    assert "02-two/mean" in ids(page, "question")
    assert page.select_one("[data-casebook=finish]")["data-chapter"] == "02-two"


def test_a_folder_without_questions_is_refused(tmp_path):
    with pytest.raises(ValueError, match="has a question"):
        question_bank(tmp_path)
    with pytest.raises(ValueError, match="has a card"):
        deck(tmp_path)


def test_the_text_to_write_shows_ideas_mistakes_and_a_model_that_is_closed(folder):
    page = in_page(explain("02-two"))
    labels = [label.text for label in page.select("fieldset label")]
    assert labels == ["One. This.", "Two. That."]
    mistakes, model = page.select("details")
    assert mistakes.li.text == "It is not so."
    assert len(model.select("p")) == 2
    assert page.select("details[open], textarea") == []
    with pytest.raises(ValueError, match=r"01-one\.yml has no explain"):
        explain("01-one")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"ideas": []}, "ideas must be a list, and not an empty one"),
        ({"ideas": [{"idea": "One"}]}, r"ideas\[0\]: look_for is missing"),
        ({"mistakes": "none"}, "mistakes must be a list"),
        ({"mistakes": ["a\nb"]}, r"mistakes\[0\] must be one line"),
        ({"model": "costs $5"}, r"model has a \$ without its partner"),
        ({"id": "mean"}, "'mean' occurs more than once"),
    ],
)
def test_a_text_to_write_is_checked(folder, change, complaint):
    write(folder, "02-two", SECOND | {"explain": SECOND["explain"] | change})
    with pytest.raises(ValueError, match=rf"02-two\.yml.*{complaint}"):
        load_questions("02-two.yml")


# The book's own


def test_the_book_has_the_promised_numbers():
    files = chapter_files(CHAPTERS).values()
    assert sum(len(content.every_question) for content in files) >= 60
    assert sum(len(content.cards) for content in files) >= 80
    own = load_questions(CHAPTERS / f"{OWN}.yml")
    assert len(own.questions) >= 8
    assert len(own.explain.ideas) == 5


def sentences(text: str) -> int:
    return len(re.findall(r"[.?!](?=\s|$)", text))


def test_the_model_answer_has_five_sentences():
    assert sentences(load_questions(CHAPTERS / f"{OWN}.yml").explain.model) == 5


# The glossary

ENTRY = re.compile(r"^(\S.*)\n((?:  .+\n)+)", flags=re.M)


def glossary() -> dict[str, str]:
    text = (CHAPTERS / "glossary.md").read_text(encoding="utf-8")
    return dict(ENTRY.findall(text.partition("```{glossary}\n")[2]))


def test_the_glossary_is_long_enough_and_in_order():
    terms = list(glossary())
    assert len(terms) >= 45
    assert terms == sorted(terms, key=str.lower)


def test_every_term_stands_in_the_chapter_that_its_entry_names():
    for term, entry in glossary().items():
        name = re.findall(r"\{doc\}`[Cc]hapter (\d+) <([\w-]+)>`", entry)
        assert len(name) == 1, term
        number, stem = name[0]
        assert stem.startswith(f"{int(number):02}-"), term
        chapter = " ".join((CHAPTERS / f"{stem}.md").read_text(encoding="utf-8").split())
        assert term.lower() in chapter.lower(), f"{term} is not in {stem}"


def test_every_scikit_learn_name_of_the_glossary_exists():
    import importlib

    from sklearn.mixture import BayesianGaussianMixture, GaussianMixture

    fitted = GaussianMixture().fit([[0.0], [1.0], [2.0]])
    bayes = BayesianGaussianMixture().fit([[0.0], [1.0], [2.0]])
    for term, entry in glossary().items():
        for name, of_bayes in re.findall(
            r"scikit-learn:\s+`([\w.]+)`(\s+of\s+a\s+`Bayes\w+`)?", entry
        ):
            module, _, attribute = name.rpartition(".")
            if name in ("GaussianMixture", "BayesianGaussianMixture"):
                continue
            if of_bayes:
                assert hasattr(bayes, name), term
            elif module:
                assert hasattr(importlib.import_module(f"sklearn.{module}"), attribute), term
            else:
                assert hasattr(fitted, name), term


# The figure of the final case


def test_the_shares_of_a_round_add_up():
    items = {"weights": [1.0, 0.0], "means": [3.0, 2.0]}
    figure = receipt_figure(items, name="shares", alt="Bars of two rounds, as a test draws them.")
    heights = [bar.get_height() for bar in figure.drawing.axes[0].patches]
    assert heights == pytest.approx([25, 0, 75, 100])


@pytest.mark.parametrize("items", [{"a": [1.0, -0.1]}, {"a": [1.0, 0.0]}, {"a": [np.nan]}])
def test_a_round_without_shares_is_refused(items):
    with pytest.raises(ValueError, match=r"negative|gains nothing"):
        receipt_figure(items, name="shares", alt="Bars of two rounds, as a test draws them.")


# In a browser


@pytest.fixture
def page(browser, folder):
    """Bank, deck and text on one page, as JupyterLab gets them; nothing may go wrong on it."""
    parts = [question_bank(), deck(), explain("02-two")]
    body = "".join(str(in_page(shown)) for shown in parts)
    file = folder / "page.html"
    file.write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Review</title><style>'
        f"{live.style()}</style><main><h1>Review</h1><h2>All</h2><h3>Parts</h3>{body}</main>"
        f"<script>{live.script()}</script></html>",
        encoding="utf-8",
    )
    context = browser.new_context(offline=True, viewport={"width": 375, "height": 800})
    trouble = []
    tab = context.new_page()
    tab.set_default_timeout(20_000)
    tab.on("pageerror", lambda error: trouble.append(str(error)))
    tab.on("console", lambda m: m.type == "error" and trouble.append(m.text))
    tab.goto(file.as_uri())
    yield tab
    assert tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    context.close()
    assert trouble == []


def part(page, kind: str):
    return page.locator(f"[data-casebook=review][data-kind={kind}]")


def found(review) -> list[str]:
    shown = review.locator(".gmm-review-found [data-casebook]")
    return shown.evaluate_all("all => all.map(e => e.dataset.question ?? e.dataset.card)")


def said(review, text: str) -> None:
    review.locator(":scope > [role=status]").get_by_text(text).wait_for()


def press(review, name: str) -> None:
    review.get_by_role("button", name=name, exact=True).click()


def test_words_find_questions_and_cards(page):
    bank = part(page, "question")
    bank.get_by_role("searchbox").fill("MEAN the")
    assert found(bank) == ["01-one/guess", "01-one/mean", "02-two/mean"]
    said(bank, "3 questions found. 0 of 6 answered right.")
    bank.get_by_role("searchbox").fill("jerome's")
    assert found(bank) == ["01-one/within"]
    bank.get_by_role("searchbox").fill("no such word")
    assert found(bank) == []
    said(bank, "0 questions found.")
    assert bank.get_by_text("Nothing found.").is_visible()
    cards = part(page, "card")
    cards.get_by_role("searchbox").fill("jensen")
    assert found(cards) == ["02-two/card-0"]
    assert cards.locator(".gmm-review-found a").get_attribute("href") == "02-two.md"


def test_a_chapter_can_be_chosen_and_all_comes_back(page):
    bank = part(page, "question")
    bank.get_by_label("Chapter", exact=True).select_option(label="02 Two")
    assert found(bank) == ["02-two/guess", "02-two/mean"]
    assert not bank.locator("[data-chapter='01-one']").is_visible()
    press(bank, "Start again")
    assert found(bank) == []
    order = bank.locator("[data-chapter] [data-question]")
    names = order.evaluate_all("all => all.map(e => e.dataset.question)")
    assert names == ids(in_page(question_bank()), "question")
    said(bank, "6 questions. 0 of 6 answered right.")


def test_ten_at_random_prefers_what_is_not_right_yet(page):
    answers = {f"01-one/{id}": True for id in ("guess", "within")}
    page.evaluate(
        "answers => Object.entries(answers).forEach(([id, v]) => casebook.progress.answer(id, v))",
        answers,
    )
    bank = part(page, "question")
    said(bank, "2 of 6 answered right.")
    press(bank, "Ten at random")
    drawn = found(bank)
    assert len(drawn) == len(set(drawn)) == 6
    assert set(drawn[-2:]) == set(answers)
    bank.get_by_label("Show", exact=True).select_option(label="Not yet right")
    assert len(found(bank)) == 4
    assert not set(answers) & set(found(bank))


def test_an_answer_here_is_an_answer_in_the_chapter(page):
    bank = part(page, "question")
    bank.get_by_role("searchbox").fill("there")
    bank.locator(".gmm-review-found input").first.check()
    press(bank.locator(".gmm-review-found"), "Check")
    said(bank, "1 of 6 answered right.")
    assert page.evaluate("casebook.progress.read().answers['02-two/mean']") is True


def test_the_deck_is_shuffled_and_turned_by_keyboard_alone(page):
    cards = part(page, "card")
    cards.get_by_role("searchbox").focus()
    for _ in range(3):  # chapter, state, the first button
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    said(cards, "4 cards, shuffled.")
    ones = [f"01-one/card-{i}" for i in range(3)]
    assert sorted(found(cards)) == [*ones, "02-two/card-0"]
    backs = cards.locator(".gmm-review-found details[open]")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert backs.count() == 4
    page.keyboard.press("Space")
    assert backs.count() == 0
    cards.locator(".gmm-review-found summary").first.focus()
    page.keyboard.press("Enter")
    assert backs.count() == 1


def test_the_text_is_counted_and_kept_and_forgotten(page):
    text = page.get_by_label("Your text")
    text.fill("One half is 0.5. Is it? Yes")
    page.get_by_text("3 sentences.").wait_for()
    page.get_by_label("Two. That.").check()
    page.reload()
    assert text.input_value() == "One half is 0.5. Is it? Yes"
    assert page.get_by_label("Two. That.").is_checked()
    assert not page.get_by_label("One. This.").is_checked()
    page.evaluate("casebook.progress.reset()")
    assert text.input_value() == ""
    assert not page.get_by_label("Two. That.").is_checked()
