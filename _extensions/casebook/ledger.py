"""Gather the records that derivations print into the ledger page.

A code cell prints, as MyST Markdown, a ``derivation-record`` directive with JSON inside. It shows
nothing where it stands; the ``ledger`` directive shows all of them, and ``ledger-unproved`` those
that were only tried at numbers or are only cited. Three kinds of record:

``derivation``  name, label (of its equation), title, claim (TeX), evidence, seconds, and steps,
                each with why, relation, evidence, how, points (numeric trials), seconds
``agreement``   name (of the derivation), what (was compared), largest (relative difference),
                tolerance
``cited``       name, claim (text, may hold ``$...$``), source (key in ``references.bib``)

The table stands in the order of the book and can be sorted by any column (sortable-tablesort, whose
version ``package-lock.json`` names) and filtered (``ledger.js``); only its page loads the two
scripts, and without them it is a plain table. On a phone each row becomes a block of its own, so
every part of the table carries its role: a style sheet that changes ``display`` takes it away.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

from .markup import element, phrase
from .numbering import chapter_number

logger = logging.getLogger(__name__)

Record = dict[str, Any]

# From strongest to weakest. A definition claims nothing, so it weakens nothing.
EVIDENCE = ("definition", "proved", "instances", "tested", "cited")
UNPROVED = ("tested", "cited")

_FIELDS = {
    "derivation": {"name", "label", "title", "claim", "evidence", "seconds", "steps"},
    "agreement": {"name", "what", "largest", "tolerance"},
    "cited": {"name", "claim", "source"},
}
HEADS = ("Equation", "Chapter", "Claim", "Evidence", "Steps", "Numeric check", "Seconds")

_STEP_FIELDS = {"why", "relation", "evidence", "how", "points", "seconds"}


def problems(record: object) -> list[str]:
    """What is wrong with a record, in words; an empty list when it can go into the ledger."""
    if not isinstance(record, dict) or record.get("kind") not in _FIELDS:
        return [f"a record needs a kind, one of {', '.join(_FIELDS)}"]
    found = [f"{field!r} is missing" for field in sorted(_FIELDS[record["kind"]] - record.keys())]
    if found:
        return found
    if record["kind"] == "agreement" and not record["largest"] <= record["tolerance"]:
        # Written so that a difference that is not a number is refused too.
        found.append(f"differs by {record['largest']}, more than {record['tolerance']}")
    if record["kind"] == "derivation":
        levels = [record["evidence"]]
        for number, step in enumerate(record["steps"], start=1):
            for field in sorted(_STEP_FIELDS - step.keys()):
                found.append(f"step {number}: {field!r} is missing")
            levels.append(step.get("evidence", "proved"))
        unknown = sorted(set(levels) - set(EVIDENCE))
        if unknown:
            found.append(f"unknown evidence {', '.join(map(repr, unknown))}")
        elif EVIDENCE.index(levels[0]) < max(map(EVIDENCE.index, levels)):
            found.append(f"called {levels[0]!r}, which is stronger than its weakest step")
    return found


def records(env: BuildEnvironment) -> dict[str, list[Record]]:
    """Every record of the book by page, kept in Sphinx's pickled environment."""
    if not hasattr(env, "casebook_records"):
        env.casebook_records = {}
    return env.casebook_records


