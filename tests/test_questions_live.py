"""Questions, cards and progress in a browser: in a scratch book, and as JupyterLab gets them.

The scratch book has the real configuration and extension, and asks what ``DEMO`` holds. The tests
that build it again stand last, because the others read what the first build made.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup

from gmmlib.show import ask, cards, guess_first, quiz
from gmmlib.show.progress import progress_table
from tests.pages import PACKED
from tests.test_build import HEAD, ROOT, Book

pytestmark = pytest.mark.build

SINGLE = {
    "id": "sum",
    "ask": "🎂 哪个对？ What is $\\sum_k \\gamma_{nk}$?",
    "options": [
        {"text": "The weight $\\pi_k$", "feedback": "That is the mean over rows."},
        {"text": "One, always", "right": True, "feedback": "Bayes divides: $\\frac{a}{a} = 1$."},
        {"text": "$N$", "feedback": "行 is not 列: that is the sum over all rows."},
    ],
}
SEVERAL = {
    "id": "both",
    "kind": "several",
    "ask": "Which hold?\n\n$$a + b$$\n\nAlways?",
    "options": [
        {"text": "$\\gamma_{nk} \\ge 0$", "right": True, "feedback": "Densities are."},
        {"text": "$\\gamma_{nk} \\le 1$", "right": True, "feedback": "The others take some."},
        {"text": "$\\gamma_{nk} > 2$", "feedback": "More than all of it?"},
    ],
}
DEMO = {
    "guess_first": {**SINGLE, "id": "guess"},
    "in_text": [SEVERAL],
    "questions": [SINGLE, {**SINGLE, "id": "again"}],
    "cards": [
        {"id": "gamma", "front": "What is $\\gamma_{nk}$?", "back": "A bet.\n\n$$p(z \\mid x)$$"},
        {"id": "pi", "front": "And $\\pi_k$?", "back": "A weight."},
    ],
}
OTHER = {"questions": [{**SINGLE, "ask": "Elsewhere?"}]}


def cell(code: str) -> str:
    return f"```{{code-cell}} ipython3\n:tags: [remove-input]\n\n{code}\n```\n\n"


DEMO_PAGE = f"""{HEAD}# 04 A demo

```{{code-cell}} ipython3
print("an output")
```

```{{code-cell}} ipython3
:tags: [hide-input]
print("of folded code")
```

