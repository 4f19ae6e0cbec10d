"""Quizzes and flash cards: data beside the chapter, checked, shown without script or kernel.

A chapter ``03-two-likelihoods.md`` has its questions in ``03-two-likelihoods.yml``::

    guess_first:                      # one question, before the theory
      id: why-not-differentiate
      ask: Why not set the derivative of $\\log L$ to zero and solve?
      options:
        - text: The sum inside the logarithm couples all parameters.
          right: true
          feedback: Each equation holds the responsibilities, and these hold everything.
        - text: There are too many customers.
          feedback: With two customers it is no easier.
    in_text: []                       # a list of such, each shown where the chapter asks it
    questions: []                     # the quiz at the end; with kind: several, more may be right
    cards:
      - {id: coupling, front: What couples the parameters?, back: The responsibilities.}
    explain:                          # a text to write (gmmlib/show/review.py)
      id: in-five-sentences
      ask: Explain EM in five sentences.
      ideas:                          # what such a text should say, to be ticked by its writer
        - {idea: What is missing, look_for: Nobody has seen the labels.}
      mistakes: [EM finds the best parameters.]
      model: A text that holds all ideas.

All texts are MyST Markdown with ``$math$``. A question is a native ``<fieldset>`` of radio buttons
or checkboxes, a card a native ``<details>``. The feedback of every option stands in the page from
the start, in one closed ``<details>``: it opens, and prints, without script. With script
(``browser/questions.js``) a button checks what was chosen and says the feedback of that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase

import yaml

from gmmlib.show.beside import beside
from gmmlib.show.markup import LITERAL, MATH, Element, Shown, Words, part, show

RIGHT, WRONG = "✓ Right:", "✗ Not this one:"
SEVERAL = "Choose every one that holds."
REASONS = "Answers, with reasons"


@dataclass(frozen=True)
class Option:
    """One answer to choose from; the feedback says why it is right, or why one might think so."""

    text: str
    feedback: str
    right: bool = False


@dataclass(frozen=True)
class Question:
    """A multiple-choice question: one right option, or one and more where kind is 'several'."""

    id: str
    ask: str
    options: tuple[Option, ...]
    kind: str = "single"


@dataclass(frozen=True)
class Card:
    """A flash card."""

    id: str
    front: str
    back: str


@dataclass(frozen=True)
class Idea:
    """What a text should say, and how its writer can tell that it does."""

    idea: str
    look_for: str


@dataclass(frozen=True)
class Task:
    """A text to write, with what it should say, what is often said wrongly, and a model."""

    id: str
    ask: str
    ideas: tuple[Idea, ...]
    mistakes: tuple[str, ...]
    model: str


@dataclass(frozen=True)
class QuestionFile:
    """All that a chapter asks."""

    guess_first: Question | None = None
    in_text: tuple[Question, ...] = ()
    questions: tuple[Question, ...] = ()
    cards: tuple[Card, ...] = ()
    explain: Task | None = None

    @property
    def every_question(self) -> tuple[Question, ...]:
        """In the order of the chapter."""
        first = () if self.guess_first is None else (self.guess_first,)
        return (*first, *self.in_text, *self.questions)


def guess_first(stem: str) -> Shown:
    """The question before the theory, from ``<stem>.yml`` in the current folder.

    Raises
    ------
    ValueError
        If the file has no ``guess_first``, or is not valid (see ``load_questions``).
    """
    question = load_questions(f"{stem}.yml").guess_first
    if question is None:
        raise ValueError(f"{stem}.yml has no guess_first")
    return _show_questions(stem, (question,), "gmm-guess")


def ask(stem: str, id: str) -> Shown:
    """The question within the text that has this id, from ``<stem>.yml`` in the current folder.

    Raises
    ------
    ValueError
        If the file has no such question in ``in_text``, or is not valid (see ``load_questions``).
    """
    for question in load_questions(f"{stem}.yml").in_text:
        if question.id == id:
            return _show_questions(stem, (question,), "gmm-ask")
    raise ValueError(f"{stem}.yml has no question {id!r} in in_text")


def quiz(stem: str) -> Shown:
    """The chapter's questions, from ``<stem>.yml`` in the current folder; then, with script, a
    button for who has finished the chapter.

    Raises
    ------
    ValueError
        If the file has no ``questions``, or is not valid (see ``load_questions``).
    """
    questions = load_questions(f"{stem}.yml").questions
    if not questions:
        raise ValueError(f"{stem}.yml has no questions")
    finished = part("div", attributes={"data-casebook": "finish", "data-chapter": stem})
    return _show_questions(stem, questions, "gmm-quiz", finished)


def cards(stem: str) -> Shown:
    """The chapter's flash cards, from ``<stem>.yml`` in the current folder.

    Raises
    ------
    ValueError
        If the file has no ``cards``, or is not valid (see ``load_questions``).
    """
    deck = load_questions(f"{stem}.yml").cards
    if not deck:
        raise ValueError(f"{stem}.yml has no cards")
    faces = (card_part(stem, card) for card in deck)
    return show(part("div", *faces, attributes={"class": "gmm-cards"}))


def load_questions(path: str | Path) -> QuestionFile:
    """Read and check a file of questions and cards.

    Parameters
    ----------
    path : a YAML file; all keys are optional

    Returns
    -------
    QuestionFile

    Raises
    ------
    ValueError
        Naming the file, the place in it with the id there, and what is wrong: an unknown, missing
        or repeated key, a repeated id, a text that is empty or no text, no right option or too
        many, an option without feedback, a ``$`` without its partner, a ``$$`` formula inside a
        line of text, braces in math that do not match, an option or a front of more than one line,
        a question that begins with a displayed formula.
    """
    path = beside(path)
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)
    except yaml.YAMLError as error:
        raise ValueError(f"{path.name}: not valid YAML: {error}") from error
    where = path.name
    keys = ("guess_first", "in_text", "questions", "cards", "explain")
    _check_keys(content, where, required=(), optional=keys)
    for key in ("in_text", "questions", "cards"):
        if not isinstance(content.get(key, []), list):
            raise ValueError(f"{where}: {key} must be a list")
    first, explain = content.get("guess_first"), content.get("explain")
    result = QuestionFile(
        None if first is None else _question(first, f"{where}: guess_first"),
        *(
            tuple(
                _question(item, f"{where}: {key}[{i}]")
                for i, item in enumerate(content.get(key, []))
            )
            for key in ("in_text", "questions")
        ),
        tuple(
            _card(item, f"{where}: cards[{i}]") for i, item in enumerate(content.get("cards", []))
        ),
        None if explain is None else _task(explain, f"{where}: explain"),
    )
    ids = [item.id for item in (*result.every_question, *result.cards)]
    ids += [] if result.explain is None else [result.explain.id]
    for repeated in sorted({name for name in ids if ids.count(name) > 1}):
        raise ValueError(f"{where}: the id {repeated!r} occurs more than once")
    return result


# --- Checking -----------------------------------------------------------------------------------


class _StrictLoader(yaml.SafeLoader):
    """YAML that refuses a key given twice, where PyYAML silently keeps the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                line = node.start_mark.line + 1
                raise yaml.YAMLError(f"the key {key!r} is given twice in the entry at line {line}")
        return super().construct_mapping(node, deep=deep)


