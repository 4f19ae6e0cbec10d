"""Questions and cards: what is refused, what is shown, and every file that the book has."""

import re
from pathlib import Path

import pytest
import yaml
from markdown_it import MarkdownIt

from gmmlib.show import cards, guess_first, quiz
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
        ({"questions": [question(hint="h")]}, r"questions\[0\]: unknown key 'hint'"),
        ({"questions": [question(options=[RIGHT, option(wrong=True)])]}, "unknown key 'wrong'"),
        ({"cards": [card(side="b")]}, r"cards\[0\]: unknown key 'side'"),
        ({"cards": [{"id": "a", "front": "b"}]}, "back is missing"),
        ({"questions": [{"id": "a", "ask": "b"}]}, "options is missing"),
        ({"questions": [question(options=[RIGHT, {"text": "Two"}])]}, "feedback is missing"),
        ({"questions": [question(options=[RIGHT, option(feedback=" ")])]}, "feedback is empty"),
        ({"questions": [question(options=[RIGHT])]}, "at least two"),
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


def directives(markdown):
    """Every directive in the text, however deep: (name, argument, body)."""
    for token in MarkdownIt().parse(markdown):
        if token.type == "fence" and token.info.startswith("{"):
            name, _, argument = token.info.partition("} ")
            yield name[1:], argument, token.content
            yield from directives(token.content)


NASTY = "A `code`, $\\{a_{nk}\\}$ and ~~~ here"


def test_every_option_is_its_own_disclosure_and_hides_its_feedback(write):
    options = [RIGHT | {"text": NASTY}, option(feedback="~~~python\nlog(0)\n~~~\n\n`{div}` stays")]
    write({"questions": [question(options=options), question(id="second")]})
    found = list(directives(quiz("04-demo").markdown))
    assert [name for name, *_ in found].count("div") == 3  # the quiz and its two questions
    dropdowns = [(argument, body) for name, argument, body in found if name == "dropdown"]
    assert [argument for argument, _ in dropdowns][:2] == [NASTY, "Two"]
    assert "Right" in dropdowns[0][1]
    assert "log(0)" in dropdowns[1][1]
    assert "`{div}` stays" in dropdowns[1][1]
    closed = re.sub(r"(~{3,})\{dropdown\} .*?\n\1\n", "", quiz("04-demo").markdown, flags=re.S)
    assert "Right" not in closed
    assert "What is $\\sum_k \\gamma_{nk}$?" in closed


def test_the_html_twin_hides_feedback_too_and_keeps_math_and_code(write):
    write({"guess_first": question(options=[RIGHT | {"text": NASTY}, option(text="1 < 2")])})
    page = guess_first("04-demo").html
    summaries = re.findall(r"<summary>(.*?)</summary>", page)
    assert summaries == ["A <code>code</code>, $\\{a_{nk}\\}$ and ~~~ here", "1 &lt; 2"]
    assert "Right" in page
    assert "Right" not in re.sub(r"</summary>.*?</details>", "", page, flags=re.S)
    assert page.count("<details") == page.count("</details>") == 2
    assert "<details open" not in page


def test_what_is_shown_has_a_form_for_the_book_and_one_for_jupyterlab(write):
    write({"cards": [card()]})
    bundle = cards("04-demo")._repr_mimebundle_()
    assert set(bundle) == {"text/markdown", "text/html"}
    name, argument, body = list(directives(bundle["text/markdown"]))[1]
    assert (name, argument) == ("dropdown", "What is $\\gamma_{nk}$?")
    assert "A bet." in body
    assert "A bet." in bundle["text/html"]
