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

All texts are MyST Markdown with ``$math$``. Each option, and each card, is a native disclosure
(``<details>``): it opens by mouse, by touch or with Enter, reads out its state to a screen reader,
prints, and needs no script; what is right shows only after opening.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml

RIGHT, WRONG, SEVERAL = "✅ **Right.**", "❌ **Not this one.**", "*Choose every one that holds.*"


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
class QuestionFile:
    """All that a chapter asks."""

    guess_first: Question | None = None
    in_text: tuple[Question, ...] = ()
    questions: tuple[Question, ...] = ()
    cards: tuple[Card, ...] = ()


@dataclass(frozen=True)
class Shown:
    """Something of MyST Markdown: the book renders it as such, JupyterLab as HTML.

    Attributes
    ----------
    markdown : for the book (``nb_render_markdown_format: myst``)
    html : for JupyterLab, which typesets ``$math$`` in it
    """

    markdown: str = field(repr=False)
    html: str = field(repr=False)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/markdown": self.markdown, "text/html": self.html}


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
    return _show_questions((question,), "gmm-guess")


def ask(stem: str, id: str) -> Shown:
    """The question within the text that has this id, from ``<stem>.yml`` in the current folder.

    Raises
    ------
    ValueError
        If the file has no such question in ``in_text``, or is not valid (see ``load_questions``).
    """
    for question in load_questions(f"{stem}.yml").in_text:
        if question.id == id:
            return _show_questions((question,), "gmm-ask")
    raise ValueError(f"{stem}.yml has no question {id!r} in in_text")


def quiz(stem: str) -> Shown:
    """The chapter's questions, from ``<stem>.yml`` in the current folder.

    Raises
    ------
    ValueError
        If the file has no ``questions``, or is not valid (see ``load_questions``).
    """
    questions = load_questions(f"{stem}.yml").questions
    if not questions:
        raise ValueError(f"{stem}.yml has no questions")
    return _show_questions(questions, "gmm-quiz")


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
    return Shown(
        _directive("div", "gmm-cards", *(_dropdown(c.front, "gmm-card", c.back) for c in deck)),
        _element("div", "gmm-cards", *(_details(c.front, "gmm-card", c.back) for c in deck)),
    )


def load_questions(path: str | Path) -> QuestionFile:
    """Read and check a file of questions and cards.

    Parameters
    ----------
    path : a YAML file; all four keys are optional

    Returns
    -------
    QuestionFile

    Raises
    ------
    ValueError
        Naming the file, the place in it and what is wrong: an unknown, missing or repeated key, a
        repeated id, a text that is empty or no text, no right option or too many, an option
        without feedback, a ``$`` without its partner, a ``$$`` formula inside a line of text,
        braces in math that do not match, an option or a front of more than one line.
    """
    path = Path(path)
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)
    except yaml.YAMLError as error:
        raise ValueError(f"{path.name}: not valid YAML: {error}") from error
    where = path.name
    _check_keys(
        content, where, required=(), optional=("guess_first", "in_text", "questions", "cards")
    )
    for key in ("in_text", "questions", "cards"):
        if not isinstance(content.get(key, []), list):
            raise ValueError(f"{where}: {key} must be a list")
    first = content.get("guess_first")
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
    )
    ids = [item.id for item in (*result.in_text, *result.questions, *result.cards)]
    ids += [] if result.guess_first is None else [result.guess_first.id]
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


def _question(item: object, where: str) -> Question:
    _check_keys(item, where, required=("id", "ask", "options"), optional=("kind",))
    kind = item.get("kind", "single")
    if kind not in ("single", "several"):
        raise ValueError(f"{where}: kind is {kind!r}, not 'single' or 'several'")
    if not isinstance(item["options"], list) or len(item["options"]) < 2:
        raise ValueError(f"{where}: options must be a list of at least two")
    options = tuple(_option(o, f"{where}: options[{i}]") for i, o in enumerate(item["options"]))
    right = sum(option.right for option in options)
    if right == 0 or (kind == "single" and right > 1):
        wanted = "exactly one right option" if kind == "single" else "at least one right option"
        raise ValueError(f"{where}: needs {wanted}, has {right}")
    return Question(_id(item, where), _text(item, "ask", where), options, kind)