def _named(item: object, where: str) -> str:
    """The place, with the id that stands there: who mends it looks for the id."""
    name = item.get("id") if isinstance(item, dict) else None
    return f"{where} ({name})" if isinstance(name, str) else where


def _question(item: object, where: str) -> Question:
    where = _named(item, where)
    _check_keys(item, where, required=("id", "ask", "options"), optional=("kind",))
    kind = item.get("kind", "single")
    if kind not in ("single", "several"):
        raise ValueError(f"{where}: kind is {kind!r}, not 'single' or 'several'")
    if not isinstance(item["options"], list) or not 2 <= len(item["options"]) <= 9:
        raise ValueError(f"{where}: options must be a list of at least two, and at most nine")
    options = tuple(_option(o, f"{where}: options[{i}]") for i, o in enumerate(item["options"]))
    right = sum(option.right for option in options)
    if right == 0 or (kind == "single" and right > 1):
        wanted = "exactly one right option" if kind == "single" else "at least one right option"
        raise ValueError(f"{where}: needs {wanted}, has {right}")
    ask = _text(item, "ask", where)
    if ask.startswith("$$"):
        raise ValueError(f"{where}: ask must begin with words, not with a displayed formula")
    return Question(_id(item, where), ask, options, kind)


def _option(item: object, where: str) -> Option:
    _check_keys(item, where, required=("text", "feedback"), optional=("right",))
    right = item.get("right", False)
    if not isinstance(right, bool):
        raise ValueError(f"{where}: right is {right!r}, not true or false")
    return Option(_line(item, "text", where), _text(item, "feedback", where), right)


def _card(item: object, where: str) -> Card:
    where = _named(item, where)
    _check_keys(item, where, required=("id", "front", "back"))
    return Card(_id(item, where), _line(item, "front", where), _text(item, "back", where))


def _task(item: object, where: str) -> Task:
    where = _named(item, where)
    _check_keys(item, where, required=("id", "ask", "ideas", "mistakes", "model"))
    for key in ("ideas", "mistakes"):
        if not isinstance(item[key], list) or not item[key]:
            raise ValueError(f"{where}: {key} must be a list, and not an empty one")
    ideas = []
    for i, idea in enumerate(item["ideas"]):
        place = f"{where}: ideas[{i}]"
        _check_keys(idea, place, required=("idea", "look_for"))
        ideas.append(Idea(_line(idea, "idea", place), _line(idea, "look_for", place)))
    mistakes = {f"mistakes[{i}]": mistake for i, mistake in enumerate(item["mistakes"])}
    return Task(
        _id(item, where),
        _text(item, "ask", where),
        tuple(ideas),
        tuple(_line(mistakes, key, where) for key in mistakes),
        _text(item, "model", where),
    )


