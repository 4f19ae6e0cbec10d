"""Questions and cards: what is refused, what is shown, and every file that the book has.

``test_questions_live.py`` opens them in a browser, in a book and as JupyterLab gets them.
"""

import json
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup

from gmmlib.show import ask, cards, guess_first, quiz
from gmmlib.show.markup import to_html
from gmmlib.show.questions import load_questions

CHAPTERS = Path(__file__).parents[1] / "chapters"
FILES = sorted(CHAPTERS.glob("[0-9][0-9]-*.yml"))


def question(**changes):
    entry = {
        "id": "sum-of-what",
        "ask": "What is $\\sum_k \\gamma_{nk}$?",
        "options": [
            {"text": "One, always", "right": True, "feedback": "Bayes' rule divides by the sum."},
            {"text": "The weight $\\pi_k$", "feedback": "That is the mean over rows."},
        ],
    }
    return entry | changes


def card(**changes):
    return {"id": "gamma", "front": "What is $\\gamma_{nk}$?", "back": "A bet."} | changes


def option(**changes):
    return {"text": "Two", "feedback": "No."} | changes


RIGHT = option(text="One", right=True)


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a file of questions into the current folder, as beside a notebook."""
    monkeypatch.chdir(tmp_path)

    def write(content):
        text = content if isinstance(content, str) else yaml.safe_dump(content)
        Path("04-demo.yml").write_text(text, encoding="utf-8")
        return "04-demo.yml"

    return write


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_chapters_questions_are_valid(path):
    content = load_questions(path)
    assert content.guess_first or content.questions or content.cards
    assert path.with_suffix(".md").exists(), "no chapter of that name"


def test_a_valid_file_loads_as_written(write):
    path = write(
        {"guess_first": question(id="first"), "questions": [question()], "cards": [card()]}
    )
    content = load_questions(path)
    assert content.guess_first.ask == "What is $\\sum_k \\gamma_{nk}$?"
    assert [o.right for o in content.questions[0].options] == [True, False]
    assert content.questions[0].kind == "single"
    assert content.cards[0].back == "A bet."


def test_several_right_options_where_the_question_says_so(write):
    both = question(kind="several", options=[RIGHT, option(right=True)])
    assert (
        sum(o.right for o in load_questions(write({"questions": [both]})).questions[0].options) == 2
    )


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({"question": []}, "unknown key 'question'; known are guess_first"),
        (
            {"questions": [question(hint="h")]},
            r"questions\[0\] \(sum-of-what\): unknown key 'hint'",
        ),
        ({"questions": [question(options=[RIGHT, option(wrong=True)])]}, "unknown key 'wrong'"),
        ({"cards": [card(side="b")]}, r"cards\[0\] \(gamma\): unknown key 'side'"),
        ({"cards": [{"id": "a", "front": "b"}]}, "back is missing"),
        ({"questions": [{"id": "a", "ask": "b"}]}, "options is missing"),
        ({"questions": [question(options=[RIGHT, {"text": "Two"}])]}, "feedback is missing"),
        ({"questions": [question(options=[RIGHT, option(feedback=" ")])]}, "feedback is empty"),
        ({"questions": [question(options=[RIGHT])]}, "at least two"),
        ({"questions": [question(options=[RIGHT] + [option()] * 9)]}, "at most nine"),
        ({"questions": [question(ask="$$a$$")]}, "begin with words"),
        (
            {"questions": [question(options=[option(), option()])]},
            "exactly one right option.* has 0",
        ),
        ({"questions": [question(options=[RIGHT, RIGHT])]}, "exactly one right option.* has 2"),
        (
            {"questions": [question(kind="several", options=[option(), option()])]},
            "at least one right option.* has 0",
        ),
        ({"questions": [question(kind="many")]}, "kind is 'many'"),
        ({"questions": [question(options=[RIGHT, option(right="no")])]}, "right is 'no'"),
        ({"questions": [question(options=[RIGHT, option(text=True)])]}, "text is True, not a text"),
        ({"questions": [question(options=[RIGHT, option(text="a\nb")])]}, "text must be one line"),
        ({"cards": [card(front="a\nb")]}, "front must be one line"),
        ({"questions": [question(), question()]}, "'sum-of-what' occurs more than once"),
        ({"questions": [question()], "cards": [card(id="sum-of-what")]}, "more than once"),
        ({"guess_first": question(), "questions": [question()]}, "more than once"),
        ({"cards": [card(id="Two words")]}, "lower-case letters"),
        ({"cards": [card(back="costs $5")]}, r"a \$ without its partner"),
        ({"in_text": [question(ask="$a")]}, r"in_text\[0\] \(sum-of-what\): ask has a \$"),
        ({"cards": [card(back="$a$ and $b")]}, r"a \$ without its partner"),
        ({"cards": [card(back="$$a$")]}, r"a \$ without its partner"),
        ({"cards": [card(back="so $$a$$ holds")]}, "line of its own"),
        ({"cards": [card(back="$\\frac{1}{2$")]}, "braces that do not match"),
        ({"cards": [card(back="$}a{$")]}, "braces that do not match"),
        ({"questions": {"id": "a"}}, "questions must be a list"),
        ("- a\n- b\n", "must be a mapping"),
        ("cards: [", "not valid YAML"),
        ("cards:\n- {id: a, front: b, back: c, back: d}\n", "'back' is given twice"),
    ],
)
def test_refused_with_the_place_and_the_reason(write, content, complaint):
    with pytest.raises(ValueError, match=rf"04-demo\.yml.*{complaint}"):
        load_questions(write(content))


@pytest.mark.parametrize(
    "text", ["costs \\$5", "`$HOME` and `a $ b`", "$\\{a\\}$", "so\n\n$$a_{n}$$\n\nholds", "$a$$b$"]
)
def test_dollars_that_are_fine(write, text):
    assert load_questions(write({"cards": [card(back=text)]})).cards[0].back == text


@pytest.mark.parametrize(
    ("show", "what"), [(guess_first, "guess_first"), (quiz, "questions"), (cards, "cards")]
)
def test_asking_for_what_a_chapter_does_not_have(write, show, what):
    write({})
    with pytest.raises(ValueError, match=rf"04-demo\.yml has no {what}"):
        show("04-demo")


def in_page(shown):
    """What JupyterLab gets, without style and script."""
    page = BeautifulSoup(shown.html, "html.parser")
    for tag in page(["style", "script"]):
        tag.decompose()
    return page


def words(tag):
    return " ".join(tag.get_text().split())


NASTY = "A `code`, $\\{a_{nk}\\}$, 1 < 2 and ~~~ here 🎂 蛋糕"


def test_a_question_is_a_fieldset_that_says_no_answer_before_it_is_opened(write):
    options = [option(text=NASTY), RIGHT | {"feedback": "~~~python\nlog(0)\n~~~\n\n行 is a row."}]
    write({"questions": [question(options=options), question(id="second", ask="So?\n\nWell?")]})
    page = in_page(quiz("04-demo"))
    first, second = page.select("[data-question]")
    assert first["data-question"] == "04-demo/sum-of-what"
    assert words(first.legend) == "1. What is $\\sum_k \\gamma_{nk}$?"
    assert words(second.legend) == "2. So?"
    assert "Well?" in words(second.fieldset)
    assert [words(label) for label in first.select("label")] == [
        "A. A code, $\\{a_{nk}\\}$, 1 < 2 and ~~~ here 🎂 蛋糕",
        "B. One",
    ]
    assert [control["type"] for control in page.select("label > input")] == ["radio"] * 4
    reasons = first.select("details > ul > li")
    assert words(reasons[0]).startswith("✗ Not this one: A. A code,")
    assert words(reasons[1].p) == "✓ Right: B. One"
    assert words(reasons[1].div) == "log(0) 行 is a row."
    assert not first.details.has_attr("open")
    for details in page("details"):
        details.decompose()
    assert "Right" not in page.get_text()
    assert "a row" not in page.get_text()
    assert page.select("button") == [], "a button needs the script, so the script makes it"


def test_a_question_with_several_right_options_has_checkboxes_and_says_so(write):
    both = question(kind="several", options=[RIGHT, option(right=True)])
    write({"in_text": [both]})
    page = in_page(ask("04-demo", "sum-of-what"))
    assert [control["type"] for control in page.select("label > input")] == ["checkbox"] * 2
    assert "every one" in words(page.fieldset)


def test_two_questions_of_a_page_do_not_share_their_radio_buttons(write):
    write({"guess_first": question(id="first"), "questions": [question(), question(id="second")]})
    controls = [c for s in (guess_first, quiz) for c in in_page(s("04-demo")).select("input")]
    assert len({control["name"] for control in controls}) == 3


def test_a_card_turns_without_script(write):
    write({"cards": [card(back="A bet.\n\n$$\na\n$$")]})
    (details,) = in_page(cards("04-demo")).select("details[data-card='04-demo/gamma']")
    assert words(details.summary) == "What is $\\gamma_{nk}$?"
    assert words(details.div) == "A bet. $$ a $$"
    assert not details.has_attr("open")


def test_what_is_shown_has_a_form_for_the_book_the_same_at_every_build(write):
    write({"questions": [question(options=[RIGHT, option(text=NASTY)])]})
    bundle = quiz("04-demo")._repr_mimebundle_()
    assert set(bundle) == {"text/markdown", "text/html"}
    head, tree, end = bundle["text/markdown"].split("\n")
    assert (head, end) == ("~~~{markup}", "~~~")
    assert "sum-of-what" in json.dumps(json.loads(tree))
    assert bundle == quiz("04-demo")._repr_mimebundle_()


def test_a_dollar_in_a_notebook_is_no_math_where_it_is_code_or_escaped():
    assert to_html("`$a` *and* `$b`", inline=True) == (
        "<code>$a</code> <em>and</em> <code>$b</code>"
    )
    assert to_html(r"\$5, $a_1 * b_1 * c$, \$6", inline=True) == r"\$5, $a_1 * b_1 * c$, \$6"
