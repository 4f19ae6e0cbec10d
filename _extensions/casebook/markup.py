"""HTML elements whose words are MyST Markdown: questions, cards, the reader's progress.

A code cell prints, as MyST Markdown, a ``markup`` directive with one element as JSON
(``gmmlib.show.markup`` makes it). The HTML builders write the elements as they are, with words and
formulas set when the book is built; other builders get paragraphs and lists of the same words.
"""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

# What an element is where there is no HTML; any other leaves its words to the element around it.
_PLAIN = {
    "legend": nodes.paragraph,
    "summary": nodes.paragraph,
    "label": nodes.paragraph,
    "p": nodes.paragraph,
    "strong": nodes.strong,
    "ul": nodes.bullet_list,
    "li": nodes.list_item,
}


class element(nodes.General, nodes.Element):
    """An HTML element: ``tag``, ``html_attributes``, and ``origin`` as ``gmmlib`` gives it."""


class phrase(element, nodes.TextElement):
    """One that holds words of one line: docutils wants links and quotes in such."""


class Markup(SphinxDirective):
    """One element, with all that is in it, as JSON."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        return self.parse(json.loads("\n".join(self.content)))

    def parse(self, part: dict[str, Any]) -> list[nodes.Node]:
        if "text" in part:
            return self.words(part["text"], part["inline"])
        kind = phrase if any(child.get("inline") for child in part["children"]) else element
        made = kind(tag=part["tag"], html_attributes=part["attributes"], origin=part["origin"])
        for child in part["children"]:
            made += self.parse(child)
        return [made]

    def words(self, text: str, inline: bool) -> list[nodes.Node]:
        holder = nodes.Element()
        if inline:
            found, messages = self.state.inline_text(text, self.lineno)
            holder += [*found, *messages]
        else:
            self.state.nested_parse(StringList(text.splitlines()), self.content_offset, holder)
        return holder.children


def _name_origins(app: Sphinx, doctree: nodes.document) -> None:
    """Have complaints about words name the file that they stand in.

    A complaint names the source of its node. That is the page with the cell, which says nothing of
    a question in a YAML.
    """
    folder = Path(doctree["source"]).parent
    for outer in doctree.findall(element):
        for node in outer.findall(nodes.Element) if outer["origin"] else ():
            node.source, node.line = str(folder / outer["origin"]), None


class WithoutHtml(SphinxPostTransform):
    """Paragraphs and lists instead of elements, for builders that write something else."""

    default_priority = 10

    def run(self, **kwargs: Any) -> None:
        if self.app.builder.format == "html":
            return
        # From the inside out, so that each finds its children done.
        for node in reversed(list(self.document.findall(element))):
            if node["html_attributes"].get("data-casebook") == "progress":
                node.replace_self([])  # it is kept in a browser
            elif node["tag"] in _PLAIN:
                plain = _PLAIN[node["tag"]]()
                plain += node.children
                node.replace_self(plain)
            else:
                node.replace_self(node.children)


def visit(writer: HTML5Translator, node: element) -> None:
    """Write the start of an element."""
    attributes = (f' {k}="{html.escape(v)}"' for k, v in node["html_attributes"].items())
    writer.body.append(f"<{node['tag']}{''.join(attributes)}>")


def depart(writer: HTML5Translator, node: element) -> None:
    """Write the end of an element."""
    if node["tag"] != "input":
        writer.body.append(f"</{node['tag']}>")


def setup(app: Sphinx) -> None:
    """Register the directive and its nodes."""
    app.add_node(element, html=(visit, depart))
    app.add_node(phrase, html=(visit, depart))
    app.add_directive("markup", Markup)
    app.add_post_transform(WithoutHtml)
    app.connect("doctree-read", _name_origins, priority=100)  # before formulas are checked