def _option(item: object, where: str) -> Option:
    _check_keys(item, where, required=("text", "feedback"), optional=("right",))
    right = item.get("right", False)
    if not isinstance(right, bool):
        raise ValueError(f"{where}: right is {right!r}, not true or false")
    return Option(_line(item, "text", where), _text(item, "feedback", where), right)


def _card(item: object, where: str) -> Card:
    _check_keys(item, where, required=("id", "front", "back"))
    return Card(_id(item, where), _line(item, "front", where), _text(item, "back", where))


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


_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", flags=re.S)
_MATH = re.compile(r"(\$\$)(.+?)\$\$|\$(?!\s)([^$]+?)(?<!\s)\$", flags=re.S)


def _check_math(text: str, where: str) -> None:
    plain = _CODE.sub("", text).replace(r"\$", "")
    if "$" in _MATH.sub("", plain):
        raise ValueError(f"{where} has a $ without its partner: {text!r} (write \\$ for a dollar)")
    for match in _MATH.finditer(plain):
        before, after = plain[: match.start()], plain[match.end() :]
        alone = before.rpartition("\n")[2].strip() == after.partition("\n")[0].strip() == ""
        if match[1] and not alone:
            raise ValueError(f"{where}: {match[0]} must stand on a line of its own")
        depth = 0
        for brace in re.findall(r"(?<!\\)[{}]", match[0]):
            depth += 1 if brace == "{" else -1
            if depth < 0:
                break
        if depth:
            raise ValueError(f"{where} has braces that do not match in {match[0]}")


# --- Showing ------------------------------------------------------------------------------------


def _show_questions(questions: tuple[Question, ...], css_class: str) -> Shown:
    numbered = len(questions) > 1
    myst, page = [], []
    for number, question in enumerate(questions, start=1):
        ask = f"**{number}.** {question.ask}" if numbered else question.ask
        if question.kind == "several":
            ask += f"\n\n{SEVERAL}"
        answers = [
            (option.text, f"{RIGHT if option.right else WRONG} {option.feedback}")
            for option in question.options
        ]
        options = [_dropdown(text, "gmm-option", feedback) for text, feedback in answers]
        myst.append(_directive("div", "gmm-question", ask, *options))
        options = [_details(text, "gmm-option", feedback) for text, feedback in answers]
        page.append(_element("div", "gmm-question", to_html(ask), *options))
    return Shown(_directive("div", css_class, *myst), _element("div", css_class, *page))


def _dropdown(title: str, css_class: str, body: str) -> str:
    return _directive("dropdown", title, body, options=(f":class-container: {css_class}",))


def _directive(name: str, argument: str, *blocks: str, options: tuple[str, ...] = ()) -> str:
    body = "\n\n".join(blocks)
    # Tildes, because the argument of a backtick fence must not hold a backtick.
    inside = max((len(run) for run in re.findall(r"^~{3,}", body, flags=re.M)), default=2)
    fence = "~" * (inside + 1)
    head = "".join(f"{option}\n" for option in options)
    return f"{fence}{{{name}}} {argument}\n{head}\n{body}\n{fence}"


def _details(title: str, css_class: str, body: str) -> str:
    summary = f"<summary>{to_html(title, inline=True)}</summary>"
    return f'<details class="{css_class}">{summary}{to_html(body)}</details>'


def _element(tag: str, css_class: str, *blocks: str) -> str:
    return f'<{tag} class="{css_class}">' + "\n".join(blocks) + f"</{tag}>"


def to_html(text: str, inline: bool = False) -> str:
    """Markdown to HTML, with math left for the page to typeset."""
    from markdown_it import MarkdownIt  # comes with the book's tools; figures do without

    formulas: list[str] = []

    def keep(match: re.Match) -> str:
        formulas.append(html.escape(match[0], quote=False))
        return f"\ue000{len(formulas) - 1}\ue001"

    protected = _MATH.sub(keep, text)
    parser = MarkdownIt("commonmark", {"html": False})
    rendered = parser.renderInline(protected) if inline else parser.render(protected)
    return re.sub("\ue000(\\d+)\ue001", lambda m: formulas[int(m[1])], rendered)