def _check_keys(
    item: object, where: str, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> None:
    if not isinstance(item, dict):
        raise ValueError(f"{where}: must be a mapping of keys to values, is {item!r}")
    for key in item:
        if key not in required + optional:
            known = ", ".join(required + optional)
            raise ValueError(f"{where}: unknown key {key!r}; known are {known}")
    for key in required:
        if key not in item:
            raise ValueError(f"{where}: {key} is missing")


def _id(item: dict, where: str) -> str:
    name = _text(item, "id", where)
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise ValueError(f"{where}: id {name!r} must be lower-case letters, digits and hyphens")
    return name


def _line(item: dict, key: str, where: str) -> str:
    text = _text(item, key, where)
    if "\n" in text:
        raise ValueError(f"{where}: {key} must be one line; put what is longer behind it")
    return text


def _text(item: dict, key: str, where: str) -> str:
    text = item[key]
    if not isinstance(text, str):
        raise ValueError(f"{where}: {key} is {text!r}, not a text; put it in quotes")
    if not text.strip():
        raise ValueError(f"{where}: {key} is empty")
    _check_math(text, f"{where}: {key}")
    return text.strip()


def _check_math(text: str, where: str) -> None:
    plain = LITERAL.sub("", text)
    if "$" in MATH.sub("", plain):
        raise ValueError(f"{where} has a $ without its partner: {text!r} (write \\$ for a dollar)")
    for match in MATH.finditer(plain):
        before, after = plain[: match.start()], plain[match.end() :]
        alone = before.rpartition("\n")[2].strip() == after.partition("\n")[0].strip() == ""
        if match["display"] and not alone:
            raise ValueError(f"{where}: {match[0]} must stand on a line of its own")
        depth = 0
        for brace in re.findall(r"(?<!\\)[{}]", match[0]):
            depth += 1 if brace == "{" else -1
            if depth < 0:
                break
        if depth:
            raise ValueError(f"{where} has braces that do not match in {match[0]}")


# --- Showing ------------------------------------------------------------------------------------


def _show_questions(
    stem: str, questions: tuple[Question, ...], css_class: str, *after: Element
) -> Shown:
    numbers = range(1, len(questions) + 1) if len(questions) > 1 else [None]
    parts = [question_part(stem, q, number) for q, number in zip(questions, numbers, strict=True)]
    return show(part("div", *parts, *after, attributes={"class": css_class}))


def question_part(stem: str, question: Question, number: int | None = None) -> Element:
    """One question, with the feedback of every option behind ``REASONS``."""
    name = f"{stem}/{question.id}"
    several = question.kind == "several"
    # A legend holds a line; what else the question says follows it.
    line, more = _first_line(question.ask)
    asked = [part("legend", line if number is None else f"**{number}.** {line}")]
    if more:
        asked.append(part("div", Words(more, inline=False)))
    if several:
        asked.append(part("p", SEVERAL, attributes={"class": "gmm-hint"}))
    control = {"type": "checkbox" if several else "radio", "name": name, "autocomplete": "off"}
    options, reasons = [], []
    # A letter, because a label of nothing but a formula is no label to every program.
    for letter, option in zip(ascii_uppercase, question.options, strict=False):
        answer = f"{letter}. {option.text}"
        label = part("label", part("input", attributes=control), part("span", answer))
        options.append(part("li", label))
        reasons.append(_reason_part(option, answer))
    return part(
        "div",
        part("fieldset", *asked, part("ul", *options)),
        part("details", part("summary", REASONS), part("ul", *reasons)),
        attributes={"class": "gmm-question", "data-casebook": "question", "data-question": name},
        origin=f"{stem}.yml, question {question.id!r}",
    )


def _first_line(ask: str) -> tuple[str, str]:
    """The first paragraph of a question up to its first displayed formula, and what follows."""
    line, more = re.match(r"(.+?)(?:\n\s*\n|\n(?=\s*\$\$)|\Z)(.*)", ask, flags=re.S).groups()
    return line, more


def _reason_part(option: Option, answer: str) -> Element:
    verdict, words = ("right", RIGHT) if option.right else ("wrong", WRONG)
    sign = part("strong", words, attributes={"class": f"gmm-{verdict}"})
    return part(
        "li",
        part("p", sign, part("span", f" {answer}")),
        part("div", Words(option.feedback, inline=False)),
        attributes={"data-verdict": verdict},
    )


def card_part(stem: str, card: Card) -> Element:
    """One card, which turns without script."""
    name = f"{stem}/{card.id}"
    return part(
        "details",
        part("summary", card.front),
        part("div", Words(card.back, inline=False)),
        attributes={"class": "gmm-card", "data-casebook": "card", "data-card": name},
        origin=f"{stem}.yml, card {card.id!r}",
    )
