"""Parts of a page, said once: the book gets MyST Markdown from them, JupyterLab HTML.

An ``Element`` is an HTML element by name; the ``Words`` in it are MyST Markdown. The book's
directive ``markup`` (``_extensions/casebook/markup.py``) writes the elements when the book is built
and puts the words through the book's own pipeline, formulas included. JupyterLab gets the same
elements with the words as HTML, and typesets ``$math$`` itself.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field

from gmmlib.show.live import in_jupyterlab

#: ``$$display$$`` or ``$inline$`` math.
MATH = re.compile(r"\$\$(?P<display>.+?)\$\$|\$(?!\s)(?P<inline>[^$]+?)(?<!\s)\$", flags=re.S)
#: Code, whose dollars are no math, or ``\$``, a dollar.
LITERAL = re.compile(r"(?P<code>(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))|\\\$", flags=re.S)
_DOLLARS = re.compile(f"{LITERAL.pattern}|{MATH.pattern}", flags=re.S)


@dataclass(frozen=True)
class Words:
    """MyST Markdown: a part of one line, or a text of its own with paragraphs and formulas."""

    text: str
    inline: bool = True


@dataclass(frozen=True)
class Element:
    """An HTML element.

    Attributes
    ----------
    tag : such as ``fieldset``
    attributes : without those that need no value
    children : in their order
    origin : what a complaint about the words in it names, such as a file and a question
    """

    tag: str
    attributes: Mapping[str, str]
    children: tuple[Element | Words, ...]
    origin: str = ""


def part(
    tag: str,
    *children: Element | Words | str,
    attributes: Mapping[str, str] | None = None,
    origin: str = "",
) -> Element:
    """An element; a text among its children is words of one line."""
    inner = tuple(Words(child) if isinstance(child, str) else child for child in children)
    return Element(tag, attributes or {}, inner, origin)


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


def show(element: Element, in_notebook: Element | None = None) -> Shown:
    """Both forms of an element; ``in_notebook`` where JupyterLab needs another, such as links."""
    # One line, so that no fence and no blank line of a text can end the directive.
    tree = json.dumps(asdict(element), ensure_ascii=False)
    page = to_page(element if in_notebook is None else in_notebook)
    return Shown(f"~~~{{markup}}\n{tree}\n~~~", in_jupyterlab(page))


def to_page(item: Element | Words) -> str:
    """HTML of an element, with math left for the page to typeset."""
    if isinstance(item, Words):
        return to_html(item.text, item.inline)
    attributes = "".join(f' {k}="{html.escape(v)}"' for k, v in item.attributes.items())
    if item.tag == "input":
        return f"<input{attributes}>"
    return f"<{item.tag}{attributes}>{''.join(map(to_page, item.children))}</{item.tag}>"


def to_html(
    text: str, inline: bool = False, written: Callable[[re.Match], str] = re.Match.group
) -> str:
    r"""Markdown to HTML, with math left for the page to typeset.

    Parameters
    ----------
    text : Markdown with ``$math$``; ``\$`` is a dollar
    inline : whether it is a part of one line, without a paragraph around it
    written : text for a formula (a match of ``MATH``) or a ``\$``; as they stand, if not given
    """
    from markdown_it import MarkdownIt  # comes with the book's tools; figures do without

    kept: list[str] = []

    def keep(match: re.Match) -> str:
        if match["code"]:
            return match[0]
        kept.append(html.escape(written(match), quote=False))
        return f"\ue000{len(kept) - 1}\ue001"

    protected = _DOLLARS.sub(keep, text)
    parser = MarkdownIt("commonmark", {"html": False})
    rendered = parser.renderInline(protected) if inline else parser.render(protected)
    return re.sub("\ue000(\\d+)\ue001", lambda m: kept[int(m[1])], rendered)
