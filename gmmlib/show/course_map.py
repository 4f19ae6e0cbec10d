"""The map of the whole course: a list of links, drawn as a picture of what builds on what.

Underneath are nested lists, one of parts and in each one of chapters. A wide screen shows them as
cards in columns, with curves from a chapter to those that build on it; a phone one under the
other, with the same lines in a rail at the side. No script is needed; one marks what is finished.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import yaml

from gmmlib.show.markup import Element, Shown, Words, show
from gmmlib.show.palette import component_color
from gmmlib.show.progress import title as first_heading

MISSING = "not in this edition yet"
_KEYS = {"number", "idea", "builds_on", "place"}

# The rail on a phone, in pixels: where a chapter's dot is, how far apart lines and curves are.
_DOT, _LANE, _CURVE = 25, 9, 13


@dataclass(frozen=True)
class Chapter:
    """One chapter on the map; the comment at the top of ``index.map.yml`` explains the fields.

    ``file`` is the chapter's page, or None where there is none yet; ``part`` counts from 0.
    """

    number: int
    title: str
    idea: str
    builds_on: tuple[int, ...]
    place: tuple[int, int]
    part: int
    file: Path | None


@dataclass(frozen=True)
class CourseMap:
    """All chapters in their order, and the names of the parts."""

    parts: tuple[str, ...]
    chapters: tuple[Chapter, ...]

    def edges(self) -> Iterator[tuple[Chapter, Chapter]]:
        """Pairs: a chapter, and one that builds on it."""
        known = {chapter.number: chapter for chapter in self.chapters}
        for chapter in self.chapters:
            for number in chapter.builds_on:
                yield known[number], chapter


def load_map(path: str | Path = "index.map.yml") -> CourseMap:
    """Read and check the data of the map.

    Parameters
    ----------
    path : a YAML file; the chapters' files ``NN-name.md`` stand in the same folder

    Raises
    ------
    ValueError
        Naming the file, the chapter and what is wrong: no valid YAML, unknown or missing keys,
        numbers that do not rise, a title for a chapter that has a file or none for one that has
        not, an idea that is empty, a chapter that builds on one that is not there or not earlier
        (so that no two can wait for each other), two chapters in one place, parts that share a
        column, or a line that would run behind a chapter's card.
    """
    path = Path(path)
    parts, chapters = [], []
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path.name}: not valid YAML: {error}") from error
    for entry in content:
        _check_keys(entry, {"part", "chapters"}, set(), f"{path.name}: part {len(parts) + 1}")
        for item in entry["chapters"]:
            chapters.append(_chapter(item, len(parts), path))
        parts.append(entry["part"])
    course = CourseMap(tuple(parts), tuple(chapters))
    for problem in _problems(course):
        raise ValueError(f"{path.name}: {problem}")
    return course


def course_map(path: str | Path = "index.map.yml") -> Shown:
    """The map of the course, read from the current folder; see ``load_map``."""
    course = load_map(path)
    return show(_nav(course, in_book=True), _nav(course, in_book=False))


# --- Checking -----------------------------------------------------------------------------------


def _check_keys(item: dict, required: set[str], optional: set[str], where: str) -> None:
    odd = (set(item) - required - optional) | (required - set(item))
    if odd:
        raise ValueError(f"{where}: unknown or missing keys: {', '.join(map(str, sorted(odd)))}")


def _chapter(item: dict, part: int, path: Path) -> Chapter:
    where = f"{path.name}: chapter {item.get('number')}"
    _check_keys(item, _KEYS, {"title"}, where)
    number = item["number"]
    file = next(iter(sorted(path.parent.glob(f"{number:02d}-*.md"))), None)
    if file is not None and "title" in item:
        raise ValueError(f"{where}: {file.name} is there, and its heading is the title; drop title")
    if file is None and "title" not in item:
        raise ValueError(f"{where}: no file {number:02d}-*.md, so it needs a title")
    if not str(item["idea"]).strip():
        raise ValueError(f"{where}: the idea is empty")
    # A heading says the chapter's number in two digits; so does a title.
    title = f"{number:02d} {item['title']}" if file is None else first_heading(file)
    column, row = item["place"]
    return Chapter(number, title, item["idea"], tuple(item["builds_on"]), (column, row), part, file)


def _problems(course: CourseMap) -> Iterator[str]:
    numbers = [chapter.number for chapter in course.chapters]
    for before, number in pairwise(numbers):
        if number <= before:
            yield f"chapter {number} stands after chapter {before}"
    for chapter in course.chapters:
        for number in chapter.builds_on:
            if number not in numbers:
                yield f"chapter {chapter.number} builds on {number}, which is not on the map"
            elif number >= chapter.number:
                yield f"chapter {chapter.number} builds on {number}, which does not come before it"
    taken: dict[tuple[int, int], int] = {}
    columns: dict[int, int] = {}
    for chapter in course.chapters:
        if chapter.place in taken:
            yield f"chapters {taken[chapter.place]} and {chapter.number} have the same place"
        taken[chapter.place] = chapter.number
        if columns.setdefault(chapter.place[0], chapter.part) != chapter.part:
            yield f"chapter {chapter.number} stands in a column of another part"
    for source, target in course.edges():
        (x, y), (to_x, to_y) = source.place, target.place
        if (x, y + 1) != (to_x, to_y) and to_x <= x:
            yield (
                f"chapter {target.number} must stand right below {source.number}, on which it "
                "builds, or to the right of it"
            )
        for column in range(x + 1, to_x):
            if (column, to_y) in taken:
                yield (
                    f"the line from chapter {source.number} to {target.number} would run behind "
                    f"{taken[column, to_y]}"
                )


# --- Showing ------------------------------------------------------------------------------------


def _nav(course: CourseMap, in_book: bool) -> Element:
    rail = _Rail(course)
    parts = []
    for part, name in enumerate(course.parts):
        members = [chapter for chapter in course.chapters if chapter.part == part]
        columns = [chapter.place[0] for chapter in members]
        band = Element("p", {"class": "gmm-map-part"}, (Words(name),))
        style = f"--part:{component_color(part)};--from:{min(columns)};--to:{max(columns) + 1}"
        items = (_item(chapter, course, rail, in_book) for chapter in members)
        inside = (rail.beside_part(members[0]), band, Element("ol", {}, tuple(items)))
        parts.append(Element("li", {"style": style}, inside))
    columns, rows = (max(chapter.place[i] for chapter in course.chapters) for i in (0, 1))
    style = f"--columns:{columns};--rows:{rows};--rail:{rail.width}px"
    attributes = {"class": "gmm-map", "aria-label": "Map of the course"}
    attributes |= {"data-casebook": "course-map", "style": style}
    grid = (_curves(course, columns, rows), Element("ol", {}, tuple(parts)))
    return Element("nav", attributes, (Element("div", {"class": "gmm-map-grid"}, grid),))


def _item(chapter: Chapter, course: CourseMap, rail: _Rail, in_book: bool) -> Element:
    column, row = chapter.place
    classes = ["gmm-map-chapter"]
    sources = [source for source, target in course.edges() if target is chapter]
    classes += ["from-above"] if any(s.place[0] == column for s in sources) else []
    classes += ["from-left"] if any(s.place[0] < column for s in sources) else []
    attributes = {"class": " ".join(classes), "style": f"--column:{column};--row:{row}"}
    if chapter.file is None:
        attributes["class"] += " gmm-map-missing"
        link: Element | Words = Words(chapter.title)
    else:
        attributes["data-chapter"] = chapter.file.stem
        # The book's link takes the title from the page by itself, and arrives in any builder.
        name = Element("a", {"href": chapter.file.name}, (Words(chapter.title),))
        link = Words(f"{{doc}}`{chapter.file.stem}`") if in_book else name
    lines = [Element("p", {"class": "gmm-map-title"}, (link,)), _line("idea", chapter.idea)]
    if chapter.builds_on:
        lines.append(_line("note", f"builds on {' and '.join(map(str, chapter.builds_on))}"))
    if chapter.file is None:
        lines.append(_line("note", MISSING))
    card = Element("div", {"class": "gmm-map-card"}, tuple(lines))
    return Element("li", attributes, (rail.beside_chapter(chapter), card))


def _line(kind: str, text: str) -> Element:
    return Element("p", {"class": f"gmm-map-{kind}"}, (Words(text),))


def _svg(css: str, children: Iterable[Element], **attributes: str) -> Element:
    names = {"class": css, "aria-hidden": "true", **attributes}
    return Element("svg", names, tuple(children))


def _stroke(tag: str, source: Chapter, **attributes: object) -> Element:
    names = {name: str(value) for name, value in attributes.items()}
    return Element(tag, {**names, "stroke": component_color(source.part)}, ())


def _curves(course: CourseMap, columns: int, rows: int) -> Element:
    """The lines of the wide map, in units of one cell; a card leaves 8 % free on either side."""
    paths = []
    for source, target in course.edges():
        (x, y), (to_x, to_y) = source.place, target.place
        if x == to_x:
            d = f"M{x - 0.5} {y - 0.5}V{to_y - 0.5}"
        else:
            start, end = f"{x - 0.08:.2f} {y - 0.5}", f"{x + 0.08:.2f} {to_y - 0.5}"
            d = f"M{start}C{x + 0.04:.2f} {y - 0.5} {x - 0.04:.2f} {to_y - 0.5} {end}"
            d += f"H{to_x - 0.92:.2f}"
        paths.append(_stroke("path", source, d=d))
    box = f"0 0 {columns} {rows}"
    return _svg("gmm-map-curves", paths, viewBox=box, preserveAspectRatio="none")


class _Rail:
    """The lines of the narrow map.

    A chapter that builds on the one before it hangs from it by a straight line. Any other line
    has a lane of its own at the left, from the source's row down to its last target.
    """

    def __init__(self, course: CourseMap) -> None:
        order = {chapter.number: i for i, chapter in enumerate(course.chapters)}
        self.order = order
        self.straight: dict[int, Chapter] = {}  # by the target's position: its source
        self.targets: dict[Chapter, set[int]] = {}
        for source, target in course.edges():
            if order[target.number] == order[source.number] + 1:
                self.straight[order[target.number]] = source
            else:
                self.targets.setdefault(source, set()).add(order[target.number])
        self.lanes: dict[Chapter, int] = {}
        ends: list[int] = []  # of each lane: the position of its last target so far
        for source in sorted(self.targets, key=lambda chapter: chapter.number):
            start = order[source.number]
            free = (lane for lane, end in enumerate(ends) if end <= start)
            lane = next(free, len(ends))
            ends[lane : lane + 1] = [max(self.targets[source])]
            self.lanes[source] = lane
        self.dot = _LANE * len(ends) + 7
        self.width = self.dot + 12

    def _x(self, source: Chapter) -> int:
        return self.dot - _LANE * (self.lanes[source] + 1)

    def _down(self, x: int, source: Chapter, start: object = 0, end: object = "100%") -> Element:
        return _stroke("line", source, x1=x, x2=x, y1=start, y2=end)

    def _svg(self, children: Iterable[Element]) -> Element:
        return _svg("gmm-map-rail", children, width=str(self.width))

    def beside_part(self, first: Chapter) -> Element:
        """What passes by the name of a part on its way to the part's first chapter or further."""
        here = self.order[first.number]
        lines = [self._down(self.dot, self.straight[here])] if here in self.straight else []
        for source, targets in self.targets.items():
            if self.order[source.number] < here <= max(targets):
                lines.append(self._down(self._x(source), source))
        return self._svg(lines)

    def beside_chapter(self, chapter: Chapter) -> Element:
        """A chapter's dot, what passes by it, what comes in and what goes out."""
        here = self.order[chapter.number]
        lines = []
        if here in self.straight:
            lines.append(self._down(self.dot, self.straight[here], end=_DOT))
        if here + 1 in self.straight:
            lines.append(self._down(self.dot, chapter, start=_DOT))
        for source, targets in self.targets.items():
            x, start = self._x(source), self.order[source.number]
            if start < here < max(targets):
                lines.append(self._down(x, source))
            elif here == max(targets):
                lines.append(self._down(x, source, end=_DOT - _CURVE))
            elif here == start:
                lines.append(self._down(x, source, start=_DOT + _CURVE))
            if here == start or here in targets:
                turn = _DOT + (_CURVE if here == start else -_CURVE)
                d = f"M{x} {turn}Q{x} {_DOT} {min(x + _CURVE, self.dot)} {_DOT}H{self.dot}"
                lines.append(_stroke("path", source, d=d))
        dot = {"cx": str(self.dot), "cy": str(_DOT), "r": "5", "fill": "currentColor"}
        return self._svg([*lines, Element("circle", dot, ())])