class DerivationRecord(SphinxDirective):
    """Store one record; it shows nothing on its own page."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        try:
            record = json.loads("\n".join(self.content))
        except json.JSONDecodeError as error:
            logger.warning("derivation-record: %s", error, location=self.get_location())
            return []
        found = problems(record)
        for problem in found:
            name = record.get("name", "?") if isinstance(record, dict) else "?"
            logger.warning("derivation-record %r: %s", name, problem, location=self.get_location())
        if not found:
            records(self.env).setdefault(self.env.docname, []).append(record)
        return []


class ledger(nodes.General, nodes.Element):
    """Placeholder for the table of all derivations."""


class ledger_unproved(nodes.General, nodes.Element):
    """Placeholder for the list of what is only tested or cited."""


def _element(tag: str, *children: nodes.Node, **attributes: str | int) -> element:
    """An HTML element; ``data_sort=1`` becomes ``data-sort="1"``, and ``css`` its classes."""
    names = {name.replace("_", "-").replace("css", "class"): str(value)
             for name, value in attributes.items()}  # fmt: skip
    # A phrase, because Sphinx writes a link only where it stands among words.
    return phrase("", "", *children, tag=tag, html_attributes=names)


class Ledger(SphinxDirective):
    """Table of every derivation in the book."""

    def run(self) -> list[nodes.Node]:
        return [ledger()]


class LedgerUnproved(SphinxDirective):
    """List of the rows that are only tested or cited."""

    def run(self) -> list[nodes.Node]:
        return [ledger_unproved()]


@dataclass(frozen=True)
class Entry:
    """One record with the page that it stands on."""

    docname: str
    record: Record


def entries(env: BuildEnvironment, kind: str) -> Iterator[Entry]:
    """Records of one kind in the order of the book (file names carry the chapter numbers)."""
    for docname in sorted(records(env)):
        for record in records(env)[docname]:
            if record["kind"] == kind:
                yield Entry(docname, record)


def _check(app: Sphinx, env: BuildEnvironment) -> None:
    """Names are unique, agreements name a derivation, labels and sources exist."""
    derivations: dict[str, str] = {}
    equations = env.get_domain("math").equations
    for entry in entries(env, "derivation"):
        name, label = entry.record["name"], entry.record["label"]
        if name in derivations:
            where = derivations[name]
            logger.warning("derivation %r also stands in %s", name, where, location=entry.docname)
        derivations[name] = entry.docname
        if equations.get(label, ("",))[0] != entry.docname:
            logger.warning(
                "derivation %r: no equation labelled %r on this page",
                name,
                label,
                location=entry.docname,
            )
    for entry in entries(env, "agreement"):
        if entry.record["name"] not in derivations:
            logger.warning(
                "agreement names %r, which no page derives",
                entry.record["name"],
                location=entry.docname,
            )
    known = {citation.key for citation in env.get_domain("cite").citations}
    for entry in entries(env, "cited"):
        if entry.record["source"] not in known:
            logger.warning(
                "%r cites %r, which no page of the book cites with {cite}",
                entry.record["name"],
                entry.record["source"],
                location=entry.docname,
            )


def inline(text: str) -> list[nodes.Node]:
    """Text with ``$...$`` as nodes."""
    parts = re.split(r"\$([^$]+)\$", text)
    return [
        nodes.math("", part) if odd else nodes.Text(part)
        for part, odd in zip(parts, [False, True] * len(parts), strict=False)
        if part
    ]


def _badge(level: str) -> nodes.inline:
    return nodes.inline("", level, classes=["evidence", f"evidence-{level}"])


def _seconds(value: float) -> str:
    return f"{value:.1f}" if value >= 0.05 else "< 0.1"


def _points(steps: list[Record]) -> int:
    return sum(step["points"] for step in steps)


class _Page:
    """Builds the ledger's nodes for one page."""

    def __init__(self, app: Sphinx, docname: str) -> None:
        self.app, self.env, self.docname = app, app.env, docname

    def link(self, docname: str, target: str, text: str) -> nodes.reference:
        return make_refnode(self.app.builder, self.docname, docname, target, nodes.Text(text))

    def chapter(self, docname: str) -> nodes.reference:
        number = chapter_number(docname)
        title = self.env.titles[docname].astext()
        return self.link(docname, "", title if number is None else str(number))

    def equation(self, entry: Entry) -> nodes.reference:
        target = nodes.make_id(f"equation-{entry.record['label']}")
        number = self.env.toc_fignumbers[entry.docname]["displaymath"][target]
        return self.link(entry.docname, target, f"({'.'.join(map(str, number))})")

    def source(self, key: str) -> nodes.Node:
        for citation in self.env.get_domain("cite").citations:
            if citation.key == key:
                people = citation.entry.persons.get("author") or citation.entry.persons["editor"]
                names = [" ".join(person.last_names) for person in people]
                text = names[0] if len(names) == 1 else " and ".join(names)
                text = f"{names[0]} et al." if len(names) > 2 else text
                text = f"{text}, {citation.entry.fields['year']}"
                page = citation.bibliography_key.docname
                return self.link(page, citation.citation_id, text)
        return nodes.Text(key)

    def numeric_check(self, name: str, steps: list[Record]) -> list[nodes.Node]:
        checks = [e.record for e in entries(self.env, "agreement") if e.record["name"] == name]
        lines = [
            [*inline(f"{c['what']}: "), _element("span", nodes.Text(f"{c['largest']:.1e}"))]
            for c in checks
        ]
        lines.append([nodes.Text(f"{_points(steps)} trial points")])
        return [_element("div", *line) for line in lines]

    def summary(self) -> nodes.paragraph:
        rows = [entry.record for entry in entries(self.env, "derivation")]
        steps = [step for row in rows for step in row["steps"]]
        levels = [step["evidence"] for step in steps]
        counts = ", ".join(
            f"{levels.count(level)} {'definitions' if level == 'definition' else level}"
            for level in EVIDENCE
            if level in levels
        )
        seconds = sum(row["seconds"] for row in rows)
        checks = len(list(entries(self.env, "agreement")))
        text = (
            f"{len(rows)} derivations in {len(steps)} steps ({counts}), compared with gmmlib or "
            f"with other code {checks} times. Proving them all took {seconds:.0f} seconds."
        )
        return nodes.paragraph("", text)

    def table(self) -> nodes.Node:
        heads = [_element("th", nodes.Text(head), role="columnheader", scope="col")
                 for head in HEADS]  # fmt: skip
        heads[0]["html_attributes"]["aria-sort"] = "ascending"
        rows = [self._row(*item) for item in enumerate(entries(self.env, "derivation"), start=1)]
        table = _element(
            "table",
            _element("thead", _element("tr", *heads, role="row"), role="rowgroup"),
            _element("tbody", *rows, role="rowgroup"),
            css="ledger sortable asc",
            role="table",
            aria_label="Every derived equation",
        )
        return nodes.container("", table, classes=["scrolls"])

    def _row(self, position: int, entry: Entry) -> element:
        """One derivation; each cell says how it sorts, whatever it shows."""
        record, steps = entry.record, entry.record["steps"]
        number = chapter_number(entry.docname)
        title = _element("div", *inline(record["title"]), css="ledger-title")
        claim = _element("div", nodes.math("", record["claim"]), css="scrolls")
        # Trial points of the proof, then the comparisons with other code: these count for more.
        checks = sum(e.record["name"] == record["name"] for e in entries(self.env, "agreement"))
        cells = (
            (position, [self.equation(entry)]),
            (number or 999, [self.chapter(entry.docname)]),
            (record["title"].casefold(), [title, claim]),
            (EVIDENCE.index(record["evidence"]), [_badge(record["evidence"])]),
            (len(steps), [nodes.Text(str(len(steps)))]),
            (checks * 10**6 + _points(steps), self.numeric_check(record["name"], steps)),
            (f"{record['seconds']:.4f}", [nodes.Text(_seconds(record["seconds"]))]),
        )
        words = f"{self.equation(entry).astext()} {record['title']} {record['name']}"
        return _element(
            "tr",
            *(_element("td", *shown, role="cell", data_sort=key, data_head=head)
              for head, (key, shown) in zip(HEADS, cells, strict=True)),
            role="row",
            data_evidence=record["evidence"],
            data_words=f"{words} {self.env.titles[entry.docname].astext()}".casefold(),
        )  # fmt: skip

    def unproved(self) -> nodes.Node:
        items = [
            *(self._unproved_step(e, s) for e in entries(self.env, "derivation")
              for s in e.record["steps"] if s["evidence"] in UNPROVED),
            *map(self._cited, entries(self.env, "cited")),
        ]  # fmt: skip
        if not items:
            return nodes.paragraph("", "Nothing: every step is proved, or exact where it says so.")
        return nodes.bullet_list("", *items, classes=["ledger-unproved"])

    def _unproved_step(self, entry: Entry, step: Record) -> nodes.list_item:
        parts = [_badge(step["evidence"]), nodes.Text(" "), self.equation(entry), nodes.Text(" ")]
        parts += [*inline(entry.record["title"]), nodes.Text(": "), *inline(step["why"])]
        return nodes.list_item("", nodes.paragraph("", "", *parts))

    def _cited(self, entry: Entry) -> nodes.list_item:
        parts = [_badge("cited"), nodes.Text(" chapter "), self.chapter(entry.docname)]
        parts += [nodes.Text(": "), *inline(entry.record["claim"]), nodes.Text(" (")]
        parts += [self.source(entry.record["source"]), nodes.Text(")")]
        return nodes.list_item("", nodes.paragraph("", "", *parts))