{cell("from gmmlib.show import ask, cards, guess_first, quiz")}
{cell("guess_first('04-demo')")}{cell("ask('04-demo', 'both')")}
{cell("cards('04-demo')")}{cell("quiz('04-demo')")}
"""
OTHER_PAGE = HEAD + "# 05 Other\n\n" + cell("from gmmlib.show import quiz; quiz('05-other')")
INDEX = cell("from gmmlib.show.progress import progress_table; progress_table()")


def write_yaml(book: Book, stem: str, content: dict) -> None:
    book.write(f"chapters/{stem}.yml", yaml.safe_dump(content, allow_unicode=True))


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    book = Book(tmp_path_factory.mktemp("questions"))
    for name in ("_config.yml", "package-lock.json", *PACKED):
        target = book.root / name
        target.parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, target)
    for name in ("_extensions", "_assets"):
        shutil.copytree(ROOT / name, book.root / name)
    (book.root / "node_modules").symlink_to(ROOT / "node_modules")
    chapters = [{"file": "chapters/04-demo"}, {"file": "chapters/05-other"}]
    toc = {"format": "jb-book", "root": "chapters/index", "chapters": chapters}
    book.write("_toc.yml", yaml.safe_dump(toc, sort_keys=False))
    book.write("chapters/references.bib", "")
    book.write("chapters/04-demo.md", DEMO_PAGE)
    book.write("chapters/05-other.md", OTHER_PAGE)
    book.write("chapters/index.md", f"{HEAD}# Start\n\n{INDEX}")
    write_yaml(book, "04-demo", DEMO)
    write_yaml(book, "05-other", OTHER)
    result = book.build()
    assert result.ok, result.log
    return book


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What JupyterLab gets, output after output, in one page; formulas stay TeX."""
    folder = tmp_path_factory.mktemp("notebook")
    (folder / "04-demo.yml").write_text(yaml.safe_dump(DEMO, allow_unicode=True), "utf-8")
    (folder / "04-demo.md").write_text("# 04 A demo\n", "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        shown = [guess_first("04-demo"), ask("04-demo", "both"), cards("04-demo"), quiz("04-demo")]
        outputs = "\n".join(output.html for output in [*shown, progress_table()])
    page = folder / "notebook.html"
    html = f"<!doctype html><html lang=en><title>Notebook</title><main><h1>Demo</h1>{outputs}"
    page.write_text(f"{html}</main></html>", "utf-8")
    return page


@pytest.fixture(params=["book", "notebook"])
def address(request: pytest.FixtureRequest) -> str:
    if request.param == "book":
        return page_of(request.getfixturevalue("book"), "04-demo")
    return request.getfixturevalue("notebook").as_uri()


def page_of(book: Book, name: str) -> str:
    return (book.root / "_build" / "html" / "chapters" / f"{name}.html").as_uri()


@pytest.fixture
def visit(browser):
    """Open a page with the network off; at the end nothing may have gone wrong on it."""
    contexts, trouble = [], []

    def visit(address: str, before: str = "", **settings):
        context = browser.new_context(offline=True, reduced_motion="reduce", **settings)
        contexts.append(context)
        page = context.new_page()
        if before:
            page.add_init_script(before)  # the theme's own scripts may not bear it
        else:
            page.on("pageerror", lambda error: trouble.append(str(error)))
            page.on("console", lambda m: trouble.append(m.text) if m.type == "error" else None)
        page.goto(address)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert trouble == []


def question(page, name: str):
    return page.locator(f"[data-question='04-demo/{name}']")


def answer(question, *options: int) -> str:
    """Choose these options and no others, check, and give what the page then says."""
    for index, control in enumerate(question.locator("input").all()):
        if control.get_attribute("type") == "checkbox" or index in options:
            control.set_checked(index in options)
    question.get_by_role("button", name="Check").click()
    return question.get_by_role("status").inner_text()


# --- What the build made ------------------------------------------------------------------------


def test_the_words_of_a_question_go_through_the_books_own_pipeline(book):
    page = BeautifulSoup(book.page("04-demo"), "html.parser")
    for place in ("legend", "label", "details li div", "summary"):
        assert page.select(f"{place} .katex"), f"no formula set in {place}"
    assert page.select("fieldset > div .katex-display"), "a displayed formula below the legend"
    assert page.select(".katex-error") == []
    assert "🎂 哪个对？" in page.legend.get_text()
    assert "$" not in page.select_one(".gmm-quiz").get_text().replace("\\$", "")
    assert page.select("legend :is(p, div), label :is(p, div), .gmm-card summary p") == []
    ids = [tag["data-question"] for tag in page.select("[data-question]")]
    assert ids == ["04-demo/guess", "04-demo/both", "04-demo/sum", "04-demo/again"]


def test_the_index_links_each_chapter_by_its_title(book):
    page = BeautifulSoup(book.page("index"), "html.parser")
    links = {row["data-chapter"]: row.th.a for row in page.select("tr[data-chapter]")}
    assert [(link["href"], link.get_text()) for link in links.values()] == [
        ("04-demo.html", "04 A demo"),
        ("05-other.html", "05 Other"),
    ]


# --- Answering ----------------------------------------------------------------------------------


def test_a_wrong_answer_gets_its_own_feedback_and_another_try(visit, address):
    page = visit(address)
    sum_ = question(page, "sum")
    said = answer(sum_, 0)
    assert "Not this one" in said
    assert "mean over rows" in said
    assert "Bayes divides" not in said
    assert "行" not in said
    assert "not this one" in sum_.locator("label").nth(0).inner_text()
    assert not sum_.get_by_text("Answers, with reasons").is_visible()
    said = answer(sum_, 1)
    assert "Right" in said
    assert "Bayes divides" in said
    assert "mean over rows" not in said
    sum_.get_by_text("Answers, with reasons").click()
    for feedback in ("mean over rows", "行 is not 列"):
        assert sum_.get_by_text(feedback).is_visible()
    assert question(page, "again").get_by_role("status").inner_text() == ""


def test_checking_without_a_choice_asks_for_one(visit, address):
    page = visit(address)
    assert "Choose" in answer(question(page, "sum"))
    assert page.evaluate("casebook.progress.read().answers") == {}


def test_who_is_stuck_after_two_tries_may_read_the_answers(visit, address):
    sum_ = question(visit(address), "sum")
    answer(sum_, 0)
    answer(sum_, 2)
    sum_.get_by_text("Answers, with reasons").click()
    assert sum_.get_by_text("Bayes divides").is_visible()


def test_a_question_is_answered_by_keyboard_alone(visit, address):
    page = visit(address)
    sum_ = question(page, "sum")
    focused = "document.activeElement"
    sum_.locator("input").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    assert sum_.locator("input").nth(1).is_checked()
    assert sum_.get_by_role("status").inner_text() == "", (
        "an arrow key chooses, and answers nothing"
    )
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")
    assert page.evaluate(f"{focused}.textContent") == "Check"
    page.keyboard.press("Enter")
    assert "mean over rows" in sum_.get_by_role("status").inner_text()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert "Bayes divides" in sum_.get_by_role("status").inner_text()


def test_several_right_answers_count_only_together(visit, address):
    page = visit(address)
    both = question(page, "both")
    said = answer(both, 0)
    assert "not all of them" in said
    assert "Densities are" in said
    assert "The others take some" not in said, "an option that was not chosen stays unsaid"
    said = answer(both, 0, 1, 2)
    assert "Not yet" in said
    assert "More than all of it" in said
    assert page.evaluate("casebook.progress.read().answers['04-demo/both']") is False
    said = answer(both, 0, 1)
    assert "these, and no others" in said
    assert page.evaluate("casebook.progress.read().answers['04-demo/both']") is True


def test_a_right_answer_stays_right_for_who_looks_at_a_wrong_one_afterwards(visit, address):
    page = visit(address)
    answer(question(page, "sum"), 1)
    answer(question(page, "sum"), 0)
    assert page.evaluate("casebook.progress.read().answers") == {"04-demo/sum": True}


# --- Cards --------------------------------------------------------------------------------------


def test_a_card_turns_and_is_known_by_keyboard(visit, address):
    page = visit(address)
    card = page.locator("[data-card='04-demo/gamma']")
    front = card.locator("summary")
    assert not card.get_by_text("A bet.").is_visible()
    front.focus()
    page.keyboard.press("Enter")
    assert card.get_by_text("A bet.").is_visible()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "I knew it"
    page.keyboard.press("Enter")
    assert not card.get_by_text("A bet.").is_visible()
    assert "known" in front.inner_text()
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY", "the focus is not lost"
    page.keyboard.press("Enter")
    card.get_by_role("button", name="Not yet").click()
    assert "not yet" in front.inner_text()
    assert "known" not in page.locator("[data-card='04-demo/pi'] summary").inner_text()


# --- Progress -----------------------------------------------------------------------------------


def row(page, chapter: str = "04-demo") -> list[str]:
    return [
        text.strip() for text in page.locator(f"tr[data-chapter='{chapter}'] td").all_inner_texts()
    ]


def do_something(page) -> None:
    answer(question(page, "sum"), 1)
    answer(question(page, "again"), 0)
    page.locator("[data-card='04-demo/gamma'] summary").click()
    page.get_by_role("button", name="I knew it").first.click()
    page.get_by_role("button", name="I have finished this chapter").click()


def test_progress_outlives_the_page_and_shows_in_the_index(visit, book):
    page = visit(page_of(book, "04-demo"))
    do_something(page)
    page.reload()
    assert "answered this one right" in question(page, "sum").inner_text()
    assert "answered this one right" not in question(page, "again").inner_text()
    finished = page.get_by_role("button", name="I have finished this chapter")
    assert finished.get_attribute("aria-pressed") == "true"
    assert "known" in page.locator("[data-card='04-demo/gamma'] summary").inner_text()
    page.goto(page_of(book, "index"))
    assert row(page) == ["1 of 4", "1 of 2", "✓ yes"]
    assert row(page, "05-other") == ["0 of 1", "of 0", "not yet"]


def test_progress_is_forgotten_only_when_confirmed(visit, book):
    page = visit(page_of(book, "04-demo"))
    do_something(page)
    page.goto(page_of(book, "index"))
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Forget everything").click()
    assert row(page) == ["1 of 4", "1 of 2", "✓ yes"]
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Forget everything").click()
    assert row(page) == ["0 of 4", "0 of 2", "not yet"]
    page.goto(page_of(book, "04-demo"))
    assert "answered this one right" not in question(page, "sum").inner_text()
    assert "known" not in page.locator("[data-card='04-demo/gamma'] summary").inner_text()


def test_the_table_follows_what_is_done_on_the_same_page(visit, notebook):
    page = visit(notebook.as_uri())
    do_something(page)
    assert row(page) == ["1 of 4", "1 of 2", "✓ yes"]
    page.get_by_role("button", name="I have finished this chapter").click()
    assert row(page)[2] == "not yet"


def test_everything_works_where_the_browser_keeps_nothing(visit, address):
    blocked = "Object.defineProperty(window, 'localStorage', { get() { throw new Error('no'); } });"
    page = visit(address, before=blocked)
    do_something(page)
    assert "Bayes divides" in question(page, "sum").get_by_role("status").inner_text()
    assert "known" in page.locator("[data-card='04-demo/gamma'] summary").inner_text()
    page.reload()
    assert "known" not in page.locator("[data-card='04-demo/gamma'] summary").inner_text()


# --- Without script, on paper, and for everybody ------------------------------------------------


def test_without_script_the_answers_open_and_nothing_pretends_to_work(visit, address):
    page = visit(address, java_script_enabled=False)
    main = page.locator("main")
    assert main.locator(".gmm-question button, .gmm-card button, .gmm-quiz button").count() == 0
    sum_ = question(page, "sum")
    sum_.get_by_text("Answers, with reasons").click()
    assert sum_.get_by_text("Bayes divides").is_visible()
    page.locator("[data-card='04-demo/gamma'] summary").click()
    assert page.get_by_text("A bet.").is_visible()


def test_without_script_the_index_says_that_progress_needs_it(visit, book):
    page = visit(page_of(book, "index"), java_script_enabled=False)
    assert page.get_by_text("That needs JavaScript").is_visible()
    assert page.locator("article").get_by_role("button").count() == 0
    assert row(page) == ["of 4", "of 2", "–"]


def test_every_feedback_and_every_back_stands_on_paper(visit, address):
    page = visit(address)
    page.emulate_media(media="print")
    for text in ("mean over rows", "Bayes divides", "行 is not 列"):
        assert question(page, "sum").locator("details").get_by_text(text).is_visible()
    assert page.get_by_text("A bet.").is_visible()
    assert not page.get_by_role("button", name="Check").first.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_a_phone(visit, book, scheme):
    page = visit(
        page_of(book, "04-demo"), color_scheme=scheme, viewport={"width": 375, "height": 800}
    )
    answer(question(page, "guess"), 1)
    answer(question(page, "both"), 0, 2)
    page.locator("[data-card='04-demo/pi'] summary").click()
    page.get_by_role("button", name="Not yet").last.click()
    page.locator("[data-card='04-demo/gamma'] summary").click()
    question(page, "guess").get_by_text("Answers, with reasons").click()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 375
    controls = page.locator("article .gmm-question :is(label, button), .gmm-card button").all()
    heights = [box["height"] for box in (c.bounding_box() for c in controls) if box]
    assert min(heights) >= 40
    assert violations(page, [".gmm-guess", ".gmm-ask", ".gmm-cards", ".gmm-quiz"]) == []
    page.goto(page_of(book, "index"))
    assert violations(page, [".gmm-progress"]) == []


def violations(page, places: list[str]) -> list[tuple[str, list[str]]]:
    page.evaluate((ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8"))
    found = page.evaluate(
        "include => axe.run({ include }, { resultTypes: ['violations'], preload: false })",
        [[place] for place in places],
    )
    return [
        (violation["id"], [node["html"] for node in violation["nodes"]])
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
    ]


# --- A page without its code --------------------------------------------------------------------


def test_code_hides_outputs_stay_and_the_book_remembers(visit, book):
    page = visit(page_of(book, "04-demo"))
    code, folded = page.locator("div.cell_input").first, page.get_by_text("Show code cell source")
    assert code.is_visible()
    page.get_by_role("button", name="Hide code").click()
    page.reload()
    assert not code.is_visible()
    assert not folded.is_visible()
    assert page.get_by_text("an output", exact=True).is_visible()
    assert page.get_by_text("of folded code", exact=True).is_visible()
    page.get_by_role("button", name="Show code").click()
    assert code.is_visible()
    page.goto(page_of(book, "index"))
    assert page.get_by_role("button", name="Hide code").count() == 0, "this page shows no code"


# --- Building again -----------------------------------------------------------------------------


def test_the_index_is_executed_again_when_a_chapter_asks_more(book):
    write_yaml(book, "05-other", {"questions": [*OTHER["questions"], {**SINGLE, "id": "new"}]})
    before = book.page("04-demo")
    result = book.build()
    assert result.ok, result.log
    assert "05-other/sum 05-other/new" in book.page("index")
    assert book.page("04-demo") == before, "what did not change is built to the same bytes"


def test_a_builder_without_html_gets_paragraphs_and_lists(book):
    result = book.build("--builder", "custom", "--custom-builder", "text")
    assert result.ok, result.log
    text = (book.root / "_build" / "text" / "chapters" / "04-demo.txt").read_text("utf-8")
    assert "* A. The weight \\pi_k\n" in text
    assert re.search(
        r"\* \*\*✗ Not this one:\*\* A\. The weight \\pi_k\n\n  That is the mean", text
    )
    assert "What is \\gamma_{nk}?\n\nA bet." in text


def test_bad_tex_fails_the_build_with_the_file_and_the_question(book):
    bad = {**SINGLE, "id": "bad", "ask": "Is $\\frac{1}{2} \\nonsense$ set?"}
    card = {"id": "torn", "front": "And", "back": "$\\sqrt$"}
    write_yaml(book, "05-other", {"questions": [bad], "cards": [card]})
    book.write(
        "chapters/05-other.md",
        OTHER_PAGE + cell("from gmmlib.show import cards; cards('05-other')"),
    )
    result = book.build()
    assert not result.ok
    assert re.search(
        r"05-other\.yml, question 'bad'.*cannot set the formula .*nonsense", result.log
    )
    assert re.search(r"05-other\.yml, card 'torn'.*cannot set the formula \\sqrt", result.log)


def test_a_malformed_file_fails_the_build_with_the_file_and_the_question(book):
    write_yaml(book, "05-other", {"questions": [{**SINGLE, "options": SINGLE["options"][::2]}]})
    result = book.build()
    assert not result.ok
    assert "05-other.yml: questions[0] (sum): needs exactly one right option, has 0" in result.log
