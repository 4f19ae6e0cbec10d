"""The notation page: rows of ``notation.yml``, a table that a phone shows as a list.

A chapter links to a symbol with ``[...](#notation-gamma-nk)``: ``Row.id`` says how it is called.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import groupby
from pathlib import Path

import yaml

from gmmlib.show.markup import Element, Shown, Words, show

HEADS = ("Symbol", "Meaning", "Shape", "gmmlib", "scikit-learn", "Bishop", "Chapter")


@dataclass(frozen=True)
class Row:
    """One symbol; the comment at the top of ``notation.yml`` says what each field holds."""

    group: str
    symbol: str
    meaning: str
    shape: str
    gmmlib: str
    scikit_learn: str
    bishop: str
    chapter: int

    @property
    def id(self) -> str:
        """Of the place on the page: ``\\gamma_{nk}`` is ``notation-gamma-nk``."""
        return "notation-" + "-".join(re.findall(r"[a-z]+|\d+", self.symbol.lower()))


def load_notation(path: str | Path = "notation.yml") -> tuple[Row, ...]:
    """Read the rows of the notation page.

    Raises
    ------
    ValueError
        If a row's keys are not exactly the fields of ``Row``, a symbol stands twice, two symbols
        have the same id, or the rows of a group do not follow one another.
    """
    rows = []
    wanted = {field.name for field in fields(Row)}
    for entry in yaml.safe_load(Path(path).read_text(encoding="utf-8")):
        if set(entry) != wanted:
            odd = ", ".join(sorted(set(entry) ^ wanted))
            raise ValueError(f"row {entry.get('symbol')!r}: unknown or missing keys: {odd}")
        rows.append(Row(**entry))
    groups = [group for group, _ in groupby(rows, _group)]
    for what in ([row.symbol for row in rows], groups, [row.id for row in rows]):
        for repeated in sorted({item for item in what if what.count(item) > 1}):
            raise ValueError(f"{repeated!r} stands in two places")
    return tuple(rows)


def notation_table(path: str | Path = "notation.yml") -> Shown:
    """The table of notation, read from the current folder; see ``load_notation``."""
    rows = load_notation(path)
    return show(_table(rows, Path(path).parent), _table(rows, Path(path).parent, in_book=False))


def _group(row: Row) -> str:
    return row.group


def _table(rows: tuple[Row, ...], folder: Path, in_book: bool = True) -> Element:
    heads = [_cell("th", head, scope="col", role="columnheader") for head in HEADS]
    bodies = []
    for group, members in groupby(rows, _group):
        name = _cell("th", group, scope="rowgroup", role="rowheader", colspan=str(len(HEADS)))
        entries = (_row(_cells(row, folder, in_book)) for row in members)
        bodies.append(Element("tbody", {"role": "rowgroup"}, (_row([name]), *entries)))
    # The roles stay where a style sheet shows the rows as blocks, on a phone.
    attributes = {"class": "notation", "role": "table", "aria-label": "Notation"}
    head = Element("thead", {"role": "rowgroup"}, (_row(heads),))
    return Element("table", attributes, (head, *bodies))


def _row(cells: Iterable[Element]) -> Element:
    return Element("tr", {"role": "row"}, tuple(cells))


def _cells(row: Row, folder: Path, in_book: bool) -> Iterator[Element]:
    if in_book:  # a place that the book's links know
        yield _cell("th", f"[${row.symbol}$]{{#{row.id}}}", scope="row", role="rowheader")
    else:
        yield _cell("th", f"${row.symbol}$", scope="row", role="rowheader", id=row.id)
    page = next(iter(sorted(folder.glob(f"{row.chapter:02d}-*.md"))), None)
    shown = (
        row.meaning,
        row.shape,
        f"`{row.gmmlib.removeprefix('gmmlib.')}`" if row.gmmlib else "",
        f"`{row.scikit_learn}`" if row.scikit_learn else "",
        f"${row.bishop}$" if row.bishop else "",
        f"[{row.chapter}]({page.name})" if page else str(row.chapter),
    )
    for head, text in zip(HEADS[1:], shown, strict=True):
        yield _cell("td", text, role="cell", **{"data-head": head})


def _cell(tag: str, text: str, **attributes: str) -> Element:
    return Element(tag, attributes, (Words(text),) if text else ())