def _fill(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Replace the placeholders when the page is written, when all pages have been read."""
    page = _Page(app, docname)
    for node in list(doctree.findall(ledger)):
        node.replace_self([page.summary(), page.table()])
    for node in list(doctree.findall(ledger_unproved)):
        node.replace_self(page.unproved())


def _purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    records(env).pop(docname, None)


def _merge(app: Sphinx, env: BuildEnvironment, docnames: list[str], other: BuildEnvironment):
    for docname in docnames:
        if docname in records(other):
            records(env)[docname] = records(other)[docname]


_OWN_SCRIPT = Path(__file__).with_name("ledger.js")


def _copy_scripts(app: Sphinx) -> None:
    source = Path(app.confdir) / "node_modules" / "sortable-tablesort" / "dist" / "sortable.min.js"
    if not source.exists():
        raise ExtensionError("sorting the ledger needs sortable-tablesort: `make book` brings it")
    target = Path(app.outdir) / "_static"
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target / "sortable.min.js")
    shutil.copy(_OWN_SCRIPT, target)


def _load_scripts(
    app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None
) -> None:
    """Only the page that holds the table loads them."""
    tables = doctree.findall(element) if doctree is not None else ()
    if any("sortable" in table["html_attributes"].get("class", "") for table in tables):
        app.add_js_file("sortable.min.js", loading_method="defer")
        app.add_js_file(_OWN_SCRIPT.name, loading_method="defer")


def setup(app: Sphinx) -> None:
    """Register the three directives and what fills them."""
    app.add_node(ledger)
    app.add_node(ledger_unproved)
    app.add_directive("derivation-record", DerivationRecord)
    app.add_directive("ledger", Ledger)
    app.add_directive("ledger-unproved", LedgerUnproved)
    app.connect("builder-inited", _copy_scripts)
    app.connect("env-purge-doc", _purge)
    app.connect("env-merge-info", _merge)
    app.connect("env-check-consistency", _check)
    app.connect("doctree-resolved", _fill)
    app.connect("html-page-context", _load_scripts)
