"""Where the course answers the dialogue that it grew from: tables of links, from YAML.

The directive ``seed-map`` prints ``for-instructors.map.yml``; the comment at its top says what
stands in it. A place that is not there is a warning, so the map stays true.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from mdit_py_plugins.anchors.index import slugify
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)


def headings(path: Path) -> list[str]:
    """The headings of a page, without the code around them."""
    text = re.sub(r"^(`{3,}|:{3,}).*?^\1$", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    return [line.lstrip("#").strip() for line in text.splitlines() if re.match(r"#{1,3} ", line)]


def plain(heading: str) -> str:
    """A heading without code marks and the emoji in front."""
    return re.sub(r"^[^\w]+", "", heading.replace("`", ""))


def link(folder: Path, place: str) -> str:
    """A place of the map as a Markdown link.

    Raises
    ------
    ValueError
        If the page, its heading, question or card is not there.
    """
    page, sign, rest = re.fullmatch(r"([\w-]+)(?: ([>@]) (.+))?", place).groups()
    path = folder / f"{page}.md"
    if not path.exists():
        raise ValueError(f"{place!r}: there is no page {page}")
    found = {plain(heading): heading for heading in headings(path)}
    chapter = re.match(r"(\d+)-", page)
    title = f"chapter {int(chapter[1])}" if chapter else next(iter(found))
    title = "first page" if page == "index" else title
    if not sign:
        name = re.sub(r"^\d+ ", "", next(iter(found)))
        return f"[{title}: {name}]({page}.md)" if chapter else f"[{title}]({page}.md)"
    what = heading = rest
    if sign == "@":
        kind = _kind(path.with_suffix(".yml"), rest)
        if kind is None:
            raise ValueError(f"{place!r}: {page}.yml has no {rest!r}")
        what, heading = kind
        if what == "guess":
            return f"[{title}: guess first]({page}.md)"
    if heading in found:
        return f"[{title}: {what}]({page}.md#{slugify(found[heading].replace('`', ''))})"
    if page == "data-sources":  # its headings are made from the data
        return f"[{title}: {what}]({page}.md)"
    raise ValueError(f"{place!r}: {page} has no heading {heading!r}")


@cache
def _questions(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}


def _kind(path: Path, name: str) -> tuple[str, str] | None:
    """What has this id, and under which heading it stands."""
    content = _questions(path)
    if content.get("guess_first", {}).get("id") == name:
        return "guess", ""
    for section, what in (("questions", "quiz"), ("cards", "cards")):
        if any(item["id"] == name for item in content.get(section) or ()):
            return what, "Cards and quiz"
    if content.get("explain", {}).get("id") == name:
        return "a text to write", "Explain EM in five sentences"
    return None


def load(path: Path) -> list[dict[str, Any]]:
    """The sections of the map.

    Raises
    ------
    ValueError
        If a row has other keys than it should, or no place.
    """
    sections = yaml.safe_load(path.read_text(encoding="utf-8"))
    for section in sections:
        for row in section["rows"]:
            if set(row) != {"kind", "has", "at"} or not row["at"]:
                raise ValueError(f"{path.name}: {row} must have kind, has and at")
    return sections


def places(sections: list[dict[str, Any]]) -> Iterator[str]:
    """All places that the map names."""
    for section in sections:
        for row in section["rows"]:
            yield from row["at"]


class SeedMap(SphinxDirective):
    """The map, a table for each section of the dialogue."""

    def run(self) -> list[nodes.Node]:
        path = Path(self.env.doc2path(self.env.docname)).with_suffix(".map.yml")
        for source in (path, *path.parent.glob("*.md"), *path.parent.glob("*.yml")):
            self.env.note_dependency(str(source))
        _questions.cache_clear()
        lines = []
        for section in load(path):
            lines += [f"**{section['section']}**", "", "| the dialogue has | here |", "|---|---|"]
            for row in section["rows"]:
                where = "; ".join(self.linked(path.parent, place) for place in row["at"])
                lines.append(f"| *{row['kind']}* · {row['has']} | {where} |")
            lines.append("")
        holder = nodes.Element()
        self.state.nested_parse(StringList(lines), self.content_offset, holder)
        return holder.children

    def linked(self, folder: Path, place: str) -> str:
        """A link; a warning and the bare words if it leads nowhere."""
        try:
            return link(folder, place)
        except ValueError as error:
            logger.warning("the map of the dialogue: %s", error, location=self.get_location())
            return place


def setup(app: Sphinx) -> None:
    """Register the directive ``seed-map``."""
    app.add_directive("seed-map", SeedMap)
