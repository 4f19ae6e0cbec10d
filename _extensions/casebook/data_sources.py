"""The page of data sources: each data set, where it comes from, and which pages use it.

Three directives take their words from YAML and write Markdown: ``data-table`` and ``data-sets``
from ``gmmlib/data/sources.yml``, ``borrowed-data-sets`` (those that come with scikit-learn) from
``data-sources.yml`` beside the page. Who uses a set is found in the chapters and problem sets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

#: What a YAML file says of each set, by name.
Sets = Mapping[str, Mapping[str, Any]]


def used_in(book: Path, call: str) -> list[str]:
    """Links to the chapters and problem sets whose code calls this, in their order.

    Parameters
    ----------
    book : the book's folder, with ``chapters`` and ``exercises`` in it
    call : the name of a function, such as ``old_faithful``
    """
    pattern = rf"\b{call}\b"
    links = []
    for path in [*sorted((book / "chapters").glob("[0-9]*.md")), book / "chapters" / "index.md"]:
        if path.exists() and any(re.search(pattern, code) for code in _code(path)):
            title = "the first page" if path.stem == "index" else str(int(path.stem[:2]))
            links.append(f"{{doc}}`{title} <{path.stem}>`")
    for path in sorted((book / "exercises").glob("ps*.md")):
        if re.search(pattern, path.read_text(encoding="utf-8")):
            links.append(f"{{ref}}`{path.stem} <{path.stem}>`")
    return links


def _code(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    return re.findall(r"^```\{code-cell\}.*?\n(.*?)^```$", text, flags=re.M | re.S)


def _cited(facts: Mapping[str, Any]) -> str:
    return f" {{cite:p}}`{','.join(facts['citation'])}`" if facts["citation"] else ""


def table(sets: Sets, book: Path) -> str:
    """The sets of ``gmmlib.data``, a line for each."""
    lines = [
        "| data | rows × features | units | groups known? | good for | used in |",
        "|---|---|---|---|---|---|",
    ]
    for name, facts in sets.items():
        size = f"{facts['rows']:,} × {len(facts['features'])}"
        units = ", ".join(dict.fromkeys(facts["features"].values()))
        where = ", ".join(used_in(book, name)) or "no page yet"
        known = f"yes, {len(facts['labels']['names'])}" if "labels" in facts else "no"
        title = f"[{facts['title']}](#data-{_id(name)})"
        lines.append(f"| {title} | {size} | {units} | {known} | {facts['good_for']} | {where} |")
    return "\n".join(lines)


def borrowed_sets(sets: Sets, book: Path) -> str:
    """The sets that others ship: a table with a line for each, then a definition list."""
    rows = [
        "| data | rows × features | groups known? | good for | used in |",
        "|---|---|---|---|---|",
    ]
    texts = [""]
    for call, facts in sets.items():
        where = ", ".join(used_in(book, call)) or "no page yet"
        size = facts["shape"].split(", ")[0]
        known = f"yes, {facts['groups']}" if facts["groups"] else "no"
        rows.append(f"| {facts['title']} | {size} | {known} | {facts['good_for']} | {where} |")
        texts += [
            f"**{facts['title']}** (`{facts['loader']}`)",
            f": {facts['shape']}. {facts['description']} **Source.** "
            f"{facts['source'].rstrip('.')}{_cited(facts)}. **Licence.** {facts['licence']} "
            f"**Used in** {where}.",
            "",
        ]
    return "\n".join([*rows, *texts])


def own_sets(sets: Sets, book: Path) -> str:
    """The sets of ``gmmlib.data``, a section for each."""
    lines = []
    for name, facts in sets.items():
        features = ", ".join(f"{column} ({unit})" for column, unit in facts["features"].items())
        others = [column for column in facts["columns"] if column not in facts["features"]]
        labels = ", ".join(facts["labels"]["names"]) if "labels" in facts else "not known"
        lines += [
            "",
            f"(data-{_id(name)})=",
            f"## {facts['title']}",
            "",
            f"{{py:obj}}`gmmlib.data.{name}() <gmmlib.data.{name}>`. {facts['description']}",
            "",
            f"**Features.** {features}." + (f" Other columns: {', '.join(others)}." * bool(others)),
            f"**Groups.** {labels}.",
            "",
            f"**Source.** {facts['source'].rstrip('.')}{_cited(facts)}.",
            "",
            f"**Licence.** {facts['licence']}",
            "",
            f"**Oddities.** {facts['oddities']}",
        ]
    return "\n".join(lines)


def _id(name: str) -> str:
    return name.replace("_", "-")


class DataSets(SphinxDirective):
    """All that ``sources.yml`` says, a section for each set."""

    words = staticmethod(own_sets)

    def run(self) -> list[nodes.Node]:
        book = Path(self.env.app.confdir)
        path = self.path(book)
        pages = [*(book / "chapters").glob("*.md"), *(book / "exercises").glob("ps*.md")]
        for source in (path, *pages):
            self.env.note_dependency(str(source))
        text = self.words(yaml.safe_load(path.read_text(encoding="utf-8")), book)
        holder = nodes.section()
        holder.document = self.state.document
        lines = StringList(text.splitlines())
        self.state.nested_parse(lines, 0, holder, match_titles="\n## " in text)
        return holder.children

    def path(self, book: Path) -> Path:
        """The file with the facts."""
        return book / "gmmlib" / "data" / "sources.yml"


class DataTable(DataSets):
    """The same in a table: what it is, how large, and where it is used."""

    words = staticmethod(table)


class BorrowedDataSets(DataSets):
    """What ``data-sources.yml`` says, as a list."""

    words = staticmethod(borrowed_sets)

    def path(self, book: Path) -> Path:
        """Beside the page, with its name."""
        return Path(self.env.doc2path(self.env.docname)).with_suffix(".yml")


def setup(app: Sphinx) -> None:
    """Register the directives."""
    app.add_directive("data-table", DataTable)
    app.add_directive("data-sets", DataSets)
    app.add_directive("borrowed-data-sets", BorrowedDataSets)
